"""``assay intent ask``: one request, what is understood of it, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter

from assay import Answer, Bottom, DataError
from assay.pages import Page, progress

if TYPE_CHECKING:
    from ..heads.card import Card
    from ..rails import Context, Policy
    from ..serving.handling import Handled

T = TypeVar("T")

MOST_FILE = 5_000_000
"""Bytes of a context or a policy."""


def ask(
    prompt: str,
    /,
    *,
    mapper: Path | None = None,
    domain: str = "defi",
    context: Path | None = None,
    policy: Path | None = None,
    all_rules: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Say what a request asks for, and with a context, what the rails say and what it would do.

    Without --context and --policy rails are not run, and nothing is carried out; with them, the
    steps are carried out on a simulated ledger if every rule passes.

    Parameters
    ----------
    prompt
        The request.
    mapper
        A folder that `assay intent train` wrote; without it the DeFi mapper, trained on first use.
    domain
        defi, or a folder with a domain.yaml: what names and amounts are read.
    context
        A JSON file: balances, positions, markets, prices, the time.
    policy
        A JSON file with limits.
    all_rules
        Also show the rules that pass, with their numbers.
    """
    from ..grammar.domain import load_domain
    from ..grammar.verbs import by_keywords
    from ..serving.chosen import mapper_for
    from ..serving.handling import Handler

    facts, limits = read_files(context, policy)
    known = load_domain(domain)
    made = mapper_for(known, mapper, say=progress)
    handler = Handler(decide=made.answer_all, domain=known, second=by_keywords(known))
    start = time.perf_counter()
    found = handler.handle(prompt, context=facts, policy=limits)
    spent = 1000 * (time.perf_counter() - start)
    return page(found, made.card, milliseconds=spent, whole=all_rules)


def read_files(context: Path | None, policy: Path | None) -> tuple[Context | None, Policy | None]:
    """Read the facts and the limits, where they are given.

    Raises ``DataError`` A200 with the file and the place in it.
    """
    from ..rails import read_context, read_policy

    facts = None if context is None else _at(context, read_context)
    limits = None if policy is None else _at(policy, read_policy)
    return facts, limits


def _at(path: Path, read: Callable[[bytes], T]) -> T:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE + 1)
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}", where=str(path), hint="check the path"
        ) from None
    if len(data) > MOST_FILE:
        raise DataError(
            f"the file has more than {MOST_FILE:,} bytes",
            where=str(path),
            hint="give the facts of one wallet, and the markets that it uses",
        )
    try:
        return read(data)
    except DataError as error:
        raise DataError(
            error.what, where=f"{path}: {error.where}", hint=error.hint, code=error.code
        ) from None


def page(found: Handled, card: Card, *, milliseconds: float, whole: bool = False) -> Page:
    """Return what is said of a request by the mapper of a card."""
    said = found.said
    lines: list[str | tuple[str, ...]] = []
    match said:
        case Answer(value, confidence):
            sure = "no confidence" if confidence is None else f"{confidence:.3f} sure"
            lines.append(("understood", f"{value} ({sure})"))
        case Bottom(reason, proposal):
            near = "" if proposal is None else f"; nearest: {proposal.value}"
            lines.append(("understood", f"nothing to do ({reason}{near})"))
        case _:
            lines.append(("understood", f"nothing ({found.reason})"))
    if card.outside is not None and found.answer is not None:
        lines.append(("sure by", card.confidence_from))
    if found.runner_up is not None:
        lines.append(("runner-up", f"{found.runner_up[0]} ({found.runner_up[1]:.3f})"))
    for place, step in enumerate(found.steps, 1):
        slots = ", ".join(
            f"{role} {slot.value}{' ' + slot.unit if slot.unit else ''}"
            for role, slot in step.slots.items()
        )
        lines.append((f"step {place}", f"{step.action}: {slots or 'no slot'}"))
    lines += _rails(found, whole=whole)
    lines.append((found.fate.value, found.reason or "on the simulated ledger"))
    lines.append(("took", f"{milliseconds:.1f} ms, loading not counted"))
    by = "class" if card.outside is None else card.outside.kind
    facts = {
        **found.facts,
        "confidence_from": by,
        "milliseconds": round(milliseconds, 3),
        "digest": found.digest,
    }
    return Page(lines=lines, facts=facts)


def _rails(found: Handled, *, whole: bool) -> list[tuple[str, ...]]:
    if found.verdict is None:
        return [("rails", "not run")] if found.steps else []
    from ..rails import Allowed, Block, Pass

    lines: list[tuple[str, ...]] = []
    passed = 0
    for judged in found.verdict.steps:
        for ruling in judged.rulings:
            passed += isinstance(ruling, Pass)
            if isinstance(ruling, Block) or (whole and isinstance(ruling, Pass)):
                word = "passes" if isinstance(ruling, Pass) else "BLOCKS"
                numbers = ", ".join(f"{k} {v}" for k, v in ruling.numbers.items())
                said = f"{ruling.says}: {numbers}" if numbers else ruling.says
                lines.append(("rail", f"{ruling.rule} {word}: {said} (limit {ruling.limit})"))
    if not whole:
        lines.append(("rails", f"{passed} of the rules asked pass (--all-rules shows them)"))
    if isinstance(found.verdict, Allowed):
        for postings in found.verdict.postings:
            for posting in postings:
                account = " ".join(part for part in posting.account if part)
                lines.append(("ledger", f"{account}: {posting.change:+f}"))
    return lines
