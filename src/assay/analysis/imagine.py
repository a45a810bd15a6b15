"""What a run would say that has not been made yet: from guesses, or from an earlier run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import TypeAlias

from ..core.claim import Claim, Relation
from ..core.metric import Contrast, Metric, Over
from ..stats.chance import reseeded, supposed
from ..stats.inference import Inference, LogT, PairedScore, Score, StudentT, Undefined
from ..stats.jackknife import Spread, beside
from ..stats.power import grown

Imagined: TypeAlias = Callable[[float, float], Inference]
"""From a true value and a number of groups to what a run would say."""

UNIT = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What has to be supposed before anything has run; each can be said on the command line."""

    discordance: float = 0.2
    """Share of samples on which two systems differ."""

    icc: float = 1.0
    """Correlation of samples in a group; 1: a group counts as one sample."""

    seed_sd: float = 0.01
    """Standard deviation over seeds of a system's share."""

    spread: float | None = None
    """Standard deviation of a number that is no share, over groups or time blocks; of its logarithm
    where systems are compared by ratios."""

    effect: float | None = None
    """How far the truth lies from the bound, to the good side."""

    power: float = 0.8
    """How often a true claim is to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a plan asks that counts for a claim."""

    n: int
    """Samples, or timed questions."""

    groups: int
    """Groups of them, or time blocks."""

    seeds: tuple[int, ...] = (1,)
    """Of the system, and of the one it stands against."""

    @property
    def each(self) -> float:
        """Samples in a group."""
        return self.n / max(self.groups, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What an earlier run says of a claim."""

    inference: Inference
    groups: int
    """Groups that it asked."""

    seeds: int
    run: str


def imagine(claim: Claim, metric: Metric, size: Size, guess: Guess) -> Imagined | None:
    """Return what a run would say under guesses; None where a spread has to be known.

    A claim on a share gives a score inference, on a difference of shares a paired one, with seeds a
    variance sum; a number that is no share needs ``guess.spread``.
    """
    guessed = _Guessed(claim, size, guess)
    if metric.bounds == UNIT and metric.contrast is Contrast.DIFFERENCE and not metric.timed:
        return guessed.share if claim.against is None else guessed.difference
    if guess.spread is None:
        return None
    ratio = claim.against is not None and metric.contrast is Contrast.RATIO
    return guessed.ratio if ratio else guessed.number


@dataclass(frozen=True, slots=True)
class _Guessed:
    claim: Claim
    size: Size
    guess: Guess

    def share(self, truth: float, groups: float) -> Inference:
        n, seed_var = self._effective(groups), self._seed_var
        if not seed_var:
            return Score(share=truth, n_eff=n, df=self._plain_df(groups))
        if Over.SAMPLES not in self.claim.over:
            return self._seeds_alone(truth)
        variance = truth * (1 - truth) / n
        if variance <= 0:
            return Undefined("no event under any seed")
        return Score(
            share=truth,
            n_eff=truth * (1 - truth) / (variance + seed_var),
            df=self._df(groups, variance),
            seed_se=sqrt(seed_var),
            seed_df=self._seed_df,
        )

    def difference(self, truth: float, groups: float) -> Inference:
        n, either = self._effective(groups), max(self.guess.discordance, abs(truth))
        if not self._seed_var:
            gained, lost = (either + truth) / 2, (either - truth) / 2
            return PairedScore(gained=gained, lost=lost, n_eff=n, df=self._plain_df(groups))
        if Over.SAMPLES not in self.claim.over:
            return self._seeds_alone(truth)
        variance = max(either - truth**2, 1e-9) / n
        se, seed_se = sqrt(variance + self._seed_var), sqrt(self._seed_var)
        df = self._df(groups, variance)
        return StudentT(value=truth, se=se, df=df, seed_se=seed_se, seed_df=self._seed_df)

    def number(self, truth: float, groups: float) -> Inference:
        return StudentT(value=truth, se=self._spread(groups), df=max(groups - 1, 1))

    def ratio(self, truth: float, groups: float) -> Inference:
        return LogT(value=truth, log_se=self._spread(groups), df=max(groups - 1, 1))

    def _spread(self, groups: float) -> float:
        assert self.guess.spread is not None
        return self.guess.spread / sqrt(groups)

    def _seeds_alone(self, truth: float) -> Inference:
        return StudentT(value=truth, se=sqrt(self._seed_var), df=self._seed_df)

    def _effective(self, groups: float) -> float:
        return groups * self.size.each / (1 + (self.size.each - 1) * self.guess.icc)

    def _plain_df(self, groups: float) -> float:
        return max(groups - 1, 1) if self.size.each > 1 else inf

    @property
    def _seeds(self) -> list[int]:
        return [s for s in self.size.seeds if s > 1] if Over.SEEDS in self.claim.over else []

    @property
    def _seed_var(self) -> float:
        return sum(self.guess.seed_sd**2 / s for s in self._seeds)

    @property
    def _seed_df(self) -> float:
        parts = [(self.guess.seed_sd**2 / s) ** 2 / (s - 1) for s in self._seeds]
        return self._seed_var**2 / sum(parts) if sum(parts) else inf

    def _df(self, groups: float, variance: float) -> float:
        groups_spread = Spread(variance=variance, df=max(groups - 1, 1))
        return beside(groups_spread, Spread(variance=self._seed_var, df=self._seed_df)).df


def imagine_again(pilot: Pilot, size: Size) -> Imagined:
    """Return what a run would say if it were like an earlier one, but larger or smaller."""
    seeds = max(size.seeds) / pilot.seeds

    def again(truth: float, groups: float) -> Inference:
        found = reseeded(supposed(pilot.inference, truth), seeds)
        return found if isinstance(found, Undefined) else grown(found, groups / pilot.groups)

    return again


def truth_of(claim: Claim, metric: Metric, guess: Guess) -> float:
    """Return the value that is supposed: the same for both, or a little better than the bound.

    The little is ``guess.effect``, or five points, or half of what there is room for.
    """
    ratio = metric.contrast is Contrast.RATIO
    if claim.relation is Relation.WITHIN:
        return 1.0 if ratio else 0.0
    up = claim.relation is Relation.AT_LEAST
    if claim.against and guess.effect is None:
        same = 1.0 if ratio else 0.0
        if (claim.bound < same) if up else (claim.bound > same):
            return same
    step = guess.effect
    if step is None:
        if metric.bounds == UNIT:
            room = 1.0 - claim.bound if up else claim.bound + (1.0 if claim.against else 0.0)
            step = min(0.05, max(room, 0.0) / 2)
        else:
            step = abs(claim.bound) / 10
    return claim.bound + step if up else claim.bound - step


def supposing(claim: Claim, metric: Metric, size: Size, guess: Guess) -> str:
    """Return in words what ``imagine`` takes from the guesses."""
    parts = []
    share = metric.bounds == UNIT and metric.contrast is Contrast.DIFFERENCE and not metric.timed
    if share and claim.against and Over.SAMPLES in claim.over:
        parts.append(f"the two differ on {100 * guess.discordance:g} % of samples")
    if share and size.each > 1 and Over.SAMPLES in claim.over:
        alike = f"samples of a group correlate by {guess.icc:g}"
        parts.append("a group counts as one sample" if guess.icc == 1 else alike)
    if share and Over.SEEDS in claim.over:
        parts.append(f"seeds spread by {guess.seed_sd:g}")
    if not share:
        parts.append(f"numbers spread by {guess.spread:g}")
    return f"supposing that {', '.join(parts)}" if parts else ""
