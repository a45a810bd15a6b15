"""What a submission says of its model, held against what the head of the file says."""

from __future__ import annotations

from collections.abc import Iterator

from .notes import Level, Note
from .parameters import spell_parameters
from .reading import LEAST, MOST
from .repository import Weights
from .sent import Submission
from .submission import Read

TOLERANCE = 0.05
"""What is declared may differ from the numbers in the file by so much: ``135M`` is rounded, ``1B`` for 1.24B is not."""


def compared(sent: Submission, weights: Weights, read: Read) -> Iterator[Note]:
    """Hold what is declared against what the head says."""

    def note(level: Level, key: str, says: str, suggests: str = "") -> Note:
        return Note(level=level, line=read.line(key), key=key, says=says, suggests=suggests)

    if weights.is_packed:
        says = "the weights are packed, so that their number was not compared"
        yield note("warning", "model.parameters", says)
    else:
        counts = (weights.parameters, weights.parameters - weights.repeated)
        if not any(abs(sent.parameters - count) <= TOLERANCE * count for count in counts):
            says = (
                f"{spell_parameters(sent.parameters)} is written, and the file holds "
                f"{weights.parameters:,} numbers"
            )
            hint = f"  parameters: {spell_parameters(max(counts[1], 1))}\n"
            yield note("error", "model.parameters", says, hint)
        if not LEAST * (1 - TOLERANCE) <= counts[1] <= MOST * (1 + TOLERANCE):
            says = f"the file holds {weights.parameters:,} numbers; this board measures 1M to 3B"
            yield note("error", "model.parameters", says)
    if weights.context and sent.context_length and sent.context_length > weights.context:
        says = f"{sent.context_length:,} is written, and the file says {weights.context:,}"
        hint = f"  context_length: {weights.context}\n"
        yield note("warning", "model.context_length", says, hint)
