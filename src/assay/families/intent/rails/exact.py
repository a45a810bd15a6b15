"""Exact decimals: how amounts, prices and shares are read, compared and written.

Covered: numbers that never were a binary float, that are finite, not negative and of a sane size;
sums and products without rounding.  Not covered: what a contract rounds inside (a unit in the last
place of a token).
"""

from __future__ import annotations

import decimal
import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

DIGITS = 30
"""Most digits before the point, and most behind it.  The supply of every token in units of its last
place fits twice."""

EXACT = decimal.Context(
    prec=500,
    Emax=999_999,
    Emin=-999_999,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""Four factors of 2 x 30 digits each have 240: a result that had to be rounded is an error of ours."""

_LOOSE = decimal.Context(prec=500, Emax=999_999, Emin=-999_999)
_WRITTEN = re.compile(r"[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_LENGTH = 80


def read_decimal(value: object) -> Decimal:
    """Return a number that is not negative, exactly as it was written.

    Text and whole numbers are read; a ``Decimal`` is taken as it is.  Raises ``ValueError`` for
    anything else: a binary float (``0.1`` is not a tenth any more), NaN, infinity, a sign, more
    than 30 digits before or behind the point.

    >>> read_decimal("0.10"), read_decimal(3)
    (Decimal('0.10'), Decimal('3'))
    >>> read_decimal(0.1)
    Traceback (most recent call last):
        ...
    ValueError: a binary float cannot hold an amount: write it as text, "0.1"
    """
    match value:
        case bool():
            raise ValueError("a truth value is no number")
        case Decimal():
            found = value
        case int():
            if abs(value) >= 10**DIGITS:
                raise ValueError(f"more than {DIGITS} digits before the point")
            found = Decimal(value)
        case float():
            raise ValueError(f'a binary float cannot hold an amount: write it as text, "{value!r}"')
        case str():
            found = _read_text(value)
        case _:
            kind = "null" if value is None else type(value).__name__
            raise ValueError(f"{kind} is no number")
    return _bounded(found)


def _read_text(text: str) -> Decimal:
    bare = text.strip().lower().lstrip("+-")
    if bare in ("nan", "snan", "inf", "infinity"):
        raise ValueError(f"{text.strip()} is no amount")
    if text.startswith("-"):
        raise ValueError("a negative number")
    if len(text) > _LENGTH or not _WRITTEN.fullmatch(text):
        raise ValueError('not a plain decimal number such as "2500" or "0.05"')
    return Decimal(text)


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is no amount")
    if value.is_signed():
        raise ValueError("a negative number")
    if len(value.as_tuple().digits) > 4 * DIGITS:
        raise ValueError(f"more than {4 * DIGITS} digits")
    if value and value.adjusted() >= DIGITS:
        raise ValueError(f"more than {DIGITS} digits before the point")
    if value and places(value) > DIGITS:
        raise ValueError(f"more than {DIGITS} digits behind the point")
    return value or Decimal(0)  # one zero, whatever its exponent


def places(value: Decimal) -> int:
    """Return how many digits behind the point a number needs.

    >>> places(Decimal("1.500")), places(Decimal("1E+3"))
    (1, 0)
    """
    exponent = value.normalize(_LOOSE).as_tuple().exponent
    assert isinstance(exponent, int), "only finite numbers come here"
    return max(0, -exponent)


def fits(amount: Decimal, decimals: int) -> bool:
    """Whether an amount is a whole number of the asset's last unit.

    >>> fits(Decimal("1.230"), 2), fits(Decimal("1.234"), 2)
    (True, False)
    """
    return places(amount) <= decimals


def floor_to(value: Decimal, digits: int) -> Decimal:
    """Cut a number to so many digits behind the point: nobody can move a part of the last unit.

    >>> floor_to(Decimal("1.239"), 2)
    Decimal('1.23')
    """
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN, context=_LOOSE)


def divided(value: Decimal, by: Decimal, digits: int) -> Decimal:
    """Return a quotient cut to so many digits behind the point."""
    return floor_to(_LOOSE.divide(value, by), digits)


def show(value: Decimal) -> str:
    """Write a number in full, without an exponent or zeros that say nothing.

    >>> show(Decimal("2.500")), show(Decimal("1E+3"))
    ('2.5', '1000')
    """
    return f"{value.normalize(_LOOSE):f}"


def show_ratio(value: Decimal, by: Decimal, *, up: bool) -> str:
    """Write a quotient with 12 digits behind the point, rounded to the side that is not harmless.

    So that what is written stands on the same side of a limit of up to 12 digits as the quotient.

    >>> show_ratio(Decimal(2), Decimal(3), up=True), show_ratio(Decimal(2), Decimal(3), up=False)
    ('0.666666666667', '0.666666666666')
    """
    # Directed all the way: a half-even quotient could cross the limit before it is cut.
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    context = decimal.Context(prec=500, rounding=rounding, Emax=999_999, Emin=-999_999)
    found = context.divide(value, by).quantize(Decimal("1e-12"), context=context)
    return show(found)
