"""A sample as it is shown, with what every system said to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.sample import Sample
from ...store.line import Line

if TYPE_CHECKING:
    from ...core.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one system said to one sample."""

    system: str
    control: bool
    outcomes: Mapping[int, Outcome]
    """By seed, as shipped: after thresholds were applied.  Empty where it was not asked."""

    lines: Mapping[int, Line]
    """By seed, as they stand in the journal.  Of a page, the first seed's alone."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample, with what the systems said to it."""

    sample: Sample
    said: tuple[Said, ...]
