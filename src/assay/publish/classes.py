"""Precision, recall and confusions on a task whose answers come from a closed set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..analysis.case import SAMPLES, Case
from ..analysis.infer import summarise
from ..core.metric import Estimate
from ..core.reply import Answer
from ..core.sample import Sample
from ..core.verdict import Outcome
from ..stats import clusters
from ..store.columns import CODE, OUTCOMES
from .browser import DECLINES, Seen, link, shown
from .document import Block, Fold, Inline, Para, Row, Span, Table, cell
from .hostile import visible

MAX_LABELS, MAX_MATRIX = 100, 16
"""With more labels there is no such section; with more than the second, no matrix but a list."""
ANSWERED = (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED, Outcome.SCORED)
LISTED = 20

Count: TypeAlias = Callable[[int, str], Span]


@dataclass(frozen=True)
class Classes:
    """The classes of a task, as integers; -1 stands for none of them."""

    task: int
    names: tuple[str, ...]
    target: NDArray[np.int64]
    """Shape [samples]."""

    group: NDArray[np.int64]

    @cached_property
    def place(self) -> dict[str | None, int]:
        """Number of each class."""
        return {name: i for i, name in enumerate(self.names)}

    @property
    def rejects(self) -> bool:
        """Whether there are samples without an answer."""
        return bool((self.target < 0).any())

    def said(self, seen: Seen) -> NDArray[np.int64]:
        """Return what a system answered, shape [seeds, samples]."""
        given = np.array([[self.place.get(v, -1) for v in row] for row in seen.said])
        return np.where(np.isin(seen.outcome, [CODE[o] for o in ANSWERED]), given, -1)

    def name(self, i: int) -> Span:
        """Return a class as text."""
        return Span(visible(self.names[i]), "code") if i >= 0 else Span("no answer", "muted")


def classes(
    case: Case, task: int, samples: Sequence[Sample], seen: Mapping[str, Seen], ship: str | None
) -> tuple[Block, ...]:
    """Return precision, recall, F1 and confusions of every system under test, one fold each."""
    made = closed_set(task, samples)
    if made is None:
        return ()
    folds: list[Block] = []
    for system in sorted((s for s in seen if s not in case.controls), key=lambda s: s != ship):
        blocks = (_per_class(made, system, seen[system]), _confusions(made, system, seen[system]))
        folds.append(Fold(system, blocks, group=f"classes-{task}"))
    return tuple(folds)


def closed_set(task: int, samples: Sequence[Sample]) -> Classes | None:
    """Return the classes of a task, or None where answers are not from a closed set."""
    values = [s.target.value if isinstance(s.target, Answer) else None for s in samples]
    labels = [shown(v) for v in values if isinstance(v, str | int)]
    names = tuple(sorted(set(labels)))
    if len(labels) < sum(isinstance(s.target, Answer) for s in samples):
        return None
    if not 1 < len(names) <= min(MAX_LABELS, len(labels) / 2):
        return None
    place = {name: i for i, name in enumerate(names)}
    known: dict[str, int] = {}
    return Classes(
        task=task,
        names=names,
        target=np.array([-1 if v is None else place[shown(v)] for v in values]),
        group=np.array([known.setdefault(s.cluster, len(known)) for s in samples]),
    )


def _per_class(made: Classes, system: str, seen: Seen) -> Table:
    observed = (seen.outcome >= 0) & (seen.outcome != CODE[Outcome.CRASHED])
    groups = np.broadcast_to(made.group, observed.shape)[observed]
    target = np.broadcast_to(made.target, observed.shape)[observed]
    said = made.said(seen)[observed]
    rows = []
    for i, name in enumerate(made.names):
        wanted, given = (target == i).astype(np.float64), (said == i).astype(np.float64)
        hits = wanted * given
        asked = link(made.task, system, target=name)
        answers = link(made.task, system, said=name, seed="first")
        cells = (
            cell(_share("precision", hits, given, groups, seen), href=answers),
            cell(_share("recall", hits, wanted, groups, seen), href=asked),
            cell(_share("f1", 2 * hits, wanted + given, groups, seen), href=asked),
        )
        n = int((made.target[seen.outcome[0] >= 0] == i).sum())
        rows.append(Row((made.name(i), *cells, Span(f"{n:,}", "number", asked))))
    return Table(
        says=f"{system}, class by class, as shipped: a declined question counts against recall. "
        f"Intervals are over questions; seeds pooled: {len(seen.seeds)}.",
        header=("class", "precision", "recall", "F1", "questions"),
        rows=tuple(rows),
    )


def _share(
    metric: str,
    above: NDArray[np.float64],
    below: NDArray[np.float64],
    groups: NDArray[np.int64],
    seen: Seen,
) -> Estimate:
    kept = below > 0
    return summarise(
        metric,
        clusters.share(above[kept], below[kept], groups=groups[kept]),
        n=round(float(below.sum()) / len(seen.seeds)),
        n_groups=len(np.unique(groups[kept])),
        n_seeds=len(seen.seeds),
        over=SAMPLES,
    )


def _confusions(made: Classes, system: str, seen: Seen) -> Block:
    counts: Counter[tuple[int, str]] = Counter()
    for wanted, code, said in zip(made.target, seen.outcome[0], made.said(seen)[0], strict=True):
        if code >= 0:
            counts[int(wanted), _column(OUTCOMES[code], int(said))] += 1
    only = f", seed {seen.seeds[0]} only" if len(seen.seeds) > 1 else ""
    says = f"{system}: what was asked for (rows) and what was said (columns){only}; these records."

    def count(wanted: int, column: str) -> Span:
        n = counts[wanted, column]
        right = column == ("declined" if wanted < 0 else str(wanted))
        kind = "quiet" if not n else "right" if right else "miss"
        return Span(str(n), kind, _where(made, system, wanted, column) if n else "")

    if len(made.names) > MAX_MATRIX:
        return _list(made, counts, count, says)
    others = ("another", "declined", "failed", "crashed")
    extra = [c for c in others if any(column == c for _, column in counts)]
    columns = [*map(str, range(len(made.names))), *extra]
    header: tuple[Inline, ...] = ("asked for ↓ said →", *(_said(made, c) for c in columns))
    wanted = [*range(len(made.names)), *([-1] if made.rejects else [])]
    rows = tuple(Row((made.name(i), *(count(i, c) for c in columns))) for i in wanted)
    return Table(says=says, header=header, rows=rows, kind="matrix")


def _list(made: Classes, counts: Counter[tuple[int, str]], count: Count, says: str) -> Block:
    """Return the most frequent confusions: a matrix of so many classes cannot be read."""
    wrong = [
        (n, wanted, column)
        for (wanted, column), n in counts.items()
        if column != ("declined" if wanted < 0 else str(wanted))
    ]
    if not wrong:
        return Para("It confused no two classes.")
    wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
    rows = (Row((made.name(w), _said(made, c), count(w, c))) for _, w, c in wrong[:LISTED])
    says = f"{says} The most frequent of {len(wrong)}."
    return Table(says=says, header=("asked for", "said", "questions"), rows=tuple(rows))


def _column(outcome: Outcome, said: int) -> str:
    if outcome in ANSWERED:
        return str(said) if said >= 0 else "another"
    return "declined" if outcome in DECLINES else outcome.value


def _said(made: Classes, column: str) -> Span:
    return made.name(int(column)) if column.isdigit() else Span(column, "code")


def _where(made: Classes, system: str, wanted: int, column: str) -> str:
    query = {"none": "1"} if wanted < 0 else {"target": made.names[wanted]}
    if column.isdigit():
        query["said"] = made.names[int(column)]
    else:
        query["outcome"] = {"another": "wrong,invented", "declined": "withheld,declined"}.get(
            column, column
        )
    return link(made.task, system, **query, seed="first")
