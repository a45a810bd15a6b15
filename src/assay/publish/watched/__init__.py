"""A run while it is made: how far it is, and what its replies show so far.  Nothing here writes."""

from .moment import CellSeen, Moment, Phase, Running, SystemSeen
from .watching import Watching

__all__ = ["CellSeen", "Moment", "Phase", "Running", "SystemSeen", "Watching"]
