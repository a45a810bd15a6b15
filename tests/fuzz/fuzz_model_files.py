"""Fuzz the readers of model files, coverage-guided: ``python fuzz_model_files.py -runs=20000 CORPUS``.

Whatever the bytes are, ``open_model`` opens them or raises A205; every tensor that it names lies inside
of the file; its numbers are made or refused.  libFuzzer's own limits catch what hangs and what eats memory.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["assay.families.supply"]):
    from assay.families.supply.describing.description import description
    from assay.families.supply.formats.apr import open_apr  # else imported later, not instrumented
    from assay.families.supply.formats.opening import open_model

sys.path.insert(0, str(Path(__file__).parents[1]))

from assay import AssayError, DataError
from model_bytes import mended

assert open_apr
SHARED = Path("/dev/shm")
FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-", dir=SHARED if SHARED.is_dir() else None)
FILE = Path(FOLDER.name) / "m"


def one_input(data: bytes) -> None:
    """Open a file, and the same with its checksums put right: else little of an APR file is reached."""
    look(data)
    if (right := mended(data)) != data:
        look(right)


def look(data: bytes) -> None:
    """Look at everything that a file claims, and describe it."""
    FILE.write_bytes(data)
    try:
        with open_model(FILE) as model:
            for entry in model.header.tensors:
                assert len(model.raw(entry.name)) == entry.size, entry
                try:
                    model.numbers(entry.name)
                except AssayError:
                    continue
            for name in model.header.side_files:
                model.side_file(name)
            description(model)
    except DataError:  # A205
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
