"""Model folders: shards that belong together, and what is told where they do not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assay import AssayError, PluginError
from assay.families.supply.faults import Fault
from assay.families.supply.formats import folder as folder_module
from assay.families.supply.formats.opening import open_model
from model_bytes import described, gguf_bytes, safetensors_bytes, tensor

numpy_library = pytest.importorskip("safetensors.numpy")

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
ARRAYS = {FIRST: {"a": np.arange(4, dtype=np.float32)}, SECOND: {"b": np.arange(3, dtype=np.int8)}}


def sharded(folder, arrays=ARRAYS, index=None, config=None):
    """Write a folder; ``index`` is the weight map, as it should be where it is left out."""
    folder.mkdir()
    for name, made in arrays.items():
        (folder / name).write_bytes(numpy_library.save(made, {"format": "pt"}))
    right = {tensor: name for name, made in arrays.items() for tensor in made}
    index = right if index is None else index
    if index:
        text = json.dumps({"metadata": {"total_size": 19}, "weight_map": index})
        (folder / folder_module.INDEX).write_text(text)
    (folder / "config.json").write_text(json.dumps(config or {"model_type": "tiny"}))
    return folder


def refused(folder, fault):
    with pytest.raises(AssayError) as caught:
        open_model(folder)
    assert caught.value.code == "A205"
    assert caught.value.what.startswith(fault.value), caught.value.what
    return caught.value.what


def test_shards_are_one_model(tmp_path):
    with open_model(sharded(tmp_path / "m")) as model:
        header = model.header
        assert (header.format, header.variant) == ("safetensors", "2 shards")
        assert {t.name: t.home for t in header.tensors} == {"a": FIRST, "b": SECOND}
        assert header.metadata == {"format": "pt", "config": {"model_type": "tiny"}}
        assert header.side_files == ("config.json",)
        assert header.size == sum((tmp_path / "m" / name).stat().st_size for name in ARRAYS)
        assert header.notes == ()
        for made in ARRAYS.values():
            for name, array in made.items():
                assert np.array_equal(model.numbers(name), array)
                assert bytes(model.raw(name)) == array.tobytes()
        assert json.loads(model.side_file("config.json")) == {"model_type": "tiny"}
        with pytest.raises(KeyError):
            model.side_file("../config.json")


def test_one_file_needs_no_index(tmp_path):
    with open_model(sharded(tmp_path / "m", {"model.safetensors": ARRAYS[FIRST]}, {})) as model:
        assert (model.header.variant, model.header.notes) == ("one file", ())


def test_a_missing_shard_is_told_by_the_index_and_by_the_names(tmp_path):
    folder = sharded(tmp_path / "m")
    (folder / SECOND).unlink()
    assert SECOND in refused(folder, Fault.INCOMPLETE)
    (folder / folder_module.INDEX).unlink()
    assert "1 of 2 shards" in refused(folder, Fault.INCOMPLETE)


def test_a_shard_in_no_index_is_left_out_and_told(tmp_path):
    folder = sharded(tmp_path / "m")
    (folder / "extra.safetensors").write_bytes(numpy_library.save({"c": np.ones(1)}))
    with open_model(folder) as model:
        assert {t.name for t in model.header.tensors} == {"a", "b"}
        assert model.header.notes == ("extra.safetensors is in no index: it is left out",)


def test_a_tensor_in_two_shards_is_told_with_both(tmp_path):
    arrays = {FIRST: ARRAYS[FIRST], SECOND: {**ARRAYS[SECOND], **ARRAYS[FIRST]}}
    said = refused(sharded(tmp_path / "m", arrays, {"a": FIRST, "b": SECOND}), Fault.DUPLICATE)
    assert FIRST in said
    assert SECOND in said


def test_a_tensor_that_is_not_where_the_index_says_is_missing(tmp_path):
    refused(sharded(tmp_path / "m", index={"a": SECOND, "b": FIRST}), Fault.INCOMPLETE)
    refused(sharded(tmp_path / "n", index={"a": FIRST, "b": SECOND, "c": FIRST}), Fault.INCOMPLETE)


def test_a_tensor_that_the_index_does_not_know_is_told(tmp_path):
    arrays = {FIRST: {**ARRAYS[FIRST], "c": np.ones(2)}, SECOND: ARRAYS[SECOND]}
    with open_model(sharded(tmp_path / "m", arrays, {"a": FIRST, "b": SECOND})) as model:
        assert model.header.notes == ("tensors in no index: 1, c for one",)


def test_shards_without_an_index_are_taken_together_and_that_is_told(tmp_path):
    with open_model(sharded(tmp_path / "m", index={})) as model:
        assert len(model.header.tensors) == 2
        assert "all safetensors are taken together" in model.header.notes[0]


@pytest.mark.parametrize(
    "name", ["../a.safetensors", "/a.safetensors", "x/a.safetensors", "", "..", "x\\a"]
)
def test_an_index_names_files_of_its_own_folder_only(tmp_path, name):
    folder = sharded(tmp_path / "m", index={"a": name})
    (tmp_path / "a.safetensors").write_bytes(
        safetensors_bytes({"a": tensor("U8", [1], 0, 1)}, b"x")
    )
    refused(folder, Fault.OUTSIDE)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"weight_map": {"a": 1}}', '{"weight_map": {}}', "[" * 9999, "\xff"]
)
def test_an_index_that_is_none_is_nonsense(tmp_path, text):
    folder = sharded(tmp_path / "m")
    (folder / folder_module.INDEX).write_bytes(text.encode("latin-1"))
    refused(folder, Fault.NONSENSE)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 9999, "NaN"])
def test_a_config_that_is_no_object_is_nonsense(tmp_path, text):
    folder = sharded(tmp_path / "m")
    (folder / "config.json").write_text(text)
    refused(folder, Fault.NONSENSE)


def test_a_side_file_is_bounded(tmp_path, monkeypatch):
    folder = sharded(tmp_path / "m")
    monkeypatch.setattr(folder_module, "LONGEST_SIDE_FILE", 10)
    refused(folder, Fault.OVERSIZED)


def test_a_damaged_shard_is_named(tmp_path):
    folder = sharded(tmp_path / "m")
    (folder / SECOND).write_bytes((folder / SECOND).read_bytes()[:-1])
    with pytest.raises(AssayError) as caught:
        open_model(folder)
    assert SECOND in caught.value.where


def test_a_folder_with_one_file_of_another_format_is_that_model(tmp_path):
    (tmp_path / "m.gguf").write_bytes(gguf_bytes([described("a", [8], 0, 0)], data=bytes(32)))
    (tmp_path / "README.md").write_text("a model")
    with open_model(tmp_path) as model:
        assert model.header.format == "gguf"
    (tmp_path / "n.gguf").write_bytes(b"x")
    with pytest.raises(PluginError, match=r"2 model files: m\.gguf, n\.gguf"):
        open_model(tmp_path)


def test_a_folder_of_pickles_or_of_nothing_is_told(tmp_path):
    with pytest.raises(PluginError, match="no model file"):
        open_model(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    assert "pickle" in refused(tmp_path, Fault.UNKNOWN_FORMAT)
