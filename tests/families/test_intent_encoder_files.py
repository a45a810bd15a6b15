"""What is kept of an encoder: a graph, and its arrays in a file that is mapped and not read."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import AssayError
from assay.families.intent.encoders.apart import LARGE, PAGE, apart
from assay.families.intent.encoders.cache import stored

onnx = pytest.importorskip("onnx")


def kept(folder, *, name="f", data=b"the right bytes"):
    made = []

    def make():
        made.append(1)
        return data

    found = stored(name, make, folder=folder)
    return found, len(made)


@pytest.mark.parametrize("damage", ["gone", "changed", "changed back in time", "short", "other"])
def test_a_stored_file_that_was_touched_is_digested_again_and_mended(tmp_path, damage):
    first, made = kept(tmp_path)
    assert made == 1
    assert kept(tmp_path) == (first, 0)
    path = tmp_path / "f"
    times = path.stat()
    match damage:
        case "gone":
            path.unlink()
        case "changed":
            path.write_bytes(b"the wrong bytes")
        case "changed back in time":
            path.write_bytes(b"the wrong bytes")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        case "short":
            path.write_bytes(b"the")
        case "other":
            (tmp_path / "g").write_bytes(b"the wrong bytes")
            (tmp_path / "g").rename(path)
    assert kept(tmp_path) == (first, 1)
    assert path.read_bytes() == b"the right bytes"
    assert kept(tmp_path) == (first, 0)


def test_a_stored_file_that_was_only_touched_is_not_made_again(tmp_path):
    first, _ = kept(tmp_path)
    os.utime(tmp_path / "f")
    assert kept(tmp_path) == (first, 0)
    (tmp_path / "f.seen").write_text("sha256:what somebody wrote\n")
    assert kept(tmp_path) == (first, 0)


def test_a_stored_file_is_not_believed_by_its_time_alone(tmp_path):
    first, _ = kept(tmp_path)
    (tmp_path / "f.sha256").write_text("sha256:" + "0" * 64 + "\n")
    again, made = kept(tmp_path)
    assert (again, made) == (first, 1)


def test_a_folder_that_cannot_be_written_says_which_variable_to_set(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AssayError, match=r"(?s)A500.*ASSAY_CACHE"):
        kept(tmp_path / "file" / "under")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3 * LARGE // 4), min_size=1, max_size=5))
def test_a_graph_without_its_arrays_finds_them_all_again(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("graph")
    arrays = [np.arange(size, dtype=np.float32) for size in sizes]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [],
            "arrays",
            [],
            [],
            [onnx.numpy_helper.from_array(a, f"a{k}") for k, a in enumerate(arrays)],
        )
    )
    graph, data = apart(model.SerializeToString(), "beside")
    assert apart(model.SerializeToString(), "beside") == (graph, data)
    (folder / "graph.onnx").write_bytes(graph)
    (folder / "beside").write_bytes(data)
    found = onnx.load(folder / "graph.onnx").graph.initializer
    assert all(
        np.array_equal(onnx.numpy_helper.to_array(t), a) for t, a in zip(found, arrays, strict=True)
    )
    outside = onnx.load(folder / "graph.onnx", load_external_data=False).graph.initializer
    for tensor, array in zip(outside, arrays, strict=True):
        where = {entry.key: entry.value for entry in tensor.external_data}
        assert bool(where) == (array.nbytes >= LARGE)
        assert int(where.get("offset", 0)) % PAGE == 0
