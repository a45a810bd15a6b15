"""Model files: load, write, quantise, hash, beside safetensors' own loader, gguf and numpy.

*Covered*: the same tensors of f32 (a decoder of ten layers, about 300 MB) in an APR and in a safetensors
file, from a warm page cache, one thread.  Loading by memory map is timed alone, and with every page
touched and every number summed, since a map costs nothing until it is used.  Both files are put out of
the page cache and read in again first: how a file was written decides how large the pages are that
the system keeps it in, and that makes more of a difference than the loaders do.  *Not covered*: a cold
disk; devices other than the CPU.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from contest import SOURCE, Row, contest, given, tell

sys.path.insert(0, str(SOURCE))

try:
    import gguf
    import numpy as np
    import torch
    from safetensors.numpy import load_file as load_numpy
    from safetensors.numpy import save_file as save_numpy
    from safetensors.torch import load_file
except ImportError as missing:  # `make bench` installs them
    tell([], as_json="--json" in sys.argv)
    sys.exit(print(f"skipped: {missing.name} is not installed", file=sys.stderr))

from assay.families.supply.converting.convert import convert
from assay.families.supply.formats.apr import (
    Extent,
    TensorToWrite,
    open_apr,
    torch_tensors,
    write_apr,
)
from assay.families.supply.formats.apr.codecs import encode
from assay.families.supply.formats.apr.whole import check_crc

PIECE = 1 << 20


def main() -> None:
    quick, as_json = given()
    torch.set_num_threads(1)
    rounds, layers, width = (1, 1, 64) if quick else (9, 10, 768)
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        arrays = decoder(layers, width)
        size = sum(array.nbytes for array in arrays.values())
        apr, tensors = there / "m.apr", there / "m.safetensors"
        write(apr, arrays)
        save_numpy(arrays, tensors)
        for path in (apr, tensors):
            settle(path)
        few = max(1, rounds // 2)
        rows = with_rate(
            contest("load", loads(apr, tensors, alone), n=len(arrays), rounds=rounds), 0
        )
        for what, use in (("load, touch every page", pages), ("load, sum all", sums)):
            sides = loads(apr, tensors, use)
            rows += with_rate(contest(what, sides, n=len(arrays), rounds=rounds), size)
        rows += with_rate(contest("write", writes(there, arrays), n=len(arrays), rounds=few), size)
        for what, sides in conversions(there, tensors).items():
            rows += with_rate(contest(what, sides, n=len(arrays), rounds=few), size)
        biggest = arrays["embed"]
        for what, sides in quantising(there, biggest).items():
            rows += with_rate(contest(what, sides, n=biggest.size, rounds=few), biggest.nbytes)
        rows += with_rate(
            contest(
                "read every byte",
                hashes(apr),
                n=1,
                rounds=few,
                for_scale=("zlib.crc32", "hashlib sha256", "numpy memcpy"),
            ),
            size,
        )
    tell(rows, as_json=as_json)


def decoder(layers: int, width: int) -> dict[str, Any]:
    """Return the tensors of a decoder, as a model has them: few large, many small."""
    rng = np.random.default_rng(0)
    inner = width * 8 // 3
    shapes = {"embed": (width * 8, width), "norm": (width,)}
    for layer in range(layers):
        for name in "qkvo":
            shapes[f"layers.{layer}.{name}"] = (width, width)
        for name in ("up", "gate"):
            shapes[f"layers.{layer}.{name}"] = (inner, width)
        shapes[f"layers.{layer}.down"] = (width, inner)
        shapes[f"layers.{layer}.norm"] = (width,)
    return {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def write(path: Path, arrays: dict[str, Any], dtype: str = "F32") -> None:
    write_apr(path, {}, (TensorToWrite.of_array(name, a, dtype) for name, a in arrays.items()))


def settle(path: Path) -> None:
    """Leave a file in the page cache as reading it does, not as writing it did."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(PIECE):
            pass


def loads(apr: Path, tensors: Path, use: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    return {
        "assay torch_tensors": lambda: use(torch_tensors(apr)),
        "safetensors load_file": lambda: use(load_file(tensors)),
    }


def alone(found: dict[str, Any]) -> str:
    return f"{len(found)} tensors, nothing read but the head"


def pages(found: dict[str, Any]) -> str:
    for tensor in found.values():
        tensor.reshape(-1)[:: mmap.PAGESIZE // 4].sum()
    return ""


def sums(found: dict[str, Any]) -> str:
    for tensor in found.values():
        tensor.sum()
    return ""


def writes(there: Path, arrays: dict[str, Any]) -> dict[str, Callable[[], str]]:
    def ours() -> str:
        write(there / "new.apr", arrays)
        return "CRC32, sha256, fsync, renamed when whole"

    def plain() -> str:
        save_numpy(arrays, there / "new.safetensors")
        return "no checksum, not flushed"

    def the_same() -> str:
        path = there / "new.safetensors"
        save_numpy(arrays, path)
        with path.open("rb") as file:
            digest = sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
            os.fsync(file.fileno())
        return "and then what assay does: fsync and sha256"

    return {"assay write_apr": ours, "safetensors save_file": plain, "save_file, digest": the_same}


def conversions(there: Path, source: Path) -> dict[str, dict[str, Callable[[], str]]]:
    """Return conversions beside the least that makes the same numbers: read, cast, write, with NumPy.

    assay also digests what it read and wrote, has the disk keep it, and never holds more than a piece.
    """

    def ours(to: str, quantise: str) -> Callable[[], str]:
        def once() -> str:
            made = convert(source, there / f"made.{to}", to=to, quantise=quantise, force=True)
            return f"{made.artifact.size / 1e6:.1f} MB, two sha256, fsync"

        return once

    def plain(cast: Callable[[Any], Any]) -> Callable[[], str]:
        def once() -> str:
            with (there / "plain").open("wb") as file:
                for array in load_numpy(source).values():
                    cast(array).tofile(file)
                return f"{file.tell() / 1e6:.1f} MB"

        return once

    def careful(cast: Callable[[Any], Any]) -> Callable[[], str]:
        def once() -> str:
            size = plain(cast)()
            for path in (source, there / "plain"):
                with path.open("rb") as file:
                    file_digest(file, "sha256")
                    os.fsync(file.fileno())
            return f"{size}, two sha256, fsync"

        return once

    return {
        "convert to APR f32": {
            "assay convert": ours("apr", "f32"),
            "numpy read, write": plain(lambda array: array),
            "numpy, digests, fsync": careful(lambda array: array),
        },
        "convert to safetensors f16": {
            "assay convert": ours("safetensors", "f16"),
            "numpy read, cast, write": plain(lambda array: array.astype(np.float16)),
            "numpy, digests, fsync": careful(lambda array: array.astype(np.float16)),
        },
        "convert to APR q8": {
            "assay convert": ours("apr", "q8"),
            "numpy read, scale, write": plain(scaled),
            "numpy, digests, fsync": careful(scaled),
        },
    }


def scaled(array: Any) -> Any:
    return np.rint(array / (np.abs(array).max() / 127)).astype(np.int8)


def quantising(there: Path, array: Any) -> dict[str, dict[str, Callable[[], str]]]:
    """Return what makes and undoes quantised tensors; gguf's types are the nearest, not the same."""
    kinds = {"APR_Q8": "Q8_0", "APR_Q4": "Q4_0"}
    contests: dict[str, dict[str, Callable[[], str]]] = {}
    for ours, theirs in kinds.items():
        path, kind = there / f"{ours}.apr", gguf.GGMLQuantizationType[theirs]
        write(path, {"w": array}, ours)
        packed = gguf.quants.quantize(array, kind)

        def undo(path: Path = path) -> str:
            with open_apr(path, extent=Extent.HEAD) as file:
                return f"opened, {file.numbers('w').size:,} numbers"

        contests[f"quantise {ours}"] = {
            f"assay {ours}": lambda ours=ours: note(sum(len(each) for each in encode(array, ours))),
            f"gguf {theirs}": lambda kind=kind: note(gguf.quants.quantize(array, kind).nbytes),
        }
        contests[f"read, dequantise {ours}"] = {
            f"assay {ours}": undo,
            f"gguf {theirs}": lambda packed=packed, kind=kind: note(
                gguf.quants.dequantize(packed, kind).nbytes
            ),
        }
    return contests


def note(size: int) -> str:
    return f"{size / 1e6:.1f} MB made"


def hashes(apr: Path) -> dict[str, Callable[[], str]]:
    with apr.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def pieces() -> Iterator[memoryview]:
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]

    def crc() -> str:
        check_crc(data, apr, "the footer CRC32")
        return "what opening an APR file costs once"

    def digest() -> str:
        state = sha256()
        for piece in pieces():
            state.update(piece)
        return ""

    def zlib_whole() -> str:
        zlib.crc32(data)
        return "in one call"

    target = np.empty(len(data), np.uint8)

    def copy() -> str:
        np.copyto(target, np.frombuffer(data, np.uint8))
        return ""

    return {
        "assay footer CRC32": crc,
        "zlib.crc32": zlib_whole,
        "hashlib sha256": digest,
        "numpy memcpy": copy,
    }


def with_rate(rows: list[Row], size: int) -> list[Row]:
    """Add gigabytes a second of the numbers as f32; nothing for a map, which moves none."""
    if not size:
        return rows
    told = []
    for row in rows:
        wall, cpu = (size / spread.median / 1e9 for spread in (row.wall, row.cpu))
        rate = f"{wall:.2f} GB/s wall, {cpu:.2f} CPU"
        told.append(replace(row, note=f"{rate}; {row.note}" if row.note else rate))
    return told


if __name__ == "__main__":
    main()
