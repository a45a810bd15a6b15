"""Safetensors heads: what its own library writes is read, and every kind of damage has its own fault."""

from __future__ import annotations

import tracemalloc
from struct import pack
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError, PluginError
from assay.families.supply.faults import Fault
from assay.families.supply.formats.plain_numbers import BITS
from assay.families.supply.formats.safetensors_file import open_safetensors
from model_bytes import refused, safetensors_bytes, tensor

library = pytest.importorskip("safetensors")
numpy_library = pytest.importorskip("safetensors.numpy")

ONE = {"a": tensor("U8", [1], 0, 1)}
TYPES = [
    np.float64,
    np.float32,
    np.float16,
    np.int64,
    np.int32,
    np.int16,
    np.int8,
    np.uint8,
    np.uint32,
    np.bool_,
]
FAULTY = {
    "cut in its weights": (safetensors_bytes({"a": tensor("F32", [4], 0, 16)}, bytes(15)), Fault.TRUNCATED),
    "cut in its head": (safetensors_bytes(ONE, b"x")[:20], Fault.TRUNCATED),
    "longer than it says": (safetensors_bytes(ONE, b"xy"), Fault.TRAILING),
    "a head of 2**60 bytes": (pack("<Q", 2**60) + b'{"a":{}}', Fault.OVERSIZED),
    "a dimension of 2**60": (safetensors_bytes({"a": tensor("U8", [2**60], 0, 2**60)}), Fault.OVERSIZED),
    "an end of 2**47": (safetensors_bytes({"a": tensor("U8", [2**47], 0, 2**47)}), Fault.OVERSIZED),
    "40 dimensions": (safetensors_bytes({"a": tensor("U8", [1] * 40, 0, 1)}, b"x"), Fault.OVERSIZED),
    "an entry of 5,000 bytes": (
        safetensors_bytes(b'{"a":{"dtype":"U8","shape":[1]' + b" " * 5000 + b',"data_offsets":[0,1]}}', b"x"),
        Fault.OVERSIZED,
    ),
    "100,000 texts in its metadata": (
        safetensors_bytes({"__metadata__": {str(i): "" for i in range(100_000)}}), Fault.OVERSIZED
    ),
    "tensors that overlap": (
        safetensors_bytes({"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 1, 3)}, bytes(3)),
        Fault.OVERLAPPING,
    ),
    "two names for the same bytes": (
        safetensors_bytes({"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 0, 2)}, bytes(2)),
        Fault.OVERLAPPING,
    ),
    "a name twice": (
        safetensors_bytes(
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
            b'"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
            b"xy",
        ),
        Fault.DUPLICATE,
    ),
    "bytes that belong to none": (
        safetensors_bytes({"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [1], 2, 3)}, bytes(3)),
        Fault.HOLE,
    ),
    "fewer bytes than its shape": (safetensors_bytes({"a": tensor("F32", [2], 0, 4)}, bytes(4)), Fault.WRONG_SIZE),
    "an end before its beginning": (safetensors_bytes({"a": tensor("U8", [1], 1, 0)}, b"x"), Fault.WRONG_SIZE),
    "half a byte": (safetensors_bytes({"a": tensor("F4", [3], 0, 2)}, b"xy"), Fault.WRONG_SIZE),
    "a type of nobody": (safetensors_bytes({"a": tensor("F33", [1], 0, 4)}, bytes(4)), Fault.UNKNOWN_TYPE),
    "a type of others": (safetensors_bytes({"a": tensor("I4", [2], 0, 1)}, b"x"), Fault.UNKNOWN_TYPE),
    "no JSON": (safetensors_bytes(b'{"a":nonsense}'), Fault.NONSENSE),
    "no UTF-8": (safetensors_bytes(b'{"\xff":{}}'), Fault.NONSENSE),
    "something after its head": (safetensors_bytes(b'{"a":{}} {}'), Fault.NONSENSE),
    "a list where an object belongs": (safetensors_bytes({"a": [1]}), Fault.NONSENSE),
    "a negative place": (safetensors_bytes({"a": tensor("U8", [1], -1, 0)}), Fault.NONSENSE),
    "a size with a fraction": (safetensors_bytes({"a": tensor("U8", [1.5], 0, 1)}, b"x"), Fault.NONSENSE),
    "a truth value as a size": (safetensors_bytes({"a": tensor("U8", [True], 0, 1)}, b"x"), Fault.NONSENSE),
    "a key of its own": (safetensors_bytes({"a": {**ONE["a"], "code": "x"}}, b"x"), Fault.NONSENSE),
    "a type twice": (
        safetensors_bytes(b'{"a":{"dtype":"I8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
        Fault.NONSENSE,
    ),
    "metadata that is no text": (safetensors_bytes({"__metadata__": {"a": 1}}), Fault.NONSENSE),
    "metadata twice": (safetensors_bytes(b'{"__metadata__":{},"__metadata__":{}}'), Fault.NONSENSE),
    "depth": (safetensors_bytes(b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"), Fault.NONSENSE),
    "more tensors than any model": (
        safetensors_bytes(b"{" + b",".join(b'"%d":0' % i for i in range(2**18 + 1)) + b"}"),
        Fault.OVERSIZED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_every_kind_of_damage_has_its_own_fault(kind, tmp_path):
    refused(tmp_path / "m.safetensors", *FAULTY[kind])


@st.composite
def arrays(draw):
    names = draw(st.lists(st.text(max_size=20), max_size=6, unique=True))
    made = {}
    for name in names:
        shape = draw(st.lists(st.integers(0, 4), max_size=3))
        kind = draw(st.sampled_from(TYPES))
        seed = draw(st.integers(0, 9))
        raw = np.random.default_rng(seed).integers(-100, 100, shape)
        made[name] = np.ascontiguousarray(raw.astype(kind))
    made.pop("__metadata__", None)
    return made


@given(
    made=arrays(),
    metadata=st.none() | st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)
def test_what_its_own_library_writes_is_read_to_the_last_number(made, metadata, tmp_path_factory):
    if not made and not metadata:
        metadata = None  # of {} and {}, safetensors 0.8 makes no JSON, and does not read it either
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(numpy_library.save(made, metadata))
    with open_safetensors(path) as model:
        assert {t.name for t in model.header.tensors} == set(made)
        assert model.header.metadata == (metadata or {})
        assert model.header.parameters == sum(array.size for array in made.values())
        for name, array in made.items():
            assert bytes(model.raw(name)) == array.tobytes()
            found = model.numbers(name)
            assert found.shape == array.shape
            wanted = array.astype(np.float32) if array.dtype.kind == "f" else array
            assert found.dtype == wanted.dtype
            assert np.array_equal(found, wanted)


@given(data=st.data())
def test_a_changed_head_that_is_read_here_is_read_by_its_own_library_too(data, tmp_path_factory):
    made = {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(3, np.int8)}
    whole = bytearray(numpy_library.save(made, {"by": "tests"}))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255) | st.sampled_from(b'0123456789{}[]",:'))
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    path.write_bytes(whole)
    try:
        open_safetensors(path).close()
    except DataError:
        return
    library.deserialize(bytes(whole))


@pytest.mark.parametrize("dtype", sorted(set(BITS) - {"C128", "U4", "I4", "U2", "I2"}))
def test_types_have_the_sizes_that_its_own_library_gives_them(dtype, tmp_path):
    numbers = 8
    data = safetensors_bytes({"a": tensor(dtype, [numbers], 0, BITS[dtype])}, bytes(BITS[dtype]))
    library.deserialize(data)
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with open_safetensors(path) as model:
        assert model.header.tensors[0].size == BITS[dtype] * numbers // 8


def test_small_floats_are_widened_exactly(tmp_path):
    torch_types = pytest.importorskip("ml_dtypes")
    wanted = np.array([0.0, 1.0, -0.5, 448.0], np.float32)
    pieces = {
        "F8_E4M3": wanted.astype(torch_types.float8_e4m3fn),
        "BF16": wanted.astype(torch_types.bfloat16),
    }
    for dtype, array in pieces.items():
        raw = array.tobytes()
        path = tmp_path / f"{dtype}.safetensors"
        path.write_bytes(safetensors_bytes({"a": tensor(dtype, [4], 0, len(raw))}, raw))
        with open_safetensors(path) as model:
            assert np.array_equal(model.numbers("a"), wanted)
            assert model.numbers("a").dtype == np.float32


def test_numbers_that_are_packed_into_parts_of_bytes_are_not_guessed(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors_bytes({"a": tensor("F4", [4], 0, 2)}, b"xy"))
    with open_safetensors(path) as model, pytest.raises(AssayError, match="packed"):
        model.numbers("a")


def test_a_tensor_at_an_odd_byte_is_read_and_noted(tmp_path):
    head = {"a": tensor("U8", [1], 0, 1), "b": tensor("F32", [1], 1, 5)}
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors_bytes(head, b"x" + pack("<f", 2.5)))
    with open_safetensors(path) as model:
        assert model.numbers("b").tolist() == [2.5]
        assert "do not begin at a multiple" in model.header.notes[0]


def test_numbers_outlive_the_file_that_they_came_from(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(numpy_library.save({"a": np.arange(5, dtype=np.float32)}))
    with open_safetensors(path) as model:
        found = model.numbers("a")
    path.unlink()
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert not found.flags.writeable


def test_a_name_that_is_not_there_is_a_key_error_and_no_file_an_a403(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors_bytes(ONE, b"x"))
    with open_safetensors(path) as model:
        for ask in (model.raw, model.numbers, model.side_file):
            with pytest.raises(KeyError):
                ask("b")
    with pytest.raises(PluginError) as caught:
        open_safetensors(tmp_path / "none.safetensors")
    assert caught.value.code == "A403"


def test_a_head_of_lists_and_nothing_ends_in_little_memory_and_time(tmp_path):
    # A generic JSON reader makes a list object of every three bytes: twenty times the file.
    path = tmp_path / "m.safetensors"
    junk = b'{"a":[' + b"[],[]," * 2_000_000 + b"[]]}"
    path.write_bytes(safetensors_bytes(junk))
    tracemalloc.start()
    began = process_time()
    with pytest.raises(AssayError):
        open_safetensors(path)
    taken = process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(junk)
    assert taken < 2


def test_hostile_names_reach_no_terminal(tmp_path):
    name = "a\x1b[31m\u202e" + "x" * 10_000
    said = refused(
        tmp_path / "m",
        safetensors_bytes({name: tensor("F33", [1], 0, 4)}, bytes(4)),
        Fault.UNKNOWN_TYPE,
    )
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 250
