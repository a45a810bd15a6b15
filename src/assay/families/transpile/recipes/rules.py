"""``transpile.rules``: a small transpiler by rules, the baseline that needs no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import Answer, Bottom, Built, DataError, Failed, Needs, Question, Reply, Sample

from ..cases.kinds import Unmapped
from ..rules.scope import NoRule
from ..rules.translate import translate


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The recipe of ``transpile.rules``: no training, no seed, no options.

    It translates typed functions and scripts of the easy levels, and declines where it has no rule:
    ``Bottom("no_rule")``.

    >>> system = Rules().build([], [], seed=0, workdir=Path()).system
    >>> asked = {"python_code": "import random", "signature": ""}
    >>> [reply.said for reply in system.answer([Question(id="q", input=asked)])]
    [Bottom(reason='no_rule', proposal=None)]
    """

    @property
    def seeded(self) -> bool:
        """Nothing is drawn."""
        return False

    @property
    def needs(self) -> Needs:
        """Hardly anything."""
        return Needs(memory_mb=50)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system: it learns nothing."""
        return Built(system=Transpiler())


@dataclass(frozen=True, slots=True)
class Transpiler:
    """Translates by rules, or declines."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        for question in questions:
            yield Reply(question.id, _said(question), attempt=question.attempt)


def _said(question: Question) -> Answer | Bottom | Failed:
    asked = question.input
    if not isinstance(asked, Mapping):
        return Failed("no_program")
    python, signature = asked.get("python_code"), asked.get("signature")
    if not isinstance(python, str) or not isinstance(signature, str):
        return Failed("no_program")
    try:
        return Answer(translate(python, signature))
    except (NoRule, Unmapped, DataError):
        return Bottom("no_rule")
