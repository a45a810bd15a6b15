"""What is wrong with a set of labelled prompts, and how hard it is: leaks, conflicts, balance, ceiling.

*Covered*: what ``leakage`` sees, what an encoder finds alike if one is given, labels that
contradict each other, classes that are lacking or alone, methods that understand nothing.
*Not covered*: whether the labels are right; whether the prompts are what people write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import DataError, Estimate

from ..draws import Draws
from ..likeness import leakage
from ..likeness.alike import clusters
from ..likeness.exchanged import filled_in, skeletons
from ..likeness.leakage import Leaks, Twin
from ..likeness.meaning import with_meaning
from ..likeness.normal import masks, plain
from ..table import Row
from ..tasks.own_split import SPLITS
from .balance import Balance, balance
from .conflicts import Conflict, ambiguous, ceiling, conflicts, disagreement, template_conflicts
from .left_out import LeaveOut, leave_out
from .trivial import Bench, Tried, lay_out, try_all

MOST_COMPARED = 30_000
"""Rows of which near-duplicates, neighbours and methods are looked at; of more, a random sample."""

FEW_TEMPLATES = 5.0
"""Rows per group from which leaving groups out says more than cross-validation."""

NOT_ENOUGH = 8
"""Rows below which no method is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How an audit looks at the rows."""

    alike: float = 0.8
    """Jaccard index of trigrams from which two masked prompts are near-duplicates."""

    fillers: tuple[str, ...] = ()
    """Words and phrases that were filled into templates: masked like numbers."""

    vectors: NDArray[np.float32] | None = None
    """Embeddings of the rows that are compared, of length 1."""

    close: float = 0.95
    """Cosine of embeddings from which two prompts are neighbours that tell of each other."""

    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found."""

    rows: int
    compared: int
    """Rows of which near-duplicates, neighbours and methods were looked at."""

    labels: int
    exchanged: tuple[str, ...]
    """Words that are exchanged under one label, where the data is made of templates: masked."""

    groups: int
    """Groups among the compared rows: given, or clusters of near-duplicates."""

    given_groups: bool
    duplicates: int
    """Rows whose prompt and label stand on an earlier line of the same part, as they read."""

    leaks: Leaks
    """Between the parts of the data; places are those of the rows."""

    apart: int
    """Rows with a near-duplicate in another given group: these groups do not hold together."""

    prompt_conflicts: tuple[Conflict, ...]
    template_conflicts: tuple[Conflict, ...]
    balance: tuple[Balance, ...]
    ceiling: Estimate
    """What the best function of the prompt as it reads could be right about, on these rows."""

    ambiguous: Estimate
    """Share of rows whose prompt has another label elsewhere."""

    disagreement: Estimate | None
    """Share of prompts whose nearest other prompt has another label."""

    tried: tuple[Tried, ...]
    left_out: tuple[LeaveOut, ...]
    examples: tuple[tuple[Twin, Row, Row], ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts that the data says it has."""
        return tuple(split for split in SPLITS if split in self.leaks.sizes)

    @property
    def holds(self) -> Mapping[str, tuple[bool, str]]:
        """For calibration and test: whether it may be called held out, and why (not)."""
        found: dict[str, tuple[bool, str]] = {}
        for split in ("calibration", "test"):
            if split not in self.splits:
                continue
            others = [
                s for s in self.splits if s != split and SPLITS.index(s) < SPLITS.index(split)
            ]
            twins = self.leaks.of(split, others)
            told = f"{len(twins):,} of {self.leaks.sizes[split]:,} prompts have a twin in "
            named = " or ".join(others) or "no other part"
            if self.compared < self.rows:
                named += f"; near-duplicates were looked for in {self.compared:,} rows only"
            found[split] = (not twins, told + named)
        return found

    @property
    def sound(self) -> bool:
        """Whether nothing was found that forbids to call a split of this data held out."""
        return all(held for held, _ in self.holds.values()) and not self.apart


def audit(rows: Sequence[Row], looks: Looks | None = None) -> Audit:
    """Look at rows, duplicates and contradictions included, for whatever makes numbers too good.

    Prompts are compared in every row; near-duplicates, neighbours, methods and left-out groups in
    at most ``MOST_COMPARED`` of them, drawn at random, whole groups where they are given.
    Raises ``DataError`` A200 for no rows; ``PluginError`` A401 without the extra.

    >>> rows = [Row(2, "pay rent", "pay", "", "train"), Row(3, "Pay RENT", "pay", "", "test")]
    >>> audit(rows).holds["test"]
    (False, '1 of 1 prompts have a twin in train')
    """
    if not rows:
        raise DataError("there are no rows", hint="give a file with labelled prompts")
    looks = Looks() if looks is None else looks
    places = _sample(rows, looks.seed)
    some = [rows[place] for place in places]
    given = any(row.group for row in rows)
    words: tuple[str, ...] = ()
    if not given and not looks.fillers:
        words = filled_in([row.prompt for row in some], [row.label for row in some])
    templates = _templates(rows, looks, words)
    alike_groups = _clusters(some, [templates[place] for place in places], looks)
    groups = [
        f"group/{row.group}" if given and row.group else own
        for row, own in zip(some, alike_groups, strict=True)
    ]
    leaks = _leaks(rows, places, templates, looks)
    bench = lay_out([row.prompt for row in some], [row.label for row in some], looks.vectors)
    forms = [plain(row.prompt) for row in rows]
    enough = len(some) >= NOT_ENOUGH and len({row.label for row in some}) > 1
    return Audit(
        rows=len(rows),
        compared=len(some),
        labels=len({row.label for row in rows}),
        exchanged=words,
        groups=len(set(groups)),
        given_groups=given,
        duplicates=len(rows) - len(set(zip(_splits(rows), _labels(rows), forms, strict=True))),
        leaks=leaks,
        apart=_apart(some, alike_groups) if given else 0,
        prompt_conflicts=conflicts(rows, forms),
        template_conflicts=() if words else template_conflicts(rows, forms, templates),
        balance=tuple(balance(rows)),
        ceiling=ceiling(rows, forms),
        ambiguous=ambiguous(rows, forms, groups if len(some) == len(rows) else None),
        disagreement=disagreement(some, groups, bench) if enough else None,
        tried=tuple(_tried(some, places, groups, bench, leaks, looks)) if enough else (),
        left_out=_left_out(some, groups, looks) if enough else (),
        examples=_examples(rows, leaks),
    )


def compared(rows: Sequence[Row], *, seed: int = 0) -> list[Row]:
    """Return the rows of which near-duplicates, neighbours and methods are looked at."""
    return [rows[place] for place in _sample(rows, seed)]


def _sample(rows: Sequence[Row], seed: int) -> list[int]:
    if len(rows) <= MOST_COMPARED:
        return list(range(len(rows)))
    drawn = Draws(seed, 2)
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[row.group or f"/{place}"].append(place)
    kept: list[int] = []
    for group in drawn.shuffled(list(groups)):
        if len(kept) + len(groups[group]) <= MOST_COMPARED:
            kept += groups[group]
        if len(kept) == MOST_COMPARED:
            break
    return sorted(kept)


def _templates(rows: Sequence[Row], looks: Looks, words: Sequence[str]) -> list[str]:
    texts = [row.prompt for row in rows]
    return skeletons(texts, words) if words else masks(texts, looks.fillers)


def _clusters(rows: Sequence[Row], masked: Sequence[str], looks: Looks) -> list[str]:
    different = list(dict.fromkeys(masked))
    heads = clusters(different, alike=looks.alike)
    head_of = {text: different[head] for text, head in zip(different, heads, strict=True)}
    first: dict[str, int] = {}
    for row, text in zip(rows, masked, strict=True):
        first.setdefault(text, row.line)
    return [f"alike/{first[head_of[text]]}" for text in masked]


def _leaks(
    rows: Sequence[Row], places: Sequence[int], templates: Sequence[str], looks: Looks
) -> Leaks:
    """Find twins across parts: by form in all rows, by alikeness in those that are compared."""
    where = [row.split for row in rows]
    if not any(where):
        return Leaks(sizes={}, twins={})
    given = any(row.group for row in rows)
    found = leakage.find(
        [row.prompt for row in rows],
        where,
        groups=[row.group or f"/{n}" for n, row in enumerate(rows)] if given else (),
        masked=templates,
        alike=looks.alike,
        places=None if len(places) == len(rows) else places,
    )
    if looks.vectors is None:
        return found
    return with_meaning(found, where, places, looks.vectors, close=looks.close)


def _splits(rows: Sequence[Row]) -> list[str]:
    return [row.split for row in rows]


def _labels(rows: Sequence[Row]) -> list[str]:
    return [row.label for row in rows]


def _apart(rows: Sequence[Row], alike_groups: Sequence[str]) -> int:
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for row, cluster in zip(rows, alike_groups, strict=True):
        homes[cluster].add(row.group or f"/{row.line}")
    return sum(len(homes[cluster]) > 1 for cluster in alike_groups)


def _tried(
    rows: Sequence[Row],
    places: Sequence[int],
    groups: Sequence[str],
    bench: Bench,
    leaks: Leaks,
    looks: Looks,
) -> list[Tried]:
    seen = np.array([n for n, row in enumerate(rows) if row.split == "train"], dtype=np.int64)
    asked = np.array([n for n, row in enumerate(rows) if row.split == "test"], dtype=np.int64)
    at = {place: n for n, place in enumerate(places)}
    twins = frozenset(at[p] for p in leaks.of("test", ("train", "tune")) if p in at)
    parts = (seen, asked) if len(seen) and len(asked) else None
    return try_all(bench, groups, seed=looks.seed, parts=parts, twins=twins)


def _left_out(rows: Sequence[Row], groups: Sequence[str], looks: Looks) -> tuple[LeaveOut, ...]:
    """Leave groups out where there are few of them: elsewhere cross-validation has said it."""
    count = len(set(groups))
    if count < 2 or len(rows) < FEW_TEMPLATES * count:
        return ()
    texts, labels = [row.prompt for row in rows], [row.label for row in rows]
    found = [leave_out(texts, labels, groups, seed=looks.seed)]
    if looks.vectors is not None:
        found.append(leave_out(texts, labels, groups, vectors=looks.vectors, seed=looks.seed))
    return tuple(found)


def _examples(
    rows: Sequence[Row], leaks: Leaks, most: int = 200
) -> tuple[tuple[Twin, Row, Row], ...]:
    """Return pairs that leak into test, then into calibration: those that are closest first."""
    found: list[tuple[Twin, Row, Row]] = []
    for split in ("test", "calibration", "tune"):
        others = SPLITS[: SPLITS.index(split)]
        twins = leaks.of(split, others).values()
        order = sorted(twins, key=lambda t: (leakage.closeness(t), t.here))
        found += [(t, rows[t.here], rows[t.there]) for t in order]
    return tuple(found[:most])
