"""Feed the readers of ``.apr`` files whatever is made up: see driver.py.

Each input is read as it is, and with checksums that are right, since a forger computes them too.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import driver
import lz4.block
import zstandard

with driver.instrumented(__name__, "assay.families.supply.formats"):
    from assay.families.supply.formats.apr.reading import AprFile, read_apr

import apr_files
from apr_files import Entry
from assay import AssayError

HERE = Path("fuzzed.apr")
MANY = (
    Entry(b"a", 129, (3,), b"\0\0\x80?abc"),
    Entry(b"assay.file/x", 7, (2,), b"ab"),
    Entry(b"b", 128, (40,), bytes(36)),
    Entry(b"c", 12, (256,), bytes(144)),
    Entry(b"d", 30, (2, 2), bytes(8)),
)


def seeds() -> list[bytes]:
    """Return a file of each layout, packed in each way."""
    inner = apr_files.apr1()
    return [
        apr_files.v2(),
        apr_files.v2(MANY),
        apr_files.v1(),
        apr_files.v1(flags=3, compression=1),
        apr_files.realizar(),
        inner,
        apr_files.wrapped(0, inner, len(inner)),
        apr_files.wrapped(1, lz4.block.compress(inner, store_size=False), len(inner)),
        apr_files.wrapped(2, zstandard.compress(inner), len(inner)),
    ]


def read(data: bytes) -> None:
    """Read a file whole, as it is and sealed again."""
    v2 = data[:4] in {b"APR\0", b"APR2"} and len(data) > 68
    for each in (data, apr_files.resealed(data) if v2 else apr_files.sealed(data[:-4])):
        with suppress(AssayError):
            file = AprFile(HERE, read_apr(each, HERE), len(each))
            for entry in file.header.tensors:
                assert file.numbers(entry.name).shape == entry.shape
            for name in file.header.side_files:
                file.side_file(name)


HARNESS = driver.Harness(read=read, seeds=seeds, trees=False)

if __name__ == "__main__":
    driver.main(HARNESS)
