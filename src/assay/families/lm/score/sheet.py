"""Everything that is said of some runs' systems: scores, ranks among those that can be compared, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay import Run
from assay.estimates import RankBands, rank_bands, ranks

from .gathering import Entry, Gathered, gather
from .members import EDGE
from .scoring import Category, Measured, Scored, Unmeasured, category, score
from .scoring import edge as edge_category
from .sensitivity import Sensitivity, sensitivity
from .speeds import Speeds, read_speeds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """Systems that are scored over the same categories."""

    systems: tuple[str, ...]
    """Best first."""

    weights: Mapping[str, float]
    """What they are averaged over; they add up to 1."""

    ranks: Mapping[str, int]
    bands: RankBands
    """In the order of ``systems``."""

    order: Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Systems, their scores and their order."""

    weights: Mapping[str, float]
    renormalise: bool
    gathered: Gathered
    speeds: Speeds
    scored: tuple[Scored, ...]
    """Systems under test first, best first; then controls."""

    ranked: tuple[Ranked, ...]
    """One for each set of categories; the largest first."""

    def entry(self, system: str) -> Entry:
        """Return what is known of a system."""
        return next(one for one in self.gathered.entries if one.name == system)


def make_sheet(
    runs: Sequence[Run],
    *,
    edges: Sequence[Path],
    weights: Mapping[str, float],
    renormalise: bool,
    only: Sequence[str] = (),
) -> Sheet:
    """Score the systems of sealed runs.

    Raises what ``gather`` and ``read_speeds`` raise.
    """
    gathered = gather(runs, only=only)
    speeds = read_speeds(edges, {one.name: one.loaded for one in gathered.entries})
    scored = [
        score(
            entry.name,
            {name: _category(name, entry, gathered, speeds) for name in weights},
            weights,
            renormalise=renormalise,
        )
        for entry in gathered.entries
    ]
    controls = {one.name for one in gathered.entries if one.control}
    scored.sort(key=lambda one: (one.system in controls, -_value(one), one.system))
    origins = {one.name: one.origin for one in gathered.entries}
    tested = [
        one for one in scored if one.system not in controls and origins[one.system] == "measured"
    ]
    groups: dict[tuple[str, ...], list[Scored]] = {}
    for one in tested:
        if one.total is not None:
            groups.setdefault(tuple(one.weights), []).append(one)
    return Sheet(
        weights=weights,
        renormalise=renormalise,
        gathered=gathered,
        speeds=speeds,
        scored=tuple(scored),
        ranked=tuple(_ranked(groups[key]) for key in sorted(groups, key=lambda k: (-len(k), k))),
    )


def _category(name: str, entry: Entry, gathered: Gathered, speeds: Speeds) -> Category:
    if name == EDGE:
        if entry.name in speeds.found:
            return edge_category(speeds.found[entry.name])
        return Unmeasured(why=speeds.why.get(entry.name, _NO_EDGE))
    members = [m for m in gathered.members if m.of.category == name]
    return category(name, entry.name, members, gathered.why[entry.name])


_NO_EDGE = "no --edge file measured its model"


def _value(one: Scored) -> float:
    return -1.0 if one.total is None or one.total.value is None else one.total.value


def _ranked(scored: Sequence[Scored]) -> Ranked:
    weights = scored[0].weights
    values = np.array([[_of(one, k) for k in weights] for one in scored])
    totals = np.round([_value(one) for one in scored], 9)
    draws = np.stack([one.draws.wide for one in scored], axis=1)
    bands = rank_bands(totals, draws=draws, df=[one.df for one in scored])
    systems = tuple(one.system for one in scored)
    return Ranked(
        systems=systems,
        weights=weights,
        ranks=dict(zip(systems, ranks(totals).tolist(), strict=True)),
        bands=bands,
        order=sensitivity(systems, values, weights),
    )


def _of(one: Scored, name: str) -> float:
    found = one.categories[name]
    assert isinstance(found, Measured)
    return found.found.value or 0.0
