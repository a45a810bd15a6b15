"""Protocol buffers that are no ONNX: SentencePiece models, which are let in, SavedModels, which are not."""

from __future__ import annotations

from assay import DataError

from ..formats.mapped import Mapped
from ..formats.wire import FIXED32, LENGTH, VARINT, Field, Wire

LONGEST = 1 << 26
"""Bytes of a SentencePiece model: the largest that are known have some five million."""

_MODEL = range(1, 6)
"""Fields of its ModelProto: pieces, trainer, normalizer, self-test, denormalizer; extensions follow from 200."""

_PIECE = {1: LENGTH, 2: FIXED32, 3: VARINT}


def is_sentencepiece(mapped: Mapped) -> bool:
    """Whether a file is a SentencePiece model: every piece is walked."""
    if mapped.size > LONGEST or mapped.data[0] != 0x0A:
        return False
    wire, pieces = Wire(mapped), 0
    try:
        for one in wire.fields(0, mapped.size):
            if one.kind != LENGTH or (one.number not in _MODEL and one.number < 200):
                return False
            if one.number == 1:
                if not _is_piece(wire, one):
                    return False
                pieces += 1
    except (DataError, UnicodeDecodeError):
        return False
    return pieces > 0


def _is_piece(wire: Wire, one: Field) -> bool:
    named = False
    for part in wire.message(one):
        if _PIECE.get(part.number, part.kind) != part.kind:
            return False
        if part.number == 1:
            str(wire.data[part.begin : part.end], "utf-8")
            named = True
    return named


def is_saved_model(mapped: Mapped) -> bool:
    """Whether a file is a SavedModel of TensorFlow: a version, then graphs with their tags."""
    wire, graphs = Wire(mapped), 0
    try:
        for one in wire.fields(0, mapped.size):
            if {1: VARINT, 2: LENGTH}.get(one.number) != one.kind:
                return False
            if one.number == 2:
                first = next(wire.message(one), None)
                if first is None or (first.number, first.kind) != (1, LENGTH):
                    return False
                graphs += 1
    except DataError:
        return False
    return graphs > 0
