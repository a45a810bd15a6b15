"""How the order of systems hangs on the weights: other weights, drawn weights, and the smallest change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.estimates import ranks

from .members import Floats

DRAWS = 10_000
NEAR = 20.0
"""How closely drawn weights keep to the given ones: they are as if counted out of so many."""

_TIE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """The least weight that has to move for the second to reach the first."""

    first: str
    second: str
    moved: float | None
    """In points of 100; None where no weights do it."""

    takes: Mapping[str, float]
    """Category to the points that it loses."""

    gives: str
    """The category that gains them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The order of systems under other weights."""

    systems: tuple[str, ...]
    orders: Mapping[str, tuple[int, ...]]
    """What was done to the weights, to the rank of each system."""

    first_near: tuple[float, ...]
    """In which share of weights drawn around the given ones each system is first; ties are shared."""

    first_any: tuple[float, ...]
    """The same, of weights drawn from all there are."""

    swap: Swap | None
    """None where there is one system, or the first two are level."""


def sensitivity(
    systems: Sequence[str], values: Floats, weights: Mapping[str, float], *, seed: int = 0
) -> Sensitivity:
    """Return how the order hangs on the weights; ``values`` are categories, shape [systems, categories].

    ``weights`` are those of the categories, in their order, above 0; only their ratios matter.  All of it is said
    of the values as they are: how sure they are is another question.

    >>> found = sensitivity(["a", "b"], np.array([[0.9, 0.1], [0.2, 0.4]]), {"math": 1.0, "edge": 1.0})
    >>> found.orders["equal"], found.orders["without math"], round(found.swap.moved, 3)
    ((1, 2), (2, 1), 20.0)
    """
    given = np.array([*weights.values()]) / sum(weights.values())
    names = list(weights)
    orders = {"as given": given, "equal": np.full(given.size, 1 / given.size)}
    for k, name in enumerate(names):
        rest = np.where(np.arange(given.size) == k, 0.0, given)
        if rest.sum():
            orders[f"without {name}"] = rest / rest.sum()
    rng = np.random.Generator(np.random.PCG64(seed))
    # By name, so that the order of systems or categories draws no other weights.
    place = np.argsort(names)
    near = np.empty((DRAWS, given.size))
    near[:, place] = rng.dirichlet(NEAR * given[place], size=DRAWS)
    free = np.empty((DRAWS, given.size))
    free[:, place] = rng.dirichlet(np.ones(given.size), size=DRAWS)
    return Sensitivity(
        systems=tuple(systems),
        orders={
            said: tuple(ranks(_rounded(values @ each)).tolist()) for said, each in orders.items()
        },
        first_near=_first(values, near),
        first_any=_first(values, free),
        swap=_swap(systems, values, given, names),
    )


def _first(values: Floats, weights: Floats) -> tuple[float, ...]:
    totals = weights @ values.T
    best = totals >= totals.max(axis=1, keepdims=True) - _TIE
    shares: Floats = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return tuple(shares.tolist())


def _swap(
    systems: Sequence[str], values: Floats, weights: Floats, names: Sequence[str]
) -> Swap | None:
    """Move weight to where the second is farthest ahead, from where it is farthest behind, until they are level."""
    order = np.lexsort((np.array(systems), -_rounded(values @ weights)))
    if len(order) < 2:
        return None
    first, second = order[:2]
    ahead = values[first] - values[second]
    lead = float(ahead @ weights)
    if lead <= _TIE:
        return None
    to = int(np.argmin(ahead))
    takes: dict[str, float] = {}
    for k in np.argsort(-ahead, kind="stable"):
        gain = float(ahead[k] - ahead[to])
        if k == to or lead <= _TIE or gain <= _TIE or weights[k] <= 0:
            continue
        taken = min(float(weights[k]), lead / gain)
        takes[names[k]] = 100 * taken
        lead -= taken * gain
    reached = lead <= _TIE
    return Swap(
        first=systems[first],
        second=systems[second],
        moved=sum(takes.values()) if reached else None,
        takes=takes if reached else {},
        gives=names[to],
    )


def _rounded(totals: Floats) -> Floats:
    # Sums of the same numbers in another order may differ in the last bits, and that is no lead.
    found: Floats = np.round(totals, 12)
    return found
