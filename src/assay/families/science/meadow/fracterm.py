"""Expressions over a meadow, flattened to one fraction of polynomials without cancelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, Self, TypeAlias, TypeVar

from assay import DataError

from .budgets import Budget, Extent, Form
from .element import Element
from .polynomials import Polynomial, Value, value_of


@dataclass(frozen=True, slots=True)
class Expression:
    """What is written with numbers, variables, ``+ - * /`` and fractions of polynomials."""

    def __add__(self, other: Expression | Fraction | float) -> Expression:
        return Operation("+", self, _expression(other))

    def __radd__(self, other: Fraction | float) -> Expression:
        return Operation("+", _expression(other), self)

    def __sub__(self, other: Expression | Fraction | float) -> Expression:
        return Operation("-", self, _expression(other))

    def __rsub__(self, other: Fraction | float) -> Expression:
        return Operation("-", _expression(other), self)

    def __mul__(self, other: Expression | Fraction | float) -> Expression:
        return Operation("*", self, _expression(other))

    def __rmul__(self, other: Fraction | float) -> Expression:
        return Operation("*", _expression(other), self)

    def __truediv__(self, other: Expression | Fraction | float) -> Expression:
        return Operation("/", self, _expression(other))

    def __rtruediv__(self, other: Fraction | float) -> Expression:
        return Operation("/", _expression(other), self)


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A real number; a float is taken for the fraction that it is."""

    number: Fraction | float


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """A variable, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation(Expression):
    """Two expressions and what joins them."""

    symbol: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Fracterm(Expression):
    """A fraction P / Q of polynomials that has a value only where no guard is 0.

    Its value is ``P / Q + 0 / guard + 0 / guard ...``.  It may stand in an expression, so that
    fractions of any degree (the heads of a network, say) can be joined.

    >>> x = Polynomial.variable("x")
    >>> Fracterm(x, x).evaluate({"x": Element(0)}), Fracterm(x, x).evaluate({"x": Element(5)})
    (BOTTOM, Element(1))
    """

    p: Polynomial
    q: Polynomial
    guards: tuple[Polynomial, ...] = ()

    @property
    def degree(self) -> int:
        """The largest degree of P and Q."""
        return max(self.p.degree, self.q.degree)

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """Compute the fraction in the meadow; ``DataError`` A202 if a variable has no value.

        Values are elements, or masked arrays of one library that broadcast.

        Not to be trusted, for floats, when Q is near 0: sums in another order round otherwise, so a
        tree and its fraction may disagree about what is exactly 0.  Fractions never do.
        """
        total = self.p.evaluate(values) / self.q.evaluate(values)
        for guard in self.guards:
            total = total + 0 / guard.evaluate(values)
        return total

    def __str__(self) -> str:
        guards = "".join(f" where {guard} is not 0" for guard in self.guards)
        return f"({self.p}) / ({self.q}){guards}"


def evaluate(expression: Expression, values: Mapping[str, Value]) -> Value:
    """Compute an expression in the meadow, operation by operation.

    Values are elements, or masked arrays of one library that broadcast.  Raises ``DataError`` A202
    if a variable has no value.

    >>> x = Variable("x")
    >>> evaluate(x / x, {"x": Element(0)}), evaluate(1 + 0 / x, {"x": Element(0)})
    (BOTTOM, BOTTOM)
    """
    match expression:
        case Constant(number=number):
            return Element(number)
        case Variable(name=name):
            return value_of(name, values)
        case Fracterm():
            return expression.evaluate(values)
        case Operation(symbol=symbol, left=left, right=right):
            x, y = evaluate(left, values), evaluate(right, values)
            match symbol:
                case "+":
                    return x + y
                case "-":
                    return x - y
                case "*":
                    return x * y
                case "/":
                    return x / y
    raise _foreign(expression)


def flatten(
    expression: Expression, *, form: Form = "strict", budget: Budget | None = None
) -> Fracterm:
    """Write an expression as one fraction that has the same value, bottom included, everywhere.

    Nothing is cancelled: x / x stays (x) / (x), which is 1 + 0 / x and not 1.

    ``strict`` keeps all that makes bottom in the denominator: (a/b) / (u/v) = a v^2 / (b u v), so
    degrees triple with a level.  ``guarded`` writes (a v) / (b u) and keeps v beside it as a guard
    that must not be 0, so that they only double.

    Raises ``DataError`` A202 when the budget is exceeded, before anything is multiplied out.

    Source: J. A. Bergstra and J. V. Tucker, A complete finite axiomatisation of the equational
    theory of common meadows (arXiv:2307.04270); budgets as in zeroproofml 0.6.1 (PyPI).

    >>> a, b, u, v = map(Variable, "abuv")
    >>> print(flatten((a / b) / (u / v), form="guarded"))
    (a v) / (b u) where v is not 0
    >>> x = Variable("x")
    >>> print(flatten(x / (1 / x)))
    (x^3) / (x)
    """
    _hold(expression, form, budget or Budget())
    p, q, found = _parts(expression, form, _same)
    kept: list[Polynomial] = []
    for guard in found:
        if guard not in kept and (guard.variables or not any(guard.terms.values())):
            kept.append(guard)  # the others are said already, or numbers that are not 0
    return Fracterm(p, q, tuple(kept))


def degrees_of(expression: Expression, *, form: Form = "strict") -> tuple[int, int]:
    """Return the degrees of P and Q without multiplying anything out.

    >>> x = Variable("x")
    >>> degrees_of((x + 1) / (x / (x + 2)))
    (3, 2)
    """
    p, q, _ = _parts(expression, form, Extent.of)
    return p.degree, q.degree


def _hold(expression: Expression, form: Form, budget: Budget) -> None:
    """Raise ``DataError`` A202 unless the fraction of an expression is within the budget."""
    if _is_deeper(expression, budget.levels):
        raise DataError(
            f"the expression has more than {budget.levels} levels",
            hint="flatten its parts, or allow more with Budget(levels=...)",
            code="A202",
        )
    p, q, guards = _parts(expression, form, Extent.of)
    for what, found, most in (
        ("degree", max(e.degree for e in (p, q, *guards)), budget.most(form)),
        ("terms", max(e.terms for e in (p, q, *guards)), budget.terms),
    ):
        if found > most:
            raise DataError(
                f"the {what} of the fraction would be {found}; the {form} budget is {most}",
                hint=f"flatten smaller parts, or allow more with Budget({what}=...)",
                code="A202",
            )


class _Ring(Protocol):
    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __mul__(self, other: Self, /) -> Self: ...


_Part = TypeVar("_Part", bound=_Ring)
_Parts: TypeAlias = tuple[_Part, _Part, tuple[_Part, ...]]


def _parts(
    expression: Expression, form: Form, read: Callable[[Polynomial], _Part]
) -> _Parts[_Part]:
    """Return P, Q and the guards, or their extents."""
    match expression:
        case Constant(number=number):
            return read(Polynomial.constant(number)), read(Polynomial.constant(1)), ()
        case Variable(name=name):
            return read(Polynomial.variable(name)), read(Polynomial.constant(1)), ()
        case Fracterm(p=p, q=q, guards=own):
            return read(p), read(q), tuple(map(read, own))
        case Operation(symbol=symbol, left=left, right=right):
            a, b, g = _parts(left, form, read)  # a/b where g is not 0
            u, v, h = _parts(right, form, read)
            guards = g + h
            match symbol:
                case "+":
                    return a * v + u * b, b * v, guards
                case "-":
                    return a * v - u * b, b * v, guards
                case "*":
                    return a * u, b * v, guards
                case "/" if form == "strict":
                    return a * v * v, b * u * v, guards
                case "/":
                    return a * v, b * u, (*guards, v)
    raise _foreign(expression)


def _same(polynomial: Polynomial) -> Polynomial:
    return polynomial


def _is_deeper(expression: Expression, levels: int) -> bool:
    if isinstance(expression, Operation) and levels > 0:
        return any(_is_deeper(part, levels - 1) for part in (expression.left, expression.right))
    return levels < 1


def _expression(value: Expression | Fraction | float) -> Expression:
    return value if isinstance(value, Expression) else Constant(value)


def _foreign(expression: object) -> DataError:
    kind = type(expression).__name__
    return DataError(f"a {kind} is no expression of the meadow", code="A202")
