"""ONNX files: what the package ``onnx`` writes is read, and every kind of damage has its own fault."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.families.supply.faults import Fault
from assay.families.supply.formats import wire
from assay.families.supply.formats.onnx_file import open_onnx
from assay.families.supply.formats.onnx_tensors import TYPES
from assay.families.supply.formats.opening import open_model
from assay.families.supply.formats.plain_numbers import BITS, bytes_of
from model_bytes import field, initialiser, onnx_bytes, refused, varint

onnx = pytest.importorskip("onnx")
helper = onnx.helper

F32, I64, STRING = 1, 7, 8
RAW = pack("<2f", 1.5, -2)
PLACE = field(13, field(1, b"location") + field(2, b"w.bin"))


def place(location: bytes, offset: bytes = b"0", length: bytes = b"8") -> bytes:
    """The external data of a TensorProto."""
    pairs = {b"location": location, b"offset": offset, b"length": length}
    return field(14, 1) + b"".join(field(13, field(1, k) + field(2, v)) for k, v in pairs.items())


ONE = initialiser("a", [2], F32, RAW)
NODE = field(1, field(4, b"Add"))
FAULTY = {
    "cut in its weights": (onnx_bytes(ONE)[:-12], Fault.TRUNCATED),
    "cut in a number": (field(1, 10) + b"\x3a\xff", Fault.TRUNCATED),
    "zeros after its end": (onnx_bytes(ONE, after=bytes(9)), Fault.NONSENSE),
    "fields after its end that no ONNX file has": (onnx_bytes(ONE, after=field(99, b"x")), Fault.TRAILING),
    "a graph of 2**60 bytes": (field(1, 10) + varint(7 << 3 | 2) + varint(2**60) + b"x", Fault.TRUNCATED),
    "no graph": (field(1, 10) + field(2, b"x"), Fault.NONSENSE),
    "two graphs": (onnx_bytes(ONE) + field(7, ONE), Fault.NONSENSE),
    "a graph that is a number": (field(1, 10) + field(2, b"x") + field(7, 5), Fault.NONSENSE),
    "a group, which ONNX has not": (field(1, 10) + field(2, b"x") + field(7, b"\x0b"), Fault.NONSENSE),
    "a name twice": (onnx_bytes(ONE, ONE), Fault.DUPLICATE),
    "no name": (onnx_bytes(initialiser("", [2], F32, RAW)), Fault.NONSENSE),
    "fewer bytes than its shape": (onnx_bytes(initialiser("a", [3], F32, RAW)), Fault.WRONG_SIZE),
    "no bytes": (onnx_bytes(initialiser("a", [3], F32, None)), Fault.WRONG_SIZE),
    "fewer numbers than its shape": (onnx_bytes(initialiser("a", [3], F32, None, field(4, RAW))), Fault.WRONG_SIZE),
    "half a number": (onnx_bytes(initialiser("a", [1], F32, None, field(4, RAW[:6]))), Fault.WRONG_SIZE),
    "fewer texts": (onnx_bytes(initialiser("a", [2], STRING, None, field(6, b"x"))), Fault.WRONG_SIZE),
    "numbers in two places": (onnx_bytes(initialiser("a", [2], F32, RAW, field(4, RAW))), Fault.NONSENSE),
    "a type of nobody": (onnx_bytes(initialiser("a", [2], 77, RAW)), Fault.UNKNOWN_TYPE),
    "no type": (onnx_bytes(initialiser("a", [2], 0, RAW)), Fault.UNKNOWN_TYPE),
    "a dimension of 2**60": (onnx_bytes(initialiser("a", [2**60], F32, RAW)), Fault.OVERSIZED),
    "a negative dimension": (onnx_bytes(initialiser("a", [2**64 - 1], F32, RAW)), Fault.NONSENSE),
    "segments": (onnx_bytes(initialiser("a", [2], F32, RAW, field(3, b""))), Fault.UNSUPPORTED),
    "a file that is not there": (onnx_bytes(initialiser("a", [2], F32, None, place(b"none.bin"))), Fault.INCOMPLETE),
    "a file above": (onnx_bytes(initialiser("a", [2], F32, None, place(b"../w.bin"))), Fault.OUTSIDE),
    "a file inside of one above": (onnx_bytes(initialiser("a", [2], F32, None, place(b"x/../../w"))), Fault.OUTSIDE),
    "a file of the machine": (onnx_bytes(initialiser("a", [2], F32, None, place(b"/etc/passwd"))), Fault.OUTSIDE),
    "a file of Windows": (onnx_bytes(initialiser("a", [2], F32, None, place(b"C:\\w.bin"))), Fault.OUTSIDE),
    "a file above on Windows": (onnx_bytes(initialiser("a", [2], F32, None, place(b"..\\w.bin"))), Fault.OUTSIDE),
    "a name with a zero": (onnx_bytes(initialiser("a", [2], F32, None, place(b"w\0.bin"))), Fault.OUTSIDE),
    "a file through a link": (onnx_bytes(initialiser("a", [2], F32, None, place(b"link/x"))), Fault.OUTSIDE),
    "a link to a file": (onnx_bytes(initialiser("a", [2], F32, None, place(b"linked"))), Fault.OUTSIDE),
    "a link to itself": (onnx_bytes(initialiser("a", [2], F32, None, place(b"loop"))), Fault.OUTSIDE),
    "a file that is too short": (onnx_bytes(initialiser("a", [2], F32, None, place(b"w.bin", b"9"))), Fault.TRUNCATED),
    "a place before its beginning": (onnx_bytes(initialiser("a", [2], F32, None, place(b"w.bin", b"-8"))), Fault.NONSENSE),
    "a place in words": (onnx_bytes(initialiser("a", [2], F32, None, place(b"w.bin", b"x"))), Fault.NONSENSE),
    "no place": (onnx_bytes(initialiser("a", [2], F32, None, field(14, 1))), Fault.NONSENSE),
    "another length": (onnx_bytes(initialiser("a", [2], F32, None, place(b"w.bin", b"0", b"4"))), Fault.WRONG_SIZE),
    "tensors that overlap": (
        onnx_bytes(
            initialiser("a", [2], F32, None, place(b"w.bin", b"0")), initialiser("b", [2], F32, None, place(b"w.bin", b"4"))
        ),
        Fault.OVERLAPPING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_every_kind_of_damage_has_its_own_fault(kind, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.bin").write_bytes(bytes(16))
    (tmp_path / "outside").write_bytes(bytes(16))
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    refused(folder / "m.onnx", *FAULTY[kind])


def test_what_lies_outside_of_the_folder_is_never_opened(tmp_path):
    # A pipe would wait for ever for somebody to write into it.
    import os

    folder = tmp_path / "model"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(folder / "pipe")
    refused(
        folder / "m.onnx",
        onnx_bytes(initialiser("a", [2], F32, None, place(b"../pipe"))),
        Fault.OUTSIDE,
    )
    refused(
        folder / "m.onnx",
        onnx_bytes(initialiser("a", [2], F32, None, place(b"pipe"))),
        Fault.INCOMPLETE,
    )


def saved(path, tensors, **more):
    """Write a model that has these initialisers, as the package does."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "tested",
        [value("x", onnx.TensorProto.FLOAT, ["batch", 3])],
        [value("y", onnx.TensorProto.FLOAT, None)],
        tensors,
    )
    model = helper.make_model(
        graph, producer_name="tests", opset_imports=[helper.make_opsetid("", 17)]
    )
    helper.set_model_props(model, {"license": "MIT"})
    onnx.save(model, path, **more)
    return model


KINDS = {
    onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.DOUBLE: np.float64, onnx.TensorProto.FLOAT16: np.float16,
    onnx.TensorProto.INT64: np.int64, onnx.TensorProto.INT32: np.int32, onnx.TensorProto.INT8: np.int8,
    onnx.TensorProto.UINT8: np.uint8, onnx.TensorProto.UINT64: np.uint64, onnx.TensorProto.BOOL: np.bool_,
}  # fmt: skip


@given(
    shapes=st.lists(st.tuples(st.lists(st.integers(0, 4), max_size=3), st.sampled_from(list(KINDS)), st.booleans()), max_size=6),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_what_the_package_writes_is_read_to_the_last_number(shapes, seed, tmp_path_factory):
    rng = np.random.default_rng(seed)
    made = {}
    for i, (shape, kind, raw) in enumerate(shapes):
        array = np.asarray(rng.integers(-100, 100, shape)).astype(KINDS[kind])
        values = array.tobytes() if raw else array.flatten().tolist()
        made[f"t{i}"] = (helper.make_tensor(f"t{i}", kind, shape, values, raw=raw), array)
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    saved(path, [tensor for tensor, _ in made.values()])
    with open_model(path) as model:
        assert model.header.format == "onnx"
        assert model.header.metadata["inputs"] == [
            {"name": "x", "dtype": "F32", "shape": ["batch", 3]}
        ]
        assert model.header.metadata["outputs"][0]["name"] == "y"
        assert model.header.metadata["properties"] == {"license": "MIT"}
        assert model.header.metadata["opset"] == {"": 17}
        assert model.header.metadata["operators"] == {"Identity": 1}
        assert [t.name for t in model.header.tensors] == list(made)
        for name, (_, array) in made.items():
            found = model.numbers(name)
            wanted = array.astype(np.float32) if array.dtype.kind == "f" else array
            assert found.dtype == wanted.dtype
            assert found.shape == array.shape
            assert np.array_equal(found, wanted)


def test_weights_beside_the_file_are_read_from_there_and_named(tmp_path):
    arrays = {name: np.arange(500, dtype=np.float32) + i for i, name in enumerate("abc")}
    path = tmp_path / "m.onnx"
    saved(
        path,
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
        save_as_external_data=True,
        location="m.onnx_data",
        size_threshold=100,
    )
    with open_model(path) as model:
        assert {t.home for t in model.header.tensors} == {"m.onnx_data"}
        assert "m.onnx_data" in model.header.notes[0]
        for name, array in arrays.items():
            assert np.array_equal(model.numbers(name), array)
            assert bytes(model.raw(name)) == array.tobytes()


def test_two_names_for_the_very_same_bytes_beside_the_file_are_tied_weights(tmp_path):
    (tmp_path / "w.bin").write_bytes(RAW)
    path = tmp_path / "m.onnx"
    path.write_bytes(
        onnx_bytes(*(initialiser(name, [2], F32, None, place(b"w.bin")) for name in "ab"))
    )
    with open_model(path) as model:
        assert model.numbers("a").tolist() == model.numbers("b").tolist() == [1.5, -2]


@pytest.mark.parametrize("kind", [k for k in TYPES if k != STRING])
def test_every_type_gives_the_numbers_of_the_package(kind, tmp_path):
    numbers = 16
    raw = bytes(i % 60 + 1 for i in range(bytes_of(TYPES[kind], numbers)))
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_bytes(initialiser("a", [4, 4], kind, raw)))
    proto = onnx.load(path).graph.initializer[0]
    with open_onnx(path) as model:
        assert model.header.tensors[0].size == numbers * BITS[TYPES[kind]] // 8
        found = model.numbers("a")
    wanted = onnx.numpy_helper.to_array(proto)
    assert found.shape == (4, 4)
    with np.errstate(all="ignore"):
        assert np.array_equal(found, wanted.astype(found.dtype), equal_nan=TYPES[kind][0] in "FB")


def test_the_types_are_those_of_the_package():
    theirs = dict(onnx.TensorProto.DataType.items())
    assert set(TYPES) == set(theirs.values()) - {theirs["UNDEFINED"]}


def test_texts_are_counted_and_not_turned_into_numbers(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(
        onnx_bytes(initialiser("a", [2], STRING, None, field(6, b"x"), field(6, b"y")))
    )
    with open_onnx(path) as model, pytest.raises(DataError, match="texts"):
        model.numbers("a")


def test_what_is_unusual_stands_in_the_notes(tmp_path):
    node = field(
        1,
        field(4, b"Odd")
        + field(7, b"com.example")
        + field(5, bytes([0x0A]) + varint(2000) + bytes(2000)),
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_bytes(NODE, node, field(15, b"")))
    with open_onnx(path) as model:
        notes = " ".join(model.header.notes)
        assert model.header.metadata["operators"] == {"Add": 1, "com.example.Odd": 1}
    assert "com.example" in notes
    assert "sparse" in notes
    assert "large nodes" in notes


def test_a_model_without_a_version_is_recognised_by_its_graph(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, ONE) + field(8, field(2, 17)))
    with open_model(path) as model:
        assert model.header.format == "onnx"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    tensors = [
        helper.make_tensor("a", F32, [2, 2], [1.0, 2.0, 3.0, 4.0]),
        onnx.numpy_helper.from_array(np.arange(3, dtype=np.int8), "b"),
        helper.make_tensor("c", I64, [3], [-1, 2, 300]),
    ]
    saved(path, tensors)
    return path.read_bytes()


@given(data=st.data())
def test_a_changed_file_that_is_read_here_has_the_tensors_that_the_package_finds(
    data, whole, tmp_path_factory
):
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.onnx"
    path.write_bytes(changed)
    try:
        model = open_onnx(path)
    except AssayError:
        return
    theirs = onnx.ModelProto()
    with model, suppress(onnx.checker.ValidationError):
        try:
            theirs.ParseFromString(bytes(changed))
        except Exception:  # noqa: BLE001  # arguments of nodes, which are not looked at here
            return
        found = {t.name: tuple(t.dims) for t in theirs.graph.initializer}
        assert {t.name: t.shape for t in model.header.tensors} == found


def test_a_file_of_nothing_but_fields_ends_in_bounded_time_and_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(wire, "MOST_FIELDS", 30_000)
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_bytes(b"\x0a\x00" * 40_000))  # nodes without anything
    tracemalloc.start()
    with pytest.raises(DataError, match="fields"):
        open_onnx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
