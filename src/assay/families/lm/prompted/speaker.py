"""What a language model is given and gives back, whatever runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from assay import Bottom, Crash, Failed

from ..likelihood.by_text import WeighsTexts
from ..likelihood.system import Weighs

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How one answer is drawn."""

    temperature: float
    """0 takes the most probable token each time; else tokens are drawn, by ``seed`` only."""

    max_tokens: int
    timeout_s: float
    seed: int
    """In [0, 2**31)."""

    stop: tuple[str, ...] = ()
    """Texts at which an answer ends, before them.  Speakers that cannot stop there may go on: what
    comes behind is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a model said, or why it did not, and what that took.  None: not known."""

    text: str = ""
    """As it came; what there was of it, when it was stopped."""

    finish: str = ""
    """Why it ended, in the words of what runs it: ``stop``, ``length``."""

    instead: Bottom | Failed | Crash | None = None
    """What the reply is when it is not the text."""

    prompt: str = ""
    """The very text that the model was given; empty where only messages are known."""

    tokens: tuple[int, ...] = ()
    """The very tokens that it was given, its BOS among them; empty where only the text is known."""

    latency_s: float | None = None
    """Seconds of the call that counted, without waits for another try; None: all of ``say``."""

    first_token_s: float | None = None
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    calls: int = 1
    billed_usd: float | None = None
    cut: int | None = None
    """1 where it ended at a limit of length, 0 where it ended by itself: ``cut_of`` reads it from ``finish``."""

    shown: Mapping[str, str] = field(default_factory=dict)
    """More for the evidence pack, by name."""


class Speaker(Protocol):
    """Whatever turns messages into text.

    What it says depends on the messages and the draw, never on what was said before.  The fault
    of the model is ``Failed``, that of the machine or the network ``Crash``; what would be the same
    for every question (a wrong key) is an ``AssayError``, which stops the run.
    """

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message."""
        ...


@runtime_checkable
class SaysTogether(Protocol):
    """A speaker that answers several messages faster together than one by one."""

    def say_all(
        self, asked: Sequence[tuple[Sequence[Message], Draw]]
    ) -> Iterator[tuple[int, Spoken]]:
        """Answer each last message; yield its place and what was said, in any order."""
        ...


@runtime_checkable
class SaysAtOnce(Protocol):
    """A speaker that has many requests under way, without a thread for each."""

    def say_each(
        self, asked: Sequence[tuple[Sequence[Message], Draw]]
    ) -> Iterator[tuple[int, Spoken]]:
        """Answer each last message by itself; yield its place and what was said, as it comes."""
        ...


@runtime_checkable
class CanWeigh(Protocol):
    """A speaker that can also say how likely texts are."""

    @property
    def weighs(self) -> Weighs | WeighsTexts | None:
        """What it takes, or None where this model cannot."""
        ...


@runtime_checkable
class RunsHere(Protocol):
    """A speaker whose model runs in this process."""

    @property
    def ran(self) -> Mapping[str, float | int | str]:
        """What it runs with, as ``threads``: facts for the record."""
        ...


_CUT = frozenset({"length", "max_tokens"})
_WHOLE = frozenset({"stop", "content_filter", "tool_calls", "function_call"})


def cut_of(finish: str) -> int | None:
    """Return whether why a model ended says that its answer was cut; None where it says neither.

    >>> [cut_of(finish) for finish in ("length", "stop", "timeout", "")]
    [1, 0, None, None]
    """
    return 1 if finish in _CUT else 0 if finish in _WHOLE else None


def as_text(messages: Sequence[Message]) -> str:
    r"""Return messages as one text without marks, for what takes a single text.

    >>> as_text([Message("system", "Be brief."), Message("user", "Why?")])
    'Be brief.\n\nWhy?'
    """
    return "\n\n".join(message.text for message in messages)


def as_turns(messages: Sequence[Message]) -> str:
    """Return messages for a reader, each under its role.

    >>> print(as_turns([Message("system", "Be brief."), Message("user", "Why?")]))
    [system]
    Be brief.
    <BLANKLINE>
    [user]
    Why?
    """
    return "\n\n".join(f"[{message.role}]\n{message.text}" for message in messages)
