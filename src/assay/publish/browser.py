"""What every system said to every sample: the samples behind each number of the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..analysis.case import Case
from ..core.record import Cell
from ..core.reply import Answer, Bottom
from ..core.sample import Json, Sample
from ..core.verdict import Outcome
from ..store.columns import CODE, OUTCOMES
from ..store.evidence import read_evidence
from ..store.journal import first_tries, read_lines
from ..store.line import Decided
from ..store.rundir import RunDir
from .document import Bar, Bars
from .hostile import visible

BUDGET = 2_400_000
"""Bytes of samples in one page; above, texts are cut shorter, and then samples are left out."""
LIMITS = ((2000, 600), (800, 300), (300, 120), (120, 60))
"""Characters of a question and of an answer, as the budget runs out."""
EXCERPTS, EXCERPT = 150, 600
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DECLINES = (Outcome.WITHHELD, Outcome.DECLINED)
GIVEN = (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED, Outcome.SCORED)
NOT_RIGHT = (Outcome.WRONG, Outcome.WITHHELD, Outcome.INVENTED, Outcome.FAILED)
BEHIND: Mapping[str, Sequence[Outcome]] = {
    "accuracy": NOT_RIGHT,
    "coverage": DECLINES,
    "selective_accuracy": (Outcome.WRONG, Outcome.INVENTED),
    "risk": (Outcome.WRONG, Outcome.INVENTED),
    "invention_rate": (Outcome.INVENTED,),
    "failure_rate": (Outcome.FAILED,),
}
"""Which samples a metric's number opens: the ones worth looking at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The replies of one system on the task's samples, as shipped; arrays [seeds, samples]."""

    seeds: tuple[int, ...]
    outcome: NDArray[np.int8]
    """Index into ``OUTCOMES``, -1 where the sample was not asked."""

    said: list[list[str | None]]
    """The value of the answer, or of what it would have answered; None where there is none."""

    why: list[str]
    """Of the first seed: the reason of a decline, failure or crash."""

    sure: NDArray[np.float64]
    """Of the first seed."""

    excerpts: Mapping[int, str]


def link(task: int, system: str, **wanted: str) -> str:
    """Return the address of samples on the page.

    >>> link(0, "mapper", outcome="invented")
    '#samples?task=0&system=mapper&outcome=invented'
    """
    query = {name: visible(value) for name, value in {"system": system, **wanted}.items()}
    return "#samples?" + urlencode({"task": str(task), **query}, safe=",")


def behind(task: int, system: str, metric: str) -> str:
    """Return the address of the samples behind a metric's number."""
    outcomes = BEHIND.get(metric)
    return link(task, system, outcome=",".join(outcomes)) if outcomes else link(task, system)


def shown(value: Json) -> str:
    """Return a question or answer as text."""
    if value is None:
        return "null"  # what a log that names no answer has on every line
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def look(
    run: RunDir, case: Case, samples: Sequence[Sample], order: Sequence[str]
) -> dict[str, Seen]:
    """Read what every system said to the test samples; controls come last."""
    place = {sample.id: i for i, sample in enumerate(samples)}
    return {system: _look(run, case, system, place) for system in order}


def _look(run: RunDir, case: Case, system: str, place: Mapping[str, int]) -> Seen:
    table, n = case.tables[system], len(place)
    outcome = np.full((len(table.seeds), n), -1, dtype=np.int8)
    at = [place[s] for s in table.samples]
    outcome[:, at] = table.outcome
    said: list[list[str | None]] = [[None] * n for _ in table.seeds]
    known: dict[str, str] = {}
    why, sure = [""] * n, np.full(n, np.nan)
    sure[at] = table.confidence[0]
    found: dict[int, tuple[int, Cell, tuple[int, int]]] = {}
    for row, seed in enumerate(table.seeds):
        cell = Cell(task=case.task, system=system, seed=seed, split="test")
        for line in first_tries(read_lines(run.journal(cell))):
            i = place[line.decided.sample]
            # An answer is given many times: one text is enough for all of them.
            if (text := _value(line.decided)) is not None:
                said[row][i] = known.setdefault(text, text)
            if row == 0:
                # What an answer would have declined with is shown where a threshold withholds it.
                why[i] = line.decided.reason
            if line.usage.at is not None and (i not in found or found[i][1] == cell):
                rank = 0 if line.decided.outcome in (Outcome.FAILED, Outcome.CRASHED) else 1
                found[i] = (rank, cell, line.usage.at)
    for j in np.flatnonzero(np.isin(table.outcome[0], [CODE[o] for o in DECLINES])):
        why[at[j]] = why[at[j]] or "below_threshold"
    for j in np.flatnonzero(np.isin(table.outcome[0], [CODE[o] for o in GIVEN])):
        why[at[j]] = ""
    first = sorted(found.items(), key=lambda kv: (kv[1][0], kv[0]))[:EXCERPTS]
    excerpts = {i: _excerpt(run, cell, where) for i, (_, cell, where) in first}
    return Seen(table.seeds, outcome, said, why, sure, excerpts)


def _value(decided: Decided) -> str | None:
    if decided.kind == "answer":
        return shown(decided.value)
    return None if decided.proposal is None else shown(decided.proposal.value)


def _excerpt(run: RunDir, cell: Cell, at: tuple[int, int]) -> str:
    return visible(read_evidence(run.evidence(cell), at).decode("utf-8", "replace"), EXCERPT)


def outcomes(case: Case, seen: Mapping[str, Seen], task: int) -> Bars:
    """Return how many replies of each system came to what, as shipped."""
    present = [o for o in OUTCOMES if any((one.outcome == CODE[o]).any() for one in seen.values())]
    bars = []
    for system, one in seen.items():
        parts = tuple(
            (o.value, count, link(task, system, outcome=o.value))
            for o in present
            if (count := int((one.outcome == CODE[o]).sum()))
        )
        bars.append(Bar(system, parts, "control" if system in case.controls else ""))
    return Bars(
        says="Replies to the test questions, all seeds, counted after thresholds were applied; "
        "exactly these records.",
        outcomes=tuple(o.value for o in present),
        bars=tuple(bars),
    )


def pack(
    case: Case, samples: Sequence[Sample], seen: Mapping[str, Seen], *, budget: int = BUDGET
) -> str:
    """Return the samples of one task as compact JSON, those on which systems disagree first."""
    said = np.array([seen[s].outcome[0] for s in case.rivals])
    right = np.isin(said, (CODE["correct"], CODE["declined"])).sum(axis=0)
    apart = np.minimum(right, (said >= 0).sum(axis=0) - right)
    order = sorted(range(len(samples)), key=lambda i: (-apart[i], right[i], samples[i].id))
    # So many cannot fit, however short: their texts need not be made to find that out.
    order = order[: max(1, budget // _least(seen))]
    limits_left = [x for x in LIMITS[:-1] if _bytes(samples, order, x[0]) <= budget]
    for limits in (*limits_left, LIMITS[-1]):
        data = _pack(case, samples, seen, order, limits)
        if len(data.encode()) <= budget:
            return data
    while len(order) > 1 and (size := len(data.encode())) > budget:
        order = order[: max(1, int(len(order) * min(budget / size, 0.9)))]
        data = _pack(case, samples, seen, order, LIMITS[-1])
    return data


def _bytes(samples: Sequence[Sample], order: Sequence[int], limit: int) -> int:
    """Return the fewest bytes that some samples take by their questions alone."""
    return sum(min(len(_asked(samples[i])), limit) for i in order)


def _asked(sample: Sample) -> str:
    return sample.input if isinstance(sample.input, str) else ""


def _least(seen: Mapping[str, Seen]) -> int:
    """Return the fewest bytes that a sample takes: quotes, commas, brackets and digits."""
    return 12 + sum(len(one.seeds) + 5 for one in seen.values())


def _pack(
    case: Case,
    samples: Sequence[Sample],
    seen: Mapping[str, Seen],
    order: Sequence[int],
    limits: tuple[int, int],
) -> str:
    texts: dict[str, int] = {"": 0}
    known: dict[str | None, int] = {None: 0}

    def text(value: str | None) -> int:
        # The same few answers are given many times: each is made visible once.
        if (place := known.get(value)) is None:
            place = texts.setdefault(visible(value or "", limits[1]), len(texts))
            known[value] = place
        return place

    tags = sorted({t for i in order for t in samples[i].tags})
    place = {tag: i for i, tag in enumerate(tags)}
    back = {i: row for row, i in enumerate(order)}
    systems: list[dict[str, object]] = []
    spoken: list[tuple[list[int], list[int]]] = []
    for system, one in seen.items():
        outcome, sure = one.outcome[:, order], np.clip(one.sure[order], 0.0, 1.0)
        said = np.array([[row[i] for i in order] for row in one.said], dtype=object)
        same = ((outcome == outcome[0]) & (said == said[0])).sum(axis=0)
        spoken.append(([text(value) for value in said[0]], [text(one.why[i]) for i in order]))
        systems.append(
            {
                "name": visible(system),
                "control": system in case.controls,
                "seeds": list(one.seeds),
                "outcome": [_digits(row + 1, 1) for row in outcome],
                "sure": _digits(np.where(np.isnan(sure), 0, 1 + np.rint(1000 * sure)), 2),
                "same": _digits(np.minimum(same, 63), 1),
                "excerpts": {str(back[i]): e for i, e in one.excerpts.items() if i in back},
            }
        )
    rows = [samples[i] for i in order]
    target = [text(_target(s)) for s in rows]
    width = 1 + (len(texts) > 64) + (len(texts) > 64**2) + (len(texts) > 64**3)
    for made, (values, reasons) in zip(systems, spoken, strict=True):
        made |= {"said": _digits(values, width), "why": _digits(reasons, width)}
    return json.dumps(
        {
            "task": visible(case.task),
            "outcomes": [o.value for o in OUTCOMES],
            "total": len(samples),
            "limits": limits,
            "tags": [visible(t) for t in tags],
            "width": width,
            "id": [visible(s.id, 120) for s in rows],
            "input": [visible(shown(s.input), limits[0]) for s in rows],
            "target": _digits(target, width),
            "none": _digits([isinstance(s.target, Bottom) for s in rows], 1),
            "tagged": [[place[t] for t in sorted(s.tags)] for s in rows],
            "systems": systems,
            "texts": list(texts),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _target(sample: Sample) -> str:
    match sample.target:
        case Answer(value):
            return shown(value)
        case Bottom(reason):
            return f"no answer: {reason}"
        case None:
            return "no right or wrong"


def _digits(values: ArrayLike, width: int) -> str:
    """Return whole numbers as ``width`` digits of base 64 each."""
    places = np.arange(6 * (width - 1), -1, -6)
    digits = (np.asarray(values).astype(np.int64)[:, None] >> places) & 63
    drawn: bytes = _ALPHABET[digits].tobytes()
    return drawn.decode("ascii")


_ALPHABET = np.frombuffer(DIGITS.encode("ascii"), dtype=np.uint8)
