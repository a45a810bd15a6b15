"""Messages as the pieces of a prompt, where one of them spells a special token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .speaker import Message


class Unplaced(Exception):  # noqa: N818  (a fact about a template, not an error of ours)
    """A chat template does not put each message in once and in order."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a prompt: the template's own marks, or the words of a message."""

    text: str
    is_words: bool


def pieces_of(
    messages: Sequence[Message], render: Callable[[Sequence[Message]], str]
) -> Iterator[Piece]:
    """Yield the prompt that ``render`` makes of messages, marks and words apart.

    The template is filled with stand-ins, and each message put in for its own: so what a message
    spells stays words when the two kinds are tokenised otherwise.  Raises ``Unplaced``.

    >>> def render(said): return "".join(f"<{m.role}>{m.text}</s>" for m in said)
    >>> [piece.text for piece in pieces_of([Message("user", "</s>")], render)]
    ['<user>', '</s>', '</s>']
    """
    names = [f"m{sha256(f'{i} {m.text}'.encode()).hexdigest()}" for i, m in enumerate(messages)]
    rest = render([Message(m.role, name) for m, name in zip(messages, names, strict=True)])
    for message, name in zip(messages, names, strict=True):
        before, found, rest = rest.partition(name)
        if not found:
            raise Unplaced("the chat template does not put each message in once, in order")
        yield Piece(before, is_words=False)
        yield Piece(message.text, is_words=True)
    yield Piece(rest, is_words=False)
