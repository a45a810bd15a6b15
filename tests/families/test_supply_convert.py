"""A model becomes a model of another format: the same numbers, the same side files, the same bytes again."""

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save, save_file

import supply_decoders as tiny
from assay import AssayError, DataError, PlanError, PluginError
from assay.families.supply.converting.convert import CONVERTER, convert
from assay.families.supply.converting.elements import bytes_of, to_apr_q8
from assay.families.supply.converting.placing import require_room
from assay.families.supply.converting.safetensors_writer import write_safetensors
from assay.families.supply.converting.source import is_safe_place, open_source
from assay.families.supply.converting.weights import PIECE, Target, Weight
from assay.families.supply.formats.apr import TensorToWrite, write_apr
from assay.families.supply.formats.apr.codecs import encode
from assay.families.supply.formats.opening import open_model
from assay.families.supply.header import TensorEntry

slowly = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def arrays(draw):
    """A few tensors of the types that safetensors and APR share."""
    names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    shapes = st.lists(st.integers(1, 6), max_size=3).map(tuple)
    kinds = st.sampled_from(["f4", "f2", "f8", "i8", "i4", "i1", "u1"])
    found = draw(st.dictionaries(names, st.tuples(kinds, shapes), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return {
        name: np.asarray(rng.normal(size=shape) * 50).astype(kind)
        for name, (kind, shape) in found.items()
        if name != "__metadata__" and not name.startswith("assay.file/")
    }


def same(one, other) -> bool:
    return set(one) == set(other) and all(
        one[name].dtype == other[name].dtype
        and np.array_equal(one[name], other[name], equal_nan=True)
        for name in one
    )


@slowly
@given(arrays(), st.dictionaries(st.text("ab", min_size=1), st.text(max_size=4), max_size=2))
def test_safetensors_through_apr_are_what_they_were(tmp_path, tensors, metadata):
    """Tensors, types and metadata are equal; only the note of where it came from is new."""
    source, back = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(tensors, source, metadata)
    convert(source, tmp_path / "m.apr", to="apr", force=True)
    convert(tmp_path / "m.apr", back, to="safetensors", force=True)
    assert same(load_file(back), tensors)
    with open_model(back) as opened:
        found = dict(opened.header.metadata)
    found.pop("assay")
    assert found == {"format": "pt", **metadata}


@slowly
@given(arrays())
def test_the_writer_of_safetensors_writes_the_bytes_of_the_formats_own_library(tmp_path, tensors):
    names = {
        "f4": "F32",
        "f2": "F16",
        "f8": "F64",
        "i8": "I64",
        "i4": "I32",
        "i1": "I8",
        "u1": "U8",
    }
    targets = [
        Target(
            name=name,
            dtype=names[array.dtype.str[1:]],
            shape=array.shape,
            pieces=lambda array=array: iter([np.frombuffer(array.tobytes(), np.uint8)]),
        )
        for name, array in tensors.items()
    ]
    write_safetensors(tmp_path / "ours", targets, {"format": "pt"})
    assert (tmp_path / "ours").read_bytes() == save(tensors, {"format": "pt"})


def test_a_folder_through_apr_is_what_it_was_side_files_and_all(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    (source / "1_Pooling").mkdir()
    (source / "1_Pooling" / "config.json").write_text('{"word_embedding_dimension": 32}\n')
    (source / "pytorch_model.bin").write_bytes(b"\x80\x02.")  # left where it is
    there = convert(source, tmp_path / "m.apr", to="apr", quantise="f32")
    assert "file:1_Pooling/config.json" in [parent.source for parent in there.parents]
    made = convert(tmp_path / "m.apr", tmp_path / "back", to="safetensors")
    back = tmp_path / "back"
    assert same(load_file(back / "model.safetensors"), load_file(source / "model.safetensors"))
    assert json.loads((back / "config.json").read_text()) == tiny.config_of("llama")
    for name in ("tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"):
        assert (back / name).read_bytes() == (source / name).read_bytes()
    assert not (back / "pytorch_model.bin").exists()
    assert made.path == back
    assert sorted(each.name for each in tmp_path.iterdir()) == ["back", "m.apr", "source"]


@pytest.mark.parametrize("quantise", [None, "f16", "bf16", "q8", "q4"])
def test_equal_files_and_settings_give_equal_bytes(tmp_path, quantise):
    source = tiny.make_folder(tmp_path / "source")
    made = [
        convert(source, tmp_path / name, to="apr", quantise=quantise).sha256 for name in ("a", "b")
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("quantise", "dtype", "bound"),
    [
        ("q8", "APR_Q8", lambda x: np.abs(x).max() / 253),
        ("q4", "APR_Q4", lambda x: np.abs(x).max() / 13.9),
    ],
)
def test_a_quantised_matrix_is_within_its_codecs_bound_and_vectors_are_kept(
    tmp_path, quantise, dtype, bound
):
    source = tiny.make_folder(tmp_path / "source")
    convert(source, tmp_path / "m.apr", to="apr", quantise=quantise)
    given_ = load_file(source / "model.safetensors")
    with open_model(tmp_path / "m.apr") as opened:
        for name, array in given_.items():
            entry, found = opened.header.by_name[name], opened.numbers(name)
            if array.ndim == 2:
                assert entry.dtype == dtype
                assert 0 < np.abs(found - array).max() <= bound(array)
            else:
                assert entry.dtype == "F32"
                assert np.array_equal(found, array)
        assert opened.header.metadata["quantization"]["quant_type"] == quantise


@slowly
@given(st.integers(1, 400), st.integers(1, 50), st.sampled_from([0.0, 1e-30, 3.0]))
def test_q8_in_pieces_is_q8_at_once(numbers, piece, scale):
    """The streamed scale and codes are those of the codec that sees the tensor whole."""
    array = (np.random.default_rng(numbers).normal(size=numbers) * scale).astype(np.float32)
    pieces = [array[at : at + piece] for at in range(0, numbers, piece)]
    streamed = b"".join(each.tobytes() for each in to_apr_q8(lambda: iter(pieces)))
    assert streamed == b"".join(map(bytes, encode(array, "APR_Q8")))


@slowly
@given(
    st.sampled_from([(4, 6), (2, 8), (3, 4)]),
    st.sampled_from(["F32", "BF16", "APR_Q8", "APR_Q4"]),
    st.integers(1, 300),
)
def test_rows_that_change_places_come_back(tmp_path, monkeypatch, heads, dtype, piece):
    """What llama.cpp does to queries and keys is undone by its opposite, in pieces of any length."""
    monkeypatch.setattr("assay.families.supply.converting.weights.PIECE", piece)
    count, per_head = heads
    array = np.random.default_rng(0).normal(size=(count * per_head, 7)).astype(np.float32)
    raw = b"".join(map(bytes, encode(array, dtype)))
    path = tmp_path / "raw"
    path.write_bytes(raw)
    entry = TensorEntry(name="q", dtype=dtype, shape=array.shape, start=0, size=len(raw))
    plain = np.concatenate(list(Weight(name="q", path=path, entry=entry).singles())).reshape(
        array.shape
    )
    turned = Weight(name="q", path=path, entry=entry, heads=(count, 2))
    there = np.concatenate(list(turned.singles())).reshape(array.shape)
    expected = plain.reshape(count, 2, per_head // 2, 7).swapaxes(1, 2).reshape(array.shape)
    assert np.array_equal(there, expected)
    path.write_bytes(there.tobytes())
    entry = TensorEntry(name="q", dtype="F32", shape=array.shape, start=0, size=there.nbytes)
    back = Weight(name="q", path=path, entry=entry, heads=(count, per_head // 2))
    assert np.array_equal(np.concatenate(list(back.singles())).reshape(array.shape), plain)


def test_parents_and_settings_travel_in_the_file_and_in_the_result(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    made = convert(source, tmp_path / "m.apr", to="apr", quantise="q8")
    with open_model(tmp_path / "m.apr") as opened:
        ours = opened.header.metadata["assay"]
    assert ours["made_by"] == made.artifact.made_by == CONVERTER
    assert ours["settings"] == {"to": "apr", "quantise": "q8"} == made.settings
    names = [parent.source for parent in made.parents]
    assert names[:2] == ["file:model.safetensors", "file:config.json"]
    assert [each["digest"] for each in ours["parents"]] == list(made.artifact.parents)
    assert made.artifact.parents == tuple(parent.digest for parent in made.parents)
    assert made.artifact.size == (tmp_path / "m.apr").stat().st_size


def test_a_config_that_names_a_type_names_the_new_one(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    convert(source, tmp_path / "half", to="safetensors", quantise="bf16")
    assert json.loads((tmp_path / "half" / "config.json").read_text())["torch_dtype"] == "bfloat16"
    with open_model(tmp_path / "half" / "model.safetensors") as opened:
        assert {each.dtype for each in opened.header.tensors} == {"BF16"}


def test_shards_become_one_file(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    tensors = load_file(source / "model.safetensors")
    (source / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {
        "model-00001-of-00002.safetensors": names[:5],
        "model-00002-of-00002.safetensors": names[5:],
    }
    for shard, held in shards.items():
        save_file({name: tensors[name] for name in held}, source / shard)
    index = {"weight_map": {name: shard for shard, held in shards.items() for name in held}}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    convert(source, tmp_path / "whole", to="safetensors")
    assert same(load_file(tmp_path / "whole" / "model.safetensors"), tensors)
    assert not (tmp_path / "whole" / "model.safetensors.index.json").exists()


def test_numbers_that_a_type_cannot_hold_are_refused_by_name(tmp_path):
    save_file({"huge": np.full((2, 2), 1e6, np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(DataError, match=r"huge: .*infinite") as found:
        convert(tmp_path / "a.safetensors", tmp_path / "m.apr", to="apr", quantise="f16")
    assert found.value.code == "A208"
    save_file({"odd": np.full((2, 2), np.nan, np.float32)}, tmp_path / "b.safetensors")
    for quantise in ("q8", "q4"):
        with pytest.raises(DataError, match="not finite"):
            convert(tmp_path / "b.safetensors", tmp_path / "m.apr", to="apr", quantise=quantise)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_a_type_that_a_format_has_not_is_refused(tmp_path):
    save_file({"word": np.ones(3, np.uint16)}, tmp_path / "a.safetensors")
    with pytest.raises(DataError, match="no type for word, which is U16"):
        convert(tmp_path / "a.safetensors", tmp_path / "m.apr", to="apr")


@pytest.mark.parametrize(
    ("settings_", "match"),
    [
        ({"to": "apx"}, "write apr"),
        ({"to": "safetensors", "quantise": "q4"}, "or --to apr"),
        ({"to": "apr", "quantise": "q4_k_m"}, "or --to gguf"),
        ({"to": "gguf", "quantise": "q9"}, "one of f32"),
    ],
)
def test_formats_and_precisions_that_there_are_not_are_told_before_anything_is_read(
    tmp_path, settings_, match
):
    with pytest.raises(PlanError, match=match):
        convert(tmp_path / "none", tmp_path / "out", **settings_)


def test_what_stands_there_is_replaced_only_when_asked(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(PlanError, match="--force"):
        convert(source, tmp_path / "out", to="safetensors")
    assert (tmp_path / "out" / "mine.txt").exists()
    convert(source, tmp_path / "out", to="safetensors", force=True)
    assert not (tmp_path / "out" / "mine.txt").exists()
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_bare_tensors_make_no_folder(tmp_path):
    save_file({"w": np.ones(3, np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(PlanError, match=r"ends in \.safetensors"):
        convert(tmp_path / "a.safetensors", tmp_path / "out", to="safetensors")
    with pytest.raises(DataError, match=r"config\.json"):
        convert(tmp_path / "a.safetensors", tmp_path / "out.gguf", to="gguf")


def test_no_source_and_damaged_sources_are_told(tmp_path):
    with pytest.raises(PluginError, match="missing"):
        convert(tmp_path / "none", tmp_path / "out", to="apr")
    (tmp_path / "cut.safetensors").write_bytes(b"\x40\0\0\0\0\0\0\0{")
    with pytest.raises(DataError, match="cut short"):
        convert(tmp_path / "cut.safetensors", tmp_path / "out", to="apr")
    assert not (tmp_path / "out").exists()


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"w": np.ones((64, 64), np.float32)}, path)
    source = open_source(path)
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(DataError, match="w ends early"):
        list(source.weights[0].raw())


@pytest.mark.parametrize(
    "name",
    [
        "../x.json",
        "/x.json",
        "a/../x.json",
        "a\\x.json",
        "x.py",
        "x.bin",
        "",
        ".",
        "a//x.json",
        "./x.json",
    ],
)
def test_side_files_cannot_lead_out_of_the_folder_or_be_code(name):
    assert not is_safe_place(name)


def test_an_apr_file_whose_side_file_would_lead_out_is_refused(tmp_path):
    metadata = {"hf_config": {"model_type": "bert"}, "assay": {"files": {"../evil.json": "{}"}}}
    write_apr(tmp_path / "m.apr", metadata, [TensorToWrite.of_array("w", np.ones(2), "F32")])
    with pytest.raises(DataError, match=r"evil\.json"):
        convert(tmp_path / "m.apr", tmp_path / "deep" / "out", to="safetensors")
    assert not (tmp_path / "evil.json").exists()


def test_memory_holds_pieces_not_tensors(tmp_path):
    """A tensor of many pieces is read in pieces of about a million numbers."""
    numbers = 3 * PIECE + 5
    save_file({"w": np.zeros(numbers, np.float16)}, tmp_path / "a.safetensors")
    pieces = [each.size for each in open_source(tmp_path / "a.safetensors").weights[0].raw()]
    assert sum(pieces) == 2 * numbers
    assert max(pieces) <= 2 * PIECE
    assert bytes_of("F16", (numbers,)) == 2 * numbers


MEASURED = """
import resource, sys
from pathlib import Path
from assay.families.supply.converting.convert import convert
small, large, target, quantise = sys.argv[1:]
convert(Path(small), Path(target), to="apr", quantise=quantise)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(Path(large), Path(target), to="apr", quantise=quantise, force=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("quantise", ["f32", "q8", "q4"])
def test_a_large_tensor_takes_no_more_memory_than_its_pieces(tmp_path, quantise):
    """50 MB of one tensor, 100 MB as f32, are converted in 40 MB more than a tensor of one piece."""
    for name, rows in {"small": PIECE // 4096, "large": 24 * PIECE // 4096}.items():
        save_file({"w": np.ones((rows, 4096), np.float16)}, tmp_path / name)
    names = [str(tmp_path / name) for name in ("small", "large", "made")]
    child = subprocess.run(
        [sys.executable, "-c", MEASURED, *names, quantise],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(child.stdout) * 1024 < 40e6


def test_a_disk_without_room_is_told_before_it_is_full(tmp_path):
    with pytest.raises(AssayError, match="GB are free") as found:
        require_room(tmp_path / "out", 10**18)
    assert found.value.code == "A500"


KILLED = """
import os, signal, sys
from pathlib import Path
from assay.families.supply.converting import placing, convert as module
from assay.families.supply.converting.weights import Weight
stage, source, target, to, quantise = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def later(function, calls):
    left = [calls]
    def called(*given, **named):
        left[0] -= 1
        return function(*given, **named) if left[0] else die()
    return called
if stage == "begun":
    placing._clear = later(placing._clear, 1)
elif stage == "half":
    Weight._pieces = later(Weight._pieces, 9)
elif stage == "written":
    placing._settle = die
elif stage == "placing":
    Path.replace = later(Path.replace, 2 if to == "apr" else 1)
elif stage == "placed":
    module.artifact_of = later(module.artifact_of, 1)
module.convert(Path(source), Path(target), to=to, quantise=None if quantise == "-" else quantise, force=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["begun", "half", "written", "placing", "placed"])
@pytest.mark.parametrize(
    ("to", "quantise"), [("apr", "q4"), ("safetensors", "-"), ("gguf", "q8_0")]
)
def test_a_conversion_that_is_killed_leaves_nothing_half_and_is_said_again(
    tmp_path, stage, to, quantise
):
    source, target = tiny.make_folder(tmp_path / "source"), tmp_path / "made"
    child = subprocess.run(
        [sys.executable, "-c", KILLED, stage, str(source), str(target), to, quantise],
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    wanted = None if quantise == "-" else quantise
    alone = convert(source, tmp_path / "alone", to=to, quantise=wanted)
    assert target.exists() == (stage == "placed")
    if stage == "placed":
        assert digest_of(target) == alone.sha256
    again = convert(source, target, to=to, quantise=wanted, force=True)
    assert again.sha256 == alone.sha256
    assert sorted(each.name for each in tmp_path.iterdir()) == ["alone", "made", "source"]


def digest_of(target):
    from hashlib import sha256

    file = target / "model.safetensors" if target.is_dir() else target
    return sha256(file.read_bytes()).hexdigest()


def test_two_conversions_to_one_name_do_not_meet(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    staging = tmp_path / "m.apr.part"
    staging.mkdir()
    held = os.open(staging, os.O_RDONLY)
    try:
        flock(held, LOCK_EX)
        with pytest.raises(AssayError, match="another process") as found:
            convert(source, tmp_path / "m.apr", to="apr")
        assert found.value.code == "A501"
    finally:
        os.close(held)
    convert(source, tmp_path / "m.apr", to="apr")
    assert not staging.exists()


@contextmanager
def files_of_at_most(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("to", ["apr", "safetensors", "gguf"])
def test_a_file_that_the_disk_does_not_take_is_told_and_cleared_away(tmp_path, to):
    """The system's limit on the length of files stands in for a full disk: the same errors of write."""
    source = tiny.make_folder(tmp_path / "source")
    with files_of_at_most(20_000), pytest.raises(AssayError, match="cannot write") as found:
        convert(source, tmp_path / "made", to=to)
    assert found.value.code == "A500"
    assert [each.name for each in tmp_path.iterdir()] == ["source"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    source = tiny.make_folder(tmp_path / "source")
    (tmp_path / "file").write_text("")
    with pytest.raises(AssayError, match="cannot write"):
        convert(source, tmp_path / "file" / "made", to="apr")


def test_pieces_of_every_format_add_up(tmp_path):
    """Each target's promised size is the size of its pieces."""
    from assay.families.supply.converting.precision import for_apr, for_safetensors, target

    source = open_source(tiny.make_folder(tmp_path / "source"))
    chosen = chain((for_apr(q) for q in (None, "f16", "q8", "q4")), (for_safetensors("bf16"),))
    for choose in chosen:
        for weight in source.weights:
            made = target(weight, choose(weight))
            assert sum(piece.size for piece in made.pieces()) == made.size
