"""``lm.labelled``: a task from rows with labels, asked in a prompt and answered in free text."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assay import OUTCOME_METRICS, Answer, DataError, Metric, PlanError, Sample, Task
from assay.templates import check, fields, fill

from ..means import CUT_RATE
from .labels import Labels
from .metrics import EXACT_LABEL, EXACT_TEXT, ROUGE_L, WORDS_F1, Name, bleu, macro_f1
from .rows import Kind, Layout, Row, Rows, read_rows
from .texts import require_text
from .verifiers import LabelReader, TextReader

SPLITS = ("train", "tune", "calibration", "test")
_DEALT = (
    *("test", "train", "calibration", "tune", "test", "test", "test", "calibration"),
    *("test", "test", "test", "train", "test", "test", "calibration", "test"),
    *("test", "test", "test", "test"),
)
"""Where twenty groups in a row go: 14 to test, 3 to calibration, 2 to train, 1 to tune."""

NEEDS = {"bleu": "sacrebleu", "rouge_l": "rouge_score"}


def labelled(
    *,
    path: Path,
    label: str = "label",
    kind: Kind = "label",
    metric: Name = "accuracy",
    also: tuple[Name, ...] | None = None,
    system: str = "",
    user: str = "",
    group: str | None = None,
) -> Task:
    """Return a task from a JSON Lines file: an object a line, with a label.

    A question holds the ``prompt`` that the template ``user`` makes of a row, the ``system`` text, and
    the members of the row that the template names; without a template, all members but label and group.
    With ``kind: label`` the labels are a closed set, and an answer is right when its label is read in it
    (``Labels``); with ``kind: text`` it is right when it is the label, or one of a list of texts, as SQuAD
    compares them.  ``metric`` is the headline, and ``also`` are computed beside it; f1 is macro-F1 over
    labels, or the F1 of shared words.  Rows with the same ``group``, or the same question but for case and spaces, stay
    together; of twenty groups, 2 train, 1 tunes, 3 calibrate and 14 are asked, label by label, in an
    order that only the questions decide.  A row that comes twice counts once.

    Raises ``PlanError`` A104 for a metric that the kind has not, A103 for a field of the template that
    the rows have not; ``PluginError`` A401 without the extra ``text`` where BLEU or ROUGE is asked for.
    ``samples`` raises ``DataError`` A200 with the line of a row that cannot be used.

    >>> labelled(path=Path("rows.jsonl"), user="Positive or negative?  {input}").name
    'lm.labelled'

    *Not to be trusted when* a model has seen the rows: what is public may have been learnt.
    """
    names = tuple(dict.fromkeys((metric, *(also or ()))))
    for name in NEEDS.keys() & set(names):
        if kind == "label":
            raise PlanError(
                f"{name} compares texts, and these are labels",
                where="options.metric",
                hint="set kind: text, or take accuracy, f1 or exact_match",
                code="A104",
            )
        require_text(NEEDS[name])
    layout = Layout(label=label, group=group, kind=kind)
    asked = _Asked(system=system, user=user)

    @cache
    def made() -> _Made:
        return _make(read_rows(path, layout), layout, asked)

    return Task(
        name="lm.labelled",
        version="1",
        says=f"What is the {label} of a row of {path.name}?",
        samples=lambda split: made().splits[split],
        verifier=(
            TextReader(metrics=names)
            if kind == "text"
            else LabelReader(labels=lambda: made().labels)
        ),
        metrics=_metrics(kind, names),
        caveats=lambda: made().caveats,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The templates that make a question of a row."""

    system: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    splits: Mapping[str, tuple[Sample, ...]]
    labels: Labels
    """Empty where the task has texts."""

    caveats: tuple[str, ...]


def _metrics(kind: Kind, names: Sequence[Name]) -> tuple[Metric, ...]:
    """Return every metric, the ones that are named first."""
    known: dict[str, Metric] = {metric.name: metric for metric in (*OUTCOME_METRICS, CUT_RATE)}
    if kind == "label":
        known |= {"exact_match": EXACT_LABEL, "f1": macro_f1()}
    else:
        known |= {"exact_match": EXACT_TEXT, "f1": WORDS_F1}
        known |= {"rouge_l": ROUGE_L} if "rouge_l" in names else {}
        known |= {"bleu": bleu()} if "bleu" in names else {}
    return tuple(known[name] for name in dict.fromkeys([*names, *known]))


def _make(found: Rows, layout: Layout, asked: _Asked) -> _Made:
    wanted = fields(asked.user) + fields(asked.system)
    for row in found.rows:
        where = f"{found.path}:{row.line}"
        for template in (asked.user, asked.system):
            check(template, list(row.fields), where=where)
    labels = _labels(found, layout)
    splits: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    groups = _dealt(found, layout.kind)
    for row in found.rows:
        group = _group(row)
        sample = Sample(
            id=f"line/{row.line}",
            input=_question(row, asked, wanted),
            target=Answer(row.accepted[0] if len(row.accepted) == 1 else list(row.accepted)),
            group=group,
        )
        splits[groups[group]].append(sample)
    told = f"{found.duplicates} rows that came twice are asked once"
    return _Made(
        splits={split: tuple(samples) for split, samples in splits.items()},
        labels=labels,
        caveats=(told,) if found.duplicates else (),
    )


def _labels(found: Rows, layout: Layout) -> Labels:
    if layout.kind == "text":
        return Labels((), (), 0)
    try:
        return Labels.of(row.accepted[0] for row in found.rows)
    except DataError as error:
        raise DataError(error.what, where=str(found.path), hint=error.hint) from None


def _question(row: Row, asked: _Asked, wanted: Sequence[str]) -> dict[str, Any]:
    """Return what a system sees: not a member more than the template names, if there is one."""
    if not asked.user:
        return dict(row.fields) | ({"system": asked.system} if asked.system else {})
    values = {name: _spelt(row.fields[name]) for name in wanted}
    said = {"system": fill(asked.system, values)} if asked.system else {}
    return {n: row.fields[n] for n in wanted} | said | {"prompt": fill(asked.user, values)}


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _group(row: Row) -> str:
    """Return the given group, or one that rows share which differ in case and spaces only."""
    if row.group:
        return row.group
    said = json.dumps(row.fields, ensure_ascii=False, sort_keys=True)
    plain = " ".join(unicodedata.normalize("NFKC", said).casefold().split())
    return f"same/{hashlib.sha256(plain.encode()).hexdigest()[:16]}"


def _dealt(found: Rows, kind: Kind) -> dict[str, str]:
    """Return the split of each group: dealt out label by label, in an order that looks random."""
    label_of = {_group(row): row.accepted[0] for row in reversed(found.rows)}
    if len(label_of) < len(SPLITS):
        raise DataError(
            f"{len(label_of)} independent {'row' if len(label_of) == 1 else 'rows'} cannot be "
            f"divided among {len(SPLITS)} splits",
            where=str(found.path),
            hint="give at least four, and better a hundred",
        )

    def place(group: str) -> tuple[str, bytes]:
        label = label_of[group] if kind == "label" else ""
        return label, hashlib.sha256(group.encode()).digest()

    order = sorted(label_of, key=place)
    return {group: _DEALT[k % len(_DEALT)] for k, group in enumerate(order)}
