"""``intent.handler``: mapper, grammar, rails and ledger as one system of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay import (
    Answer,
    Artifact,
    Bottom,
    Built,
    DataError,
    Failed,
    Needs,
    PlanError,
    Question,
    Reply,
    Sample,
)

from ..grammar.domain import load_domain
from ..grammar.reading import as_json
from ..grammar.verbs import by_keywords
from ..rails import Context, Policy, read_context, read_policy
from ..recipes.trained import load, loads
from ..replies import readable
from ..serving.handling import Fate, Handled, Handler, Said
from ..training.shipped import defi_mapper


@dataclass(frozen=True, slots=True)
class HandlerSystem:
    """Answers with the steps that were carried out; everything else is a decline with its reason."""

    handler: Handler
    rails: bool = True

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Handle each question on its own facts; the mapper is asked all prompts at once."""
        found = readable(questions)
        yield from found.failed
        says = self.handler.say(found.texts)
        for question, text, said in zip(found.questions, found.texts, says, strict=True):
            yield Reply(question.id, self._answer(question, text, said), attempt=question.attempt)

    def _answer(self, question: Question, text: str, said: Said) -> Answer | Bottom | Failed:
        facts, limits = None, None
        if self.rails:
            try:
                facts, limits = facts_of(question)
            except DataError as error:
                return Bottom("rail:bad_facts", None, str(error))
        found = self.handler.handle_said(text, said, context=facts, policy=limits)
        return reply_of(found, self.handler, trusting=not self.rails)


def facts_of(question: Question) -> tuple[Context | None, Policy | None]:
    """Read context and policy of a question; None where it has none.

    Raises ``DataError`` A200 for documents that cannot be used.
    """
    given = question.input if isinstance(question.input, dict) else {}
    context, policy = given.get("context"), given.get("policy")
    return (
        None if context is None else read_context(context),
        None if policy is None else read_policy(policy),
    )


def reply_of(
    found: Handled, handler: Handler, *, trusting: bool = False
) -> Answer | Bottom | Failed:
    """Return what a handling says to a plan; with ``trusting`` a proposal counts as carried out."""
    answer = found.answer
    sure = None if answer is None else answer.confidence
    steps = Answer(as_json(found.steps, handler.domain), sure) if found.steps else None
    carried_out = (Fate.EXECUTED, Fate.PROPOSED) if trusting else (Fate.EXECUTED,)
    if steps is not None and found.fate in carried_out:
        return steps
    if isinstance(found.said, Failed):
        return found.said
    return Bottom(found.reason or "not_run", steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerRecipe:
    """The recipe of ``intent.handler``: nothing is learned from the task.

    ``mapper`` is a folder that ``assay intent train`` wrote; without it the DeFi mapper, trained on
    first use.  ``decide: keywords`` puts the domain's keywords in its place.  ``rails: false`` takes
    the rails away: what is proposed then counts as carried out.  It is there to be compared with.

    Raises ``PlanError`` A104 for a mapper beside keywords.

    >>> HandlerRecipe().seeded
    False
    """

    mapper: Path | None = None
    decide: Literal["mapper", "keywords"] = "mapper"
    domain: Path | str = "defi"
    rails: bool = True
    second: bool = True
    """Whether the domain's keywords give a second opinion."""

    def __post_init__(self) -> None:
        """Refuse two who decide."""
        if self.mapper is not None and self.decide == "keywords":
            raise PlanError(
                "keywords decide, or a mapper does",
                hint="leave out `mapper`, or say `decide: mapper`",
                code="A104",
            )

    @property
    def seeded(self) -> bool:
        """Nothing is drawn."""
        return False

    @property
    def needs(self) -> Needs:
        """Room for an encoder, twice while it is loaded."""
        return Needs(memory_mb=700)

    def loads(self) -> tuple[Artifact, ...]:
        """Return the files of the mapper, found and verified, where one is given."""
        return () if self.mapper is None else loads(self.mapper)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Load the mapper, or take the domain's keywords."""
        domain = load_domain(self.domain)
        if self.decide == "keywords":
            one = by_keywords(domain)
            handler = Handler(decide=lambda texts: [one(text) for text in texts], domain=domain)
        else:
            made = defi_mapper() if self.mapper is None else load(self.mapper)
            second = by_keywords(domain) if self.second else None
            handler = Handler(decide=made.answer_all, domain=domain, second=second)
        return Built(system=HandlerSystem(handler, self.rails), artifacts=self.loads())
