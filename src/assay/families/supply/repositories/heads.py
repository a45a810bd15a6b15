"""The head of a model file that is elsewhere: as many of its first bytes as tell what it is.

*Covered*: what is read is bounded, and parsed by the readers of files that are here, in a file of the size that is
announced and with holes for its weights; so a head that does not fit the file is damage, near or far.
*Not covered*: the weights, and a repository that sends another file later: only a digest tells.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

from assay import DataError, PluginError

from ..fetching.offers import Offer, Piece
from ..fetching.patience import Hitch, Patience
from ..fetching.web import asked
from ..formats.opening import open_file

MOST_HEAD = 64 << 20
"""Bytes; the longest real ones hold a vocabulary of 262,144 words, 6 MB."""

MOST_SIDE = 16 << 20
MOST_SIZE = 100 * 10**9
FIRST = 1 << 18
PIECE = 1 << 16


def lay_head(offer: Offer, folder: Path, patience: Patience) -> Path:
    """Put a file into a folder, under its own last name: a file with holes, whose head is there.

    A file of this machine becomes a link, one that is no model file is fetched whole (16 MB at most).
    Raises ``DataError`` A205 where the head is longer than 64 MB, or damaged; ``PluginError`` A405
    where it cannot be had.
    """
    path = folder / offer.name.rpartition("/")[2]
    if isinstance(offer.at, tuple) and len(offer.at) == 1 and offer.at[0].member is None:
        path.symlink_to(offer.at[0].path.absolute())
        return path
    tried = 0
    while True:
        try:
            with closing(_pieces(offer, patience.timeout_s)) as pieces:
                _lay(offer, path, pieces)
        except Hitch as hitch:
            tried += 1
            where = _where(offer)
            patience.pause(tried, hitch, where=where, stop=Event(), tell=lambda _: None)
        else:
            return path


def _lay(offer: Offer, path: Path, pieces: Iterator[bytes]) -> None:
    if offer.size is None or not 0 < offer.size <= MOST_SIZE:
        raise _no(offer, f"its size is {offer.size} bytes", "name another file")
    if not offer.name.endswith((".safetensors", ".gguf")):
        return _lay_whole(offer, path, pieces)
    held = bytearray()
    for wanted in _lengths(held):
        held += _until(pieces, min(wanted, offer.size) - len(held))
        if len(held) < min(wanted, offer.size):
            raise _no(offer, f"{len(held):,} of {offer.size:,} bytes came", "ask again later")
        with path.open("wb") as file:
            file.write(held)
            file.truncate(offer.size)
        is_all = len(held) >= min(offer.size, MOST_HEAD)
        try:
            if _is_whole(path, len(held)) or is_all:
                return None
        except DataError:
            if is_all:
                raise
    return None


def _lengths(held: bytearray) -> Iterator[int]:
    """Yield how many bytes are wanted: what a safetensors file says of its head, else ever more."""
    wanted = FIRST
    while wanted < MOST_HEAD:
        yield wanted
        says = int.from_bytes(held[:8], "little") + 8
        is_said = held[:4] != b"GGUF" and wanted < says <= MOST_HEAD
        wanted = says if is_said else wanted * 4
    yield MOST_HEAD


def _is_whole(path: Path, held: int) -> bool:
    """Whether the head ends within the bytes that are held; raises A205 where it makes no sense with holes."""
    with open_file(path) as model:
        tensors = model.header.tensors
        return not tensors or min(tensor.start for tensor in tensors) <= held


def _lay_whole(offer: Offer, path: Path, pieces: Iterator[bytes]) -> None:
    if (offer.size or 0) > MOST_SIDE:
        raise _no(offer, f"it has {offer.size:,} bytes, and 16 MB are read", "name another file")
    data = _until(pieces, offer.size or 0)
    if len(data) != offer.size:
        raise _no(offer, f"{len(data):,} of {offer.size:,} bytes came", "ask again later")
    path.write_bytes(data)


def _until(pieces: Iterator[bytes], size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (piece := next(pieces, b"")):
        found += piece
    return bytes(found)


def _pieces(offer: Offer, timeout_s: float) -> Generator[bytes, None, None]:
    """Yield a file from its first byte."""
    if isinstance(offer.at, tuple):
        yield from _here(offer.at)
        return
    headers = {"Range": f"bytes=0-{MOST_HEAD - 1}"}
    with asked(offer.at, headers, timeout_s=timeout_s) as reply:
        if reply.status not in (200, 206):
            raise _no(offer, f"the server says {reply.status}", "ask again later")
        read: Callable[[int], bytes] = reply.body.read1
        while piece := read(PIECE):
            yield piece


def _here(pieces: tuple[Piece, ...]) -> Iterator[bytes]:
    for each in pieces:
        with each.path.open("rb") as file:
            while data := file.read(PIECE):
                yield data


def _where(offer: Offer) -> str:
    return str(offer.at[0].path) if isinstance(offer.at, tuple) else offer.at.where


def _no(offer: Offer, what: str, hint: str) -> PluginError:
    return PluginError(what, where=_where(offer), hint=hint, code="A405")
