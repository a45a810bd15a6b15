"""How many groups would decide, and what a given number can see."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, exp, inf, sqrt

from assay.core.errors import DataError

from .arrays import WRONG, level
from .inference import (
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
from .tails import t_quantile

_MOST = 1e9
"""A factor on today's groups beyond which nobody will collect any."""


def groups_needed(
    inference: Inference,
    *,
    bound: float,
    n_groups: int,
    alpha: float = 0.025,
    power: float = 0.8,
) -> int | None:
    """Return how many more groups would decide, if the point estimate is the truth.

    Decided means supported or refuted at one-sided ``alpha``, whichever the truth would bring.
    0: decided already.  None: no number would, because the value is undefined, a census, equal
    to the bound or not fully observed, or because the spread over seeds alone keeps it open.

    Raises DataError A202 for ``alpha`` or ``power`` outside of (0, 1), or no group.
    Source: the inference is projected to more groups, its value set back by z_power standard
    errors, and asked again.

    >>> groups_needed(Exact(0, 20), bound=0.05, n_groups=20, alpha=0.05)
    39
    >>> groups_needed(StudentT(value=0.0, se=0.1, df=9), bound=0.0, n_groups=10) is None
    True

    Not to be trusted when the estimate itself is loose: it then says an order of magnitude.
    """
    back = t_quantile(1 - level("power", power), inf)
    level("alpha", alpha)
    if n_groups < 1:
        raise DataError(f"{n_groups} groups cannot be multiplied", code=WRONG)
    value = inference.value
    if value is None or value == bound or isinstance(inference, Census | Envelope | Undefined):
        return None
    sign = 1 if value > bound else -1
    if p_towards(inference, bound, sign) <= alpha:
        return 0

    def decides(total: int) -> bool:
        more = grown(inference, total / n_groups, error=sign * back)
        return p_towards(more, bound, sign) <= alpha

    high = n_groups
    while not decides(high):
        high *= 2
        if high > _MOST * n_groups:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return max(high - n_groups, 1)


def minimum_detectable(
    se: float, *, n_groups: int, alpha: float = 0.025, power: float = 0.8
) -> float:
    """Return the true distance from a bound that would be decided with probability ``power``.

    ``se`` is the standard error with ``n_groups`` groups; one-sided ``alpha``.

    Raises DataError A202 unless se > 0 and there are two groups.
    Source: Miller 2024, section 5, with t for z.

    >>> round(minimum_detectable(0.0333, n_groups=10**9), 4)
    0.0933

    Not to be trusted when ``se`` comes from few groups: it is an estimate too.
    """
    if se <= 0 or n_groups < 2:
        raise DataError(f"Nothing is detectable with se {se}, {n_groups} groups", code=WRONG)
    df = n_groups - 1
    beyond = t_quantile(level("alpha", alpha), df) + t_quantile(1 - level("power", power), df)
    return beyond * se


def samples_for_difference(
    discordance: float, delta: float, *, alpha: float = 0.025, power: float = 0.8
) -> int:
    """Return the samples that show a paired difference of ``delta`` between two shares.

    ``discordance`` is the share of samples that only one of the systems gets right.

    Raises DataError A202 unless 0 < abs(delta) <= discordance <= 1.
    Source: Connett, Smith and McHugh 1987.

    >>> samples_for_difference(0.1, 0.03)
    870

    Not to be trusted when samples come in groups: multiply by the design effect.
    """
    if not 0 < abs(delta) <= discordance <= 1:
        raise DataError(f"A difference of {delta} with discordance {discordance}", code=WRONG)
    a, b = _quantiles(alpha, power)
    root = a * sqrt(discordance) + b * sqrt(discordance - delta**2)
    return ceil((root / delta) ** 2)


def samples_for_mean(
    variance: float, delta: float, *, alpha: float = 0.025, power: float = 0.8
) -> int:
    """Return the samples that show a mean ``delta`` away from a bound.

    ``variance`` is that of one sample's value; for a paired difference with K answers a system,
    Var(x_a - x_b) + Var_a / K_a + Var_b / K_b.  For non-inferiority of truly equal systems,
    ``delta`` is the margin and ``variance`` the discordance.

    Raises DataError A202 unless variance > 0 and delta is not 0.
    Source: Miller 2024, section 5.

    >>> samples_for_mean(1 / 9, 0.03), samples_for_mean(1 / 9 + 1 / 3, 0.03)
    (969, 3876)

    Not to be trusted when samples come in groups: multiply by the design effect.
    """
    if variance <= 0 or delta == 0:
        raise DataError(f"A mean of {delta} with variance {variance}", code=WRONG)
    return ceil(sum(_quantiles(alpha, power)) ** 2 * variance / delta**2)


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    return t_quantile(level("alpha", alpha), inf), t_quantile(1 - level("power", power), inf)


def p_towards(inference: Inference, bound: float, sign: int) -> float:
    """Return the p-value of being above the bound (``sign`` 1) or below it; 1 where undefined."""
    p = inference.p_at_least(bound) if sign > 0 else inference.p_at_most(bound)
    return 1.0 if p is None else p


def grown(inference: Inference, factor: float, *, error: float = 0.0) -> Inference:
    """Return what ``factor`` times the groups would say, the value off by ``error`` of its se."""
    match inference:
        case StudentT():
            se, df = _shrunk(inference.se, inference, factor)
            value, skew = inference.value - error * se, _evened(inference, se, factor)
            return replace(inference, value=value, se=se, df=df, low=-inf, high=inf, skew=skew)
        case LogT():
            se, df = _shrunk(inference.log_se, inference, factor)
            value, skew = inference.value * exp(-error * se), _evened(inference, se, factor)
            return replace(inference, value=value, log_se=se, df=df, skew=skew)
        case Score(se=None):
            return replace(inference, n_eff=inference.n_eff * factor)
        case Score(se=float(se)):
            now, df = _shrunk(se, inference, factor)
            share = min(max(inference.share - error * now, 0.0), 1.0)
            return replace(inference, share=share, n_eff=inference.n_eff * (se / now) ** 2, df=df)
        case PairedScore(se=float(se)):
            now, df = _shrunk(se, inference, factor)
            return replace(
                moved(inference, -error * now),
                n_eff=inference.n_eff * (se / now) ** 2,
                df=df,
                skew=inference.skew * now / se,
            )
        case PairedScore():
            return replace(inference, n_eff=inference.n_eff * factor)
        case Exact(se=None):
            return Exact(inference.k * factor, inference.n * factor)
        case Exact(se=float(se)):
            n = inference.n * factor
            share = inference.value - error * se / sqrt(factor)
            return Exact(min(max(share, 0.0), 1.0) * n, n)
        case ZeroDiscordance():
            return replace(inference, n_groups=inference.n_groups * factor)
    return _by_width(inference, factor, error)


def _by_width(inference: Inference, factor: float, error: float) -> Inference:
    """Project what has no formula as a normal with today's width towards the bound."""
    ends, value = inference.interval(0.8), inference.value
    if ends is None or value is None:
        return Undefined("no interval today")
    half = value - ends[0] if error > 0 else ends[1] - value
    if not 0 < half < inf:
        return Undefined("no width today")
    se = half / t_quantile(0.1, inf) / sqrt(factor)
    return StudentT(value=value - error * se, se=se)


def _shrunk(
    se: float, of: StudentT | LogT | Score | PairedScore, factor: float
) -> tuple[float, float]:
    """Return standard error and degrees of freedom with ``factor`` times the groups."""
    if of.seed_se == 0:
        return se / sqrt(factor), max((of.df + 1) * factor - 1, 1.0)
    seeds = Spread(variance=min(of.seed_se**2, se**2), df=of.seed_df)
    groups = without(Spread(variance=se**2, df=of.df), seeds)
    df = max((groups.df + 1) * factor - 1, 1.0)
    still = beside(Spread(variance=groups.variance / factor, df=df), seeds)
    return still.se, still.df


def _evened(inference: StudentT | LogT, se: float, factor: float) -> float:
    """Return the skewness with ``factor`` times the groups: third moments fall with their square."""
    now = inference.log_se if isinstance(inference, LogT) else inference.se
    return inference.skew * (now / se) ** 3 / factor**2


def moved(score: PairedScore, by: float) -> PairedScore:
    """Return the score with its difference moved, half by gains and half by losses."""
    target = min(max(score.value + by, -1.0), 1.0)
    gained = max(score.gained + by / 2, target, 0.0)
    lost = gained - target
    scale = max(gained + lost, 1.0)
    return replace(score, gained=gained / scale, lost=lost / scale)
