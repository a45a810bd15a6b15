"""``assay samples``: what every system said to which samples, a page at a time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from ..core.verdict import Outcome
from ..publish.paging.wanted import Order, Wanted
from .failures import usage
from .page import Line, Page, Span, Style, columns, faint, strong

if TYPE_CHECKING:
    from ..publish.paging.pages import Found, Pages
    from ..publish.paging.shown import Said, Shown

WIDE = 100
"""Characters of a text that are shown on a page; one sample, and --json, have all of them."""

MOST = 1000
"""Samples on a page: more are a file, which `assay query --output` writes."""

EVIDENCE = 4000
"""Characters of a transcript or log that are shown; --json has all of them."""

_LOOKS = {
    Outcome.CORRECT: Style.GOOD,
    Outcome.DECLINED: Style.GOOD,
    Outcome.WRONG: Style.BAD,
    Outcome.INVENTED: Style.BAD,
    Outcome.FAILED: Style.BAD,
    Outcome.CRASHED: Style.UNSURE,
}


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Which samples are shown: those that meet all of these."""

    system: str = ""
    """Only what this system was asked; --outcome, --against and --order speak of it."""

    outcome: Annotated[tuple[Outcome, ...], Parameter(negative="", consume_multiple=False)] = ()
    """Only samples with such a reply, under any seed; may be repeated."""

    tag: str = ""
    """Only samples with this tag."""

    against: str = ""
    """Only samples where one of --system and this one is right, and the other is not."""

    disagree: Annotated[bool, Parameter(negative="")] = False
    """Only samples that some systems get right, and some do not."""

    text: str = ""
    """Only samples with this text in their input, target or id, upper or lower case."""

    @property
    def wanted(self) -> Wanted:
        """The same for the reader, in its default order."""
        return Wanted(
            system=self.system,
            outcomes=frozenset(self.outcome),
            tag=self.tag,
            against=self.against,
            apart=self.disagree,
            text=self.text,
        )


def samples(
    run: Path,
    sample: str | None = None,
    /,
    *,
    task: str | None = None,
    conditions: Conditions | None = None,
    order: Order = Order.APART,
    page: PositiveInt = 1,
    size: PositiveInt = 20,
) -> Page:
    """Show samples with what every system said to them, those on which systems disagree first.

    A million samples are filtered in milliseconds, after a first reading that is kept.

    Args:
        run: A run's folder.
        sample: Show this one sample whole, by its id, under every seed and with its evidence.
        task: Which task, where the run has several.
        conditions: Which samples are shown.
        order: What comes first: disagreement, id, what was surest, or least sure.
        page: Which page; one behind the last is refused.
        size: Samples on a page.
    """
    from ..publish.paging.pages import Pages

    conditions = conditions or Conditions()
    if conditions.against and not conditions.system:
        raise usage("--against compares a system with another", "name the first with --system")
    if conditions.against and conditions.against == conditions.system:
        raise usage("--against names the system of --system", "name another: they never differ")
    if size > MOST:
        raise usage(
            f"--size {size} is more than {MOST:,} samples on a page",
            'write them to a file: assay query RUN "SELECT ..." --output F.csv',
        )
    pages = Pages.open(run, task)
    if sample is not None:
        pages.require(conditions.wanted)
        return _one(pages, pages.one(sample))
    return _page(pages, pages.find(replace(conditions.wanted, order=order)), page, size)


def _page(pages: Pages, found: Found, number: int, size: int) -> Page:
    count = found.count(size)
    if number > max(count, 1):
        raise usage(f"there is no page {number:,}", f"--page {max(count, 1):,} is the last one")
    shown = found.page(number, size=size)
    lines: list[Line] = []
    for one in shown:
        lines += [*_head(one), *columns(_rows(one)), ""]
    told = f"{len(found):,} of {len(pages):,} samples of {pages.task}"
    if count > 1:
        told += f"; page {number:,} of {count:,}; --page N shows another"
    lines.append(faint(told + "."))
    facts = {
        "run": str(pages.dir.root),
        "task": pages.task,
        "total": len(pages),
        "found": len(found),
        "page": number,
        "pages": count,
        "size": size,
        "samples": [_facts(one) for one in shown],
    }
    return Page(lines=lines, facts=facts)


def _one(pages: Pages, one: Shown) -> Page:
    bare = _is_bare(one)
    rows = [_reply(said, seed, bare=bare) for said in one.said for seed in said.lines]
    lines: list[Line] = [*_head(one, wide=None), "", *columns(rows)]
    evidence: dict[str, dict[str, str]] = {}
    for said in one.said:
        for seed, line in said.lines.items():
            if (kept := pages.evidence(said.system, seed, line)) is None:
                continue
            words = kept.decode("utf-8", "replace")
            evidence.setdefault(said.system, {})[str(seed)] = words
            lines += ["", faint(f"evidence of {said.system}, seed {seed}:")]
            lines += words[:EVIDENCE].splitlines()
            if len(words) > EVIDENCE:
                lines.append(faint(f"... {len(words) - EVIDENCE:,} characters more: --json"))
    facts = {
        "run": str(pages.dir.root),
        "task": pages.task,
        "sample": _facts(one),
        "evidence": evidence,
    }
    return Page(lines=lines, facts=facts)


def _head(one: Shown, wide: int | None = WIDE) -> list[Line]:
    sample = one.sample
    tags = f"  {', '.join(sorted(sample.tags))}" if sample.tags else ""
    lines: list[Line] = [(strong(sample.id), faint(tags))]
    if _is_bare(one):
        lines.append(faint("  the log has no texts: neither what was asked nor what is right"))
        return lines
    asked = _cut(_text(sample.input), wide)
    lines += [f"  {line}" for line in asked.splitlines() or [""]]
    lines.append((faint("  right: "), _cut(_target(one), wide)))
    return lines


def _is_bare(one: Shown) -> bool:
    """Whether only the id of a sample is known: the log that was imported says which were right, no more."""
    from ..core.reply import Answer

    return one.sample.input is None and one.sample.target in (None, Answer(None))


def _rows(one: Shown) -> list[tuple[str | Span, ...]]:
    bare = _is_bare(one)
    return [_said(said, bare=bare) for said in one.said if said.outcomes]


def _said(said: Said, *, bare: bool) -> tuple[str | Span, ...]:
    seed = min(said.lines, default=min(said.outcomes))
    _, outcome, *words = _reply(said, seed, bare=bare)
    first = said.outcomes.get(seed)
    others = Counter(o.value for o in said.outcomes.values() if o is not first)
    also = ", ".join(f"{name} under {_seeds(n)}" for name, n in others.items())
    return (said.system, outcome, *words, faint(f"({also})")) if also else (
        said.system, outcome, *words
    )  # fmt: skip


def _seeds(n: int) -> str:
    return "1 other seed" if n == 1 else f"{n} other seeds"


def _reply(said: Said, seed: int, *, bare: bool) -> tuple[str | Span, ...]:
    outcome = said.outcomes.get(seed)
    looks = Span(
        outcome.value if outcome else "", _LOOKS.get(outcome or Outcome.SCORED, Style.PLAIN)
    )
    line = said.lines.get(seed)
    value, why, sure = _words(line.decided) if line is not None else ("", "", None)
    told = "" if bare and value == _text(None) else _cut(value, WIDE)
    if outcome not in (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED, Outcome.SCORED) and told:
        told = f"would have said {told}"
    elif not told:
        told = _cut(why, WIDE)
    return (f"{said.system}, seed {seed}", looks, told, "" if sure is None else f"{sure:.3g}")


def _words(decided: Any) -> tuple[str, str, float | None]:
    """Return what was said or proposed, why not, and how sure it was."""
    if decided.kind == "answer":
        return _text(decided.value), decided.reason, decided.confidence
    if decided.proposal is None:
        return "", decided.reason, None
    return _text(decided.proposal.value), decided.reason, decided.proposal.confidence


def _target(one: Shown) -> str:
    from ..core.reply import Answer, Bottom

    match one.sample.target:
        case Answer(value):
            return _text(value)
        case Bottom(reason):
            return f"no answer: {reason}"
        case None:
            return "no right or wrong"


def _facts(one: Shown) -> dict[str, Any]:
    from ..store.samples import target_facts

    sample = one.sample
    return {
        "id": sample.id,
        "group": sample.cluster,
        "input": sample.input,
        "target": target_facts(sample.target),
        "tags": sorted(sample.tags),
        "said": {said.system: _said_facts(said) for said in one.said if said.outcomes},
    }


def _said_facts(said: Said) -> dict[str, Any]:
    replies = {}
    for seed, outcome in said.outcomes.items():
        reply: dict[str, Any] = {"outcome": outcome.value}
        if (line := said.lines.get(seed)) is not None:
            value, why, sure = _words(line.decided)
            reply |= {"kind": line.decided.kind, "said": value, "reason": why, "confidence": sure}
        replies[str(seed)] = reply
    return {"control": said.control, "replies": replies}


def _cut(text: str, wide: int | None) -> str:
    return text if wide is None or len(text) <= wide else f"{text[: wide - 1]}…"


def _text(value: object) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
