"""A score from 0 to 100 against a reference: 50 is as good as it, and more is always better.

*Covered*: a component that is not measured gives no score.  *Not covered*: how sure the reference is; its
numbers are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["lower", "higher"]

COMPONENTS: Mapping[str, Direction] = {
    "first_token_s": "lower",
    "decode_per_s": "higher",
    "peak_bytes": "lower",
}
"""Latency, throughput and memory.  Latency per token is throughput once more, and would count twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number, and the ends between which it lies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score, with those of its components."""

    total: Range
    components: Mapping[str, Range]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """Why there is no score."""

    why: str


def component(measured: float, reference: float, better: Direction) -> float:
    """Return 100 r / (1 + r), where r is how many times as good as the reference a number is.

    It rises with every improvement, is 50 at the reference, and neither end of the scale is reached.

    >>> component(2.0, 2.0, "lower"), component(1.0, 2.0, "lower"), component(1.0, 3.0, "higher")
    (50.0, 66.66666666666666, 25.0)

    Raises ``ValueError`` for numbers that are not above 0.
    """
    if measured <= 0 or reference <= 0:
        raise ValueError("only numbers above 0 have a score")
    good, other = (reference, measured) if better == "lower" else (measured, reference)
    return 100 * (good / (good + other))


def score(measured: Mapping[str, Range | None], reference: Mapping[str, float]) -> Score | Unscored:
    """Return the geometric mean of the components' scores.

    The ends are those of the components, the worst of all together and the best.  Two of them vary:
    where each lies within its ends at 97.5 %, the score does at 95 % (Bonferroni).

    >>> same = {"first_token_s": 2.0, "decode_per_s": 30.0, "peak_bytes": 4e8}
    >>> score({k: Range(value=v, low=v, high=v) for k, v in same.items()}, same).total.value
    50.0
    >>> score({"first_token_s": None}, same)
    Unscored(why='not measured: first_token_s, decode_per_s, peak_bytes')

    *Not to be trusted when* the reference was measured on another kind of machine: ``profiles.require_like``
    refuses that.
    """
    missing = [name for name in COMPONENTS if measured.get(name) is None]
    if missing:
        return Unscored(why=f"not measured: {', '.join(missing)}")
    parts = {
        name: _scored(found, reference[name], better)
        for name, better in COMPONENTS.items()
        if (found := measured[name]) is not None
    }
    return Score(
        total=Range(
            value=_mean([part.value for part in parts.values()]),
            low=_mean([part.low for part in parts.values()]),
            high=_mean([part.high for part in parts.values()]),
        ),
        components=parts,
    )


def _scored(found: Range, reference: float, better: Direction) -> Range:
    value, low, high = (
        component(x, reference, better) for x in (found.value, found.low, found.high)
    )
    return Range(value=value, low=min(low, high), high=max(low, high))


def _mean(values: list[float]) -> float:
    mean = float(prod(values) ** (1 / len(values)))
    # Roots are rounded: a mean of equal numbers is that number.
    return min(max(mean, min(values)), max(values))
