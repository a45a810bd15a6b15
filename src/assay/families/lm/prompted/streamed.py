"""An answer that comes in pieces: what was heard of it so far, and the whole reply that it makes.

*Covered*: any JSON in the place of a piece, of its choices, of its text.  *Not covered*: a second choice, calls of
functions in pieces; the prompted recipes ask for neither.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from assay import Failed

from .speaker import Spoken

_SHOWN = 200


class OddPieceError(ValueError):
    """A piece of a stream is none: another try may bring an answer."""

    def __init__(self, why: str, piece: object) -> None:
        super().__init__(f"{why}: {str(piece)[:_SHOWN]}")


class Heard:
    """What came of a stream so far."""

    def __init__(self) -> None:
        self.started = perf_counter()
        self.first_s: float | None = None
        """Seconds from the start to the first piece with text."""

        self.text: list[str] = []
        self.refused: list[str] = []
        self.last: dict[str, Any] = {}
        self.finish = ""

    def take(self, piece: object) -> None:
        """Hear one piece.  Raises ``OddPieceError`` for what is none."""
        if not isinstance(piece, dict):
            raise OddPieceError("a piece of the stream is no chunk", piece)
        self.last |= {name: value for name, value in piece.items() if value}
        choices = piece.get("choices") or []
        if not isinstance(choices, list):
            raise OddPieceError("the choices of a piece are no list", choices)
        for choice in choices[:1]:
            said = {} if choice is None else choice
            delta = said.get("delta") if isinstance(said, dict) else said
            if not isinstance(delta, dict | None):
                raise OddPieceError("a piece of the stream brings no delta", choice)
            self.finish = str(said.get("finish_reason") or self.finish)
            self._text(delta or {})

    def _text(self, delta: dict[str, Any]) -> None:
        content, refusal = delta.get("content") or "", delta.get("refusal") or ""
        if not (isinstance(content, str) and isinstance(refusal, str)):
            raise OddPieceError("a piece of the answer is no text", delta)
        if content:
            if self.first_s is None:
                self.first_s = perf_counter() - self.started
            self.text.append(content)
        if refusal:
            self.refused.append(refusal)

    def whole(self) -> dict[str, Any]:
        """Return the stream as one reply; one that broke off before its end is none."""
        if not self.finish:
            return {"broke off": self.last}
        message = {"content": "".join(self.text), "refusal": "".join(self.refused)}
        return self.last | {"choices": [{"message": message, "finish_reason": self.finish}]}

    def spoken(self, *, instead: Failed, finish: str) -> Spoken:
        """Return what was heard of an answer that did not end."""
        return Spoken(text="".join(self.text), finish=finish, instead=instead)


def chunk_of(piece: Any) -> object:
    """Return a piece of the client's stream as JSON: it makes a model of what is a mapping, whatever that holds."""
    if not hasattr(piece, "model_dump"):
        return piece
    return piece.model_dump(exclude_unset=True, warnings=False)
