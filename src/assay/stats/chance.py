"""How likely a run is to show what is true."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, inf, isinf, log

from .arrays import level
from .inference import (
    RARE,
    Census,
    Envelope,
    Exact,
    Inference,
    LogT,
    PairedScore,
    Score,
    StudentT,
    Undefined,
    ZeroDiscordance,
)
from .jackknife import Spread, beside, without
from .power import grown, moved, p_towards
from .tails import binomial_at_most, noncentral_t_above, t_quantile, t_tail

_FARTHEST = 10.0
"""Standard errors by which nothing is ever off."""


def chance(
    inference: Inference, *, low: float = -inf, high: float = inf, alpha: float = 0.025
) -> float | None:
    """Return how likely a run like this one shows its value to be within ``low`` and ``high``.

    The value is taken for the truth; a bound that is infinite needs no showing.  None: nothing can
    be said, because the value is undefined, a census or not fully observed.

    Raises DataError A202 for ``alpha`` outside of (0, 1).
    Source: a share by the binomial and the rule that decides it; Student's t by the noncentral t;
    anything else by how many standard errors the value may be set back and still be shown.

    >>> round(chance(Score(share=0.85, n_eff=400), low=0.8), 2)
    0.74

    Not to be trusted when groups are few: it was 7 points too high with 15 of 6 alike samples.
    """
    level("alpha", alpha)
    if inference.value is None or isinstance(inference, Census | Envelope | Undefined):
        return None
    return max(0.0, _shown(inference, low, 1, alpha) + _shown(inference, high, -1, alpha) - 1)


def _shown(inference: Inference, bound: float, sign: int, alpha: float) -> float:
    if isinf(bound):
        return 1.0
    match inference:
        case Score(seed_se=0.0):
            return _shown_share(inference, bound, sign, alpha)
        case StudentT():
            shift = sign * (inference.value - bound) / inference.se
            return _beyond(inference, shift, sign, alpha)
        case LogT():
            if bound <= 0:
                return float(sign > 0)
            shift = sign * (log(inference.value) - log(bound)) / inference.log_se
            return _beyond(inference, shift, sign, alpha)
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(50):
        middle = (low + high) / 2
        shown = p_towards(grown(inference, 1.0, error=sign * middle), bound, sign) <= alpha
        low, high = (middle, high) if shown else (low, middle)
    return 1.0 - t_tail(low, inf)


def _beyond(inference: StudentT | LogT, shift: float, sign: int, alpha: float) -> float:
    """Return how likely an error of t comes to lie beyond the margin that decides."""
    reach = inference.margin.reach(alpha, side=-sign)
    return noncentral_t_above(reach, inference.df, shift)


def _shown_share(score: Score, bound: float, sign: int, alpha: float) -> float:
    """Add up the results that show it; few events are decided by the exact rule, as in ``share``."""
    room, truth = (bound, score.share) if sign < 0 else (1 - bound, 1 - score.share)
    if room >= 1:
        return 1.0
    n = score.n_eff
    least, most = -1, ceil(n)
    while most - least > 1:
        events = (least + most) // 2
        is_rare = isinf(score.df) and min(events, n - events) <= RARE
        seen = Exact(events, n) if is_rare or not events else replace(score, share=events / n)
        least, most = (events, most) if seen.p_at_most(room) <= alpha else (least, events)
    if least < 0:
        return 0.0
    if isinf(score.df):
        return binomial_at_most(least, n, truth)
    # The share of a few alike groups moves in smaller steps than one effective sample: between them.
    low, high = float(least), float(most)
    for _ in range(30):
        middle = (low + high) / 2
        seen = replace(score, share=min(middle / n, 1.0))
        shown = middle > 0 and seen.p_at_most(room) <= alpha
        low, high = (middle, high) if shown else (low, middle)
    # No event is no event, however the groups are: nothing lies below it.
    below = floor(low - 0.5)
    one, two = (binomial_at_most(max(k, 0), n, truth) for k in (below, below + 1))
    return one + (two - one) * (low - 0.5 - below)


def supposed(inference: Inference, truth: float) -> Inference:
    """Return the inference with another truth, everything else as it was seen.

    >>> supposed(Exact(0, 50), 0.02).value
    0.02
    """
    match inference:
        case StudentT():
            return replace(inference, value=truth, low=-inf, high=inf)
        case LogT() if truth > 0:
            return replace(inference, value=truth)
        case Score():
            return replace(inference, share=min(max(truth, 0.0), 1.0))
        case Exact():
            return Score(share=min(max(truth, 0.0), 1.0), n_eff=inference.n)
        case PairedScore():
            return moved(inference, truth - inference.value)
        case ZeroDiscordance(reach=1.0):
            # Half an event: what never happened in so many groups may still happen.
            half = 0.25 / (inference.n_groups + 0.5)
            seen = PairedScore(gained=half, lost=half, n_eff=inference.n_groups)
            return moved(seen, truth)
    value = inference.value
    ends = inference.interval(0.8)
    if value is None or ends is None or not 0 < ends[1] - ends[0] < inf:
        return Undefined("no width today")
    se = (ends[1] - ends[0]) / 2 / t_quantile(0.1, inf)
    return StudentT(value=truth, se=se)


def reseeded(inference: Inference, factor: float) -> Inference:
    """Return what ``factor`` times the seeds would say, if the value is the truth.

    >>> round(reseeded(StudentT(value=0.5, se=0.1, df=4, seed_se=0.1, seed_df=4), 4.0).se, 3)
    0.05
    """
    match inference:
        case StudentT(seed_se=seed_se) if seed_se > 0:
            se = inference.se
        case LogT(seed_se=seed_se) if seed_se > 0:
            se = inference.log_se
        case Score(seed_se=seed_se, se=float(se)) if seed_se > 0:
            pass
        case _:
            return inference
    seeds = Spread(variance=min(seed_se**2, se**2), df=inference.seed_df)
    groups = without(Spread(variance=se**2, df=inference.df), seeds)
    more = Spread(variance=seeds.variance / factor, df=max((seeds.df + 1) * factor - 1, 0.5))
    still = beside(groups, more)
    now, df, seed_se, seed_df = still.se, still.df, more.se, more.df
    match inference:
        case StudentT(skew=skew):
            skew *= (se / now) ** 3
            return replace(inference, se=now, df=df, seed_se=seed_se, seed_df=seed_df, skew=skew)
        case LogT(skew=skew):
            skew *= (se / now) ** 3
            return replace(
                inference, log_se=now, df=df, seed_se=seed_se, seed_df=seed_df, skew=skew
            )
    size = inference.n_eff * (se / now) ** 2
    return replace(inference, n_eff=size, df=df, seed_se=seed_se, seed_df=seed_df)
