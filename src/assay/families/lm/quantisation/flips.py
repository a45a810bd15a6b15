"""Flips: answers of one system that are others than those of its reference, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay import Answer, Bottom, Estimate, Failed, Outcome, Record, Run
from assay.estimates import census, share
from assay.sections import shipped

RIGHT = frozenset({Outcome.CORRECT, Outcome.DECLINED})
WRONG = frozenset({Outcome.WRONG, Outcome.WITHHELD, Outcome.INVENTED, Outcome.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A question that both answered, and what came of it."""

    group: tuple[str, str]
    """Task and group: questions that are not independent."""

    before: bool
    """Whether the reference was right."""

    after: bool
    same: bool
    """Whether both said the same, and it came to the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """Shares of the questions that both were asked."""

    lost: Estimate
    """Right by the reference, wrong here."""

    gained: Estimate
    changed: Estimate
    """Flips, and other answers that are as right or wrong as the reference's."""


def pairs(run: Run, system: str, reference: str, task: str) -> list[Pair]:
    """Return what both said to each question of a task, first attempts under their first seeds.

    A task without right and wrong (perplexity, a share) has no pairs; a question that was not observed is none.
    """
    before = {r.sample: r for _, r in shipped(run, reference, task=task) if not r.attempt}
    records = [record for _, record in shipped(run, system, task=task)]
    came = {r.verdict.outcome for r in (*before.values(), *records)}
    if Outcome.SCORED in came and not came & {Outcome.CORRECT, Outcome.WRONG}:
        return []  # what failed twice would be all that is counted of it
    found = []
    for record in records:
        other = before.get(record.sample)
        if record.attempt or other is None:
            continue
        ours, theirs = record.verdict.outcome, other.verdict.outcome
        if {ours, theirs} <= RIGHT | WRONG:
            # Where lengths are divided away, what is right need not be the likeliest continuation.
            same = ours is theirs and _said(record) == _said(other)
            group = (task, record.group)
            found.append(Pair(group=group, before=theirs in RIGHT, after=ours in RIGHT, same=same))
    return found


def count(found: Sequence[Pair]) -> Flips:
    """Return the shares of pairs that flipped, each with a 95 % interval over groups of questions.

    Of pairs that are all in one group nothing follows for others: the shares are then a census.

    Method: Wilson's score at the effective sample size, Clopper-Pearson where nothing flipped
    (``assay.estimates.share``).

    >>> one = Pair(group=("t", "a"), before=True, after=False, same=False)
    >>> two = Pair(group=("t", "b"), before=True, after=True, same=True)
    >>> flips = count([one, two])
    >>> flips.lost.value, flips.gained.value, flips.changed.value
    (0.5, 0.0, 0.5)

    *Not to be trusted when* there are fewer than about ten groups.
    """
    groups = [pair.group for pair in found]

    def of(name: str, hits: list[bool]) -> Estimate:
        found = share(name, [float(hit) for hit in hits], groups=groups)
        return (
            found if found.value is not None else census(name, sum(hits) / len(hits), n=len(hits))
        )

    return Flips(
        lost=of("right_to_wrong", [pair.before and not pair.after for pair in found]),
        gained=of("wrong_to_right", [pair.after and not pair.before for pair in found]),
        changed=of("answer_changed", [not pair.same for pair in found]),
    )


def _said(record: Record) -> tuple[str, object]:
    match record.said:
        case Answer(value=value):
            return "answer", value
        case Bottom(reason=reason):
            return "bottom", reason
        case Failed(why=why):
            return "failed", why
        case _:
            return "crash", None
