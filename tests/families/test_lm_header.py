"""The head of a GGUF file: read without loading it, and told from what only looks like one."""

from contextlib import suppress
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import PluginError
from assay.families.lm.header import read_header
from assay.families.lm.prompted.gguf_file import Gguf

gguf = pytest.importorskip("gguf")


def write(path, **shape):
    writer = gguf.GGUFWriter(path, "tiny")
    writer.add_array("tokenizer.ggml.tokens", ["a", "", "ß" * 300])
    writer.add_array("tokenizer.ggml.scores", [0.5, 1.5])
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_chat_template("{{ messages }}")
    for key, value in shape.items():
        writer.add_uint32(f"tiny.{key}", value)
    writer.add_tensor("a", np.ones((3, 32), np.float32))
    writer.add_tensor("b", np.ones((32,), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "m.gguf")


def test_the_head_says_what_was_written(whole):
    header = read_header(whole)
    assert header.values["general.architecture"] == "tiny"
    assert header.values["tokenizer.ggml.add_bos_token"] is True
    assert header.chat_template == "{{ messages }}"
    assert header.kv_bytes is None


def test_keys_and_values_grow_with_layers_and_shared_heads(tmp_path):
    shape = {"block_count": 30, "attention.head_count": 9, "embedding_length": 576}
    shared = shape | {"attention.head_count_kv": 3}
    wide = shared | {"attention.key_length": 128}
    sizes = [
        read_header(write(tmp_path / f"{i}.gguf", **one)).kv_bytes
        for i, one in enumerate((shape, shared, wide))
    ]
    assert sizes == [30 * 9 * 128 * 2, 30 * 3 * 128 * 2, 30 * 3 * 256 * 2]
    model = tmp_path / "1.gguf"
    small, large = (Gguf(model=model, context=context).needs for context in (1024, 65536))
    assert abs(large.memory_mb - small.memory_mb - 23040 * (65536 - 1024) / 2**20) <= 1


def test_a_file_cut_anywhere_before_its_last_weights_is_refused(whole, tmp_path):
    data = whole.read_bytes()
    cut = tmp_path / "cut.gguf"
    for size in range(4, len(data) - 32 * 4, 7):
        cut.write_bytes(data[:size])
        with pytest.raises(PluginError) as caught:
            read_header(cut)
        assert caught.value.code == "A403"
        assert "not a whole GGUF model" in caught.value.what


@given(data=st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_refused_and_nothing_else_happens(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    for head in (b"", b"GGUF" + pack("<I", 3)):
        path.write_bytes(head + data)
        with pytest.raises(PluginError):
            read_header(path)


@given(at=st.integers(8, 200), byte=st.integers(0, 255))
def test_a_damaged_head_is_read_or_refused_but_never_worse(whole, tmp_path_factory, at, byte):
    data = bytearray(whole.read_bytes())
    data[at] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(data)
    with suppress(PluginError):
        read_header(path)


@pytest.mark.parametrize("text", ["<html>not found</html>", "", "GGUF", "PK\x03\x04" + " " * 90])
def test_a_file_that_only_has_the_name_is_refused_before_anything_runs(tmp_path, text):
    pytest.importorskip("xllamacpp")
    path = tmp_path / "model.gguf"
    path.write_text(text)
    with pytest.raises(PluginError, match="GGUF") as caught:
        Gguf(model=path).loads()
    assert caught.value.code == "A403"
