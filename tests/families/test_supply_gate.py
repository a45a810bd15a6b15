"""The gate on whole models: every attack is refused twice, by the weights and by the answers alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay import DataError, PlanError, PluginError, Run
from assay.families.supply.agreeing.gate import Agreement, How, validate
from assay.families.supply.agreeing.limits import Limits, limits_of
from assay.families.supply.agreeing.passport import (
    as_bytes,
    check_passport,
    passport_of,
    passport_path,
    read_passport,
    write_passport,
)
from assay.families.supply.agreeing.prompts import Prompt, PromptSet
from assay.families.supply.converting.convert import convert
from runs import execute_plan, write_plan
from tiny_llama import write_llama, write_tokenizer

pytest.importorskip("safetensors")
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
Tensors = dict[str, np.ndarray]
TEXTS = PromptSet(
    name="tests",
    prompts=tuple(
        Prompt(id=f"t{n}", category="sanity", text=text)
        for n, text in enumerate(
            (
                "The other thing in the theatre",
                "def mean(values): return sum(values)",
                '{"a": [1, 2]}',
            )
        )
    ),
)
HOW = How(prompts=TEXTS)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("models") / "source")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


def attacked(source: Path, target: Path, attack: Callable[[Tensors], Tensors]) -> Path:
    """Copy a model folder with other tensors."""
    from safetensors.numpy import load_file, save_file

    target.mkdir()
    for file in source.iterdir():
        if file.suffix == ".json":
            (target / file.name).write_bytes(file.read_bytes())
    tensors = attack(load_file(source / "model.safetensors"))
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    return target


def changes(found: Agreement) -> set[str]:
    return {one.change.name for one in found.weights.wrong}


def refused_on_outputs(found: Agreement) -> bool:
    """Whether the answers alone refuse it."""
    return bool(found.stopped) or any(not n.passed for n in found.numbers if n.of != "tensors")


def with_layer(
    part: str, change: Callable[[np.ndarray], np.ndarray]
) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {n: change(t) if part in n else t for n, t in tensors.items()}


def swapped(tensors: Tensors) -> Tensors:
    places = {"layers.0.": "layers.1.", "layers.1.": "layers.0."}

    def other(name: str) -> str:
        return next((name.replace(a, b) for a, b in places.items() if a in name), name)

    return {name: tensors[other(name)] for name in tensors}


ATTACKS: dict[str, tuple[str, Callable[[Tensors], Tensors]]] = {
    "every sign flipped": ("SIGN_FLIPPED", with_layer("", lambda w: -w)),
    "the signs of one matrix flipped": ("SIGN_FLIPPED", with_layer("1.mlp.down_proj", lambda w: -w)),
    "everything times 1000": ("SCALED", with_layer("", lambda w: w * np.float32(1000))),
    "the head times 1000": ("SCALED", with_layer("lm_head", lambda w: w * np.float32(1000))),
    "rows of one matrix permuted": ("PERMUTED_ROWS", with_layer("1.mlp.down_proj", lambda w: w[::-1])),
    "the vocabulary shuffled": ("PERMUTED_ROWS", with_layer("lm_head", lambda w: np.roll(w, 1, 0))),
    "columns permuted": ("PERMUTED_COLUMNS", with_layer("0.mlp.up_proj", lambda w: w[:, ::-1])),
    "a square matrix transposed": ("TRANSPOSED", with_layer("1.self_attn.o_proj", lambda w: w.T)),
    "two layers swapped": ("SWAPPED", swapped),
    "a layer of zeros": ("ZEROED", with_layer("layers.1.", lambda w: w * 0)),
    "a matrix of NaN": ("NON_FINITE", with_layer("1.mlp.up_proj", lambda w: w * np.float32(np.nan))),
    "logits that never change": ("ZEROED", with_layer("lm_head", lambda w: w * 0)),
    "a tensor dropped": ("MISSING", lambda t: {n: w for n, w in t.items() if "1.mlp.up" not in n}),
    "the head dropped": ("MISSING", lambda t: {n: w for n, w in t.items() if n != HEAD}),
    "a tensor cut in half": ("WRONG_SHAPE", with_layer("1.mlp.down_proj", lambda w: w[:32])),
    "nothing left": ("MISSING", lambda t: {"model.norm.weight": t["model.norm.weight"]}),
}  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_refused_by_the_weights_and_by_the_answers_alone(name, source, tmp_path):
    wanted, attack = ATTACKS[name]
    found = validate(attacked(source, tmp_path / "bad", attack), source, how=HOW)
    assert not found.accepted
    assert wanted in changes(found)
    assert found.reasons[0] == str(found.weights.wrong[0])  # which tensor, and what happened to it
    assert refused_on_outputs(found), "the weights alone saw it"


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["every sign flipped", "two layers swapped", "everything times 1000"])  # fmt: skip
@pytest.mark.parametrize("quantise", ["f16", "q8"])
def test_an_attack_is_refused_in_a_converted_file_too(name, quantise, source, tmp_path):
    wanted, attack = ATTACKS[name]
    bad = attacked(source, tmp_path / "bad", attack)
    if name == "everything times 1000" and quantise == "f16":
        attack = with_layer("", lambda w: w * np.float32(100))  # half precision ends at 65504
        bad = attacked(source, tmp_path / "less", attack)
    convert(bad, tmp_path / "bad.apr", to="apr", quantise=quantise)
    found = validate(tmp_path / "bad.apr", source, how=HOW)
    assert not found.accepted
    assert wanted in changes(found)
    assert refused_on_outputs(found)


@pytest.mark.heavy
def test_a_truncated_file_is_damage_and_is_told_before_anything_is_compared(source, tmp_path):
    convert(source, tmp_path / "m.apr", to="apr", quantise="q8")
    whole = (tmp_path / "m.apr").read_bytes()
    (tmp_path / "m.apr").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="A205"):
        validate(tmp_path / "m.apr", source, how=HOW)
    weights = attacked(source, tmp_path / "short", dict) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(DataError, match="A205"):
        validate(tmp_path / "short", source, how=HOW)


@pytest.mark.heavy
def test_another_tokenizer_is_refused_though_every_weight_is_the_same(source, tmp_path):
    other = attacked(source, tmp_path / "other", dict)
    write_tokenizer(other, shift=1)
    found = validate(other, source, how=HOW)
    assert found.weights.passed
    assert not found.accepted
    numbers = {one.name: one for one in found.numbers}
    assert numbers["read_otherwise"].value == len(TEXTS.prompts)
    assert numbers["kl_mean"].value == 100
    assert found.reasons[0] == "read_otherwise 3 is above 0 (3 prompts)"


@pytest.mark.heavy
def test_other_weights_of_the_same_shape_are_refused(source, tmp_path):
    found = validate(write_llama(tmp_path / "other", seed=1), source, how=HOW)
    assert not found.accepted
    assert changes(found) == {"CHANGED"}
    assert refused_on_outputs(found)


@pytest.mark.heavy
@pytest.mark.parametrize("quantise", [None, "f16", "bf16", "q8"])
def test_an_honest_conversion_is_accepted(quantise, source, tmp_path):
    convert(source, tmp_path / "m.apr", to="apr", quantise=quantise)
    found = validate(tmp_path / "m.apr", source, how=HOW)
    assert found.accepted, found.reasons
    numbers = {one.name: one.value for one in found.numbers}
    assert numbers["kl_mean"] <= {None: 0, "f16": 1e-4, "bf16": 1e-3, "q8": 1e-2}[quantise]
    passport = write_passport(found).passport
    assert passport.settings["to"] == "apr"
    assert passport.verdict == "accepted"
    assert check_passport(tmp_path / "m.apr") == passport


@pytest.mark.heavy
def test_a_tied_model_agrees_with_itself_in_every_format(tmp_path):
    tied = write_llama(tmp_path / "tied", tied=True)
    convert(tied, tmp_path / "m.apr", to="apr")
    assert validate(tmp_path / "m.apr", tied, how=HOW).accepted
    assert validate(tied, tmp_path / "m.apr", how=HOW).accepted


@pytest.mark.heavy
def test_four_bits_are_too_coarse_for_a_model_of_random_weights(source, tmp_path):
    """Each number is within its type: only the answers show it."""
    convert(source, tmp_path / "m.apr", to="apr", quantise="q4")
    found = validate(tmp_path / "m.apr", source, how=HOW)
    assert found.weights.passed
    assert not found.accepted
    wide = Limits(kl_mean=1.0, top1=0.2, topk=0.4)
    assert validate(tmp_path / "m.apr", source, limits=wide, how=HOW).accepted


@pytest.mark.heavy
def test_what_llama_cpp_runs_is_compared_over_the_whole_vocabulary(source, tmp_path):
    pytest.importorskip("xllamacpp")
    convert(source, tmp_path / "m.gguf", to="gguf", quantise="q8_0")
    how = How(prompts=TEXTS, positions=3)
    found = validate(tmp_path / "m.gguf", source, how=how)
    assert found.ran[0].startswith("llama.cpp")
    numbers = {one.name: one for one in found.numbers}
    assert numbers["kl_mean"].n == 9
    assert numbers["read_otherwise"].value == 0
    assert numbers["kl_mean"].value < 0.02
    in_torch = validate(
        tmp_path / "m.gguf", source, how=How(prompts=TEXTS, positions=3, runner="transformers")
    )
    assert in_torch.ran[0].startswith("torch")
    assert in_torch.weights.passed


@pytest.mark.heavy
def test_llama_cpp_runs_no_other_format(source):
    with pytest.raises(PlanError, match="A106"):
        validate(source, source, how=How(prompts=TEXTS, runner="llama.cpp"))


@pytest.mark.heavy
def test_a_passport_of_other_bytes_or_of_a_refused_file_stops_whoever_loads_it(source, tmp_path):
    model = tmp_path / "m.apr"
    convert(source, model, to="apr", quantise="q8")
    assert check_passport(model) is None
    found = validate(model, source, how=HOW)
    written = write_passport(found)
    assert written.path == passport_path(model)
    assert as_bytes(written.passport) == as_bytes(passport_of(found)) == written.path.read_bytes()
    data = bytearray(model.read_bytes())
    data[-20] ^= 1
    model.write_bytes(bytes(data))
    with pytest.raises(DataError, match="A207 HALT checksum"):
        check_passport(model)
    data[-20] ^= 1
    model.write_bytes(bytes(data))
    write_passport(validate(model, source, limits=Limits(kl_mean=0.0), how=HOW))
    with pytest.raises(DataError, match="A208 REFUSED: kl_mean"):
        check_passport(model)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p | {"verdict": "accepted"},
        lambda p: p | {"verdict": "accepted", "reasons": []},
        lambda p: p | {"passport": 2},
        lambda p: p | {"candidate": "m.apr"},
        lambda p: {name: p[name] for name in p if name != "numbers"},
        lambda p: p | {"numbers": [p["numbers"][0] | {"limit": "none"}]},
    ],
)
def test_an_edited_passport_contradicts_itself(edit, source, tmp_path):
    model = tmp_path / "m.apr"
    convert(source, model, to="apr", quantise="q4")
    path = write_passport(validate(model, source, how=HOW)).path
    path.write_text(json.dumps(edit(json.loads(path.read_bytes()))))
    with pytest.raises(DataError, match="A207"):
        read_passport(path)


def test_a_path_that_is_nothing_is_told(tmp_path):
    with pytest.raises(PluginError, match="A403"):
        validate(tmp_path / "none.apr", tmp_path / "none")


@pytest.mark.heavy
def test_weights_beside_those_that_would_be_loaded_are_never_taken_for_them(source, tmp_path):
    folder = attacked(source, tmp_path / "two", dict)
    bad = attacked(source, tmp_path / "bad", ATTACKS["every sign flipped"][1])
    (folder / "other.safetensors").write_bytes((bad / "model.safetensors").read_bytes())
    found = validate(folder / "other.safetensors", source, how=HOW)
    assert found.stopped.startswith("it cannot be run: transformers loads model.safetensors")
    with pytest.raises(PluginError, match="A403"):
        validate(source, folder / "other.safetensors", how=HOW)
    with pytest.raises(DataError, match="A205"):  # which of the two would run?
        validate(folder, source, how=HOW)


def test_limits_are_set_by_name():
    limits = limits_of(["kl_mean=0.5", "top1=none"])
    assert (limits.kl_mean, limits.top1, limits.topk) == (0.5, None, 0.9)
    for wrong in ("kl_mean", "kl_mean=-1", "kl_mean=nan", "k=3", "=1"):
        with pytest.raises(PlanError, match="A106"):
            limits_of([wrong])


PLAN = """
name: agree
tasks:
  - {use: supply.agreement, options: {source: source, positions: 3}}
systems:
  - {name: itself, use: supply.logits, options: {model: source}}
  - {name: q8, use: supply.logits, options: {model: q8.apr}}
  - {name: flipped, use: supply.logits, options: {model: flipped}}
  - {name: nan, use: supply.logits, options: {model: nan}}
  - {name: boasts, use: testing.faulty, options: {value: kl=0}}
timing: {processes: 1, blocks: 1, questions: 1}
claims:
  - {id: q8-kl, says: Eight bits are close, system: q8, metric: kl_mean, at_most: 0.01, over: []}
  - {id: q8-max, says: Everywhere, system: q8, metric: kl_max, at_most: 0.1, over: []}
  - {id: flipped-kl, says: A flipped head is close, system: flipped, metric: kl_mean, at_most: 0.01, over: []}
  - {id: nan-kl, says: NaN is close, system: nan, metric: kl_mean, at_most: 0.01, over: []}
  - {id: boasts-kl, says: Saying so helps, system: boasts, metric: kl_mean, at_most: 0.01, over: []}
  - {id: silent-kl, says: Silence is close, system: silent, metric: kl_mean, at_most: 0.01, over: []}
"""


@pytest.mark.heavy
def test_a_plan_states_the_limits_as_claims_and_broken_models_are_refuted(source, tmp_path):
    (tmp_path / "source").symlink_to(source)
    convert(source, tmp_path / "q8.apr", to="apr", quantise="q8")
    for name, attack in {"flipped": "every sign flipped", "nan": "a matrix of NaN"}.items():
        attacked(source, tmp_path / name, ATTACKS[attack][1])
    execute_plan(write_plan(tmp_path, PLAN), tmp_path / "run")
    run = Run.load(tmp_path / "run")
    found = {one.claim.id: one.status.value for one in run.results.findings}
    assert found == {
        "q8-kl": "supported",
        "q8-max": "supported",
        "flipped-kl": "refuted",
        "nan-kl": "refuted",
        "boasts-kl": "refuted",
        "silent-kl": "refuted",
    }
    assert run.estimate("kl_mean", "itself").value < 1e-6
    for broken in ("nan", "boasts", "silent"):
        assert run.estimate("kl_mean", broken, over=()).value == 100
        assert run.estimate("top1", broken, over=()).value == 0
