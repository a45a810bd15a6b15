"""``intent.csv``: a task from your own labelled prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from zlib import crc32

from assay import Answer, Bottom, DataError, PlanError, SameAnswer, Sample, Task

from ..draws import Draws
from ..likeness import leakage
from ..likeness.alike import clusters
from ..likeness.normal import masks, plain
from ..table import Columns, Row, Table, read_table
from . import own_split

SHARES = {"train": 0.40, "tune": 0.10, "calibration": 0.25, "test": 0.25}
ALIKE = 0.8
"""Jaccard index of trigram sets from which two prompts belong to one group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a file of labelled prompts holds."""

    rows: int
    """Different rows."""

    labels: Mapping[str, int]
    """Rows per label, most frequent first; rows without an answer are not in it."""

    no_answer: int
    """Rows whose right answer is to decline."""

    groups: int
    duplicates: int
    """Rows left out because an earlier one says the same."""

    alike: tuple[tuple[str, ...], ...] = ()
    """Labels that read the same, and are told apart: by case, by what nobody sees, by how a letter is composed."""


def csv(  # noqa: PLR0913  (the options of a plan, each with a default)
    *,
    path: Path,
    prompt: str = "prompt",
    label: str = "label",
    group: str | None = None,
    split: str | None = None,
    leaks: Literal["error", "allow"] = "error",
    none: str = "none",
    seed: int = 0,
    redistributable: bool = True,
) -> Task:
    """Return a task from a CSV file with a header, or a JSON Lines file (``.jsonl``), maybe ``.gz``.

    ``prompt``, ``label``, ``group`` and ``split`` name columns.  A row whose label is empty or
    ``none`` has no right answer (``Bottom("out_of_scope")``).  Without a ``group`` column, prompts
    that are near-duplicates of each other (trigram Jaccard 0.8 with numbers masked, and whatever
    such pairs connect) form a group.  Without a ``split`` column, groups are assigned to train,
    tune, calibration and test at random (40, 10, 25, 25 %), within each label; with one, its words
    say where a row stands, and parts that it lacks are drawn from train, in whole groups.  Exact
    duplicates inside a part are dropped.  The id of a sample is ``line/<its line>``.  Where
    prompts are not ``redistributable``, runs keep digests of prompts and labels.

    Whatever stands in two parts (a given group, a prompt, a template, near-duplicates) is a leak,
    and an error; with ``leaks: allow`` the task has caveats instead that say how much leaks, and
    groups that stand in two parts become one in each.

    Raises ``PlanError`` A104 when two options name one column.  ``samples`` raises ``DataError``
    A200 with the line for every row that cannot be used, and for labels in fewer than four groups
    where no split is given; A201 for a leak.

    >>> task = csv(path=Path("prompts.csv"))
    >>> task.name
    'intent.csv'

    *Not to be trusted when* paraphrases of one request stand on many rows without a ``group``:
    alikeness of letters does not see them, and the test is easier than it looks.
    """
    from assay import OUTCOME_METRICS

    from .outside_metrics import OUTSIDE_METRICS

    columns = _columns(prompt, label, group, none, split)

    @cache
    def parts() -> Made:
        return make(read_table(path, columns), seed=seed, leaks=leaks)

    return Task(
        name="intent.csv",
        version="2",
        says=f"Which label does a request of {path.name} have, if any?",
        samples=lambda part: parts().splits[part],
        verifier=SameAnswer(),
        metrics=(*OUTCOME_METRICS, *OUTSIDE_METRICS),
        redistributable=redistributable,
        caveats=lambda: parts().caveats,
    )


def facts(
    path: Path,
    *,
    prompt: str = "prompt",
    label: str = "label",
    group: str | None = None,
    none: str = "none",
    split: str | None = None,
) -> Facts:
    """Read a file and say what is in it.  Raises ``DataError`` like ``csv``."""
    table = read_table(path, _columns(prompt, label, group, none, split))
    labels = Counter(row.label for row in table.rows)
    no_answer = labels.pop("", 0)
    return Facts(
        rows=len(table.rows),
        labels=dict(sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))),
        no_answer=no_answer,
        groups=len(set(_groups(table.rows))),
        duplicates=table.duplicates,
        alike=_alike(labels),
    )


def _alike(labels: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    found: dict[str, list[str]] = {}
    for label in sorted(labels):
        found.setdefault(plain(label), []).append(label)
    return tuple(tuple(each) for read, each in found.items() if len(each) > 1 or not read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The samples of a file, and what their numbers have to be read with."""

    splits: Mapping[str, tuple[Sample, ...]]
    caveats: tuple[str, ...] = ()


def make(table: Table, *, seed: int, leaks: Literal["error", "allow"] = "error") -> Made:
    """Group the rows of a table, put the groups into splits, and look for leaks."""
    if len({row.label for row in table.rows}) < 2:
        raise DataError(
            f"the file has {len(table.rows)} rows and fewer than 2 labels",
            where=str(table.path),
            hint="give prompts of at least two labels (the label for no answer counts)",
        )
    groups = _groups(table.rows)
    if any(row.split for row in table.rows):
        parts = own_split.fill_parts(table, groups, seed=seed)
    else:
        split_of = _assign(table, groups, seed=seed)
        parts = own_split.Parts(where=tuple(split_of[group] for group in groups), drawn=())
    if leaks == "error":
        _refuse_leaks(table, groups, parts)
        sizes = {split: parts.where.count(split) for split in SHARES}
        found = leakage.Leaks(sizes=sizes, twins={})
    else:
        found = leakage.find(
            [row.prompt for row in table.rows],
            parts.where,
            groups=groups if any(row.group for row in table.rows) else (),
            alike=ALIKE,
        )
    splits: dict[str, list[Sample]] = {split: [] for split in SHARES}
    named = own_split.name_groups(groups, parts.where)
    for row, group, split in zip(table.rows, named, parts.where, strict=True):
        splits[split].append(_sample(row, group))
    said = own_split.caveats([row.label for row in table.rows], parts, found)
    if not any(row.group for row in table.rows):
        said += own_split.template_caveat(table.rows, parts.where)
    return Made(splits={split: tuple(found) for split, found in splits.items()}, caveats=said)


def _refuse_leaks(table: Table, groups: Sequence[str], parts: own_split.Parts) -> None:
    """Raise ``DataError`` A201 for the first leak, with what a given split may be called."""
    splits: dict[str, list[Sample]] = {split: [] for split in SHARES}
    given = any(row.group for row in table.rows)
    own = any(row.split for row in table.rows)
    for row, group, split in zip(table.rows, groups, parts.where, strict=True):
        # Near-duplicates of a split that is given are told as what they are, not as a group.
        splits[split].append(_sample(row, group if given or not own else f"line/{row.line}"))
    try:
        leakage.check(splits, alike=ALIKE)
    except DataError as error:
        if not own:
            raise
        raise DataError(
            f"this split is not held out: {error.what}",
            where=error.where,
            hint="`assay intent audit` lists every leak and `assay intent split` makes a split that "
            "holds; `leaks: allow` uses this one, and says so beside every number",
            code="A201",
        ) from None


def _sample(row: Row, group: str) -> Sample:
    return Sample(
        id=f"line/{row.line}",
        input=row.prompt,
        target=Answer(row.label) if row.label else Bottom("out_of_scope"),
        group=group,
        tags=frozenset({"in_scope" if row.label else "out_of_scope"}),
    )


def _columns(
    prompt: str, label: str, group: str | None, none: str, split: str | None = None
) -> Columns:
    named = [prompt, label, *(name for name in (group, split) if name)]
    if len(set(named)) < len(named):
        raise PlanError(
            f"prompt, label, group and split are read from {', '.join(map(repr, named))}",
            hint="name a different column for each",
            code="A104",
        )
    return Columns(prompt, label, group, none, split)


def _groups(rows: Sequence[Row]) -> list[str]:
    """Return the group of each row: the given one, or its cluster of near-duplicates."""
    if any(row.group for row in rows):
        return [f"group/{row.group}" if row.group else f"line/{row.line}" for row in rows]
    masked = masks([row.prompt for row in rows])
    different = list(dict.fromkeys(masked))
    heads = clusters(different, alike=ALIKE)
    head_of = {text: different[head] for text, head in zip(different, heads, strict=True)}
    first: dict[str, int] = {}
    for row, text in zip(rows, masked, strict=True):
        first.setdefault(text, row.line)
    return [f"alike/{first[head_of[text]]}" for text in masked]


def _assign(table: Table, groups: Sequence[str], *, seed: int) -> dict[str, str]:
    """Assign groups to splits, label by label; a group goes with its most frequent label."""
    labels_of: dict[str, Counter[str]] = {}
    for row, group in zip(table.rows, groups, strict=True):
        labels_of.setdefault(group, Counter())[row.label] += 1
    strata: dict[str, list[str]] = {row.label: [] for row in table.rows}
    for group, labels in labels_of.items():
        strata[min(labels, key=lambda label: (-labels[label], label))].append(group)
    _check_strata(table, strata)
    found: dict[str, str] = {}
    for label, members in strata.items():
        shuffled = Draws(seed, crc32(label.encode())).shuffled(members)
        start = 0
        for split, count in zip(SHARES, apportion(len(members)), strict=True):
            found |= dict.fromkeys(shuffled[start : start + count], split)
            start += count
    return found


def apportion(groups: int) -> list[int]:
    """Divide at least four groups among the splits: one for each, else the largest remainder.

    >>> apportion(4), apportion(100)
    ([1, 1, 1, 1], [40, 10, 25, 25])
    """
    quotas = [groups * share for share in SHARES.values()]
    counts = [max(1, int(quota + 1e-9)) for quota in quotas]
    while sum(counts) < groups:
        short = [quota - count for quota, count in zip(quotas, counts, strict=True)]
        counts[short.index(max(short))] += 1
    return counts


def _check_strata(table: Table, strata: Mapping[str, Sequence[str]]) -> None:
    few = {label: len(groups) for label, groups in strata.items() if len(groups) < len(SHARES)}
    if not few:
        return
    label, count = next(iter(few.items()))
    line = next(row.line for row in table.rows if row.label == label)
    others = f" (and {len(few) - 1} more labels)" if len(few) > 1 else ""
    raise DataError(
        f"the label {label or 'for no answer'!r} has {count} independent group"
        f"{'' if count == 1 else 's'}{others}; "
        f"four splits need {len(SHARES)}",
        where=f"{table.path}:{line}",
        hint="add prompts that are worded differently, or leave the label out",
    )
