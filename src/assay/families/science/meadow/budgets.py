"""How large a fraction may become, told before anything is multiplied out."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Literal, TypeAlias

from .polynomials import Polynomial

Form: TypeAlias = Literal["strict", "guarded"]
"""Of a fraction: see ``fracterm.flatten``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a fraction may grow: computed, and refused, before anything is multiplied out.

    >>> Budget().most("strict"), Budget().most("guarded")
    (81, 16)
    """

    levels: int = 5
    """Of an expression: a number, a variable or a fraction is one, an operation one more."""
    degree: int = 1
    """Of a leaf: 1 is a variable, more a fraction of that degree."""
    terms: int = 20_000
    """Of P, Q and each guard: see ``Extent``."""

    def most(self, form: Form) -> int:
        """Return the largest degree of P, Q and guards: 3^(levels - 1) d strict, 2^... d guarded.

        No expression of that many levels with leaves of degree d at most goes beyond it.
        """
        return int((3 if form == "strict" else 2) ** (self.levels - 1)) * self.degree


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large a polynomial is: its exact degree, and the number of its terms at most.

    Terms are counted as if no two products had the same exponents, or as all monomials of that
    degree, whichever is less.  Extents add and multiply as their polynomials do.
    """

    degree: int
    terms: int
    variables: frozenset[str]

    @classmethod
    def of(cls, polynomial: Polynomial) -> Extent:
        """Return the extent of a polynomial.

        >>> Extent.of(Polynomial.variable("x") + Polynomial.constant(1)).terms
        2
        """
        return cls(
            degree=polynomial.degree,
            terms=len(polynomial.terms),
            variables=frozenset(polynomial.variables),
        )

    def __add__(self, other: Extent) -> Extent:
        return self._with(other, max(self.degree, other.degree), self.terms + other.terms)

    def __sub__(self, other: Extent) -> Extent:
        return self + other

    def __mul__(self, other: Extent) -> Extent:
        return self._with(other, self.degree + other.degree, self.terms * other.terms)

    def _with(self, other: Extent, degree: int, terms: int) -> Extent:
        variables = self.variables | other.variables
        most = comb(degree + len(variables), degree)
        return Extent(degree=degree, terms=min(terms, most), variables=variables)
