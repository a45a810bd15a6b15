"""Feed the readers of model files (safetensors, GGUF, ONNX, APR) whatever is made up: see driver.py.

Whatever the bytes are, ``open_model`` opens them or raises A205; every tensor that it names lies inside
of the file; its numbers are made or refused.
"""

from __future__ import annotations

from contextlib import suppress

import driver
import numpy as np

with driver.instrumented(__name__, "assay.families.supply"):
    from assay.families.supply.describing.description import description
    from assay.families.supply.formats.apr import (  # else imported later, not instrumented
        TensorToWrite,
        open_apr,
        write_apr,
    )
    from assay.families.supply.formats.opening import open_model

from assay import AssayError
from model_bytes import (
    LIST,
    TEXT,
    U32,
    described,
    field,
    gguf_bytes,
    initialiser,
    mended,
    onnx_bytes,
    pair,
    safetensors_bytes,
    tensor,
    text,
)

assert open_apr
HOME = driver.new_folder()
FILE = HOME / "m"


def seeds() -> list[bytes]:
    """Return a whole file of every format."""
    kinds = {
        "a": tensor("F32", [2], 0, 8),
        "b": tensor("F8_E4M3", [2], 8, 10),
        "c": tensor("BF16", [1], 10, 12),
    }
    pairs = [
        pair("general.architecture", TEXT, text("llama")),
        pair("llama.block_count", U32, (2).to_bytes(4, "little")),
        pair("tokenizer.ggml.model", TEXT, text("gpt2")),
        pair("tokenizer.ggml.tokens", LIST, b"\x08\0\0\0\x02" + bytes(7) + text("a") + text("b")),
        pair("tokenizer.chat_template", TEXT, text("{{ bos_token }}")),
    ]
    tensors = [
        described("a", [8], 0, 0),
        described("b", [32, 2], 8, 32),
        described("c", [256], 12, 128),
    ]
    outside = field(14, 1) + field(13, field(1, b"location") + field(2, b"m"))
    graph = [
        initialiser("a", [2], 1, bytes(8)),
        initialiser("b", [2], 7, None, field(7, b"\x01\x02")),
        initialiser("c", [1], 1, None, outside),
        field(1, field(4, b"Add") + field(7, b"x")),
        field(
            11, field(1, b"x") + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 3)))))
        ),
    ]
    arrays = {"a": "F32", "b": "APR_Q4", "c": "APR_Q8", "d": "BF16"}
    written = [
        TensorToWrite.of_array(name, np.ones((2, 32), np.float32), kind)
        for name, kind in arrays.items()
    ]
    apr = HOME / "seed.apr"
    facts = {"architecture": "llama", "num_layers": 2}
    write_apr(apr, facts, written, {"tokenizer.json": b'{"model": {}}'})
    return [
        safetensors_bytes({"__metadata__": {"k": "v"}, **kinds}, bytes(12)),
        gguf_bytes(tensors, pairs, bytes(128 + 160)),
        onnx_bytes(*graph) + field(14, field(1, b"license") + field(2, b"MIT")),
        apr.read_bytes(),
    ]


def read(data: bytes) -> None:
    """Open a file, and the same with its checksums put right: else little of an APR file is reached."""
    if (right := mended(data)) != data:
        with suppress(AssayError):
            look(right)
    look(data)


def look(data: bytes) -> None:
    """Look at everything that a file claims, and describe it."""
    FILE.write_bytes(data)
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


HARNESS = driver.Harness(read=read, seeds=seeds, trees=False)

if __name__ == "__main__":
    driver.main(HARNESS)
