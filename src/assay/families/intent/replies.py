"""Replies to questions by their text; what is no text has failed before anyone reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay import Answer, Bottom, Failed, Question, Reply

from .prompt import prompt_of


def reply_each(
    questions: Sequence[Question], say: Callable[[str], Answer | Bottom | Failed]
) -> Iterator[Reply]:
    """Reply to each question in turn with what is said to its text.

    >>> asked = [Question(id="1", input="stake it"), Question(id="2", input=7)]
    >>> [type(reply.said).__name__ for reply in reply_each(asked, Answer)]
    ['Answer', 'Failed']
    """
    for question in questions:
        text = prompt_of(question)
        said = text if isinstance(text, Failed) else say(text)
        yield Reply(question.id, said, attempt=question.attempt)


@dataclass(frozen=True, slots=True)
class Readable:
    """The questions that have a text, and replies to the others."""

    questions: tuple[Question, ...]
    texts: tuple[str, ...]
    failed: tuple[Reply, ...]


def readable(questions: Sequence[Question]) -> Readable:
    """Return the questions that have a text, for systems that read many texts at once.

    >>> found = readable([Question(id="1", input="stake it"), Question(id="2", input=7)])
    >>> found.texts, [reply.question for reply in found.failed]
    (('stake it',), ['2'])
    """
    asked: list[Question] = []
    texts: list[str] = []
    failed: list[Reply] = []
    for question in questions:
        text = prompt_of(question)
        if isinstance(text, Failed):
            failed.append(Reply(question.id, text, attempt=question.attempt))
        else:
            asked.append(question)
            texts.append(text)
    return Readable(tuple(asked), tuple(texts), tuple(failed))
