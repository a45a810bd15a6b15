"""What a claim could show in a run that has not been made yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf, isinf, log, sqrt

from ..core.claim import Claim
from ..stats.chance import chance
from ..stats.inference import Exact, Inference, PairedScore, Score, ZeroDiscordance
from .imagine import Imagined, Size

MOST = 10**7
"""Groups beyond which nobody will collect any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """How likely a claim is to be shown, and what would make it likely enough."""

    truth: float | None
    """The value that is supposed."""

    power: float | None
    """How likely the claim then is to be supported."""

    refuted: float | None
    """How likely it then is to be refuted."""

    shown_from: float | None
    """The value nearest to the bound that is shown as often as is wanted."""

    groups_needed: int | None
    """Groups with which it would be; None: no number of groups."""


def prospect(
    imagined: Imagined,
    limits: tuple[float, float],
    *,
    truth: float | None,
    size: Size,
    level: Level,
) -> Prospect:
    """Say what a run of some size could show of a number that should lie within ``limits``."""
    low, high = limits
    sides = 2 if not (isinf(low) or isinf(high)) else 1

    def shown(value: float, groups: float) -> float:
        found = chance(imagined(value, groups), low=low, high=high, alpha=level.alpha)
        return 0.0 if found is None else found

    refuted = None
    if truth is not None:
        seen = imagined(truth, size.groups)
        below = chance(seen, high=low, alpha=level.alpha / sides) if low > -inf else 0.0
        above = chance(seen, low=high, alpha=level.alpha / sides) if high < inf else 0.0
        refuted = None if below is None or above is None else min(1.0, below + above)
    return Prospect(
        truth=truth,
        power=None if truth is None else shown(truth, size.groups),
        refuted=refuted,
        shown_from=_shown_from(lambda value: shown(value, size.groups), limits, level),
        groups_needed=None if truth is None else _needed(lambda g: shown(truth, g), level),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How sure the words have to be."""

    alpha: float
    """The one-sided level that is left to a claim in the worst case."""

    power: float = 0.8
    reach: tuple[float, float] = (-inf, inf)
    """Values that are possible."""


def _shown_from(
    shown: Callable[[float], float], limits: tuple[float, float], level: Level
) -> float | None:
    """Look between the bound and the best value for where the power is what is wanted."""
    low, high = limits
    match isinf(low), isinf(high):
        case True, True:
            return None
        case False, False:
            best, edge = (sqrt(low * high) if low > 0 else (low + high) / 2), high
        case False, True:
            best, edge = level.reach[1], low
        case _:
            best, edge = level.reach[0], high
    if isinf(best):
        scale = max(abs(edge), 1e-6)
        best = edge + scale if best > 0 else edge - scale
        for _ in range(40):
            if shown(best) >= level.power:
                break
            best = edge + 2 * (best - edge)
    if shown(best) < level.power:
        return None
    for _ in range(40):
        middle = (best + edge) / 2
        best, edge = (middle, edge) if shown(middle) >= level.power else (best, middle)
    return best


def _needed(shown: Callable[[float], float], level: Level) -> int | None:
    high = 2
    while shown(high) < level.power:
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) >= level.power else (middle, high)
    return high


def can_be_shown(claim: Claim, limits: tuple[float, float], size: Size, alpha: float) -> bool:
    """Whether the best result that a share, or a difference of two, can have supports a claim."""
    low, high = limits
    if claim.against is None:
        room = high if high < inf else 1 - low
        return room >= 1 or (size.groups >= 1 and _least_p(room, size) <= alpha)
    n, steps = float(size.n), 1 / size.n
    same: list[Inference] = [
        ZeroDiscordance(n_groups=size.groups),
        PairedScore(gained=min(steps, 0.5), lost=min(steps, 0.5), n_eff=n),
    ]
    best = same if low > -inf and high < inf else []
    if low > -inf and high == inf:
        best = [*same, PairedScore(gained=1.0, lost=0.0, n_eff=n)]
    if high < inf and low == -inf:
        best = [*same, PairedScore(gained=0.0, lost=1.0, n_eff=n)]
    return any(_supports(one, low, high, alpha) for one in best)


def _least_p(room: float, size: Size) -> float:
    """Return the smallest p-value of "at most room" that any result has.

    No event counts groups; one event, in groups that are as alike as any sample, counts samples.
    """
    if room <= 0:
        return 1.0
    none = Exact(0, size.groups).p_at_most(room)
    if size.each <= 1:
        return none
    return min(none, Score(share=1 / size.n, n_eff=size.n).p_at_most(room))


def _supports(one: Inference, low: float, high: float, alpha: float) -> bool:
    above = 0.0 if low == -inf else one.p_at_least(low)
    below = 0.0 if high == inf else one.p_at_most(high)
    return above is not None and below is not None and max(above, below) <= alpha


def groups_for_none(room: float, alpha: float) -> int | None:
    """Return the fewest groups that show "at most room" when nothing happens in any of them.

    >>> groups_for_none(0.01, 0.05), groups_for_none(0.0, 0.05)
    (299, None)
    """
    if room <= 0:
        return None
    return 1 if room >= 1 else ceil(log(alpha) / log(1 - room) - 1e-9)
