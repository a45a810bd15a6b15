"""The four sides of a limit, and a value on one of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from .situation import VENUES, Scene, whole

Side: TypeAlias = Literal["at", "inside", "over", "far"]
SIDES: tuple[Side, ...] = get_args(Side)
KEPT = ("at", "inside")
"""Sides on which the rule is kept."""

Place: TypeAlias = Callable[[Scene, Side], None]
TINY = Fraction(1, 10**18)


EVERY = tuple(sorted({action for actions in VENUES.values() for action in actions}))
MOVING = tuple(a for a in EVERY if a != "claim_rewards")
PAYING = ("deposit_asset", "repay_asset", "stake_asset", "swap_asset")
RISKY = ("borrow_asset", "withdraw_asset")


def beyond(scene: Scene, side: Side, limit: Fraction, step: Fraction, *, low: bool) -> Fraction:
    """Return a value at a limit, a step beside it, or far beyond; ``low``: beyond is below."""
    sign = -1 if low else 1
    far = Fraction(whole(scene.draws, 110, 300), 100)
    match side:
        case "at":
            return limit
        case "inside":
            return max(limit - sign * step, Fraction(0))
        case "over":
            return max(limit + sign * step, Fraction(0))
        case _:
            return limit / far if low else limit * far + step
