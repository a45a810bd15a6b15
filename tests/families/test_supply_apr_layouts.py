"""The other layouts that are called ``.apr``: read, or told from one another and explained."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import lz4.block
import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

import apr_files
from apr_files import fault_of, refused, sealed, wrapped
from assay import AssayError, DataError
from assay.families.supply.faults import Fault
from assay.families.supply.formats.apr import (
    Layout,
    TensorToWrite,
    open_apr,
    open_shards,
    sniff,
    write_apr,
)

PACK = {
    0: lambda data: data,
    1: lambda data: lz4.block.compress(data, store_size=False),
    2: zstandard.ZstdCompressor().compress,
}


def opened(tmp_path: Path, data: bytes):
    path = tmp_path / "f.apr"
    path.write_bytes(data)
    return open_apr(path)


def test_each_layout_is_known_by_its_bytes():
    inner = apr_files.apr1()
    assert sniff(apr_files.v2()) is Layout.V2
    assert sniff(apr_files.v2(magic=b"APR2")) is Layout.V2_EARLY
    assert sniff(apr_files.v1()) is Layout.V1
    assert sniff(apr_files.v1(flags=2)) is Layout.V1
    assert sniff(apr_files.realizar()) is Layout.REALIZAR
    assert sniff(inner) is Layout.APR1
    for how, pack in PACK.items():
        assert sniff(wrapped(how, pack(inner), len(inner))) is Layout.WRAPPED
    assert sniff(b"APNR" + bytes(9)) is Layout.JUGAR
    assert sniff(b"APR!" + bytes(9)) is Layout.PROBE
    assert sniff(b"GGUF") is None
    assert sniff(b"") is None


@given(st.integers(0, 2**24 - 1))
def test_a_wrapper_of_any_size_is_no_v2(size):
    """The second byte of its size may be v2's minor version, 0."""
    assert sniff(wrapped(2, zstandard.compress(b"x"), size << 8)) is Layout.WRAPPED


# --- aprender v1 ----------------------------------------------------------------------------------


def test_a_v1_file_has_metadata_and_notes_and_no_tensors(tmp_path):
    metadata = {
        "created_at": "1700000000",
        "metrics": {"r2": 0.5, "raw": b"\1"},
        "nan": float("nan"),
    }
    data = apr_files.v1(metadata=msgspec.msgpack.encode(metadata), flags=2 | 32, compression=1)
    with opened(tmp_path, data) as file:
        header = file.header
    assert header.variant == "v1 (APRN, aprender)"
    assert header.tensors == ()
    assert header.metadata == {
        "created_at": "1700000000",
        "metrics": {"r2": 0.5, "raw": "01"},
        "nan": "nan",
    }
    notes = "; ".join(header.notes)
    for part in (
        "LinearRegression (1)",
        "zstd level 3, 12 bytes unpacked",
        "quality score 85",
        f"Ed25519 key {bytes(range(32)).hex()}: not verified",
        "quantised",
    ):
        assert part in notes


def test_an_encrypted_v1_file_says_so(tmp_path):
    with opened(tmp_path, apr_files.v1(flags=1)) as file:
        assert any("encrypted" in note for note in file.header.notes)


@pytest.mark.parametrize(
    ("data", "fault", "says"),
    [
        (apr_files.v1()[:20], Fault.TRUNCATED, "36"),
        (apr_files.v1()[:-1], Fault.TRUNCATED, "of"),
        (apr_files.v1() + b"x", Fault.TRAILING, "parts end"),
        (sealed(apr_files.v1() + b"x"), Fault.TRAILING, "parts end"),
        (apr_files.v1()[:-5] + b"\0" + apr_files.v1()[-4:], Fault.CHECKSUM, "CRC32"),
        (apr_files.v1(major=2), Fault.UNSUPPORTED, "version 2.0"),
        (apr_files.v1(unpacked=2**30 + 1), Fault.OVERSIZED, "unpacked"),
        (apr_files.v1(compression=4), Fault.NONSENSE, "compression 4"),
        (apr_files.v1(metadata=b"\xc1"), Fault.NONSENSE, "MessagePack"),
        (apr_files.v1(metadata=b"\x01"), Fault.NONSENSE, "not a map"),
        (apr_files.v1(metadata=b"\x91" * 10**6), Fault.NONSENSE, "MessagePack"),
    ],
)
def test_what_is_wrong_with_a_v1_file_is_told(tmp_path, data, fault, says):
    error = fault_of(tmp_path / "f", data)
    assert error is not None
    assert error.what.startswith(fault.value)
    assert says in error.what


def test_every_bit_of_a_v1_file_counts():
    whole = apr_files.v1()
    for at in range(len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[at] ^= 1 << bit
            assert refused(bytes(data)) is not None


# --- realizar 0.2 ---------------------------------------------------------------------------------


def test_the_json_of_realizar_becomes_tensors(tmp_path):
    with opened(tmp_path, apr_files.realizar()) as file:
        assert file.header.variant == "v1 (APRN, realizar 0.2)"
        assert file.header.metadata == {"name": "tiny"}
        assert file.numbers("layers.0.weight").tolist() == [[1, 2, 3], [4, 5, 6]]
        assert bytes(file.raw("layers.0.bias")) == struct.pack("<2f", 0.5, -0.5)
        assert any("no checksum" in note for note in file.header.notes)


def test_metadata_that_are_no_json_are_left_out_aloud(tmp_path):
    with opened(tmp_path, apr_files.realizar(metadata=b"\xff")) as file:
        assert file.header.metadata == {}
        assert any("left out" in note for note in file.header.notes)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (apr_files.realizar(flags=1), Fault.UNSUPPORTED),
        (apr_files.realizar(flags=2), Fault.ENCRYPTED),
        (apr_files.realizar({"weights": []}), Fault.NONSENSE),
        (
            apr_files.realizar({"weights": [[1]], "biases": [], "dimensions": [1, 1]}),
            Fault.NONSENSE,
        ),
        (
            apr_files.realizar({"weights": [[1]], "biases": [[1]], "dimensions": [2, 1]}),
            Fault.WRONG_SIZE,
        ),
        (
            apr_files.realizar({"weights": [[1]], "biases": [[1]], "dimensions": [-1, -1]}),
            Fault.WRONG_SIZE,
        ),
        (
            apr_files.realizar({"weights": [["a"]], "biases": [[1]], "dimensions": [1, 1]}),
            Fault.NONSENSE,
        ),
    ],
)
def test_what_is_wrong_with_a_file_of_realizar_is_told(tmp_path, data, fault):
    error = fault_of(tmp_path / "f", data)
    assert error is not None
    assert error.what.startswith(fault.value)


# --- APR1 and its wrapper -------------------------------------------------------------------------


def test_apr1_is_read(tmp_path):
    with opened(tmp_path, apr_files.apr1()) as file:
        assert file.header.variant == "APR1"
        assert file.header.metadata == {"model_type": "mlp"}
        assert file.numbers("w").tolist() == [[1], [2], [3]]
        assert file.numbers("q").tolist() == [1, -1]


@pytest.mark.parametrize("how", PACK)
def test_a_compressed_apr1_is_read(tmp_path, how):
    inner = apr_files.apr1()
    with opened(tmp_path, wrapped(how, PACK[how](inner), len(inner))) as file:
        assert file.header.variant == "APR1, compressed (APR\\0)"
        assert file.numbers("w").tolist() == [[1], [2], [3]]


def test_an_lz4_block_with_its_size_before_it_is_read(tmp_path):
    inner = apr_files.apr1()
    with opened(tmp_path, wrapped(1, lz4.block.compress(inner), len(inner))) as file:
        assert file.numbers("q").tolist() == [1, -1]


def entry(**change) -> list[dict[str, object]]:
    return [{"name": "w", "dtype": "F32", "shape": [3], "offset": 0, "size": 12} | change]


INNER = apr_files.apr1()
BROKEN = {
    "cut": (INNER[:-3], Fault.TRUNCATED),
    "cut in the index": (INNER[:40], Fault.TRUNCATED),
    "cut in the head": (INNER[:10], Fault.TRUNCATED),
    "longer": (INNER + b"x", Fault.TRAILING),
    "checksum": (INNER[:-6] + b"\0" + INNER[-5:], Fault.CHECKSUM),
    "whisper": (b"APR1" + struct.pack("<HHI", 1, 0, 7) + bytes(80), Fault.UNSUPPORTED),
    "metadata": (apr_files.apr1(metadata=b'{"a"'), Fault.NONSENSE),
    "count": (apr_files.apr1(count=3), Fault.NONSENSE),
    "many": (apr_files.apr1(count=1 << 30), Fault.OVERSIZED),
    "type": (apr_files.apr1(entry(dtype="Q2_K"), data=bytes(12)), Fault.UNKNOWN_TYPE),
    "size": (apr_files.apr1(entry(shape=[4]), data=bytes(12)), Fault.WRONG_SIZE),
    "below zero": (apr_files.apr1(entry(offset=-4), data=bytes(12)), Fault.NONSENSE),
    "not a number": (apr_files.apr1(entry(shape=["a"]), data=bytes(12)), Fault.NONSENSE),
    "twice": (apr_files.apr1(entry() * 2, data=bytes(12)), Fault.DUPLICATE),
    "shared": (
        apr_files.apr1([*entry(), *entry(name="v", offset=8)], data=bytes(20)),
        Fault.OVERLAPPING,
    ),
    "bomb of LZ4": (wrapped(1, bytes(100), 1 << 29), Fault.OVERSIZED),
    "bomb": (wrapped(2, zstandard.compress(bytes(1 << 26)), (1 << 30) + 1), Fault.OVERSIZED),
    "no LZ4": (wrapped(1, b"\xff" * 50, 100), Fault.NONSENSE),
    "no zstd": (wrapped(2, b"\x28\xb5\x2f\xfd" + b"\xff" * 50, 100), Fault.NONSENSE),
    "less inside": (wrapped(2, zstandard.compress(INNER), len(INNER) + 1), Fault.TRUNCATED),
    "more inside": (wrapped(2, zstandard.compress(INNER), len(INNER) - 1), Fault.TRAILING),
    "cut inside": (wrapped(2, zstandard.compress(INNER)[:-9], len(INNER)), Fault.TRUNCATED),
    "other inside": (wrapped(0, b"APR2" + bytes(60), 64), Fault.NONSENSE),
    "damaged inside": (wrapped(0, INNER[:-6] + b"\0" + INNER[-5:], len(INNER)), Fault.CHECKSUM),
    "APR!": (b"APR!" + bytes(60), Fault.UNSUPPORTED),
    "APNR": (b"APNR" + bytes(60), Fault.UNSUPPORTED),
    "another": (b"GGUF" + bytes(60), Fault.UNKNOWN_FORMAT),
}


@pytest.mark.parametrize("what", BROKEN)
def test_each_kind_of_damage_is_told_by_its_own_name(tmp_path, what):
    data, fault = BROKEN[what]
    error = fault_of(tmp_path / "f", data)
    assert error is not None
    assert error.code == "A205"
    assert error.what.startswith(fault.value), error


def test_apr_with_an_exclamation_mark_is_explained(tmp_path):
    error = fault_of(tmp_path / "f", b"APR!" + bytes(60))
    assert "0x41505221" in str(error)
    assert "validator of single-shot-eval" in str(error)


@pytest.mark.parametrize("how", [1, 2])
def test_a_bomb_takes_no_more_memory_than_it_said(tmp_path, how):
    """64 MiB of zeros in a few kilobytes, said to be one kilobyte or 63 MiB."""
    packed = PACK[how](bytes(1 << 26))
    for said in (1 << 10, 63 << 20):
        (tmp_path / "f").write_bytes(wrapped(how, packed, said))
        tracemalloc.start()
        with pytest.raises(DataError):
            open_apr(tmp_path / "f")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < said * 1.2 + (4 << 20)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=300)
def test_a_forged_apr1_is_refused_or_read_whole(tmp_path_factory, changes):
    data = bytearray(INNER[:-4])
    for at, value in changes:
        data[at % len(data)] = value
    fault_of(tmp_path_factory.getbasetemp() / "forged1", sealed(bytes(data)))


# --- shards ---------------------------------------------------------------------------------------


@pytest.fixture
def manifest(tmp_path):
    """Two shards and the manifest that lists them, as a dictionary to break."""
    shards = []
    for index, names in enumerate((["a", "b"], ["c"])):
        path = tmp_path / f"m-{index}.apr"
        tensors = [TensorToWrite.of_array(name, np.full(3, index), "F32") for name in names]
        written = write_apr(path, {"name": f"part {index}"}, tensors, {f"side-{index}": b"x"})
        shards.append(
            {"filename": path.name, "index": index, "size": written.size, "tensors": names}
        )
    return {
        "version": "2.0",
        "shard_count": 2,
        "total_size": sum(shard["size"] for shard in shards),
        "tensor_count": 3,
        "shards": shards,
        "weight_map": {"a": 0, "b": 0, "c": 1},
    }


def listed(tmp_path, manifest) -> Path:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(manifest))
    return path


def test_shards_are_one_model(tmp_path, manifest):
    with open_shards(listed(tmp_path, manifest)) as file:
        assert {entry.name: entry.home for entry in file.header.tensors} == {
            "a": "m-0.apr",
            "b": "m-0.apr",
            "c": "m-1.apr",
        }
        assert file.header.metadata["name"] == "part 0"
        assert file.numbers("c").tolist() == [1, 1, 1]
        assert file.side_file("side-1") == b"x"
        assert file.header.side_files == ("side-0", "side-1")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: m["shards"][1].update(filename="gone.apr"), Fault.INCOMPLETE),
        (lambda m: m["shards"][1].update(filename="../m-1.apr"), Fault.OUTSIDE),
        (lambda m: m["shards"][1].update(filename="m-0.apr"), Fault.NONSENSE),
        (lambda m: m["shards"][1].update(size=10**6), Fault.TRUNCATED),
        (lambda m: m["shards"][1].update(index=2), Fault.INCOMPLETE),
        (lambda m: m["shards"][1].update(tensors=["d"]), Fault.INCOMPLETE),
        (lambda m: m["shards"].pop(), Fault.INCOMPLETE),
        (lambda m: m["weight_map"].update(a=1), Fault.INCOMPLETE),
        (lambda m: m["weight_map"].update(e=7), Fault.INCOMPLETE),
        (lambda m: m.update(tensor_count=4), Fault.INCOMPLETE),
        (lambda m: m.pop("shards"), Fault.NONSENSE),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_told(tmp_path, manifest, change, fault):
    change(manifest)
    with pytest.raises(DataError) as refusal:
        open_shards(listed(tmp_path, manifest))
    assert refusal.value.what.startswith(fault.value)


def test_a_tensor_in_two_shards_is_told(tmp_path, manifest):
    (tmp_path / "m-1.apr").write_bytes((tmp_path / "m-0.apr").read_bytes())
    with pytest.raises(DataError, match=r"a, in m-0\.apr and m-1\.apr"):
        open_shards(listed(tmp_path, manifest))


def test_a_manifest_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AssayError) as refusal:
        open_shards(tmp_path / "none.json")
    assert refusal.value.code == "A403"
