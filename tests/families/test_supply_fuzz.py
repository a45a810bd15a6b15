"""The readers of model files under fuzzers that see which lines their inputs reach."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.families.supply.formats.apr import TensorToWrite, write_apr
from model_bytes import (
    LIST,
    TEXT,
    U32,
    described,
    field,
    gguf_bytes,
    initialiser,
    onnx_bytes,
    pair,
    safetensors_bytes,
    tensor,
    text,
)

FUZZERS = Path(__file__).parents[1] / "fuzz"
RUNS = 20_000


def seed_corpus(folder: Path) -> None:
    """Write whole files of every format: what the fuzzer begins with."""
    folder.mkdir()
    kinds = {
        "a": tensor("F32", [2], 0, 8),
        "b": tensor("F8_E4M3", [2], 8, 10),
        "c": tensor("BF16", [1], 10, 12),
    }
    (folder / "safetensors").write_bytes(
        safetensors_bytes({"__metadata__": {"k": "v"}, **kinds}, bytes(12))
    )
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
    (folder / "gguf").write_bytes(gguf_bytes(tensors, pairs, bytes(128 + 160)))
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
    (folder / "onnx").write_bytes(
        onnx_bytes(*graph) + field(14, field(1, b"license") + field(2, b"MIT"))
    )
    arrays = {"a": "F32", "b": "APR_Q4", "c": "APR_Q8", "d": "BF16"}
    written = [
        TensorToWrite.of_array(name, np.ones((2, 32), np.float32), kind)
        for name, kind in arrays.items()
    ]
    write_apr(
        folder / "apr",
        {"architecture": "llama", "num_layers": 2},
        written,
        {"tokenizer.json": b'{"model": {}}'},
    )


APART = ("sh", "-c", '"$@"; exit $?', "apart")
"""A process of its own between: Linux hands the peak memory of whoever starts a program on to it."""


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_twenty_thousand_inputs_open_or_are_refused(tmp_path):
    pytest.importorskip("atheris")
    corpus, found = tmp_path / "corpus", tmp_path / "found"
    seed_corpus(corpus)
    found.mkdir()
    done = subprocess.run(
        [
            *APART, sys.executable, FUZZERS / "fuzz_model_files.py", f"-runs={RUNS}", "-seed=1", "-timeout=5", "-rss_limit_mb=2048",
            "-max_len=4096", f"-artifact_prefix={found}/", corpus,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    crashes = {file.name: file.read_bytes() for file in found.iterdir()}
    assert done.returncode == 0, f"{done.stderr[-3000:]}\n{crashes}"
    assert not crashes
    said = re.search(r"Done (\d+) runs", done.stderr)
    assert said is not None, done.stderr[-2000:]
    assert int(said[1]) >= RUNS
    # It went deeper than the four files that it was given.
    covered = [int(number) for number in re.findall(r"cov: (\d+)", done.stderr)]
    assert covered[-1] > covered[0]


@pytest.mark.heavy
def test_no_apr_file_of_atheris_does_anything_but_be_read_or_refused(tmp_path):
    """Read in memory, which is fast, as it is and with checksums that are right."""
    pytest.importorskip("atheris")
    limits = ["-runs=40000", "-max_len=2000", "-rss_limit_mb=1024", "-timeout=10", "-seed=1"]
    done = subprocess.run(
        [*APART, sys.executable, FUZZERS / "fuzz_apr.py", tmp_path / "corpus", *limits],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 40000 runs" in done.stderr
