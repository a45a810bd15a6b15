"""GGUF heads: what the package ``gguf`` writes is read, and every kind of damage has its own fault."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from itertools import pairwise
from struct import pack
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.families.supply.faults import Fault
from assay.families.supply.formats import gguf_values
from assay.families.supply.formats.gguf_file import open_gguf
from assay.families.supply.formats.gguf_types import REMOVED, TYPES
from model_bytes import (
    BOOL,
    LIST,
    TEXT,
    U8,
    U32,
    described,
    gguf_bytes,
    pair,
    refused,
    text,
)

gguf = pytest.importorskip("gguf")

F32_AT_0 = described("a", [8], 0, 0)
HUGE = pack("<Q", 2**60)
FAULTY = {
    "cut in its weights": (gguf_bytes([F32_AT_0], data=bytes(31)), Fault.TRUNCATED),
    "cut in its head": (gguf_bytes([F32_AT_0], [pair("k", TEXT, text("word"))])[:40], Fault.TRUNCATED),
    "longer than it says": (gguf_bytes([F32_AT_0], data=bytes(64)), Fault.TRAILING),
    "longer than it says, without tensors": (gguf_bytes(data=bytes(100)), Fault.TRAILING),
    "2**60 tensors": (b"GGUF" + pack("<I", 3) + HUGE + bytes(64), Fault.OVERSIZED),
    "2**60 entries": (b"GGUF" + pack("<IQ", 3, 0) + HUGE + bytes(64), Fault.OVERSIZED),
    "a text of 2**60": (gguf_bytes(pairs=[pair("k", TEXT, HUGE)]), Fault.OVERSIZED),
    "2**60 texts": (gguf_bytes(pairs=[pair("k", LIST, pack("<I", TEXT) + HUGE)]), Fault.OVERSIZED),
    "2**60 numbers": (gguf_bytes(pairs=[pair("k", LIST, pack("<I", U8) + HUGE)]), Fault.OVERSIZED),
    "a text of 2**60 in a list": (
        gguf_bytes(pairs=[pair("k", LIST, pack("<IQ", TEXT, 2) + text("a") + HUGE)]),
        Fault.OVERSIZED,
    ),
    "five dimensions": (gguf_bytes([described("a", [1] * 5, 0, 0)], data=bytes(32)), Fault.OVERSIZED),
    "2**30 dimensions": (gguf_bytes([text("a") + pack("<I", 2**30) + bytes(20)]), Fault.OVERSIZED),
    "a dimension of 2**60": (gguf_bytes([described("a", [2**60], 0, 0)]), Fault.OVERSIZED),
    "a place at 2**60": (gguf_bytes([described("a", [8], 0, 2**60)]), Fault.OVERSIZED),
    "tensors that overlap": (
        gguf_bytes([described("a", [16], 0, 0), described("b", [8], 0, 32)], data=bytes(64)),
        Fault.OVERLAPPING,
    ),
    "a name twice": (
        gguf_bytes([described("a", [8], 0, 0), described("a", [8], 0, 32)], data=bytes(64)),
        Fault.DUPLICATE,
    ),
    "a place between the steps": (gguf_bytes([described("a", [8], 0, 4)], data=bytes(64)), Fault.MISALIGNED),
    "a row that is no whole block": (gguf_bytes([described("a", [33], 8, 0)], data=bytes(64)), Fault.WRONG_SIZE),
    "one number in a block of 32": (gguf_bytes([described("a", [], 2, 0)], data=bytes(32)), Fault.WRONG_SIZE),
    "a type of nobody": (gguf_bytes([described("a", [8], 99, 0)], data=bytes(32)), Fault.UNKNOWN_TYPE),
    "a type that was removed": (gguf_bytes([described("a", [32], 31, 0)], data=bytes(32)), Fault.UNKNOWN_TYPE),
    "metadata of no kind": (gguf_bytes(pairs=[pair("k", 99, b"")]), Fault.NONSENSE),
    "a list of no kind": (gguf_bytes(pairs=[pair("k", LIST, pack("<IQ", 99, 1))]), Fault.NONSENSE),
    "a key twice": (gguf_bytes(pairs=[pair("k", BOOL, b"\1"), pair("k", BOOL, b"\1")]), Fault.NONSENSE),
    "a key that is no UTF-8": (gguf_bytes(pairs=[text(b"\xff") + pack("<IB", BOOL, 1)]), Fault.NONSENSE),
    "an alignment of 12": (gguf_bytes(pairs=[pair("general.alignment", U32, pack("<I", 12))]), Fault.NONSENSE),
    "an alignment of 0": (gguf_bytes(pairs=[pair("general.alignment", U32, pack("<I", 0))]), Fault.NONSENSE),
    "an alignment in words": (gguf_bytes(pairs=[pair("general.alignment", TEXT, text("32"))]), Fault.NONSENSE),
    "lists in lists": (gguf_bytes(pairs=[pair("k", LIST, pack("<IQ", LIST, 1))]), Fault.UNSUPPORTED),
    "version 1": (gguf_bytes(version=1), Fault.UNSUPPORTED),
    "version 4": (gguf_bytes(version=4), Fault.UNSUPPORTED),
    "big-endian": (b"GGUF" + pack(">IQQ", 3, 0, 0), Fault.UNSUPPORTED),
    "nothing after its name": (b"GGUF", Fault.TRUNCATED),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTY)
def test_every_kind_of_damage_has_its_own_fault(kind, tmp_path):
    refused(tmp_path / "m.gguf", *FAULTY[kind])


def test_claims_of_2_to_the_60_end_in_milliseconds_and_take_no_memory(tmp_path):
    path = tmp_path / "m.gguf"
    huge = [data for kind, (data, _) in FAULTY.items() if "2**" in kind]
    for data in huge:
        refused(path, data, Fault.OVERSIZED)  # the first time, modules are imported
        tracemalloc.start()
        began = process_time()
        with suppress(DataError):
            open_gguf(path).close()
        taken = process_time() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert taken < 0.05
        assert peak < 100_000
    assert len(huge) == 9


def test_the_table_of_types_is_that_of_the_package():
    sizes = {t.value: (t.name, *gguf.GGML_QUANT_SIZES[t]) for t in gguf.GGMLQuantizationType}
    assert dict(TYPES) == sizes
    assert not set(REMOVED) & set(TYPES)


NUMBERS = {
    "uint32": st.integers(0, 2**32 - 1), "int32": st.integers(-(2**31), 2**31 - 1),
    "uint64": st.integers(0, 2**64 - 1), "float32": st.floats(width=32, allow_nan=False),
    "float64": st.floats(allow_nan=False), "bool": st.booleans(), "string": st.text(max_size=30),
    "uint8": st.integers(0, 255), "int8": st.integers(-128, 127), "int16": st.integers(-(2**15), 2**15 - 1),
}  # fmt: skip
LISTS = st.one_of(
    st.lists(st.text(max_size=9), min_size=1, max_size=9),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=9),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=9),
    st.lists(st.booleans(), min_size=1, max_size=9),
)


@st.composite
def heads(draw):
    keys = st.text("abcdefg._", min_size=1, max_size=12)
    single = draw(
        st.dictionaries(
            keys,
            st.sampled_from(sorted(NUMBERS)).flatmap(lambda k: st.tuples(st.just(k), NUMBERS[k])),
            max_size=6,
        )
    )
    lists = draw(st.dictionaries(keys, LISTS, max_size=3))
    tensors = draw(
        st.dictionaries(
            st.text(min_size=1, max_size=12),
            st.tuples(
                st.lists(st.integers(1, 3), max_size=3),
                st.sampled_from([np.float32, np.float16, np.int8]),
            ),
            max_size=5,
        )
    )
    return (
        single,
        {k: v for k, v in lists.items() if k not in single},
        tensors,
        draw(st.sampled_from([32, 64, 128])),
    )


@given(made=heads())
def test_what_the_package_writes_is_read_to_the_last_value(made, tmp_path_factory):
    single, lists, tensors, alignment = made
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    writer = gguf.GGUFWriter(path, "tiny")
    writer.add_custom_alignment(alignment)
    for key, (kind, value) in single.items():
        getattr(writer, f"add_{kind}")(key, value)
    for key, value in lists.items():
        writer.add_array(key, value)
    arrays = {
        name: np.arange(int(np.prod([*shape, 2]))).astype(kind).reshape(*shape, 2)
        for name, (shape, kind) in tensors.items()
    }
    for name, array in arrays.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_gguf(path) as model:
        metadata = model.header.metadata
        assert metadata["general.architecture"] == "tiny"
        for key, (kind, value) in single.items():
            # The writer leaves out texts that are empty.
            assert key not in metadata if kind == "string" and not value else metadata[key] == value
        for key, value in lists.items():
            assert list(metadata[key]) == value
        assert {t.name for t in model.header.tensors} == set(arrays)
        for name, array in arrays.items():
            found = model.numbers(name)
            assert found.shape == array.shape
            assert np.array_equal(found, array)
            assert bytes(model.raw(name)) == array.tobytes()


@pytest.mark.parametrize("kind", list(gguf.GGMLQuantizationType), ids=lambda t: t.name)
def test_every_type_has_its_size_and_gives_the_numbers_of_the_package(kind, tmp_path):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    raw = np.random.default_rng(kind.value).integers(0, 60, (3, 2 * size), np.uint8)
    tensor = described("a", [2 * block, 3], kind.value, 0)
    data = raw.tobytes()
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes([tensor], data=data + bytes(-len(data) % 32)))
    with open_gguf(path) as model:
        entry = model.header.tensors[0]
        assert (entry.dtype, entry.shape, entry.size) == (kind.name, (3, 2 * block), raw.size)
        if kind.name in ("Q8_1", "Q8_K", "Q1_0"):
            with pytest.raises(DataError, match=kind.name):
                model.numbers("a")
            return
        found = model.numbers("a")
        assert found.shape == (3, 2 * block)
        with np.errstate(all="ignore"):
            if kind.name[0] == "I" and kind.name[1] != "Q":
                wanted = raw.view(f"<i{size}")
            elif kind.name == "F64":
                wanted = raw.view("<f8").astype(np.float32)
            else:
                wanted = gguf.quants.dequantize(raw, kind)
        assert np.array_equal(found, wanted, equal_nan=True)


def test_versions_2_and_3_are_read_and_named(tmp_path):
    for version in (2, 3):
        path = tmp_path / f"{version}.gguf"
        path.write_bytes(gguf_bytes([F32_AT_0], data=bytes(32), version=version))
        with open_gguf(path) as model:
            assert model.header.variant == f"v{version}"


def test_a_last_tensor_may_go_without_its_padding(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes([described("a", [3], 0, 0)], data=pack("<3f", 1, 2, 3)))
    with open_gguf(path) as model:
        assert model.numbers("a").tolist() == [1, 2, 3]


def test_texts_of_a_vocabulary_are_a_list_even_where_they_are_no_utf_8(tmp_path):
    path = tmp_path / "m.gguf"
    words = [b"a", b"", b"\xff\xfe", "ß".encode()]
    path.write_bytes(
        gguf_bytes(pairs=[pair("k", LIST, pack("<IQ", TEXT, 4) + b"".join(map(text, words)))])
    )
    with open_gguf(path) as model:
        found = model.header.metadata["k"]
    assert len(found) == 4
    assert [word.encode("utf-8", "surrogateescape") for word in found] == words
    assert found[-1] == "ß"
    assert found[1:3] == [found[1], found[2]]
    with pytest.raises(IndexError):
        found[4]


def test_a_head_with_a_large_vocabulary_takes_little_more_than_its_bytes(tmp_path):
    path = tmp_path / "m.gguf"
    words = b"".join(text(f"word{i}") for i in range(100_000))
    path.write_bytes(gguf_bytes(pairs=[pair("k", LIST, pack("<IQ", TEXT, 100_000) + words)]))
    tracemalloc.start()
    with open_gguf(path):
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(words)


def test_lists_of_texts_are_bounded_all_together(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_values, "MOST_TEXTS", 3)
    one = pack("<IQ", TEXT, 2) + text("a") * 2
    refused(
        tmp_path / "m.gguf",
        gguf_bytes(pairs=[pair("a", LIST, one), pair("b", LIST, one)]),
        Fault.OVERSIZED,
    )


@pytest.fixture(scope="module")
def whole():
    pairs = [
        pair("general.architecture", TEXT, text("tiny")),
        pair("k", LIST, pack("<IQ", TEXT, 2) + text("a") + text("bc")),
        pair("n", LIST, pack("<IQ2I", U32, 2, 5, 6)),
        pair("t", BOOL, b"\1"),
    ]
    tensors = [described("a", [4, 2], 0, 0), described("b", [32], 8, 32)]
    return gguf_bytes(tensors, pairs, bytes(32) + bytes(64))


def test_a_file_cut_anywhere_before_its_last_weights_is_refused(whole, tmp_path):
    path = tmp_path / "cut.gguf"
    for size in range(4, len(whole) - 30, 3):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError) as caught:
            open_gguf(path)
        assert caught.value.what.startswith((Fault.TRUNCATED.value, Fault.OVERSIZED.value))


@given(data=st.data())
def test_a_changed_head_that_is_read_here_says_what_the_package_says(data, whole, tmp_path_factory):
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(4, len(whole) - 97))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    path.write_bytes(changed)
    try:
        model = open_gguf(path)
    except AssayError:
        return
    with model:
        theirs = gguf.GGUFReader(path)
        found = {t.name: (t.data_offset, t.n_bytes) for t in theirs.tensors}
        assert {t.name: (t.start, t.size) for t in model.header.tensors} == found
        placed = sorted((t.start, t.start + t.size) for t in model.header.tensors)
        assert all(end <= start for (_, end), (start, _) in pairwise(placed))
