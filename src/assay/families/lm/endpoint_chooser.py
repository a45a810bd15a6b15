"""A served model that answers from a menu, held to it by the endpoint.

*Covered*: whether the endpoint holds a model to a list is tried before the first question, with words that nobody
would say; one that does not stops the run.  *Not covered*: how sure the model is: an endpoint does not tell what of
its list it ruled out, so an answer has no confidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter
from typing import Any, Literal, Protocol, TypeAlias

from assay import Answer, Bottom, Crash, Failed, PlanError, Question, Reply

from .chooser import written
from .crashes import Crashes
from .prompt import Script, one_line
from .prompted.speaker import Draw, Message, Spoken
from .prompted.system import usage_of

Constraint: TypeAlias = Literal["response_format", "structured_outputs", "guided_choice", "grammar"]
"""The member of a request by which an endpoint is told the list."""

NOBODY_SAYS = ("vorzeltik-4417", "quambidor-8093", "yelthrane-2756")
"""The list of the trial: a model that is not held to it says something else."""


class SpeaksFromList(Protocol):
    """A speaker whose requests can have more members."""

    def with_more(self, more: Mapping[str, Any], /) -> SpeaksFromList:
        """Return the same speaker, whose requests have these members, too."""
        ...

    def say(self, messages: Sequence[Message], draw: Draw, /) -> Spoken:
        """Answer the last message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What is chosen from, and how the endpoint is told."""

    script: Script
    constraint: Constraint
    examples: tuple[tuple[object, str], ...] = ()
    """Questions, and the name of the option that each asks for."""

    @property
    def names(self) -> tuple[str, ...]:
        """How each option is said."""
        return tuple(said.strip() for said in self.script.spoken())

    def messages(self, asked: object) -> list[Message]:
        """Return the menu, the examples and a question, as turns."""
        said = dict(zip((option.name for option in self.script.menu), self.names, strict=True))
        turns = [Message("system", self._opening())]
        for question, name in self.examples:
            turns.append(self._question(question))
            turns.append(Message("assistant", self._spelt(said[name])))
        return [*turns, self._question(asked)]

    def _opening(self) -> str:
        menu = self.script.menu_text()
        if self.constraint == "response_format":
            return f'{menu}\nAnswer in JSON: {{"option": "..."}}'
        return f"{menu}\nAnswer with the option alone."

    def _question(self, asked: object) -> Message:
        return Message("user", f'Request: "{one_line(asked)}"')

    def _spelt(self, name: str) -> str:
        return json.dumps({"option": name}) if self.constraint == "response_format" else name


def members(constraint: Constraint, names: Sequence[str]) -> dict[str, Any]:
    """Return the members of a request that hold an answer to a list.

    >>> members("guided_choice", ["swap", "repay"])
    {'guided_choice': ['swap', 'repay']}
    >>> members("grammar", ["swap", "repay"])
    {'grammar': 'root ::= "swap" | "repay"'}
    """
    match constraint:
        case "response_format":
            schema = {
                "type": "object",
                "properties": {"option": {"type": "string", "enum": list(names)}},
                "required": ["option"],
                "additionalProperties": False,
            }
            kind = {"name": "option", "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": kind}}
        case "structured_outputs":
            return {"structured_outputs": {"choice": list(names)}}
        case "guided_choice":
            return {"guided_choice": list(names)}
        case "grammar":
            texts = (json.dumps(name, ensure_ascii=False) for name in names)
            return {"grammar": f"root ::= {' | '.join(texts)}"}


@dataclass(slots=True, kw_only=True)
class EndpointChooser:
    """Answers from a menu by an endpoint that holds the model to it."""

    speaker: SpeaksFromList
    menu: Menu
    draw: Draw
    parallel: int
    where: str
    """The address of the endpoint."""

    _holds: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _crashes: Crashes = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.parallel)
        self._crashes = Crashes(in_flight=self.parallel)

    @property
    def in_flight(self) -> int:
        """How many questions it works on at a time, from however many calls of ``answer``."""
        return self.parallel

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Reply to the questions, as the replies come."""
        speaker = self.speaker.with_more(members(self.menu.constraint, self.menu.names))
        futures = [self._pool.submit(self._reply, speaker, question) for question in questions]
        try:
            for done in as_completed(futures):
                reply = done.result()
                self._crashes.count(reply.said)
                yield reply
        finally:
            for left in futures:
                left.cancel()

    def _reply(self, speaker: SpeaksFromList, question: Question) -> Reply:
        broken = self._tried()
        if broken is not None:
            return Reply(question.id, broken, attempt=question.attempt)
        started = perf_counter()
        spoken = speaker.say(self.menu.messages(question.input), self.draw)
        usage = usage_of(spoken, perf_counter() - started, alone=False)
        kept = {"answer": spoken.text, "finish": spoken.finish} | dict(spoken.shown)
        return Reply(question.id, self._said(spoken), usage, question.attempt, evidence=kept)

    def _said(self, spoken: Spoken) -> Answer | Bottom | Failed | Crash:
        if spoken.instead is not None:
            return spoken.instead
        chosen = _chosen(spoken.text, self.menu.constraint, self.menu.names)
        if chosen is not None:
            return written(self.menu.script.menu[chosen], None)
        if spoken.finish == "length":
            return Failed("cut", "max_tokens came before the name of an option was written")
        raise self._unheld(spoken.text)

    def _tried(self) -> Crash | None:
        """Try once whether the endpoint holds a model to a list; a crash where nobody knows."""
        with self._lock:
            if self._holds:
                return None
            more = members(self.menu.constraint, NOBODY_SAYS)
            hello = [Message("user", "Say hello.")]
            spoken = self.speaker.with_more(more).say(hello, self.draw)
            match spoken.instead:
                case Crash(error="http_400" | "http_422") as refused:
                    raise self._unheld("", refused.detail)
                case Crash() as crash:
                    return crash
                case _:
                    pass
            if _chosen(spoken.text, self.menu.constraint, NOBODY_SAYS) is None:
                raise self._unheld(spoken.text)
            self._holds = True
            return None

    def _unheld(self, text: str, refused: str = "") -> PlanError:
        how = refused or f"it wrote {text[:80]!r}"
        return PlanError(
            f"the endpoint does not hold a model to a list by {self.menu.constraint}: {how}",
            where=self.where,
            hint="set constraint to what it takes: response_format, structured_outputs or guided_choice (vLLM), "
            "grammar (llama.cpp)",
            code="A104",
        )


def _chosen(text: str, constraint: Constraint, names: Sequence[str]) -> int | None:
    """Return the place of the name that was written; None where it is none of them."""
    if constraint == "response_format":
        try:
            read = json.loads(text)
        except ValueError:
            return None
        text = read["option"] if isinstance(read, dict) and set(read) == {"option"} else ""
    return names.index(text) if text in names else None
