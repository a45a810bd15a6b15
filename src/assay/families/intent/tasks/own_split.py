"""The parts of a data set that says itself which row is in which, and what these may be called.

A split is *held out* only if nothing that a system learned from comes back in it.  Most published
splits are drawn row by row, and near-duplicates stand on both sides: such a split can be used, and
every number on it then carries how much of it leaks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from assay import DataError

from ..draws import Draws
from ..likeness.exchanged import filled_in, skeletons
from ..likeness.leakage import SAYS, Leaks
from ..table import Row, Table

SPLITS = ("train", "tune", "calibration", "test")
LEARNED_FROM = ("train", "tune")
MOST_LOOKED_AT = 30_000
"""Rows; of more, nobody looks for templates here (the audit does, in a sample)."""

DRAWN = {"tune": 0.10, "calibration": 0.20, "test": 0.25}
"""Share of the training groups that a part gets which the data set does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where every row stands."""

    where: tuple[str, ...]
    """The split of each row."""

    drawn: tuple[str, ...]
    """Parts that the data set lacks, drawn from its train."""


def fill_parts(table: Table, groups: Sequence[str], *, seed: int) -> Parts:
    """Return the split of every row; parts that the file lacks are drawn from train.

    Whole groups are drawn, at random within each label; a group whose rows stand in other parts of
    the file too stays in train.  Of a label with few groups train keeps at least one.

    Raises ``DataError`` A200 when there is no train, or a label of tune is not in it.
    """
    own = [row.split for row in table.rows]
    if "train" not in own:
        raise DataError(
            "no row of the file is in train",
            where=str(table.path),
            hint="mark the rows to learn from with train; the other parts can be drawn from them",
        )
    drawn = tuple(split for split in DRAWN if split not in own)
    moved: dict[str, str] = {}
    if drawn:
        strata = _strata(table.rows, groups)
        for label, members in strata.items():
            shuffled = Draws(seed, crc32(label.encode())).shuffled(members)
            start = 0
            for split in drawn:
                most = len(members) - 1 - start
                count = min(max(1, round(DRAWN[split] * len(members))), max(most, 0))
                moved |= dict.fromkeys(shuffled[start : start + count], split)
                start += count
    where = [
        moved.get(group, split) if split == "train" else split
        for group, split in zip(groups, own, strict=True)
    ]
    _check_parts(table, where)
    return Parts(where=tuple(where), drawn=drawn)


def _strata(rows: Sequence[Row], groups: Sequence[str]) -> dict[str, list[str]]:
    """Return the groups that stand in train only, by their most frequent label."""
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    elsewhere = {g for g, row in zip(groups, rows, strict=True) if row.split != "train"}
    for group, row in zip(groups, rows, strict=True):
        labels[group][row.label] += 1
    strata: dict[str, list[str]] = {row.label: [] for row in rows}
    for group, found in labels.items():
        if group not in elsewhere:
            strata[min(found, key=lambda label: (-found[label], label))].append(group)
    return strata


def _check_parts(table: Table, where: Sequence[str]) -> None:
    known = {row.label for row, split in zip(table.rows, where, strict=True) if split == "train"}
    if len(known) < 2:
        raise DataError(
            f"train has {len(known)} label", where=str(table.path), hint="give it at least two"
        )
    for row, split in zip(table.rows, where, strict=True):
        if split == "tune" and row.label not in known:
            raise DataError(
                f"the label {row.label or 'for no answer'!r} is in tune and not in train",
                where=f"{table.path}:{row.line}",
                hint="put prompts of that label into train, or leave the row out",
            )
    for split in ("calibration", "test"):
        if split not in where:
            raise DataError(
                f"no group is left for {split}: every label has one group in train",
                where=str(table.path),
                hint="add prompts that are worded differently",
            )


def name_groups(groups: Sequence[str], where: Sequence[str]) -> list[str]:
    """Return group names that stand in one split each: what is resampled stays inside of it."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for group, split in zip(groups, where, strict=True):
        splits[group].add(split)
    return [
        f"{group}@{split}" if len(splits[group]) > 1 else group
        for group, split in zip(groups, where, strict=True)
    ]


def caveats(labels: Sequence[str], parts: Parts, leaks: Leaks) -> tuple[str, ...]:
    """Return what every number on these parts has to be read with."""
    found = [*_leaking(leaks), *_missing(labels, parts.where)]
    if parts.drawn:
        sizes = ", ".join(f"{s} ({leaks.sizes.get(s, 0):,} prompts)" for s in parts.drawn)
        found.append(f"drawn from its train, in whole groups: {sizes}")
    return tuple(found)


def _leaking(leaks: Leaks) -> list[str]:
    twins = leaks.of("test", LEARNED_FROM)
    found = []
    if twins:
        found.append(
            f"leaking split, not held out: {len(twins):,} of {leaks.sizes['test']:,} test prompts "
            f"have a twin in training ({kinds_of([t.kind for t in twins.values()])})"
        )
    for split, others, what in (
        ("test", ("calibration",), "thresholds are chosen on prompts that are asked again"),
        ("calibration", LEARNED_FROM, "thresholds are chosen on prompts that were learned"),
    ):
        if twins := leaks.of(split, others):
            found.append(
                f"{what}: {len(twins):,} of {leaks.sizes[split]:,} {split} prompts have a twin in "
                f"{' or '.join(others)}"
            )
    return found


def kinds_of(kinds: Sequence[str]) -> str:
    """Return how many of which kind: ``2 the same prompt, 40 near-duplicates``."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]:,} {says}" for kind, says in SAYS.items() if counts[kind])


def template_caveat(rows: Sequence[Row], where: Sequence[str]) -> tuple[str, ...]:
    """Return how many test prompts are training prompts with other words filled in.

    Nothing for rows that are not made of templates, or too many to look at.
    """
    if len(rows) > MOST_LOOKED_AT:
        return ()
    texts = [row.prompt for row in rows]
    words = filled_in(texts, [row.label for row in rows])
    if not words:
        return ()
    forms = skeletons(texts, words)
    learned = {f for f, split in zip(forms, where, strict=True) if split in LEARNED_FROM}
    asked = [f for f, split in zip(forms, where, strict=True) if split == "test"]
    shared = sum(form in learned for form in asked)
    if not shared:
        return ()
    said = (
        f"made of templates, not held out: {shared:,} of {len(asked):,} test prompts are training "
        f"prompts with other words filled in (such as {', '.join(words[:3])}); a "
        "group column of templates would keep them apart"
    )
    return (said,)


def _missing(labels: Sequence[str], where: Sequence[str]) -> list[str]:
    of: defaultdict[str, set[str]] = defaultdict(set)
    for label, split in zip(labels, where, strict=True):
        of[split].add(label)
    every = set().union(*of.values())
    found: list[str] = []
    if unseen := sorted((of["test"] | of["calibration"]) - of["train"]):
        found.append(f"never seen in train: {_named(unseen, len(every))}")
    found += [
        f"not in {split}: {_named(lacking, len(every))}"
        for split in ("calibration", "test")
        if (lacking := sorted(every - of[split]))
    ]
    return found


def _named(labels: Sequence[str], of: int) -> str:
    shown = ", ".join(label or "(no answer)" for label in labels[:5])
    return f"{len(labels)} of {of} labels ({shown}{', ...' if len(labels) > 5 else ''})"
