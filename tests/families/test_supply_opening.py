"""A model file is told by what it holds; whatever the bytes are, it is read or refused, and soon."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import AssayError, DataError, PluginError
from assay.families.supply.faults import Fault
from assay.families.supply.formats.apr import TensorToWrite, write_apr
from assay.families.supply.formats.opening import APR_MAGICS, open_model
from model_bytes import (
    TEXT,
    described,
    gguf_bytes,
    initialiser,
    mended,
    onnx_bytes,
    pair,
    refused,
    safetensors_bytes,
    tensor,
    text,
)


def apr_bytes(folder: Path) -> bytes:
    """An APR file with two tensors and a side file."""
    tensors = [
        TensorToWrite.of_array("a", np.arange(8, dtype=np.float32), "F32"),
        TensorToWrite.of_array("b", np.ones((4, 32), np.float32), "APR_Q4"),
    ]
    path = folder / "seed.apr"
    write_apr(path, {"architecture": "tiny"}, tensors, {"tokenizer.json": b"{}"})
    return path.read_bytes()


@pytest.fixture(scope="session")
def seeds(tmp_path_factory) -> dict[str, bytes]:
    """A whole file of each format."""
    return {
        "safetensors": safetensors_bytes(
            {
                "__metadata__": {"k": "v"},
                "a": tensor("F32", [2], 0, 8),
                "b": tensor("U8", [1], 8, 9),
            },
            bytes(9),
        ),
        "gguf": gguf_bytes(
            [described("a", [8], 0, 0)],
            [pair("general.architecture", TEXT, text("llama"))],
            bytes(32),
        ),
        "onnx": onnx_bytes(initialiser("a", [2], 1, bytes(8))),
        "apr": apr_bytes(tmp_path_factory.mktemp("seed")),
    }


@pytest.mark.parametrize("kind", ["safetensors", "gguf", "onnx", "apr"])
@pytest.mark.parametrize(
    "name", ["m", "m.safetensors", "m.gguf", "m.onnx", "m.apr", "m.bin", "m.json"]
)
def test_a_file_is_told_by_its_bytes_whatever_it_is_called(kind, name, seeds, tmp_path):
    path = tmp_path / name
    path.write_bytes(seeds[kind])
    with open_model(path) as model:
        assert model.header.format == kind
        assert model.path == path
        assert model.header.size == len(seeds[kind])
        assert "a" in model.header.by_name
        assert model.numbers("a").dtype == np.float32


@pytest.mark.parametrize("magic", APR_MAGICS)
def test_each_magic_of_apr_goes_to_the_reader_of_apr(magic, tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(magic + bytes(40))
    with pytest.raises(DataError) as caught:
        open_model(path)
    assert not caught.value.what.startswith(Fault.UNKNOWN_FORMAT.value)


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return data.getvalue()


LOOKS = {
    "a pickle": b"\x80\x04\x95\x05\0\0\0",
    "a ZIP archive": zipped(),
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    "a web page": b"\n<!DOCTYPE html><title>401</title>",
    "JSON": b'{"error": "not found"}',
    "text": "Nicht gefunden: \u00fcber".encode(),
    "nothing but zeros": bytes(999),
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "before GGUF": b"tjgg\1\0\0\0",
    "a program": b"\x7fELF\2\1\1",
    "a tar archive": b"a/b".ljust(257, b"\0") + b"ustar\x0000",
    "TensorFlow Lite": b"\x1c\0\0\0TFL3",
    "the bytes c1": b"\xc1\xc2\xc3\xc4\xc5",
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_file_of_no_format_is_told_by_what_it_looks_like(look, tmp_path):
    assert look in refused(tmp_path / "m.safetensors", LOOKS[look], Fault.UNKNOWN_FORMAT)


def test_an_empty_file_a_pipe_and_no_file_are_told_apart(tmp_path):
    assert "empty" in refused(tmp_path / "m.gguf", b"", Fault.TRUNCATED)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe"):
        open_model(tmp_path / "pipe")
    for gone in (tmp_path / "none", tmp_path / "m.gguf" / "x", Path("a\0b")):
        with pytest.raises(PluginError) as caught:
            open_model(gone)
        assert caught.value.code == "A403"


def check(data: bytes, folder: Path) -> None:
    """Hold bytes to the promise: read or refused, every tensor inside of the file, within a second."""
    path = folder / "any"
    path.write_bytes(data)
    began = process_time()
    try:
        with open_model(path) as model:
            for entry in model.header.tensors:
                assert len(model.raw(entry.name)) == entry.size
                try:
                    model.numbers(entry.name)
                except AssayError:
                    continue
    except DataError:  # A205 for what is damaged
        pass
    assert process_time() - began < 1


@pytest.mark.slow
@settings(max_examples=400)
@given(data=st.data(), kind=st.sampled_from(["safetensors", "gguf", "onnx", "apr"]))
def test_changed_bytes_are_read_or_refused_and_nothing_else(data, kind, seeds, tmp_path_factory):
    changed = bytearray(seeds[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                changed[at] = data.draw(st.integers(0, 255))
            case 1:
                del changed[at : at + data.draw(st.integers(1, 8))]
            case 2:
                changed[at:at] = data.draw(st.binary(max_size=8))
            case _:
                changed[at : at + 8] = data.draw(st.integers(0, 2**64 - 1)).to_bytes(8, "little")
        changed = changed or bytearray(b"x")
    check(bytes(changed), tmp_path_factory.getbasetemp())
    check(mended(bytes(changed)), tmp_path_factory.getbasetemp())


@given(
    begins=st.sampled_from([b"", b"GGUF\3\0\0\0", b"\x08\x0a\x3a", *APR_MAGICS]),
    data=st.binary(max_size=200),
)
def test_whatever_follows_a_beginning_is_read_or_refused(begins, data, tmp_path_factory):
    check(begins + data, tmp_path_factory.getbasetemp())


def test_opening_reads_the_head_and_not_the_weights(tmp_path):
    # A file of 8 GB, nearly all of which is a hole in the disk.
    size = 8 * 10**9
    data = safetensors_bytes({"a": tensor("U8", [size], 0, size)})
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        file.write(data)
        file.truncate(len(data) + size)
    began = process_time()
    with open_model(path) as model:
        assert model.header.parameters == size
    assert process_time() - began < 0.2
