"""Arguments for a Python function, generated from the types of its parameters and from its cases."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay import PluginError

from ..cases.kinds import (
    BOOL,
    FLOAT,
    HASHABLE,
    INT,
    NOTHING,
    TEXT,
    Group,
    Kind,
    Maybe,
    Plain,
    Seq,
    Table,
    Tuple,
    Unmapped,
    named,
)
from ..cases.signature import Signature
from ..corpus.program import Case

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SMALL, LARGE = 20, 1000
"""Most integers are small: programs count up to them, and nest as deep."""

LONGEST = 8
"""Of lists, texts and tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where the arguments of the cases stand: generated ones stay there.

    A program whose cases are all positive may never have been meant for what is negative, and what it
    does there is an accident that no translation need repeat.
    """

    least: float | None
    """The sign of the least number: -1 (any number), 0 or 1; None where no case has a number."""

    empty: bool
    """Whether a list, text or table may be empty."""

    letters: str
    """Of which texts are made."""

    numbers: tuple[float, ...]
    """Those of the cases."""


ANYWHERE = Domain(
    least=None, empty=True, letters=string.ascii_letters + string.digits + " _-é", numbers=()
)


def domain_of(values: Sequence[Any]) -> Domain:
    """Return where the values of one parameter stand.

    >>> domain_of([[1, 4], [3]])
    Domain(least=1, empty=False, letters='', numbers=(1, 4, 3))
    """
    if len(values) < 2:
        return ANYWHERE
    inside = list(_inside(values))
    numbers = [v for v in inside if isinstance(v, int | float) and not isinstance(v, bool)]
    sized = [v for v in inside if isinstance(v, str | list | dict)]
    least = min(numbers, default=None)
    return Domain(
        least=None if least is None else (least > 0) - (least < 0),
        empty=any(not v for v in sized),
        letters="".join(sorted({c for v in sized if isinstance(v, str) for c in v})),
        numbers=tuple(dict.fromkeys(numbers)),
    )


def _inside(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        if isinstance(value, list):
            yield from _inside(value)
        elif isinstance(value, dict):
            yield from _inside([*value, *value.values()])


def arguments(signature: Signature, cases: Sequence[Case], count: int) -> list[tuple[Any, ...]]:
    """Return up to ``count`` different lists of arguments, as Python values; always the same ones.

    Source: Hypothesis, strategies by type; its choice is derived from the source of this module, not drawn.
    Raises ``Unmapped`` for a parameter whose type nothing says, and where there is none; ``PluginError`` A401 without Hypothesis.
    """
    try:
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import strategies as st
    except ImportError:
        raise PluginError(
            "differential testing needs Hypothesis, which is not installed",
            hint="pip install 'assay-eval[rust]'",
            code="A401",
        ) from None
    if not signature.parameters:
        raise Unmapped("it takes no arguments")
    columns = [[c.input[k] for c in cases] for k in range(len(signature.parameters))]
    each = [
        strategy(kind, domain_of(column), named_as=name)
        for (name, kind), column in zip(signature.parameters, columns, strict=True)
    ]
    found: dict[str, tuple[Any, ...]] = {}

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*each))
    def collect(values: tuple[Any, ...]) -> None:
        found.setdefault(repr(values), values)

    collect()
    return list(found.values())[:count]


def strategy(kind: Kind, domain: Domain = ANYWHERE, *, named_as: str = "") -> SearchStrategy[Any]:
    """Return the strategy that generates Python values of a type.

    Raises ``Unmapped`` where the type is not known, or a table's keys have no JSON.
    """
    from hypothesis import strategies as st

    least = 0 if domain.empty else 1

    def of(inner: Kind) -> SearchStrategy[Any]:
        return strategy(inner, domain, named_as=named_as)

    match kind:
        case Plain():
            return _plain(kind, domain)
        case Maybe(inner):
            return st.none() | of(inner)
        case Seq(inner):
            return st.lists(of(inner), min_size=least, max_size=LONGEST)
        case Group(inner) if _hashable(inner):
            return st.sets(of(inner), min_size=least, max_size=LONGEST)
        case Tuple(inner):
            return st.tuples(*map(of, inner))
        case Table(key, value) if key in (INT, TEXT):
            return st.dictionaries(of(key), of(value), min_size=least, max_size=LONGEST)
    raise Unmapped(f"nothing generates {named(kind)}{f' for {named_as}' if named_as else ''}")


def _hashable(kind: Kind) -> bool:
    return all(each in HASHABLE for each in (kind.of if isinstance(kind, Tuple) else (kind,)))


def _plain(kind: Plain, domain: Domain) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    floor = -LARGE if domain.least is None or domain.least < 0 else int(domain.least)
    if kind == NOTHING:
        return st.none()
    if kind == BOOL:
        return st.booleans()
    if kind == INT:
        near = [n + d for n in domain.numbers if abs(n) < 2**53 for d in (-1, 0, 1)]
        known = sorted({int(n) for n in near if n >= floor})
        few = st.integers(max(floor, -SMALL), SMALL)
        return st.one_of(
            few, st.integers(floor, LARGE), *([st.sampled_from(known)] if known else [])
        )
    if kind == FLOAT:
        # Quarters and hundredths are what people write; their sums show what rounding does.
        steps = st.integers(max(floor, -LARGE) * 100, LARGE * 100).map(lambda n: n / 100)
        return st.one_of(steps, st.integers(max(floor, -SMALL), SMALL).map(float))
    letters = domain.letters or ANYWHERE.letters
    return st.text(letters, min_size=0 if domain.empty else 1, max_size=LONGEST)
