"""How a table is to be read, and what no table can be read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from assay import PlanError

from .parts import Shares
from .targets import ABOVE, BELOW, Censored, Limits

Missing: TypeAlias = Literal["error", "drop", "mean"]
Quantiles: TypeAlias = tuple[float | None, float | None]
"""Of the training values, as limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a table is read; a plan's options."""

    path: Path
    target: str | None
    interval: tuple[str, str] | None
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    group: str | None
    split: str | None
    test_rows: Path | None
    fold: int
    shares: Shares
    limits: Limits
    quantiles: Quantiles
    censored: Censored
    tolerance: float
    missing: Missing
    leaks: Literal["error", "allow"]
    seed: int

    @property
    def kept(self) -> list[str]:
        """The columns that no system may see."""
        named = (self.target, *(self.interval or ()), self.group, self.split)
        return [name for name in named if name is not None]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a value may be missing, as the plan says."""
        low, high = (
            self.censored in (reason, "both") or limit is not None or quantile is not None
            for reason, limit, quantile in zip(
                (BELOW, ABOVE), self.limits, self.quantiles, strict=True
            )
        )
        return (*((BELOW,) if low else ()), *((ABOVE,) if high else ()))


def check(wanted: Wanted) -> None:
    """Raise ``PlanError`` A104 for options that contradict each other, or can hold for no table."""
    low, high = wanted.limits
    lower, upper = wanted.quantiles
    given = [q for q in wanted.quantiles if q is not None]
    named = wanted.kept
    says: Sequence[tuple[bool, str, str]] = (
        (
            (wanted.target is None) == (wanted.interval is None),
            "the value is in a column `target`, or between the two of `interval`",
            "give one of them",
        ),
        (
            len(set(named)) < len(named),
            f"columns are named twice: {', '.join(map(repr, named))}",
            "name a different column for each",
        ),
        (
            bool(set(wanted.features) & set(named)),
            "a feature is the target, the group or the split",
            "name other columns in `features`",
        ),
        (
            wanted.split is not None and wanted.test_rows is not None,
            "`split` and `test_rows` both say where rows stand",
            "give one of them",
        ),
        (
            wanted.interval is not None and wanted.limits + wanted.quantiles != (None,) * 4,
            "`limits` and `quantiles` are of single values, and the table has intervals",
            "leave the end of an interval open where nothing is known, and declare `censored`",
        ),
        (
            bool(given) and (wanted.limits != (None, None) or wanted.censored != "none"),
            "`quantiles` censor a table that is not",
            "leave `limits` and `censored` out, or `quantiles`",
        ),
        (
            low is not None and high is not None and low >= high,
            "the lower limit is not below the upper one",
            "write [LOW, HIGH]; null for none",
        ),
        (
            lower is not None and upper is not None and lower >= upper,
            f"the lower quantile, {lower}, is not below the upper one, {upper}",
            "write [0.2, 0.8] to hide a fifth at each end; null for none",
        ),
        (
            not all(0 < quantile < 1 for quantile in given),
            f"quantiles lie between 0 and 1, not at {given}",
            "write [0.2, 0.8]; null for none",
        ),
        (
            not all(0 < share < 1 for share in wanted.shares) or abs(sum(wanted.shares) - 1) > 1e-9,
            f"the shares of train, tune, calibration and test are {list(wanted.shares)}",
            "give four positive shares that add to 1",
        ),
        (
            not 0 < wanted.tolerance < float("inf"),
            "the tolerance is not positive",
            "write how far off a right value may be: 0.5",
        ),
        (wanted.fold < 0, "folds count from 0", "write `fold: 0`"),
        (wanted.seed < 0, "seeds count from 0", "write `seed: 0`"),
    )
    for wrong, what, hint in says:
        if wrong:
            raise PlanError(what, where="science.table", hint=hint, code="A104")
