"""Elements of a signed common meadow: finite numbers and one bottom that absorbs."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from numbers import Complex, Rational, Real
from typing import Any, ClassVar, Protocol, Self, TypeAlias, TypeVar

from assay import DataError

Number: TypeAlias = Fraction | float | complex
"""What an element may hold.  Whole numbers become fractions, and fractions stay exact."""


class FaultError(DataError, ArithmeticError):
    """Finite numbers whose result no floating-point number can stand for.

    The result is finite in the meadow and is lost: it overflows, or it underflows to a zero that it
    is not.  Neither is the bottom of the algebra, which is a result.
    """

    default = "A202"


class _Multiplies(Protocol):
    def __mul__(self, other: Self, /) -> Self: ...
    def __rmul__(self, other: int, /) -> Self: ...
    def __radd__(self, other: int, /) -> Self: ...
    def inverse(self) -> Self: ...


_M = TypeVar("_M", bound=_Multiplies)


def power(base: _M, exponent: int) -> _M:
    """Raise anything that multiplies to a whole power, by squaring.

    The power 0 is ``1 + 0 * base``, as the axioms have it: 1 for every number, bottom for bottom.
    A negative power is the inverse of the positive one.

    >>> power(Element(2), -3), power(Element(0), 0), power(Element(0), -1)
    (Element(1/8), Element(1), BOTTOM)
    """
    if exponent < 0:
        return power(base, -exponent).inverse()
    result = 1 + 0 * base
    while exponent:
        if exponent & 1:
            result = result * base
        exponent >>= 1
        if exponent:  # a square that nobody needs could overflow
            base = base * base
    return result


@dataclass(frozen=True, slots=True, repr=False)
class Element:
    """A finite number, or bottom.

    Every operation has a result: ``x / 0`` is bottom, and whatever meets bottom becomes bottom.
    Nothing is cancelled on the way: ``x / x`` is 1 only where x is neither 0 nor bottom.  Equality
    is that of the algebra, so bottom equals bottom.

    Fractions (and whole numbers) are exact; a float met on the way makes the result a float.

    Raises ``DataError`` A202 when it is made from NaN or Inf, which are no elements
    (``bridges.element_from_ieee`` reads them), and ``FaultError``, which is also an
    ``ArithmeticError``, where the result of finite numbers overflows or underflows to zero.

    Source: J. A. Bergstra and A. Ponse, Division by zero in common meadows (arXiv:1406.6878).

    >>> Element(1) / Element(3), Element(1) / 0, Element(0.5) + BOTTOM
    (Element(1/3), BOTTOM, BOTTOM)
    >>> Element(1e300) * 1e300
    Traceback (most recent call last):
        ...
    assay.families.science.meadow.element.FaultError: A202 1e+300 * 1e+300 overflows
      try: scale the numbers, or use fractions, which are exact

    Not to be trusted when floats round: sums of floats obey the axioms up to rounding only, and a
    denominator that should be 0 may come out as 1e-17.
    """

    value: Number | None
    """The number; None is bottom."""

    __array_ufunc__: ClassVar[None] = None  # NumPy leaves operations with an element to it

    def __post_init__(self) -> None:
        if self.value is not None:
            object.__setattr__(self, "value", _number(self.value))

    @property
    def is_bottom(self) -> bool:
        """Whether this is the absorbing element."""
        return self.value is None

    def __repr__(self) -> str:
        return "BOTTOM" if self.value is None else f"Element({self.value})"

    def __add__(self, other: object) -> Element:
        return _combine(self, other, operator.add, "+")

    def __radd__(self, other: object) -> Element:
        return _combine(other, self, operator.add, "+")

    def __sub__(self, other: object) -> Element:
        return _combine(self, other, operator.sub, "-")

    def __rsub__(self, other: object) -> Element:
        return _combine(other, self, operator.sub, "-")

    def __mul__(self, other: object) -> Element:
        return _combine(self, other, operator.mul, "*")

    def __rmul__(self, other: object) -> Element:
        return _combine(other, self, operator.mul, "*")

    def __truediv__(self, other: object) -> Element:
        return _combine(self, other, operator.truediv, "/")

    def __rtruediv__(self, other: object) -> Element:
        return _combine(other, self, operator.truediv, "/")

    def __neg__(self) -> Element:
        return BOTTOM if self.value is None else Element(-self.value)

    def __pow__(self, exponent: int) -> Element:
        return power(self, exponent)

    def __abs__(self) -> Element:
        number = self.value
        if not isinstance(number, complex):
            return BOTTOM if number is None else Element(max(number, -number))
        size = math.hypot(number.real, number.imag)
        if math.isinf(size):
            raise _lost(f"|{number}|", "overflows")
        return Element(size)

    def inverse(self) -> Element:
        """Return 1 / x; the inverse of 0 and of bottom is bottom.

        >>> Element(4).inverse(), Element(0).inverse(), BOTTOM.inverse()
        (Element(1/4), BOTTOM, BOTTOM)
        """
        return 1 / self

    def sign(self) -> Element:
        """Return the weak sign x / |x|: -1 or 1, for complex numbers a point of the unit circle.

        The sign of 0 is 0, that of bottom is bottom.  Source: J. A. Bergstra and J. V. Tucker,
        Fracterm calculus for signed common meadows (Transmathematica, 2024).

        >>> Element(-2.5).sign(), Element(0).sign(), Element(3 + 4j).sign(), BOTTOM.sign()
        (Element(-1.0), Element(0), Element((0.6+0.8j)), BOTTOM)
        """
        number = self.value
        if number is None:
            return BOTTOM
        if isinstance(number, complex):
            largest = max(abs(number.real), abs(number.imag))
            if largest == 0:
                return self
            # Scaled first, so that neither the largest nor the smallest numbers go astray.
            scaled = complex(number.real / largest, number.imag / largest)
            return Element(scaled / abs(scaled))
        sign = (number > 0) - (number < 0)
        return Element(Fraction(sign) if isinstance(number, Fraction) else float(sign))


BOTTOM = Element(None)
"""The absorbing element: what 1 / 0 is."""


def _number(value: object) -> Number:
    """Read a finite number of any numeric type, NumPy's included."""
    match value:
        case bool():
            raise DataError(f"{value} is a truth value, not a number", code="A202")
        case Rational():
            return Fraction(int(value.numerator), int(value.denominator))
        case Real():
            number: Number = float(value)
        case Complex():
            number = complex(value)
        case _:
            raise DataError(f"{value!r} is not a number", code="A202")
    if not cmath.isfinite(number):
        raise DataError(
            f"{number} is no element of the meadow",
            hint="read it with bridges.element_from_ieee, which says what NaN and Inf stand for",
            code="A202",
        )
    return number


def _combine(
    left: object, right: object, operation: Callable[[Any, Any], Any], symbol: str
) -> Element:
    """Apply an operation; ``NotImplemented`` where an operand is neither element nor number."""
    operands: list[Number | None] = []
    for operand in (left, right):
        if isinstance(operand, Element):
            operands.append(operand.value)
        elif isinstance(operand, Complex):
            operands.append(_number(operand))
        else:
            return NotImplemented  # type: ignore[no-any-return]  # Python asks the other operand
    x, y = operands
    if x is None or y is None or (symbol == "/" and y == 0):
        return BOTTOM
    try:
        result = operation(x, y)
    except OverflowError:
        raise _lost(f"{x} {symbol} {y}", "overflows") from None
    if not (isinstance(result, Fraction) or cmath.isfinite(result)):
        raise _lost(f"{x} {symbol} {y}", "overflows")
    if result == 0 and x != 0 and (symbol == "/" or (symbol == "*" and y != 0)):
        raise _lost(f"{x} {symbol} {y}", "underflows to zero")
    return Element(result)


def _lost(what: str, how: str) -> FaultError:
    return FaultError(
        f"{what} {how}", hint="scale the numbers, or use fractions, which are exact", code="A202"
    )
