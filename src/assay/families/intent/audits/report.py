"""An audit in words: part by part, or as a Markdown page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay import Estimate
from assay.estimates import spell

from ..likeness.leakage import SAYS
from ..table import Row
from ..tasks.own_split import kinds_of
from .audit import MOST_COMPARED, Audit
from .balance import Balance
from .conflicts import Conflict
from .left_out import LeaveOut

SHOWN = 5
"""Pairs, conflicts and groups on the terminal; the page has ``ON_PAGE``."""

ON_PAGE = 50
_SAFE = frozenset(" .,!?'-_/()%$+=:;")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A heading, sentences, and a table whose first row is its head."""

    title: str
    says: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def tell(audit: Audit, *, most: int = SHOWN) -> list[Part]:
    """Return what an audit found, part by part, with at most so many examples of each kind."""
    parts = [
        _rows(audit),
        _held_out(audit),
        _leaks(audit),
        _pairs(audit, most),
        _labels(audit, most),
        _balance(audit),
        _methods(audit),
        *(_left_out(found, most) for found in audit.left_out),
    ]
    return [part for part in parts if part.says or part.table]


def verdict(audit: Audit) -> str:
    """Return the last line: what may be called held out."""
    broken = [split for split, (held, _) in audit.holds.items() if not held]
    kept = [split for split, (held, _) in audit.holds.items() if held]
    said = [f"{' and '.join(broken)}: not held out"] if broken else []
    tells = "letters tell" if audit.compared == audit.rows else "a sample tells"
    said += [f"{' and '.join(kept)}: held out, as far as {tells}"] if kept else []
    if audit.apart:
        said.append(
            f"the given groups do not hold together: {audit.apart:,} of {audit.compared:,} prompts "
            "have a near-duplicate in another group, so a split by these groups is not held out"
        )
    if not said:
        return "no split of its own; a split by groups (assay intent split) may be called held out"
    return "; ".join(said)


def markdown(audit: Audit, name: str) -> str:
    """Return the page of an audit."""
    lines = [f"# Audit of {_safe(name)}", "", f"**{_safe(verdict(audit))}**", ""]
    for part in tell(audit, most=ON_PAGE):
        lines += [f"## {part.title}", ""]
        lines += [line for said in part.says for line in (_safe(said), "")]
        if part.table:
            head, *rows = part.table
            lines += [_line(head), _line(["---"] * len(head), safe=False), *map(_line, rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str], *, safe: bool = True) -> str:
    return "| " + " | ".join(map(_safe, cells) if safe else cells) + " |"


def _safe(text: str) -> str:
    """Return text that no Markdown reader takes for anything else."""
    return "".join(c if c.isalnum() or c in _SAFE else f"&#{ord(c)};" for c in text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quoted(text: str, width: int = 70) -> str:
    """Return a prompt on one line, with whatever nobody sees made visible."""
    return repr(text if len(text) <= width else text[: width - 1] + "…")


def _label(label: str) -> str:
    return label or "(no answer)"


def _rows(audit: Audit) -> Part:
    says = []
    if audit.compared < audit.rows:
        says.append(
            f"More than {MOST_COMPARED:,} rows: the same prompts and templates are looked for in "
            f"all of them, everything else in {audit.compared:,}, drawn at random. Near-duplicates "
            "found there are fewer than there are."
        )
    if audit.exchanged:
        shown = ", ".join(audit.exchanged[:12])
        more = f" and {len(audit.exchanged) - 12} more" if len(audit.exchanged) > 12 else ""
        says.append(
            "It is made of templates: words take each other's place without changing the label "
            f"({shown}{more}). They are masked like numbers, and templates that read the same "
            "then are one group. Name the column of templates with --group if there is one."
        )
    kind = "templates" if audit.exchanged else "clusters of near-duplicates"
    what = "given" if audit.given_groups else kind
    table = (
        ("", ""),
        ("rows", f"{audit.rows:,}"),
        ("labels", f"{audit.labels:,}"),
        ("groups", f"{audit.groups:,} ({what}), {audit.compared / audit.groups:.2f} rows each"),
        ("said twice in one part", f"{audit.duplicates:,}"),
    )
    return Part(title="What it holds", says=tuple(says), table=table)


def _held_out(audit: Audit) -> Part:
    if not audit.holds:
        return Part(title="Held out?", says=(f"{_capital(verdict(audit))}.",))
    whole = audit.compared == audit.rows
    may = "may be called held out" if whole else "no leak found in a sample"
    rows = [
        (split, may if held else "must not be called held out", why)
        for split, (held, why) in audit.holds.items()
    ]
    says = (f"{_capital(verdict(audit))}.",) if audit.apart else ()
    return Part(title="Held out?", says=says, table=(("part", "", "why"), *rows))


def _leaks(audit: Audit) -> Part:
    rows = []
    for split in audit.splits:
        for other in audit.splits:
            twins = audit.leaks.of(split, (other,))
            if split != other and twins:
                size = audit.leaks.sizes[split]
                kinds = kinds_of([twin.kind for twin in twins.values()])
                share = f"{len(twins):,} of {size:,} ({len(twins) / size:.1%})"
                rows.append((split, other, share, kinds))
    if not rows:
        return Part(title="Leaks", says=("Nothing stands in two parts.",) if audit.holds else ())
    return Part(title="Leaks", table=(("prompts of", "with a twin in", "", "closest twin"), *rows))


def _pairs(audit: Audit, most: int) -> Part:
    rows = [
        (
            f"{one.split} {one.line}",
            _quoted(one.prompt),
            f"{other.split} {other.line}",
            _quoted(other.prompt),
            f"{SAYS[twin.kind]}, {twin.share:.2f}" + _other_label(one, other),
        )
        for twin, one, other in audit.examples[:most]
    ]
    head = ("line", "prompt", "line", "twin", "")
    return Part(title="Closest pairs", table=(head, *rows) if rows else ())


def _other_label(one: Row, other: Row) -> str:
    if one.label == other.label:
        return ""
    return f"; {_label(one.label)} and {_label(other.label)}"


def _labels(audit: Audit, most: int) -> Part:
    value = audit.ceiling.value or 0.0
    says = [
        (
            f"{_have(len(audit.prompt_conflicts), 'prompt')} more than one label; the best that anything "
            f"could be right about on these rows is {value:.2%}."
        ),
        f"Share of rows whose prompt has another label elsewhere: {spell(audit.ambiguous)}.",
        f"{_have(len(audit.template_conflicts), 'template')} more than one label, numbers masked.",
    ]
    if audit.disagreement is not None:
        says.append(
            "Share of prompts whose nearest other prompt has another label: "
            f"{spell(audit.disagreement)}."
        )
    rows = [
        (_quoted(conflict.form), what, _lines(conflict))
        for what, found in (
            ("the same prompt", audit.prompt_conflicts),
            ("the same template", audit.template_conflicts),
        )
        for conflict in found[:most]
    ]
    head = ("reads", "", "label: lines")
    return Part(title="Labels", says=tuple(says), table=(head, *rows) if rows else ())


def _lines(conflict: Conflict) -> str:
    return "; ".join(
        f"{_label(label)}: {', '.join(map(str, at[:3]))}{', ...' if len(at) > 3 else ''}"
        for label, at in list(conflict.lines.items())[:4]
    )


def _balance(audit: Audit) -> Part:
    head = ("part", "rows", "labels", "largest", "smallest", "with one row", "missing")
    return Part(title="Balance", table=(head, *map(_balance_row, audit.balance)))


def _balance_row(one: Balance) -> tuple[str, ...]:
    (most, many), (least, few) = next(iter(one.counts.items())), list(one.counts.items())[-1]
    return (
        one.part,
        f"{one.rows:,}",
        f"{len(one.counts):,}",
        f"{_label(most)} {many:,}",
        f"{_label(least)} {few:,}",
        _few(one.alone),
        _few(one.missing),
    )


def _few(labels: Sequence[str]) -> str:
    if not labels:
        return "none"
    named = ", ".join(map(_label, labels[:3]))
    return f"{len(labels)}: {named}{', ...' if len(labels) > 3 else ''}"


def _methods(audit: Audit) -> Part:
    if not audit.tried:
        return Part(title="Methods that understand nothing", says=("Too few rows to try any.",))
    head = ["right", "groups unseen"]
    columns = [("rows drawn one by one", "by_row"), ("own test", "own")]
    columns += [("with a twin", "own_twins"), ("the others", "own_others")]
    used = [(t, key) for t, key in columns if any(getattr(one, key) for one in audit.tried)]
    rows = [
        (
            one.name,
            spell(one.by_group),
            *(_maybe(getattr(one, key)) for _, key in used),
        )
        for one in audit.tried
    ]
    return Part(
        title="Methods that understand nothing",
        says=(
            (
                "Cross-validated: nothing that is asked shares a group with what was seen. The label "
                "for no answer counts like any other. Intervals are 95 %, over groups."
            ),
        ),
        table=((*head, *(title for title, _ in used)), *rows),
    )


def _maybe(estimate: Estimate | None) -> str:
    return "" if estimate is None else spell(estimate)


def _left_out(found: LeaveOut, most: int) -> Part:
    how = "each left out in turn" if found.fits == len(found.groups) else f"in {found.fits} folds"
    rows = [
        (
            one.group,
            f"{one.right} of {one.n}",
            f"{one.sure_and_wrong} of {one.n}",
            _quoted(one.example) + ("; no other group has its label" if one.only else ""),
        )
        for one in found.groups[:most]
    ]
    return Part(
        title=f"Groups left out: {found.head}",
        says=(
            (
                f"A linear head over {found.head} features, {len(found.groups)} groups, {how}: right "
                f"{spell(found.accuracy)}, confidently wrong {spell(found.sure_and_wrong)}."
            ),
            (
                f"The same head on rows drawn one by one: right {spell(found.by_row)}. The difference "
                "is memory of groups."
            ),
        ),
        table=(("worst groups", "right", f"wrong at {found.sure:g} or more", "for example"), *rows),
    )


def _have(count: int, what: str) -> str:
    return f"1 {what} has" if count == 1 else f"{count:,} {what}s have"
