"""How a question becomes messages: a template, or the question's own words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay import PlanError, Sample
from assay.templates import fields, fill

from .speaker import Message


class NoPrompt(Exception):  # noqa: N818  (a fact about the question, not an error of ours)
    """The question cannot be put into words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    r"""The system message, and the template of the user message.

    A template names members of the question in braces (``assay.templates``); other braces are braces.
    Where the question is a text, ``{input}`` is that text.  A member that is no text is put in as JSON.

    >>> asked = {"python_code": "x = 1", "so_far": []}
    >>> Prompt(user="Port this:\n{python_code}").messages(asked)
    (Message(role='user', text='Port this:\nx = 1'),)
    """

    system: str = ""
    user: str = ""
    """Empty: the question's text, or its members ``prompt`` and ``system``, as they are."""

    def messages(self, asked: object) -> tuple[Message, ...]:
        """Return the messages of one question; its member ``so_far`` holds earlier turns.

        Raises ``NoPrompt`` when the question lacks what the template names, or has no words.
        """
        system, user = self._opening(asked)
        opening = (Message("system", system),) if system else ()
        turns = (*opening, Message("user", user), *_earlier(asked))
        # Half a surrogate pair is JSON, and no text that can be sent anywhere.
        return tuple(
            Message(turn.role, turn.text.encode("utf-8", "backslashreplace").decode())
            for turn in turns
        )

    def check(self, samples: Iterable[Sample]) -> None:
        """Raise ``PlanError`` A104 at the first sample that cannot be put into words."""
        for sample in samples:
            try:
                self.messages(sample.input)
            except NoPrompt as problem:
                raise PlanError(
                    f"{problem}, as the sample {sample.id!r} shows",
                    where="options.user",
                    hint="name members of the task's questions in the template",
                    code="A104",
                ) from None

    def _opening(self, asked: object) -> tuple[str, str]:
        members = asked if isinstance(asked, Mapping) else {"input": asked}
        if self.user:
            return self.system, _filled(self.user, members)
        if isinstance(asked, str):
            return self.system, asked
        user, system = members.get("prompt"), members.get("system", "")
        if not isinstance(asked, Mapping) or not isinstance(user, str):
            raise NoPrompt("the question is no text and has no member 'prompt'; write `user: ...`")
        if not isinstance(system, str):
            raise NoPrompt("the question's member 'system' is no text")
        return self.system or system, user


def _filled(template: str, members: Mapping[str, object]) -> str:
    values: dict[str, str] = {}
    for name in fields(template):
        if name not in members:
            near = ", ".join(sorted(map(str, members)))
            raise NoPrompt(f"the question has no member {name!r}, but {near}")
        value = members[name]
        values[name] = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, default=_thawed)
        )
    return fill(template, values)


def _earlier(asked: object) -> Iterable[Message]:
    turns = asked.get("so_far", ()) if isinstance(asked, Mapping) else ()
    if isinstance(turns, str) or not isinstance(turns, Sequence):
        raise NoPrompt("the question's member 'so_far' is no list")
    for turn in turns:
        match turn:
            case {"answer": str(answer), "feedback": str(feedback)}:
                yield Message("assistant", answer)
                yield Message("user", feedback)
            case _:
                raise NoPrompt("a turn of 'so_far' needs the texts 'answer' and 'feedback'")


def _thawed(value: object) -> object:
    """Return a frozen mapping or sequence as one that json writes."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
