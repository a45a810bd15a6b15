"""How records become one number, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias


class Over(StrEnum):
    """What an interval generalises over.  Neither: a census of exactly these records."""

    SAMPLES = "samples"
    SEEDS = "seeds"


class Better(StrEnum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NONE = "none"
    """Neither: it describes, or a value in between is best.  Claims may bound it on both sides; on no front, and it
    decides nothing."""


class Contrast(StrEnum):
    """How two systems are compared on a metric."""

    DIFFERENCE = "difference"
    RATIO = "ratio"
    """For what is measured on a ratio scale: dollars, seconds."""


class Origin(StrEnum):
    """Where a number comes from.  Printed beside every number."""

    MEASURED = "measured"
    """From records of this run."""
    REPORTED = "reported"
    """Another tool asked, and its log says so.  Never on a front with measured systems."""
    SIMULATED = "simulated"
    """Made up on purpose (a toy).  Never on a front with measured systems."""


Array: TypeAlias = Any
"""A float array with one entry per record.  ``Any``, because the core does not import numpy."""

Columns: TypeAlias = Mapping[str, Array]
"""Column name to array: an outcome (``correct``), a score (``check:kl``), a measurement
(``busy_s``), or ``asked`` (1 for every observed record).  NaN means: does not apply here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Sum of a numerator over sum of a denominator: means, shares, dollars per correct answer.

    Both are functions of columns to one value per record, so they resample as matrix work.
    """

    numerator: Callable[[Columns], Array]
    denominator: Callable[[Columns], Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Shares of strata of the samples, added with weights.  ``Statistic.weighted`` makes one."""

    share: Ratio
    """Of each stratum: whole counts, the numerator at most the denominator."""

    weights: Mapping[str, float]
    """The column that is 1 in a stratum (``tag:L5``), and what its share counts."""

    scale: float = 1.0
    """What all shares at 1 come to."""

    def mean(self, columns: Columns, weights: Array) -> float | None:
        """Return the weighted mean of the shares, of the strata that have samples.

        A resample without any sample of a stratum keeps its share as it was.  None without strata, and
        where no reply of one was observed.
        """
        above, below = self.share.numerator(columns) * 1.0, self.share.denominator(columns) * 1.0
        gone = (above != above) | (below != below)  # noqa: PLR0124  (NaN, without numpy)
        above[gone], below[gone] = 0.0, 0.0
        total, worth = 0.0, 0.0
        for name, weight in self.weights.items():
            here = columns[name]
            if not here.any():
                continue
            drawn = here * weights
            if not (asked := float((drawn * below).sum())):
                drawn = here
                asked = float((drawn * below).sum())
            if not asked:
                return None
            total += weight * float((drawn * above).sum()) / asked
            worth += weight
        return self.scale * total / worth if worth else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a mean or share is from the value that is best.  ``Statistic.distance_of`` makes one."""

    of: Ratio
    centre: float
    bounds: tuple[float, float] = (0.0, 1.0)
    """Of the mean itself; (0, 1) marks a share."""

    def mean(self, columns: Columns, weights: Array) -> float | None:
        """Return how far the weighted mean is from the centre; None where there is nothing to divide by."""
        above, below = self.of.numerator(columns) * 1.0, self.of.denominator(columns) * 1.0
        gone = (above != above) | (below != below)  # noqa: PLR0124  (NaN, without numpy)
        above[gone], below[gone] = 0.0, 0.0
        if not (asked := float((weights * below).sum())):
            return None
        return abs(float((weights * above).sum()) / asked - self.centre)

    def undirected(self, metric: Metric) -> Metric:
        """Return the mean itself, of which neither more nor less is better."""
        return replace(metric, better=Better.NONE, form=self.of, bounds=self.bounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Anything else: quantile, macro-F1, AUROC, a score by levels.

    ``of(columns, weights)`` gets group resampling counts as weights, one per record, and returns
    a float, or None where it is undefined.  It is called once for each resample, unless ``prepare``
    says how many are done at once.
    """

    of: Callable[[Columns, Array], float | None]
    debias: bool = False
    """Take off what resampling shows luck to add: for a distance, which noise only makes larger."""

    prepare: Callable[[Columns, Array], Callable[[Array], Array]] | None = None
    """For speed: ``prepare(columns, groups)`` gets the group of each record, 0 .. G - 1, and returns a
    function from counts of shape [resamples, G] to the values of ``of``, NaN where it is None."""

    among: Callable[[Columns], Array] | None = None
    """1 for each record that it rests on, where those are not all: it decides nothing, and is counted beside the number."""

    strata: Strata | None = None
    """Where it is a weighted mean of shares: its interval is then made of theirs, not resampled."""

    distance: Distance | None = None
    """Where it is how far a mean is from a value: its interval is then read off that of the mean."""

    @classmethod
    def weighted(
        cls, share: Ratio, weights: Mapping[str, float], *, scale: float = 1.0
    ) -> Statistic:
        """Return the mean of a share over strata of the samples, each with a weight of its own.

        ``weights`` names for each stratum the column that is 1 in it, as a rule a tag; no sample may
        stand in two.  Strata without samples are left out, with their weights.

        >>> right = Ratio(numerator=lambda c: c["correct"], denominator=lambda c: c["asked"])
        >>> form = Statistic.weighted(right, {"tag:easy": 1.0, "tag:hard": 3.0}, scale=100.0)
        >>> form.strata.weights["tag:hard"]
        3.0
        """
        strata = Strata(share=share, weights=weights, scale=scale)
        return cls(of=strata.mean, strata=strata)

    @classmethod
    def distance_of(
        cls, mean: Ratio, centre: float, *, bounds: tuple[float, float] = (0.0, 1.0)
    ) -> Statistic:
        """Return how far a mean is from ``centre``, where that is best: less is better.

        ``bounds`` are those of the mean.  Give the mean itself beside it, with ``Better.NONE``: it says on which side.

        >>> liked = Ratio(numerator=lambda c: c["check:liked"], denominator=lambda c: c["asked"])
        >>> Statistic.distance_of(liked, 0.5).distance.centre
        0.5
        """
        far = Distance(of=mean, centre=centre, bounds=bounds)
        return cls(of=far.mean, distance=far)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named number over records."""

    name: str
    better: Better
    form: Ratio | Statistic
    columns: tuple[str, ...]
    """Columns that it reads; a plan is refused when a task cannot give them."""

    says: str = ""
    """One line for people."""

    unit: str = ""
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    contrast: Contrast = Contrast.DIFFERENCE
    timed: bool = False
    """True when it reads measurements of the serial, exclusive pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number that does not travel alone."""

    metric: str
    value: float | None
    """None: undefined on these records; ``method`` says why."""

    low: float | None
    high: float | None
    confidence: float = 0.95
    sides: int = 2
    n: int = 0
    """Samples, or timed questions; each is asked once per seed."""

    n_groups: int = 0
    n_seeds: int = 1
    over: frozenset[Over] = field(default_factory=frozenset)
    method: str = ""
    origin: Origin = Origin.MEASURED

    def __str__(self) -> str:
        """Return it in one line, as a console or a notebook prints it.

        >>> print(Estimate(metric="risk", value=0.25, low=0.1, high=0.4, n=90, n_seeds=3))
        risk 0.25 [0.1, 0.4] at 95 %, n=90x3
        >>> print(Estimate(metric="risk", value=None, low=None, high=None, method="undefined: why"))
        risk not measured (why)
        """
        if self.value is None:
            return f"{self.metric} not measured ({self.method.removeprefix('undefined: ')})"
        n = f"n={self.n}" + (f"x{self.n_seeds}" if self.n_seeds > 1 else "")
        if self.low is None or self.high is None:
            return f"{self.metric} {self.value:.4g} (no interval: {self.method}), {n}"
        ends = f"[{self.low:.4g}, {self.high:.4g}] at {100 * self.confidence:.4g} %"
        return f"{self.metric} {self.value:.4g} {ends}, {n}"
