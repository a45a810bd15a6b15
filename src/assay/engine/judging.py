"""Judge replies in batches, with a verifier that is held to its contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..core.errors import PluginError
from ..core.reply import Bottom, Crash, Failed, Reply
from ..core.sample import Sample
from ..core.verdict import Check, Verdict, Verifier, judge, needs_check

Pile: TypeAlias = Sequence[tuple[Sample, Reply]]


def judge_all(verifier: Verifier, pile: Pile) -> list[Verdict]:
    """Return one verdict per reply, in order; the verifier sees only what it is needed for.

    Raises ``PluginError`` A402 when the verifier breaks its contract.
    """
    left = unchecked(pile)
    checks: list[Check | Crash] = []
    check_all(verifier, left, checks)
    return verdicts(pile, checks)


def unchecked(pile: Pile) -> list[tuple[Sample, Reply]]:
    """Return the answers that need a verifier, in order."""
    return [(s, r) for s, r in pile if needs_check(s.target, r.said)]


def check_all(verifier: Verifier, pile: Pile, checks: list[Check | Crash]) -> None:
    """Append one check per answer, each when it comes.

    Raises ``PluginError`` A402 when the verifier breaks its contract.
    """
    if not pile:
        return
    before = len(checks)
    checks.extend(map(_sound_check, verifier.check(pile)))
    came = len(checks) - before
    if came != len(pile):
        raise PluginError(
            f"the verifier was given {len(pile)} answers and returned {came} checks",
            hint="yield one Check or Crash per answer, in order",
            code="A402",
        )


def verdicts(pile: Pile, checks: Iterable[Check | Crash]) -> list[Verdict]:
    """Return one verdict per reply, in order; ``checks`` are those of the answers that need one."""
    found = iter(checks)
    return [
        judge(s.target, r.said, next(found) if needs_check(s.target, r.said) else None)
        for s, r in pile
    ]


def _sound_check(check: object) -> Check | Crash:
    if not isinstance(check, Check | Crash):
        raise PluginError(
            f"the verifier yielded {type(check).__name__}, not a Check",
            hint="yield one Check or Crash per answer, in order",
            code="A402",
        )
    if isinstance(check, Check):
        for name, score in check.scores.items():
            if not math.isfinite(score):
                raise PluginError(
                    f"the verifier's score {name!r} is {score}, which no record can hold",
                    hint="leave a score out where it does not apply",
                    code="A402",
                )
    return check


def evidence(reply: Reply, verdict: Verdict) -> bytes:
    """Return what the evidence pack keeps of a reply and its verdict; nothing for most."""
    # Where both speak under one name, the verifier's is what the verdict rests on.
    parts = {**reply.evidence, **verdict.evidence}
    said = reply.said
    if isinstance(said, Bottom | Failed | Crash) and said.detail:
        parts["detail"] = said.detail
    return "\n\n".join(f"[{k}]\n{v}" for k, v in sorted(parts.items())).encode("utf-8", "replace")
