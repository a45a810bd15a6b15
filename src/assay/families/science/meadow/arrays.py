"""Arrays over a signed common meadow: a payload, and masks that say where it counts."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Complex
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from assay import DataError

from .element import Element, FaultError, power
from .namespaces import Array, is_complex, is_real, namespace
from .payloads import over, product_of, quiet, refuse, sign_of

OnFault: TypeAlias = Literal["raise", "mark"]
"""What a result that is finite in the meadow and lost to floating point does: see ``Masked``."""


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """An array each place of which is a finite number, bottom, or a fault.

    ``payload`` (floats or complex numbers, any shape), ``bottom`` and ``fault`` (truth values of
    that shape) are all NumPy arrays or all torch tensors.  The masks are authoritative: what the
    payload holds at bottoms and faults is never read, and no gradient reaches it; results hold 0
    there.

    Bottom absorbs, as it does in ``Element``.  A fault is a number that exists in the meadow and
    was lost: finite numbers overflowed, or a product or quotient underflowed to a zero that it is
    not.  ``on_fault`` declares what happens then: ``raise`` raises ``FaultError``; ``mark`` goes
    on, and the place stays a fault in whatever is computed from it, except beside bottom, which
    absorbs numbers that we do not know as well.  ``raise`` wins where two arrays meet.

    Operations broadcast, and take plain arrays and numbers too.  Raises ``DataError`` A202 when a
    payload that counts is NaN or Inf, shapes or libraries differ, or the dtype is not one of
    floating-point or complex numbers.

    Source: the algebra is that of ``Element``; payload and mask are the format of ``numpy.ma``.

    >>> x = Masked(np.array([6.0, 1.0, np.nan]), np.array([False, False, True]))
    >>> x / np.array([3.0, 0.0, 1.0])
    Masked([2.0, BOTTOM, BOTTOM])
    >>> Masked.finite(np.array([1e300]), on_fault="mark") * 1e300
    Masked([FAULT])

    Not to be trusted when float rounding decides whether a denominator is 0.
    """

    payload: Array
    bottom: Array
    fault: Array = None
    """Where numbers were lost; None is nowhere.  Never where bottom is."""
    on_fault: OnFault = "raise"

    __array_ufunc__: ClassVar[None] = None  # NumPy leaves operations with a masked array to it

    def __post_init__(self) -> None:
        bottom, fault, payload = self.bottom, self.fault, self.payload
        xp = namespace(payload, bottom)
        fault = xp.zeros_like(bottom) if fault is None else fault
        namespace(payload, fault)
        if xp is np:
            payload, bottom, fault = map(np.asarray, (payload, bottom, fault))
        if not (is_real(payload) or is_complex(payload)):
            raise DataError(
                f"a payload of {payload.dtype} holds no floating-point numbers", code="A202"
            )
        if bottom.dtype != xp.bool or fault.dtype != xp.bool:
            raise DataError("a mask holds truth values", code="A202")
        if not payload.shape == bottom.shape == fault.shape:
            shapes = f"{tuple(payload.shape)}, {tuple(bottom.shape)} and {tuple(fault.shape)}"
            raise DataError(f"payload, bottom and fault have the shapes {shapes}", code="A202")
        fault = fault & ~bottom
        if bool((~xp.isfinite(payload) & ~bottom & ~fault).any()):
            raise DataError(
                "a payload that counts holds NaN or Inf, which are no elements of the meadow",
                hint="read it with bridges.from_ieee, which says what they stand for",
                code="A202",
            )
        for name, value in (("payload", payload), ("bottom", bottom), ("fault", fault)):
            object.__setattr__(self, name, value)
        if self.on_fault == "raise":
            refuse(fault)

    @classmethod
    def finite(cls, payload: Array, *, on_fault: OnFault = "raise") -> Masked:
        """Make an array that has a number everywhere; ``DataError`` A202 if it has not.

        >>> Masked.finite(np.array([1.0, 0.0])).inverse()
        Masked([1.0, BOTTOM])
        """
        xp = namespace(payload)
        return cls(payload, xp.zeros_like(payload, dtype=xp.bool), on_fault=on_fault)

    @property
    def has_value(self) -> Array:
        """Where there is a number: neither bottom nor fault."""
        return ~(self.bottom | self.fault)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the payload and of the masks."""
        return tuple(self.payload.shape)

    def filled(self, value: float) -> Array:
        """Return the payload with ``value`` wherever it does not count; no gradient flows there.

        >>> Masked(np.array([2.0, np.inf]), np.array([False, True])).filled(-1)
        array([ 2., -1.])
        """
        xp = namespace(self.payload)
        return xp.where(self.has_value, self.payload, value)

    def __getitem__(self, index: Any) -> Masked:
        return Masked(self.payload[index], self.bottom[index], self.fault[index], self.on_fault)

    def __repr__(self) -> str:
        def words(payload: Any, bottom: Any, fault: Any) -> str:
            if isinstance(payload, list):
                return f"[{', '.join(map(words, payload, bottom, fault))}]"
            return "BOTTOM" if bottom else "FAULT" if fault else repr(payload)

        return f"Masked({words(self.payload.tolist(), self.bottom.tolist(), self.fault.tolist())})"

    def __add__(self, other: object) -> Masked:
        return _add(self, other)

    def __radd__(self, other: object) -> Masked:
        return _add(self, other)

    def __sub__(self, other: object) -> Masked:
        y = _operand(other, self)
        return NotImplemented if y is None else _add(self, -y)

    def __rsub__(self, other: object) -> Masked:
        return _add(-self, other)

    def __mul__(self, other: object) -> Masked:
        return _multiply(self, other)

    def __rmul__(self, other: object) -> Masked:
        return _multiply(self, other)

    def __truediv__(self, other: object) -> Masked:
        y = _operand(other, self)
        return NotImplemented if y is None else _divide(self, y)

    def __rtruediv__(self, other: object) -> Masked:
        x = _operand(other, self)
        return NotImplemented if x is None else _divide(x, self)

    def __neg__(self) -> Masked:
        return made(-self.filled(0), self.bottom, self.fault, self.on_fault)

    def __pow__(self, exponent: int) -> Masked:
        return power(self, exponent)

    def __abs__(self) -> Masked:
        with quiet():
            size = abs(self.filled(0))
        return made(size, self.bottom, self.fault, self.on_fault)

    def inverse(self) -> Masked:
        """Return 1 / x: bottom where x is 0 or bottom.

        >>> Masked.finite(np.array([4.0, 0.0])).inverse()
        Masked([0.25, BOTTOM])
        """
        return 1 / self

    def sign(self) -> Masked:
        """Return the weak sign x / |x|: -1, 0 or 1, for complex numbers 0 or on the unit circle.

        >>> Masked(np.array([-3.0, 0.0, 5.0]), np.array([False, False, True])).sign()
        Masked([-1.0, 0.0, BOTTOM])
        """
        return made(sign_of(self.filled(0)), self.bottom, self.fault, self.on_fault)

    def sum(self, axis: int | None = None) -> Masked:
        """Add along an axis, or everything: bottom if one of them is; the sum of nothing is 0.

        >>> Masked(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[False, False], [True, False]])).sum(1)
        Masked([3.0, BOTTOM])
        """
        return made(over(self.filled(0), axis), *_any(self, axis), self.on_fault)

    def mean(self, axis: int | None = None) -> Masked:
        """Average along an axis, or everything: the sum over the count, so bottom for nothing.

        >>> Masked.finite(np.array([1.0, 2.0])).mean(), Masked.finite(np.array([])).mean()
        (Masked(1.5), Masked(BOTTOM))
        """
        count = int(np.prod(self.shape)) if axis is None else self.shape[axis]
        return self.sum(axis) / count

    def dot(self, other: Masked, axis: int = -1) -> Masked:
        """Add the products along an axis: bottom if one of them is.

        A product that underflows beside others is rounding, not a fault, unless the sum is then 0.

        >>> x = Masked.finite(np.array([1.0, 2.0]))
        >>> x.dot(x)
        Masked(5.0)
        """
        product, vanished = product_of(self.filled(0), other.filled(0))
        total = over(product, axis)
        bottom = (self.bottom | other.bottom).any(axis)
        fault = (self.fault | other.fault).any(axis) | (vanished.any(axis) & (total == 0))
        return made(total, bottom, fault, mode_of(self, other))


def _operand(other: object, like: Masked) -> Masked | None:
    """Read an operand as a masked array that broadcasts with ``like``; None if it is none."""
    if isinstance(other, Masked):
        return other
    if isinstance(other, Element | Complex):
        value = (other if isinstance(other, Element) else Element(other)).value  # type: ignore[arg-type]  # any number will do
        xp, payload = namespace(like.payload), like.payload
        zero = np.zeros((), payload.dtype) if xp is np else payload.new_zeros(())
        if value is None:
            return Masked(zero, zero == 0, on_fault=like.on_fault)
        try:
            known = value if isinstance(value, complex) else float(value)
        except OverflowError:
            known = np.inf
        with quiet():
            number = zero + known
        if not bool(xp.isfinite(number)):
            raise FaultError(f"{value} is too large for {payload.dtype}", code="A202")
        return Masked.finite(number, on_fault=like.on_fault)
    try:
        namespace(other)
    except DataError:
        return None
    return Masked.finite(other, on_fault=like.on_fault)


def _add(x: Masked, other: object) -> Masked:
    y = _operand(other, x)
    if y is None:
        return NotImplemented  # type: ignore[no-any-return]  # Python asks the other operand
    namespace(x.payload, y.payload)
    with quiet():
        total = x.filled(0) + y.filled(0)
    return made(total, x.bottom | y.bottom, x.fault | y.fault, mode_of(x, y))


def _multiply(x: Masked, other: object) -> Masked:
    y = _operand(other, x)
    if y is None:
        return NotImplemented  # type: ignore[no-any-return]  # Python asks the other operand
    product, vanished = product_of(x.filled(0), y.filled(0))
    return made(product, x.bottom | y.bottom, x.fault | y.fault | vanished, mode_of(x, y))


def _divide(x: Masked, y: Masked) -> Masked:
    xp = namespace(x.payload, y.payload)
    a, b = x.filled(0), y.filled(1)
    bottom = x.bottom | y.bottom | (b == 0)
    b = xp.where(bottom, 1, b)
    with quiet():
        quotient = a / b
    lost = ~xp.isfinite(quotient) | ((quotient == 0) & (a != 0))
    on_fault = mode_of(x, y)
    if on_fault == "mark":
        # Divided again without the lost ones: the slope at a lost one is Inf, and 0 * Inf is NaN.
        quotient = xp.where(lost, 0, a) / xp.where(lost, 1, b)
    return made(quotient, bottom, x.fault | y.fault | lost, on_fault)


def _any(x: Masked, axis: int | None) -> tuple[Array, Array]:
    if axis is None:
        return x.bottom.any(), x.fault.any()
    return x.bottom.any(axis), x.fault.any(axis)


def mode_of(x: Masked, y: Masked) -> OnFault:
    """Return what a fault does where two arrays meet: it is marked if both say so."""
    return "mark" if x.on_fault == y.on_fault == "mark" else "raise"


def made(payload: Array, bottom: Array, fault: Array, on_fault: OnFault) -> Masked:
    """Make the result of an operation: what is not finite here was lost on the way."""
    xp = namespace(payload)
    fault = (fault | ~xp.isfinite(payload)) & ~bottom
    if on_fault == "raise":
        refuse(fault)
    payload = xp.where(bottom | fault, 0, payload)
    # Sound by construction, so nothing is checked again: tensors on a GPU need not be waited for.
    made = object.__new__(Masked)
    for name, value in (("payload", payload), ("bottom", bottom), ("fault", fault)):
        object.__setattr__(made, name, np.asarray(value) if xp is np else value)
    object.__setattr__(made, "on_fault", on_fault)
    return made
