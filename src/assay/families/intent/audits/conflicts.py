"""Where labels contradict each other, so that no method could be right.

A form is what a prompt is reduced to before two of them are called the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay import Estimate
from assay.estimates import census, share

from ..likeness.neighbours import nearest
from ..likeness.normal import plain
from ..table import Row
from .trivial import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Prompts that read the same, or are of one template, with different labels."""

    form: str
    lines: Mapping[str, tuple[int, ...]]
    """Label to the lines that have it."""

    @property
    def rows(self) -> int:
        """How many rows it concerns."""
        return sum(map(len, self.lines.values()))


def conflicts(rows: Sequence[Row], forms: Sequence[str]) -> tuple[Conflict, ...]:
    """Return the forms that have several labels, those of most rows first."""
    lines: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, form in zip(rows, forms, strict=True):
        lines[form][row.label].append(row.line)
    found = [
        Conflict(form=form, lines={label: tuple(at) for label, at in sorted(by.items())})
        for form, by in lines.items()
        if len(by) > 1
    ]
    return tuple(sorted(found, key=lambda c: (-c.rows, c.form)))


def template_conflicts(
    rows: Sequence[Row], forms: Sequence[str], templates: Sequence[str]
) -> tuple[Conflict, ...]:
    """Return templates with several labels whose prompts do not read the same."""
    labels = _labels_of(rows, forms)
    same = {t for t, form in zip(templates, forms, strict=True) if len(labels[form]) > 1}
    return tuple(c for c in conflicts(rows, templates) if c.form not in same)


def ceiling(rows: Sequence[Row], forms: Sequence[str]) -> Estimate:
    """Return what the best function of a form could be right about, on these rows."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, form in zip(rows, forms, strict=True):
        counts[form][row.label] += 1
    best = sum(max(labels.values()) for labels in counts.values())
    return census("ceiling", best / len(rows), n=len(rows))


def ambiguous(rows: Sequence[Row], forms: Sequence[str], groups: Sequence[str] | None) -> Estimate:
    """Return the share of rows whose form has another label elsewhere."""
    labels = _labels_of(rows, forms)
    hits = [int(len(labels[form]) > 1) for form in forms]
    return share("ambiguous", hits, groups=list(forms if groups is None else groups))


def disagreement(rows: Sequence[Row], groups: Sequence[str], bench: Bench) -> Estimate:
    """Return the share of prompts whose nearest other prompt has another label."""
    forms: dict[str, int] = {}
    codes = np.array([forms.setdefault(plain(row.prompt), len(forms)) for row in rows])
    features = bench.words if bench.vectors is None else bench.vectors
    found = nearest(features, features, k=1, apart=(codes, codes))
    known = (found.cosines[:, 0] > 0).astype(np.int64)
    other = (bench.classes[found.rows[:, 0]] != bench.classes).astype(np.int64) * known
    return share("neighbour_disagrees", other, asked=known, groups=list(groups))


def _labels_of(rows: Sequence[Row], forms: Sequence[str]) -> Mapping[str, set[str]]:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for row, form in zip(rows, forms, strict=True):
        labels[form].add(row.label)
    return labels
