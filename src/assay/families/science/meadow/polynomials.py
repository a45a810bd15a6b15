"""Polynomials in several variables, whose zero terms count: 0 * x is bottom where x is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from types import MappingProxyType
from typing import TypeAlias

from assay import DataError

from .arrays import Masked
from .element import Element

Value: TypeAlias = Element | Masked
"""What a variable stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polynomial:
    """A sum of terms: the exponents of the variables, in their order, to an exact coefficient.

    Terms with the coefficient 0 are kept.  In a meadow ``x - x`` is ``0 * x``, which is bottom where
    x is, so a polynomial knows every variable that it was made from.  There is at least one term.

    >>> x, y = Polynomial.variable("x"), Polynomial.variable("y")
    >>> print((x + y) * (x - y))
    x^2 + 0 x y - y^2
    """

    variables: tuple[str, ...]
    """Sorted; each occurs in a term."""
    terms: Mapping[tuple[int, ...], Fraction]

    @classmethod
    def constant(cls, number: Fraction | float) -> Polynomial:
        """Make a polynomial without variables; a float is taken for the fraction that it is.

        Raises ``DataError`` A202 for NaN, Inf and complex numbers.

        >>> print(Polynomial.constant(0.5))
        1/2
        """
        value = Element(number).value
        if isinstance(value, complex) or value is None:
            raise DataError(f"a coefficient is a real number, not {number}", code="A202")
        return _polynomial((), {(): Fraction(value)})

    @classmethod
    def variable(cls, name: str) -> Polynomial:
        """Make the polynomial that is one variable."""
        return _polynomial((name,), {(1,): Fraction(1)})

    @property
    def degree(self) -> int:
        """The largest sum of exponents, of terms with the coefficient 0 too."""
        return max(map(sum, self.terms))

    def __add__(self, other: Polynomial) -> Polynomial:
        names = _names(self, other)
        terms = dict(_over(self, names))
        for exponents, coefficient in _over(other, names).items():
            terms[exponents] = terms.get(exponents, Fraction(0)) + coefficient
        return _polynomial(names, terms)

    def __neg__(self) -> Polynomial:
        return _polynomial(self.variables, {e: -c for e, c in self.terms.items()})

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + -other

    def __mul__(self, other: Polynomial) -> Polynomial:
        names = _names(self, other)
        terms: dict[tuple[int, ...], Fraction] = {}
        for (a, x), (b, y) in product(_over(self, names).items(), _over(other, names).items()):
            exponents = tuple(i + j for i, j in zip(a, b, strict=True))
            terms[exponents] = terms.get(exponents, Fraction(0)) + x * y
        return _polynomial(names, terms)

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """Compute the polynomial in the meadow; ``DataError`` A202 if a variable has no value.

        >>> print(Polynomial.variable("x").evaluate({"x": Element(3)}))
        Element(3)
        """
        total: Value = Element(0)
        powers: dict[tuple[str, int], Value] = {}
        for exponents, coefficient in self.terms.items():
            term: Value = Element(coefficient)
            for name, exponent in zip(self.variables, exponents, strict=True):
                if exponent:
                    if (name, exponent) not in powers:
                        powers[name, exponent] = value_of(name, values) ** exponent
                    term = term * powers[name, exponent]
            total = total + term
        return total

    def __str__(self) -> str:
        text = ""
        for exponents in sorted(self.terms, reverse=True):
            size = abs(self.terms[exponents])
            factors = [
                name if exponent == 1 else f"{name}^{exponent}"
                for name, exponent in zip(self.variables, exponents, strict=True)
                if exponent
            ]
            if size != 1 or not factors:
                factors = [str(size), *factors]
            minus = self.terms[exponents] < 0
            text += (" - " if minus else " + ") if text else ("-" if minus else "")
            text += " ".join(factors)
        return text


def value_of(name: str, values: Mapping[str, Value]) -> Value:
    """Return the value of a variable; ``DataError`` A202 if it has none."""
    if name not in values:
        given = ", ".join(sorted(values)) or "none"
        raise DataError(f"the variable {name!r} has no value; given: {given}", code="A202")
    return values[name]


def _polynomial(names: tuple[str, ...], terms: dict[tuple[int, ...], Fraction]) -> Polynomial:
    return Polynomial(variables=names, terms=MappingProxyType(terms))


def _names(x: Polynomial, y: Polynomial) -> tuple[str, ...]:
    return tuple(sorted({*x.variables, *y.variables}))


def _over(x: Polynomial, names: tuple[str, ...]) -> Mapping[tuple[int, ...], Fraction]:
    """Write the terms over more variables."""
    if names == x.variables:
        return x.terms
    places = {name: place for place, name in enumerate(x.variables)}
    return {
        tuple(exponents[places[name]] if name in places else 0 for name in names): coefficient
        for exponents, coefficient in x.terms.items()
    }
