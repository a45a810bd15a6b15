"""Precision, recall and confusions on a task whose answers come from a closed set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ..analysis.case import SAMPLES, Case
from ..analysis.infer import summarise
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


def labels(samples: Sequence[Sample]) -> list[str]:
    """Return the classes of a closed set of answers, sorted; none for any other task."""
    values = [s.target.value for s in samples if isinstance(s.target, Answer)]
    if not all(isinstance(v, str | int) for v in values):
        return []
    found = sorted({shown(v) for v in values})
    return found if 1 < len(found) <= min(MAX_LABELS, len(values) / 2) else []


def classes(
    case: Case, task: int, samples: Sequence[Sample], seen: Mapping[str, Seen], ship: str | None
) -> tuple[Block, ...]:
    """Return precision, recall, F1 and confusions of every system under test, one fold each."""
    names = labels(samples)
    if not names:
        return ()
    target = [shown(s.target.value) if isinstance(s.target, Answer) else None for s in samples]
    folds: list[Block] = []
    rivals = [s for s in seen if s not in case.controls]
    for system in sorted(rivals, key=lambda s: s != ship):
        one = seen[system]
        note = f", seed {one.seeds[0]} only" if len(one.seeds) > 1 else ""
        folds.append(
            Fold(
                system,
                (
                    _per_class(system, task, names, target, one, samples),
                    *_confusions(system, task, names, target, one, note),
                ),
                is_open=not folds,
                group=f"classes-{task}",
            )
        )
    return tuple(folds)


def _per_class(
    system: str,
    task: int,
    names: Sequence[str],
    target: Sequence[str | None],
    seen: Seen,
    samples: Sequence[Sample],
) -> Table:
    answers = np.isin(seen.outcome, [CODE[o] for o in ANSWERED])
    observed = (seen.outcome >= 0) & (seen.outcome != CODE[Outcome.CRASHED])
    codes: dict[str, int] = {}
    group = np.array([codes.setdefault(s.cluster, len(codes)) for s in samples])
    groups = np.broadcast_to(group, seen.outcome.shape)[observed]
    rows = []
    for name in names:
        wanted = np.broadcast_to([t == name for t in target], seen.outcome.shape)[observed]
        said = (np.array([[v == name for v in row] for row in seen.said]) & answers)[observed]
        hits = (wanted & said).astype(np.float64)
        cells = []
        asked, answer = {"target": visible(name)}, {"said": visible(name), "seed": "first"}
        for metric, above, below, query in (
            ("precision", hits, said * 1.0, answer),
            ("recall", hits, wanted * 1.0, asked),
            ("f1", 2 * hits, wanted * 1.0 + said, asked),
        ):
            estimate = summarise(
                metric,
                clusters.share(above, below, groups=groups),
                n=round(float(below.sum()) / len(seen.seeds)),
                n_groups=len(np.unique(groups[below > 0])),
                n_seeds=len(seen.seeds),
                over=SAMPLES,
            )
            cells.append(cell(estimate, href=link(task, system, **query)))
        n = int((np.array(target) == name)[seen.outcome[0] >= 0].sum())
        count = Span(f"{n:,}", "number", link(task, system, target=name))
        rows.append(Row((Span(visible(name), "code"), *cells, count)))
    return Table(
        says=f"{system}, class by class, as shipped: a declined question counts against recall. "
        f"Intervals are over questions; seeds pooled: {len(seen.seeds)}.",
        header=("class", "precision", "recall", "F1", "questions"),
        rows=tuple(rows),
    )


def _confusions(
    system: str,
    task: int,
    names: Sequence[str],
    target: Sequence[str | None],
    seen: Seen,
    note: str,
) -> tuple[Block, ...]:
    counts: Counter[tuple[str | None, str]] = Counter()
    known = set(names)
    for wanted, code, value in zip(target, seen.outcome[0], seen.said[0], strict=True):
        if code < 0:
            continue
        outcome = OUTCOMES[code]
        if outcome in ANSWERED:
            counts[wanted, f"={value if value in known else 'another'}"] += 1
        else:
            counts[wanted, "declined" if outcome in DECLINES else outcome.value] += 1

    def cell(wanted: str | None, said: str, text: str = "") -> Span:
        n = counts[wanted, said]
        query = {"none": "1"} if wanted is None else {"target": wanted}
        if said.startswith("="):
            query |= {"said": said[1:]} if said[1:] in known else {"outcome": "wrong,invented"}
        else:
            query["outcome"] = "withheld,declined" if said == "declined" else said
        query["seed"] = "first"
        right = said == ("declined" if wanted is None else f"={wanted}")
        kind = "quiet" if not n else "right" if right else "miss"
        return Span(text or str(n), kind, link(task, system, **query) if n else "")

    rows_of: list[str | None] = [*names, *([None] if None in target else [])]
    extra = [
        s for s in ("=another", "declined", "failed", "crashed") if any(c[1] == s for c in counts)
    ]
    says = f"{system}: what was asked for (rows) and what was said (columns){note}; these records."
    if len(names) <= MAX_MATRIX:
        columns = [*(f"={name}" for name in names), *extra]
        header: tuple[Inline, ...] = (
            "asked for ↓  said →",
            *(Span(visible(c.removeprefix("=")), "code") for c in columns),
        )
        rows = (
            Row((_name(wanted), *(cell(wanted, said) for said in columns))) for wanted in rows_of
        )
        return (Table(says=says, header=header, rows=tuple(rows), kind="matrix"),)
    wrong = [(n, w, s) for (w, s), n in counts.items() if s != (f"={w}" if w else "declined")]
    wrong.sort(key=lambda t: (-t[0], t[1] or "", t[2]))
    if not wrong:
        return (Para("It confused no two classes."),)
    listed = tuple(
        Row((_name(w), Span(visible(s.removeprefix("=")), "code"), cell(w, s)))
        for _, w, s in wrong[:20]
    )
    header = ("asked for", "said", "questions")
    return (Table(says=f"{says} The most frequent of {len(wrong)}.", header=header, rows=listed),)


def _name(wanted: str | None) -> Span:
    return Span("no answer", "muted") if wanted is None else Span(visible(wanted), "code")
