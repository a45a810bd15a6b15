"""A tensor that is read a piece at a time, whatever it is stored as and whatever it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import lcm, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..faults import Fault, damaged
from ..header import TensorEntry
from .elements import Bytes, Singles, block, bytes_of, to_singles

PIECE = 2**20
"""Numbers of one piece, about: 4 MB in single precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A tensor of a model file, under the name and in the order of rows that a reader of it expects."""

    name: str
    path: Path
    entry: TensorEntry
    heads: tuple[int, int] | None = None
    """How many heads, and the first factor of a head's rows, where rows change places: see ``_turned``."""

    shift: float = 0.0
    """Added to every number (gemma's norms are stored one too high by llama.cpp)."""

    @property
    def dtype(self) -> str:
        """The type that it is stored as."""
        return self.entry.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Row-major, outermost first."""
        return self.entry.shape

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return self.entry.numbers

    def raw(self) -> Iterator[Bytes]:
        """Yield the stored bytes in pieces of whole blocks, in order.

        Raises ``DataError`` A205 when the file ends early, ``ValueError`` where the bytes of the file
        are not those of the tensor: ``is_as_stored`` says so.
        """
        if not self.is_as_stored:
            raise ValueError(f"the stored bytes of {self.name} are not its numbers")
        for piece in self._pieces():
            yield self._turned(piece) if self.heads else piece

    @property
    def is_as_stored(self) -> bool:
        """Whether its bytes are those of the file, but for the order of whole rows."""
        return not self.shift and (self.heads is None or not self.dtype.startswith("APR_"))

    def singles(self, unit: int = 1) -> Iterator[Singles]:
        """Yield its numbers in single precision, flat, in order, all pieces but the last whole units."""
        left = self.numbers
        for numbers in self._scaled(unit) if self.dtype == "APR_Q8" else self._read(unit):
            piece = numbers[:left]  # a last block may be filled up
            left -= piece.size
            if self.heads:
                piece = self._turned(piece)
            yield piece + np.float32(self.shift) if self.shift else piece

    def _read(self, unit: int) -> Iterator[Singles]:
        for piece in self._pieces(unit):
            yield to_singles(piece, self.dtype)

    def _scaled(self, unit: int) -> Iterator[Singles]:
        with self.path.open("rb") as file:
            file.seek(self.entry.start)
            scale = np.frombuffer(file.read(4), dtype="<f4")[0]
        for piece in self._pieces(unit, skip=4):
            yield piece.view(np.int8).astype(np.float32) * scale

    def _pieces(self, unit: int = 1, *, skip: int = 0) -> Iterator[Bytes]:
        numbers, size = block(self.dtype)
        unit = lcm(unit, numbers, self.numbers // self.heads[0] if self.heads else 1)
        wanted = max(1, PIECE // unit) * unit // numbers * size
        left = self.entry.size - skip
        # A plain read and not a mapping: pages of a mapping count as memory of the process until the
        # system wants them back.
        with self.path.open("rb") as file:
            file.seek(self.entry.start + skip)
            while left:
                piece = np.fromfile(file, dtype=np.uint8, count=min(wanted, left))
                if piece.size != min(wanted, left):
                    raise damaged(Fault.TRUNCATED, self.path, f"{self.name} ends early")
                left -= piece.size
                yield piece

    def _turned(self, piece: NDArray[Any]) -> NDArray[Any]:
        """Swap the two inner factors of a head's rows: ``[heads, a, b]`` becomes ``[heads, b, a]``.

        llama.cpp rotates neighbouring rows, transformers rows that are half a head apart; from the file
        of the one to the other a is half a head, back it is 2.  A piece holds whole heads, so that the
        length of a row follows from the number of heads in it.
        """
        assert self.heads is not None
        heads, first = self.heads
        inner = self.shape[0] // heads // first
        held = heads * piece.size // self._length(piece)
        row = piece.size // (held * first * inner)
        rows = piece.reshape(held, first, inner, row)
        return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(-1)

    def _length(self, piece: NDArray[Any]) -> int:
        """Return the length of the whole tensor in units of the piece."""
        return self.entry.size if piece.dtype == np.uint8 else self.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A tensor to be written: its type and shape, and its bytes a piece at a time."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    pieces: Callable[[], Iterator[Bytes]] = field(repr=False)
    """Yields the bytes anew each time it is called."""

    @property
    def size(self) -> int:
        """Bytes."""
        return bytes_of(self.dtype, self.shape)

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)
