"""What a plugin puts on the board (``assay.board``): columns of numbers that no single task has.

An entry point of the group ``assay.board`` is a function from a sealed run to columns.  It is called when a run is
added to a board, and what it returns is kept with the run's card: the board itself is built without any plugin.
"""

from __future__ import annotations

from .publish.board.columns import BoardColumn

__all__ = ["BoardColumn"]
