"""The pipeline: a tier file read strictly, every stage once, what is stopped told and sealed."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import supply_models
from assay import AssayError, DataError, PlanError, Run
from assay.families.supply.keeping.cache import ModelCache
from assay.families.supply.pipeline.desk import Desk, Stage, done
from assay.families.supply.pipeline.evaluating import check_task
from assay.families.supply.pipeline.journal import Outcome, key_of, opened
from assay.families.supply.pipeline.listed import misdescribed
from assay.families.supply.pipeline.pipeline import Wanted, run_pipeline
from assay.families.supply.pipeline.tiers import (
    TIERS,
    Model,
    Validation,
    count_of,
    read_tiers,
    spell,
    tier_of,
)
from assay.store.seal import read_seal

ROOT = Path(__file__).parents[2]
LEVELS = [
    {"id": "f16", "method": "f16", "bits": 16},
    {"id": "q8", "method": "q8", "bits": 8},
    {"id": "q4", "method": "q4", "bits": 4, "block_size": 32},
]
MODEL = {
    "id": "smol",
    "source": "hf:org/smol@main",
    "format": "gguf",
    "params": "135M",
    "architecture": "llama",
    "tier": "micro",
    "quantisations": ["f16", "q8"],
}


def tier_file(folder, **change):
    content = {"name": "models", "quantisations": LEVELS, "models": [MODEL]} | change
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False))  # no aliases
    return path


# --- the tier file -----------------------------------------------------------------------------


def test_the_published_tier_file_can_be_read():
    read = read_tiers(ROOT / "plans" / "models.yaml")
    assert {model.tier for model in read.value.models} <= set(TIERS)
    assert read.value.validation.criteria
    for limit in (None, 6):  # as the manual shows it
        check_task(read.value.validation, limit=limit, where="")


def test_values_are_those_of_the_file_and_the_rest_has_defaults(tmp_path):
    file = read_tiers(tier_file(tmp_path)).value
    assert (file.models[0].count, file.level("q4").block_size) == (135_000_000, 32)
    assert (file.validation.task, file.validation.min_prompts) == ("supply.sanity", 5)
    assert not file.evict


def model(**change):
    return {"models": [MODEL | change]}


@pytest.mark.parametrize(
    ("change", "code", "says", "hint"),
    [
        ({"modles": []}, "A101", "modles", "models"),
        (model(quantizations=["q8"]), "A101", "quantizations", "quantisations"),
        (model(params="350"), "A102", "135M or 1.5B", ""),
        (model(params="1.3B"), "A102", "1.3B parameters, and micro is", "tier: medium"),
        (model(params="70B", tier="large"), "A102", "70B", "no tier"),
        (model(tier="tiny"), "A102", "tier", ""),
        (model(quantisations=["q9"]), "A103", "no quantisation 'q9'", "q"),
        (model(quantisations=[]), "A102", "", ""),
        (model(quantisations=["q8", "q8"]), "A104", "q8 stands twice", ""),
        (model(id="a/b"), "A102", "name", ""),
        ({"models": [MODEL, MODEL]}, "A104", "smol stands twice under models", ""),
        ({"models": []}, "A102", "", ""),
        (
            {"quantisations": [{"id": "q8", "method": "q8", "bits": 4}]},
            "A102",
            "q8 has bits 8, not 4",
            "bits: 8",
        ),
        (
            {"quantisations": [{"id": "q4", "method": "q4", "bits": 4, "block_size": 64}]},
            "A102",
            "block_size 32, not 64",
            "block_size: 32",
        ),
        (
            {"quantisations": [{"id": "q8", "method": "q8", "bits": 8, "limits": {"kl_men": 1.0}}]},
            "A103",
            "no limit 'kl_men'",
            "kl_mean",
        ),
        ({"validation": {"confidence": 0.9}}, "A102", "95", ""),
        ({"validation": {"criteria": {"accuracy": 1.5}}}, "A102", "", ""),
        ({"validation": {"timeout_seconds": 0}}, "A102", "", ""),
    ],
)
def test_a_tier_file_that_cannot_be_followed_says_why_before_anything_is_fetched(
    tmp_path, change, code, says, hint
):
    with pytest.raises(PlanError) as caught:
        read_tiers(tier_file(tmp_path, **change))
    assert caught.value.code == code
    assert says in caught.value.what + caught.value.hint
    assert hint in caught.value.hint
    assert "models.yaml" in caught.value.where


@given(st.integers(10**6, 10**11))
def test_a_size_is_spelled_so_that_it_reads_back_nearly_the_same(count):
    assert abs(count_of(spell(count)) - count) <= 0.006 * count


def test_tiers_meet_and_do_not_overlap():
    bounds = list(TIERS.values())
    assert all(low < high for low, high in bounds)
    assert all(high == low for (_, high), (low, _) in pairwise(bounds))
    assert tier_of(8e9) is None


@pytest.mark.parametrize(
    ("listed", "found", "says"),
    [
        ({}, {}, None),
        ({"params": "350M", "tier": "small"}, {"parameters": 1_300_000_000}, "350M.*has 1.3B"),
        ({}, {"parameters": 149_000_000}, None),
        ({}, {"parameters": 151_000_000}, "has 151M"),
        ({}, {"format": "safetensors"}, "format is safetensors"),
        ({"architecture": "qwen2"}, {}, "architecture is llama"),
        ({"architecture": "LlamaForCausalLM"}, {}, None),
        ({}, {"architecture": None}, None),
    ],
)
def test_what_is_listed_is_held_to_the_head_of_the_file(listed, found, says):
    facts = {"format": "gguf", "parameters": 134_515_008, "architecture": "llama"} | found
    wrong = [what for what, _ in misdescribed(Model(**MODEL | listed), facts)]
    assert bool(wrong) == bool(says)
    assert not says or re.search(says, wrong[0])


def test_an_output_layer_that_repeats_the_embeddings_may_count_or_not():
    """Qwen2.5-Coder-1.5B has 1.54 billion parameters, and 1.78 billion numbers in its file."""
    qwen = Model(**MODEL | {"params": "1.54B", "tier": "medium", "architecture": "qwen2"})
    found = {"format": "gguf", "parameters": 1_777_088_000, "architecture": "qwen2"}
    assert [*misdescribed(qwen, found)]
    assert not [*misdescribed(qwen, found, head=233_373_696)]


@pytest.mark.parametrize(
    ("validation", "limit", "code", "says"),
    [
        ({"criteria": {"acuracy": 0.5}}, None, "A103", "no metric 'acuracy'"),
        ({"task": "supply.sanety"}, None, "A103", "no task"),
        ({"criteria": {"accuracy": 0.5}}, 3, "A104", "about 3 prompts"),
        ({"criteria": {"right_transpile": 0.5}, "min_prompts": 9}, None, "A104", "6 prompts"),
        ({"criteria": {"right_transpile": 0.5}, "min_prompts": 6}, None, None, ""),
    ],
)
def test_criteria_are_held_to_the_task_before_anything_is_fetched(validation, limit, code, says):
    def check():
        check_task(Validation(**validation), limit=limit, where="models.yaml:1")

    if code is None:
        check()
        return
    with pytest.raises(PlanError, match=says) as caught:
        check()
    assert caught.value.code == code


# --- journal and stages ------------------------------------------------------------------------


def test_half_a_line_at_the_end_is_cut_off_and_the_stage_done_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        for n in range(3):
            journal.write(f"k{n}", Outcome(stage="fetch", of="m", facts={"n": n}))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with opened(path) as journal:
            there = [journal.read(f"k{n}") is not None for n in range(3)]
        lines = whole[:cut].count(b"\n")
        assert there == [n < lines for n in range(3)]
        assert path.read_bytes() == b"".join(whole.splitlines(keepends=True)[:lines])


def test_a_line_that_no_pipeline_wrote_is_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"key": 1}\n')
    with pytest.raises(DataError, match="none that a pipeline wrote") as caught, opened(path):
        pass
    assert caught.value.where.endswith("journal.jsonl:1")


def test_a_second_pipeline_in_the_same_folder_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    with opened(path), pytest.raises(AssayError) as caught, opened(path):
        pass
    assert caught.value.code == "A501"


@pytest.fixture
def desk(tmp_path):
    file = read_tiers(tier_file(tmp_path)).value
    told: list[str] = []
    with opened(tmp_path / "out" / "journal.jsonl") as journal:
        yield (
            Desk(
                file=file,
                folder=tmp_path,
                out=tmp_path / "out",
                cache=ModelCache(tmp_path / "cache"),
                journal=journal,
                tell=told.append,
            ),
            told,
        )


def stage(do, **change):
    given = {"name": "convert", "of": "smol/q8", "inputs": {"a": 1}, "do": do} | change
    return Stage(**given)


def test_a_stage_is_done_once_unless_what_it_made_is_gone_or_its_inputs_changed(desk):
    at, told = desk
    calls: list[int] = []

    def do():
        calls.append(1)
        return {"says": "made"}

    assert done(at, stage(do)) == done(at, stage(do))
    assert len(calls) == 1
    done(at, stage(do, is_there=lambda facts: facts["says"] == "changed"))
    done(at, stage(do, inputs={"a": 2}))
    assert len(calls) == 3
    assert told[:3] == [
        "smol/q8  convert  begins",
        told[1],
        "smol/q8  convert  as before",
    ]
    assert re.fullmatch(r"smol/q8  convert  done in \d\.\d s: made", told[1])


@pytest.mark.parametrize(("code", "again"), [("A207", True), ("A405", True), ("A208", False)])
def test_a_stop_is_logged_and_only_a_refusal_is_final(desk, code, again):
    at, told = desk
    calls: list[int] = []

    def do():
        calls.append(1)
        raise DataError("HALT checksum: one byte\nis another", code=code)

    first = done(at, stage(do))
    assert first.stopped.startswith(f"{code} HALT checksum")
    assert told[-1].endswith(first.stopped)
    done(at, stage(do))
    assert len(calls) == (2 if again else 1)
    lines = at.stops.read_text().splitlines()
    assert len(lines) == len(calls)
    assert re.fullmatch(
        rf"\S+Z smol/q8 convert: {code} HALT checksum: one byte is another", lines[0]
    )


def test_what_would_stop_every_model_is_raised(desk):
    def do():
        raise AssayError("the disk is full", code="A500")

    with pytest.raises(AssayError, match="the disk is full"):
        done(desk[0], stage(do))
    assert desk[0].journal.read(key_of("convert", {"a": 1})) is None


# --- the whole of it ----------------------------------------------------------------------------

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="torch or transformers is absent",
)
QUICK = {"validation": {"max_tokens": 4, "min_prompts": 1, "criteria": {"failure_rate": 0.0}}}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A tier file with a model of random weights, one that is damaged, and one that is misdescribed."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    supply_models.make_folder(tmp_path / "tiny", "llama")
    (tmp_path / "broken").mkdir()
    for file in (tmp_path / "tiny").iterdir():
        data = file.read_bytes()
        (tmp_path / "broken" / file.name).write_bytes(
            data[:-10] if file.suffix == ".safetensors" else data
        )

    def listed(name, **change):
        return {
            "id": name,
            "source": f"file:{name}",
            "format": "safetensors",
            "params": "35K",
            "architecture": "llama",
            "tier": "nano",
            "quantisations": ["f16", "q4"],
        } | change

    return tier_file(
        tmp_path,
        evict=True,
        models=[
            listed("tiny"),
            listed("broken"),
            listed("large", source="file:tiny", params="350M", tier="small"),
        ],
        **QUICK,
    )


def take(path, folder, **change):
    told: list[str] = []
    wanted = Wanted(out=folder, cache=ModelCache(folder.parent / "cache" / "models"), limit=3)
    return run_pipeline(path, replace(wanted, tell=told.append, **change)), told


@pytest.mark.heavy
@pytest.mark.timeout(1200)  # a busy machine is no fault
@needs_torch
def test_every_model_goes_its_way_and_what_is_stopped_is_told_and_sealed(tiny, tmp_path):
    found, told = take(tiny, tmp_path / "out")
    stops = [f"{stop.of} {stop.stage} {stop.stopped}" for stop in found.stops]
    assert len(stops) == 3
    assert re.match(r"tiny/q4 gate A208 REFUSED: ", stops[0])
    assert re.match(r"broken (fetch|inspect) A205 the file is cut short", stops[1])
    assert re.match(r"large inspect A104 large is not what is listed: listed with 350M", stops[2])
    run = found.run()
    assert [system.name for system in run.loaded.plan.systems] == ["tiny-f16"]
    sealed = (run.path / "plan.yaml").read_text()
    assert "# stopped tiny/q4 at gate: A208 REFUSED" in sealed
    assert "# stopped large at inspect: A104" in sealed
    assert run.verify() == []
    log = (tmp_path / "out" / "stops.log").read_text()
    assert len(log.splitlines()) == 3
    passport = json.loads((tmp_path / "out/models/tiny-f16.apr.passport.json").read_bytes())
    assert passport["verdict"] == "accepted"
    # Nothing that was stopped leaves the cache as if it had passed.
    assert found.evicted == ()
    # Said again: everything is known, nothing is asked, the numbers are the same.
    again, told = take(tiny, tmp_path / "out")
    assert [line for line in told if line.endswith("begins")] == [
        line for line in told if line.endswith("begins") and ("broken" in line or "large" in line)
    ]
    assert again.evaluated.evaluate.facts == found.evaluated.evaluate.facts


@pytest.mark.heavy
@pytest.mark.timeout(1200)  # a busy machine is no fault
@needs_torch
def test_a_model_that_passed_leaves_the_cache_and_comes_back_when_it_is_needed(tiny, tmp_path):
    content = yaml.safe_load(tiny.read_text())
    content["models"] = [content["models"][0] | {"quantisations": ["f16"]}]
    content["validation"]["criteria"] = {"accuracy": 0.0}
    tiny.write_text(yaml.safe_dump(content))
    cache = ModelCache(tmp_path / "cache" / "models")
    found, _ = take(tiny, tmp_path / "out")
    assert [each.of for each in found.evicted] == ["tiny"]
    assert cache.ls() == ()
    assert list((tmp_path / "out" / "sources").iterdir()) == []
    # All of it stands: the run is there, nothing is fetched again.
    _, told = take(tiny, tmp_path / "out")
    assert all("as before" in line for line in told)
    # A precision more needs the source again.
    content["models"][0]["quantisations"] = ["f16", "q8"]
    tiny.write_text(yaml.safe_dump(content))
    more, told = take(tiny, tmp_path / "out")
    assert "tiny/f16  gate  as before" in told
    assert {s.name for s in more.run().loaded.plan.systems} == {"tiny-f16", "tiny-q8"}


KILLED = """
import json, os, signal, sys
from pathlib import Path
from assay.families.supply.commands.pipeline import _facts
from assay.families.supply.keeping.settings import models_cache
from assay.families.supply.pipeline.pipeline import Wanted, run_pipeline
path, out, attempts = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])

def take(stage, delay):
    def tell(line):
        if f"  {stage}  begins" in line:
            if delay:
                signal.setitimer(signal.ITIMER_REAL, delay)  # its default action ends a process
            else:
                os.kill(os.getpid(), signal.SIGKILL)
    return run_pipeline(path, Wanted(out=out, cache=models_cache(), limit=3, tell=tell))

for stage, delay in attempts:  # each in a process of its own, which has loaded no more than this one
    child = os.fork()
    if not child:
        take(stage, delay)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (-signal.SIGKILL, -signal.SIGALRM):
        sys.exit(f"{stage} after {delay} s ended with status {status}")
print(json.dumps(_facts(take("never", 0.0))))
"""
STAGES = ("fetch", "inspect", "convert", "gate", "evaluate", "front", "evict")


@pytest.mark.long
@pytest.mark.timeout(900)
@needs_torch
def test_a_pipeline_that_is_killed_in_every_stage_ends_as_one_that_is_not(tiny, tmp_path):
    content = yaml.safe_load(tiny.read_text())
    content["models"] = [content["models"][0] | {"quantisations": ["f16"]}]
    content["validation"]["criteria"] = {"accuracy": 0.0}
    tiny.write_text(yaml.safe_dump(content))
    whole, _ = take(tiny, tmp_path / "whole")
    # As each stage begins, and in the middle of those that take long.  The files of the whole run are
    # gone from the cache, so that every stage has something to do.
    within = {"gate": 0.05, "evaluate": 2.0}
    attempts = [
        (name, delay) for name in STAGES for delay in (0.0, within.get(name)) if delay is not None
    ]
    argv = [sys.executable, "-c", KILLED, str(tiny), str(tmp_path / "out"), json.dumps(attempts)]
    ended = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr
    facts = json.loads(ended.stdout)
    assert facts["evicted"] == ["tiny"]
    assert facts["claims"] == whole.evaluated.evaluate.facts["claims"]
    made = [
        json.loads((out / "journal.jsonl").read_text().splitlines()[-1])
        for out in (tmp_path / "whole", tmp_path / "out")
    ]
    assert made[0]["stage"] == made[1]["stage"] == "evict"
    one, other = Run.load(whole.evaluated.run), Run.load(facts["run"])
    assert (
        one.estimate("accuracy", "tiny-f16").value == other.estimate("accuracy", "tiny-f16").value
    )
    decided = [read_seal(run.dir).decisions for run in (one, other)]
    assert decided[0] == decided[1]
    assert (tmp_path / "whole/models/tiny-f16.apr").read_bytes() == (
        tmp_path / "out/models/tiny-f16.apr"
    ).read_bytes()
