"""``write_apr``: an APR v2 file, a tensor at a time, the same bytes for the same content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO, Self
from zlib import crc32

from numpy.typing import NDArray

from assay import AssayError, DataError
from assay.locks import locking

from ...faults import Fault, damaged
from .codecs import IDS, QUANTISED, encode, sizes_of
from .metadata import compose
from .parsed import SIDE, is_side_name
from .version2 import HAS_VOCAB, HEAD, HEAD_SIZE, LONGEST_NAME, ROW_MAJOR, aligned, header_checksum
from .version2 import QUANTISED as HAS_QUANTISED

_VOCABULARY = frozenset({"tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorToWrite:
    """A tensor that is promised: what it is, and how to get its bytes when their turn comes."""

    name: str
    dtype: str
    """One of ``codecs.IDS``."""

    shape: tuple[int, ...]
    pieces: Callable[[], Iterable[bytes | memoryview]]
    """Called once, when the tensor is written; pieces of any length, together of the type's size."""

    @classmethod
    def of_array(cls, name: str, array: NDArray[Any], dtype: str) -> Self:
        """Promise an array as a type of the format, quantised where that is one."""
        return cls(name=name, dtype=dtype, shape=array.shape, pieces=lambda: encode(array, dtype))

    @classmethod
    def of_numbers(
        cls, name: str, dtype: str, shape: tuple[int, ...], numbers: Callable[[], NDArray[Any]]
    ) -> Self:
        """Promise an array that is made only when its turn comes, and let go after."""
        return cls(name=name, dtype=dtype, shape=shape, pieces=lambda: encode(numbers(), dtype))

    @classmethod
    def of_raw(cls, name: str, dtype: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Self:
        """Promise bytes that are of the type already, as the blocks of a GGUF file."""
        return cls(name=name, dtype=dtype, shape=shape, pieces=lambda: (raw,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that was written."""

    path: Path
    size: int
    """Bytes."""

    sha256: str


@dataclass(frozen=True, slots=True)
class _Planned:
    tensor: TensorToWrite
    offset: int
    size: int


def write_apr(
    path: Path,
    metadata: Mapping[str, Any],
    tensors: Iterable[TensorToWrite],
    side_files: Mapping[str, bytes] | None = None,
) -> Written:
    r"""Write an APR v2 file (``APR\0``, row-major), whole or not at all, and return its digest.

    The order of ``tensors`` and of ``metadata`` does not matter: tensors stand by name, documented keys
    as documented, others by name, so that the same content is the same bytes.  Memory: one piece
    of a tensor, and what its promise holds.  Nothing is added that differs from day to day.  Side files
    (``tokenizer.json``) become U8 tensors named ``assay.file/<name>``.  Raises A205 for two tensors of one
    name and for a promise that gives another number of bytes, A200 for names and metadata that
    the format cannot hold, A208 for numbers that a type cannot, A500 where the disk says no.

    >>> import numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bias = TensorToWrite.of_array("bias", np.array([0.125]), "F32")
    ...     write_apr(Path(folder) / "m.apr", {"model_type": "linear_regression"}, [bias]).size
    324

    Source: ``AprV2Writer`` of aprender's crate apr-format, whose test model gives these bytes.
    """
    planned = _plan(tensors, side_files or {})
    head = _head(planned, metadata)
    with _placed(path) as file:
        crc, digest, size = 0, sha256(), 0
        for piece in _pieces(planned, head, path):
            file.write(piece)
            crc = crc32(piece, crc)
            digest.update(piece)
            size += len(piece)
        footer = pack("<I", crc)
        file.write(footer)
        digest.update(footer)
    return Written(path=path, size=size + len(footer), sha256=digest.hexdigest())


def _plan(tensors: Iterable[TensorToWrite], side_files: Mapping[str, bytes]) -> list[_Planned]:
    """Return where each tensor goes: by name, one after the other, 64-aligned."""
    given = list(tensors)
    for tensor in given:
        if tensor.name.startswith(SIDE):
            raise DataError(f"a tensor is named {tensor.name!r}, as side files are")
    for name, content in side_files.items():
        if not is_side_name(name):
            raise DataError(f"a side file is named {name!r}: not a plain file name")
        given.append(TensorToWrite.of_raw(SIDE + name, "U8", (len(content),), content))
    given.sort(key=_name)
    planned: list[_Planned] = []
    at = 0
    for tensor in given:
        if planned and planned[-1].tensor.name == tensor.name:
            raise DataError(f"two tensors have the same name: {tensor.name!r}", code="A205")
        if tensor.dtype not in IDS:
            raise DataError(f"APR has no type {tensor.dtype!r}", hint=f"one of {', '.join(IDS)}")
        if len(tensor.shape) > 8 or min(tensor.shape, default=0) < 0:
            raise DataError(f"{tensor.name} has the shape {tensor.shape}; APR has 8 dimensions")
        size = sizes_of(tensor.dtype, tensor.shape)[0]
        planned.append(_Planned(tensor, at, size))
        at += aligned(size)
    return planned


def _name(tensor: TensorToWrite) -> bytes:
    try:
        name = tensor.name.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a tensor is named {tensor.name!r}, which is no Unicode text") from error
    if not 0 < len(name) <= LONGEST_NAME:
        raise DataError(f"a tensor has a name of {len(name)} bytes; APR allows 1 to {LONGEST_NAME}")
    return name


def _head(planned: list[_Planned], metadata: Mapping[str, Any]) -> bytes:
    """Return all that stands before the tensors."""
    weights = [plan for plan in planned if not plan.tensor.name.startswith(SIDE)]
    numbers = sum(prod(plan.tensor.shape) for plan in weights)
    text = compose(metadata, total_size=sum(plan.size for plan in weights), param_count=numbers)
    index = b"".join(_entry(plan) for plan in planned)
    names = {plan.tensor.name.removeprefix(SIDE) for plan in planned} - {
        plan.tensor.name for plan in weights
    }
    flags = ROW_MAJOR
    if any(plan.tensor.dtype in QUANTISED for plan in planned):
        flags |= HAS_QUANTISED
    if names & _VOCABULARY or "tokenizer.vocabulary" in metadata:
        flags |= HAS_VOCAB
    at = HEAD_SIZE + aligned(len(text))
    fields = (
        b"APR\0",
        2,
        0,
        flags,
        len(planned),
        HEAD_SIZE,
        len(text),
        at,
        at + aligned(len(index)),
    )
    checksum = header_checksum(HEAD.pack(*fields, 0, bytes(20)))
    return b"".join(
        (
            HEAD.pack(*fields, checksum, bytes(20)),
            text.ljust(aligned(len(text)), b"\0"),
            index.ljust(aligned(len(index)), b"\0"),
        )
    )


def _entry(plan: _Planned) -> bytes:
    tensor, name = plan.tensor, _name(plan.tensor)
    return b"".join(
        (
            pack("<H", len(name)),
            name,
            pack("<BB", IDS[tensor.dtype], len(tensor.shape)),
            pack(f"<{len(tensor.shape)}Q", *tensor.shape),
            pack("<QQ", plan.offset, plan.size),
        )
    )


def _pieces(planned: list[_Planned], head: bytes, path: Path) -> Iterator[bytes | memoryview]:
    """Yield the file up to its footer, in pieces."""
    yield head
    for plan in planned:
        written = 0
        for piece in plan.tensor.pieces():
            view = memoryview(piece)
            if view.nbytes:  # an array without numbers has no flat view
                yield view.cast("B")
            written += view.nbytes
        if written != plan.size:
            raise damaged(
                Fault.WRONG_SIZE,
                path,
                f"{plan.tensor.name} was promised {plan.size} bytes and got {written}",
                hint="compare its shape and type with the array it was made from",
            )
        yield bytes(aligned(plan.size) - plan.size)


@contextmanager
def _placed(path: Path) -> Iterator[BinaryIO]:
    """Write to ``<name>.part``, which takes the name of ``path`` when it is whole and on the disk.

    Whoever writes it holds a lock on it, so that two processes take turns, and what a killed one left
    behind is used up by the next.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise AssayError(
            f"cannot write: {error.strerror or error}",
            where=str(path),
            hint="free some space or mend the permission, then run the same command again",
            code="A500",
        ) from error


def _alone(part: Path) -> BinaryIO:
    """Open and lock a file that still has its name when the lock is there, and empty it."""
    fcntl = locking(part)
    while True:
        file = part.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            # The one before us may have renamed it while we waited.
            with suppress(FileNotFoundError):
                if os.path.samestat(part.stat(), os.fstat(file.fileno())):
                    file.truncate(0)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()
