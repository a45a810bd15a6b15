"""The layouts that share the extension ``.apr``, told apart by their bytes."""

from __future__ import annotations

from enum import Enum
from zlib import crc32

Bytes = bytes | memoryview
"""What the readers are given: a file, mapped or unpacked."""


class Layout(Enum):
    """A layout; the value is the name that ``header.variant`` gives it."""

    V2 = "v2 (APR\\0)"
    V2_EARLY = "v2 (APR2)"
    APR1 = "APR1"
    WRAPPED = "APR1, compressed (APR\\0)"
    V1 = "v1 (APRN, aprender)"
    REALIZAR = "v1 (APRN, realizar 0.2)"
    JUGAR = "jugar-apr (APNR)"
    PROBE = "APR! (0x41505221)"


_MAGIC = {
    b"APR2": Layout.V2_EARLY,
    b"APR1": Layout.APR1,
    b"APNR": Layout.JUGAR,
    b"APR!": Layout.PROBE,
}
_ZSTD = b"\x28\xb5\x2f\xfd"


def sniff(data: Bytes) -> Layout | None:
    """Return the layout that the bytes of a whole file have, or ``None`` when it is no ``.apr``.

    A damaged file gets the layout that it most likely had, so that its reader can say what is wrong.

    >>> sniff(b"APR!" + bytes(60))
    <Layout.PROBE: 'APR! (0x41505221)'>
    >>> sniff(b"GGUF") is None
    True

    Source: the table of magics in aprender's and realizar's repositories; v2 and the compressed
    wrapper of APR1 share a magic, and so do the two layouts of ``APRN``.
    """
    magic = bytes(data[:4])
    if magic == b"APR\0":
        return Layout.V2 if _is_v2(data) else Layout.WRAPPED
    if magic == b"APRN":
        return Layout.REALIZAR if _is_realizar(data) else Layout.V1
    return _MAGIC.get(magic)


def word(data: Bytes, at: int, size: int = 4) -> int:
    """Return the little-endian number of ``size`` bytes at ``at``."""
    return int.from_bytes(data[at : at + size], "little")


def _is_v2(data: Bytes) -> bool:
    if len(data) >= 44 and (
        word(data, 12, 8) == 64
        or word(data, 40) == crc32(data[44:64], crc32(data[:40]))  # only then is its head sound
    ):
        return True
    wrapped = (data[4:5] in {b"\0", b"\1"}) or bytes(data[9:13]) == _ZSTD
    return not wrapped


def _is_realizar(data: Bytes) -> bool:
    """Tell realizar's header from aprender's: its lengths stand two bytes further on."""
    end = 32 + word(data, 10) + word(data, 14)
    begins = data[32 + word(data, 10) :][:1]
    return end == len(data) and bytes(begins) == b"{"
