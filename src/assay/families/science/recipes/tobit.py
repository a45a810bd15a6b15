"""``science.tobit``: a straight line through values of which some are known by their limits only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from assay import Answer, Bottom, Built, DataError, Needs, PlanError, Sample

from ..learning.head import NONE, Read
from ..learning.rows import Rows, Scale, features_of, rows_of
from .answering import Reader
from .censored import Floats, Line, fit, losses

BELOW, ABOVE = "below", "above"
MOST_TERMS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tobit:
    """The recipe ``science.tobit``: linear regression by maximum likelihood under Gaussian noise.

    Rows that are ``below`` or ``above`` a limit, and intervals, count as what they say (``censored:
    use``), or are left out (``ignore``: ridge regression, which is then biased).  It declines where
    more than half of the Gaussian lies beyond a limit; the confidence is its share that is within the
    limits and within ``tolerance`` (in ``unit``) of the value.  Each output has a line of its own.

    >>> Tobit(terms="quadratic").seeded
    False

    *Not to be trusted when* rows are censored for another reason than their value.
    """

    terms: Literal["linear", "quadratic"] = "linear"
    censored: Literal["use", "ignore"] = "use"
    penalties: tuple[float, ...] = (0.001, 0.1, 1.0, 10.0, 100.0)
    """Of squared weights; the one of the highest likelihood on tune is taken, the smallest without."""

    tolerance: float = 0.5
    unit: Literal["sd", "target"] = "sd"
    seeded: bool = False
    needs: Needs = Needs()

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no fit can have."""
        positive = all(0 < one < np.inf for one in (*self.penalties, self.tolerance))
        if not self.penalties or not positive:
            raise PlanError(
                "science.tobit: penalties and the tolerance are positive, and there is a penalty",
                hint="write penalties: [0.1, 1, 10]",
                code="A102",
            )

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Fit a line for each penalty on train, and keep the likeliest on tune."""
        rows = rows_of(train)
        if len(np.unique(rows.y[rows.there], axis=0)) < 2:
            raise DataError(
                f"the values of {int(rows.there.sum())} training rows do not differ",
                hint="give more rows that have a value",
            )
        scale = Scale.of(rows)
        limits = _limits(train, rows, scale)
        low, high = _known(train, limits, scale, self.censored)
        held_low, held_high = _known(tune, limits, scale, self.censored)
        basis = Basis.of(scale.inward(rows.x), self.terms)
        x = basis.of_rows(scale.inward(rows.x))
        held = basis.of_rows(scale.inward(features_of(tune))) if tune else x[:0]
        lines, chosen = [], []
        for output in range(rows.y.shape[1]):
            tried = []
            for penalty in self.penalties:
                line = _fitted(x, low[:, output], high[:, output], penalty)
                tried.append((_loss(line, held, held_low[:, output], held_high[:, output]), line))
            best = min(range(len(tried)), key=lambda at: (tried[at][0], self.penalties[at]))
            chosen.append(self.penalties[best])
            lines.append(tried[best][1])
        width = self.tolerance / (1.0 if self.unit == "sd" else scale.y_sd)
        model = Model(
            basis=basis,
            lines=tuple(lines),
            limits=limits if self.censored == "use" else (-np.inf, np.inf),
            width=np.broadcast_to(np.asarray(width, dtype=np.float64), (len(lines),)),
            directions=_directions(rows.reasons),
        )
        return Built(
            system=Reader(read=model.read, scale=scale, reasons=rows.reasons),
            notes={
                "terms": x.shape[1],
                "penalty": chosen[0],
                "deviation": round(float(lines[0].deviation * scale.y_sd[0]), 6),
                "censored_rows": int((~rows.there).sum()) if self.censored == "use" else 0,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The terms of a line: features, or their squares and products too."""

    pairs: tuple[tuple[int, int], ...]
    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, x: Floats, terms: Literal["linear", "quadratic"]) -> Basis:
        """Return the terms of scaled features, themselves scaled to mean 0 and deviation 1."""
        n = x.shape[1]
        pairs = tuple((i, j) for i in range(n) for j in range(i, n)) if terms != "linear" else ()
        if n + len(pairs) > MOST_TERMS:
            raise DataError(
                f"{n} features make {n + len(pairs)} terms, more than {MOST_TERMS}",
                hint="say terms: linear, or name fewer features",
            )
        made = _products(x, pairs)
        sd = made.std(axis=0)
        return cls(pairs=pairs, mean=made.mean(axis=0), sd=np.where(sd > 1e-12, sd, 1.0))

    def of_rows(self, x: Floats) -> Floats:
        """Return the terms of rows, shape [rows, terms]."""
        made: Floats = (_products(x, self.pairs) - self.mean) / self.sd
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A line for each output, and the limits beyond which there is no value."""

    basis: Basis
    lines: tuple[Line, ...]
    limits: tuple[float, float]
    """Of one output; infinite where there is none."""

    width: Floats
    """How far off a right value may be, of each output."""

    directions: tuple[int, int]
    """The classes of the reasons ``below`` and ``above``, or ``NONE``."""

    def read(self, x: Floats) -> Read:
        """Return what each row comes to; everything is in scaled units."""
        terms = self.basis.of_rows(x)
        mean = np.stack([line.mean(terms) for line in self.lines], axis=1)
        sd = np.broadcast_to(np.array([line.deviation for line in self.lines]), mean.shape)
        low, high = self.limits
        below = special.ndtr((low - mean[:, 0]) / sd[:, 0])
        above = special.ndtr((mean[:, 0] - high) / sd[:, 0])
        value = np.clip(mean, low, high)
        first = np.maximum(value - self.width, low)
        last = np.minimum(value + self.width, high)
        share = special.ndtr((last - mean) / sd) - special.ndtr((first - mean) / sd)
        # Where a limit is not known, that side is not: a reason that never came cannot be named.
        nearer = np.where(below >= above, *self.directions)
        other = np.where(below >= above, *self.directions[::-1])
        return Read(
            value=value,
            confidence=np.clip(share.prod(axis=1), 0.0, 1.0),
            declines=(below > 0.5) | (above > 0.5),
            reason=np.where(nearer == NONE, other, nearer).astype(np.int64),
            fault=np.zeros(len(x), dtype=np.bool_),
            sd=np.array(sd),
        )


def _products(x: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    if not pairs:
        return x
    left, right = (np.array(side) for side in zip(*pairs, strict=True))
    return np.concatenate([x, x[:, left] * x[:, right]], axis=1)


def _directions(reasons: Sequence[str]) -> tuple[int, int]:
    below, above = (1 + reasons.index(r) if r in reasons else NONE for r in (BELOW, ABOVE))
    return below, above


def _limits(train: Sequence[Sample], rows: Rows, scale: Scale) -> tuple[float, float]:
    """Return the scaled limits that training shows; infinite on a side where no row is censored.

    A limit that its row tells (the target's proposal) is taken as it is, the median if there are
    several; else it is the outermost value that is there, the likeliest limit of all.
    """
    found = []
    for reason, infinite, outermost in ((BELOW, -np.inf, np.min), (ABOVE, np.inf, np.max)):
        targets = [s.target for s in train if isinstance(s.target, Bottom)]
        here = [target for target in targets if target.reason == reason]
        told = [float(str(t.proposal.value)) for t in here if t.proposal is not None]
        if not here or rows.y.shape[1] != 1:
            found.append(infinite)
        elif told:
            found.append(float(scale.wanted(np.array([np.median(told)]))[0]))
        else:
            found.append(float(outermost(scale.wanted(rows.y[rows.there]))))
    return found[0], found[1]


def _known(
    samples: Sequence[Sample],
    limits: tuple[float, float],
    scale: Scale,
    censored: Literal["use", "ignore"],
) -> tuple[Floats, Floats]:
    """Return between which scaled values each output lies, shape [rows, outputs]; NaN: not used."""
    low = np.full((len(samples), len(scale.y_mean)), np.nan)
    high = low.copy()
    for row, sample in enumerate(samples):
        match sample.target:
            case Answer(value, scores=scores):
                numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
                ends = (scores.get("lower"), scores.get("upper"))
                both = censored == "use" and None not in ends
                low[row] = scale.wanted(np.array([ends[0]], dtype=float) if both else numbers)
                high[row] = scale.wanted(np.array([ends[1]], dtype=float) if both else numbers)
            case Bottom(reason, proposal) if censored == "use" and reason in (BELOW, ABOVE):
                side = (BELOW, ABOVE).index(reason)
                if not np.isfinite(limits[side]):
                    continue
                told = limits[side]
                if proposal is not None:
                    told = float(scale.wanted(np.array([float(str(proposal.value))]))[0])
                low[row], high[row] = (-np.inf, told) if reason == BELOW else (told, np.inf)
            case _:
                pass
    return low, high


def _fitted(x: Floats, low: Floats, high: Floats, penalty: float) -> Line:
    used: NDArray[np.bool_] = ~np.isnan(low)
    return fit(x[used], low[used], high[used], penalty=penalty)


def _loss(line: Line, x: Floats, low: Floats, high: Floats) -> float:
    """Return the mean loss of the rows of tune that are used, rounded; 0 without any."""
    used = ~np.isnan(low)
    if not used.any():
        return 0.0
    mean = line.mean(x[used])
    found = losses(low[used], high[used], mean=mean, deviation=np.full_like(mean, line.deviation))
    return round(float(found.mean()), 9)
