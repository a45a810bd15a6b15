"""``assay rust evaluate``: names are resolved before anything runs, and plans say what was asked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, AssayError, DataError, PlanError, PluginError, Run
from assay.engine.plugins import known
from assay.families.transpile.commands.evaluate import evaluate
from assay.families.transpile.evaluate.asking import Wanted
from assay.families.transpile.evaluate.files import matching, pieces, spread
from assay.families.transpile.evaluate.planning import plans_of
from assay.families.transpile.evaluate.systems import read_baselines, read_models
from assay.families.transpile.evaluate.telling import _lower
from assay.families.transpile.rust import toolchain as rust
from assay.families.transpile.taskfile import read_task_file
from rust_here import needs_rust

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
PORT = """\
task: {id: port}
evaluation: {metrics: [accuracy], samples: 4}
prompts: {system: Port., user_template: "{python_code} {signature}"}
ground_truth: {type: compiler}
"""
RATE = """\
task: {id: rate}
evaluation: {metric: accuracy}
prompts: {system: One word., user_template: "Review: {input}"}
ground_truth: {source: rows.jsonl}
"""
needs_command = pytest.mark.skipif(
    "lm.command" not in known("assay.recipes"), reason="there is no lm.command"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with two task files and rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/port.yaml").write_text(PORT)
    (tmp_path / "tasks/rate.yaml").write_text(RATE)
    (tmp_path / "tasks/rows.jsonl").write_bytes((EXAMPLES / "sentiment.jsonl").read_bytes())
    return tmp_path


def gguf(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"GGUF" + bytes(60))
    return path


def safetensors(folder: Path, *, name: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    header = b'{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    (folder / name).write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    for other in ("config.json", "tokenizer.json"):
        (folder / other).write_text("{}")
    return folder / name


def ids(*paths: str):
    return [read_task_file(Path(path)) for path in paths]


# --- patterns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "spelt"),
    [
        ("m/*.{apr,gguf}", ["m/*.apr", "m/*.gguf"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("{a,{b,c}d}", ["a", "bd", "cd"]),
        ("{a}", ["{a}"]),
        ("a{b,c", ["a{b,c"]),
        ("a}b", ["a}b"]),
        ("{,x}y", ["y", "xy"]),
    ],
)
def test_braces_spread_as_in_a_shell(pattern, spelt):
    assert spread(pattern) == spelt


@given(st.text(st.sampled_from("ab*?.{},[]"), max_size=12))
def test_any_pattern_is_spread_without_losing_what_stands_outside_of_braces(pattern):
    assert spread(pattern)
    if "{" not in pattern:
        assert spread(pattern) == [pattern]


def test_a_pattern_gives_each_file_once_in_order(here):
    assert [str(p) for p in matching("--tasks", "tasks/{*,port}.yaml")] == [
        "tasks/port.yaml",
        "tasks/rate.yaml",
    ]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("tasks/prot.yaml", "did you mean 'port.yaml'?"),
        ("task/*.yaml", "there is no folder task"),
        ("tasks/*.{apr,gguf}", "in tasks"),
    ],
)
def test_a_pattern_that_nothing_matches_is_an_error_with_what_there_is(here, pattern, said):
    with pytest.raises(PlanError, match="nothing matches") as caught:
        matching("--tasks", pattern)
    assert said in caught.value.hint
    assert caught.value.where == "--tasks"


def test_commas_in_braces_and_quotes_part_nothing():
    assert pieces("a.{b,c},d='e,f' g") == ["a.{b,c}", "d='e,f' g"]


# --- models ---------------------------------------------------------------------------------


def test_models_are_files_folders_and_names(here):
    gguf(here / "models/small.gguf")
    safetensors(here / "models/tiny", name="model-00001-of-00002.safetensors")
    safetensors(here / "models/tiny", name="model-00002-of-00002.safetensors")
    found = read_models("models/*.{apr,gguf,safetensors},models/tiny,models/*/*.safetensors,smollm2-135m-instruct")  # fmt: skip
    assert [(each.name, each.use) for each in found] == [
        ("small", "lm.gguf"),
        ("tiny", "lm.transformers"),
        ("smollm2-135m-instruct", "lm.gguf"),
    ]


def test_two_models_of_one_name_get_two(here):
    gguf(here / "a/small.gguf")
    gguf(here / "b/small.gguf")
    assert [each.name for each in read_models("*/small.gguf")] == ["small", "small-2"]


def test_an_apr_file_is_an_error_until_something_can_run_it(here):
    (here / "slm.apr").write_bytes(b"APR2")
    with pytest.raises(PluginError, match=r"no installed family can run an \.apr file") as caught:
        read_models("*.{apr,gguf}")
    assert caught.value.code == "A401"


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        ("a.gguf", b"", "is no GGUF"),
        ("a.gguf", b"PK\x03\x04", "is no GGUF"),
        ("a.safetensors", b"GGUF", "not the length of a header"),
        ("a.safetensors", (2**40).to_bytes(8, "little") + b"{}", "not the length of a header"),
        ("a.safetensors", (4).to_bytes(8, "little") + b"[1] ", "no JSON object"),
        ("a.safetensors", (4).to_bytes(8, "little") + b"\xff{} ", "no JSON object"),
    ],
)
def test_a_model_file_that_is_not_what_its_name_says_is_an_error(here, name, held, said):
    (here / name).write_bytes(held)
    with pytest.raises(PluginError, match="not what its name says") as caught:
        read_models(name)
    assert said in caught.value.what
    assert (caught.value.code, caught.value.where) == ("A403", name)


def test_weights_without_their_configuration_are_no_model(here):
    safetensors(here / "m").parent.joinpath("config.json").unlink()
    with pytest.raises(PluginError, match=r"config\.json is missing"):
        read_models("m/*.safetensors")


@pytest.mark.parametrize("name", ["a.pt", "pytorch_model.bin", "a.pkl"])
def test_a_pickle_is_refused(here, name):
    (here / name).write_bytes(b"\x80\x04")
    with pytest.raises(PlanError, match="pickles run"):
        read_models(name)


def test_a_model_that_cannot_be_read_is_an_error(here):
    (here / "gone.gguf").symlink_to(here / "nowhere")
    with pytest.raises(PlanError, match="nothing matches"):
        read_models("gone.gguf")
    if os.geteuid() != 0:
        gguf(here / "shut.gguf").chmod(0)
        with pytest.raises(PlanError, match="cannot be read"):
            read_models("shut.gguf")
    (here / "folder.gguf").mkdir()
    with pytest.raises(PluginError, match="holds no model"):
        read_models("folder.gguf")


# --- baselines ------------------------------------------------------------------------------


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Put programs of these names where they are found; none of them is run."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_baselines_are_programs_that_are_told_which_model(here, monkeypatch):
    on_path(here / "bin", monkeypatch, "claude", "gemini", "ollama", "mine")
    (here / "tasks/port.yaml").write_text(
        PORT + "baselines: [{id: haiku, provider: anthropic, model: haiku-4}]\n"
    )
    tasks = ids("tasks/port.yaml")
    found = read_baselines("claude,gemini,ollama:qwen2.5:1b,small=mine --fast 'a b',haiku", tasks)
    assert {each.name: each.options["argv"] for each in found} == {
        "claude": ["claude", "--print"],
        "gemini": ["gemini"],
        "ollama-qwen2.5-1b": ["ollama", "run", "qwen2.5:1b"],
        "small": ["mine", "--fast", "a b"],
        "haiku": ["claude", "--print", "--model", "haiku-4"],
    }


def test_a_program_that_is_not_installed_is_named(here, monkeypatch):
    on_path(here / "bin", monkeypatch, "gemini")
    with pytest.raises(PluginError, match="'claude' is not installed"):
        read_baselines("gemini,claude", [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cluade", "no baseline is called 'cluade'"),
        ("ollama:", "no baseline is called"),
        ("mine=", "names no program"),
        ("mine='a", "No closing quotation"),
        ("gpt", "no program is known that asks 'openai'"),
        ("bare", "names no model"),
    ],
)
def test_a_baseline_that_nobody_knows_is_an_error(here, words, said):
    more = "baselines: [{id: gpt, provider: openai, model: x}, {id: bare, provider: ollama}]\n"
    (here / "tasks/port.yaml").write_text(PORT + more)
    with pytest.raises(PlanError, match=said):
        read_baselines(words, ids("tasks/port.yaml"))


# --- plans ----------------------------------------------------------------------------------


def test_tasks_that_are_asked_in_the_same_way_share_a_plan(here):
    (here / "tasks/again.yaml").write_text(PORT.replace("id: port", "id: again"))
    (here / "tasks/warm.yaml").write_text(
        PORT.replace("id: port", "id: warm") + "inference: {temperature: 0.5}\n"
    )
    files = ids(*(f"tasks/{name}.yaml" for name in ("port", "again", "rate", "warm")))
    made = plans_of(files, read_models("smollm2-135m-instruct"), Wanted())
    named = {p.name: [t["name"] for t in p.plan["tasks"]] for p in made}
    assert named == {
        "evaluate-port-and-1-more": ["port", "again"],
        "evaluate-rate": ["rate"],
        "evaluate-warm": ["warm"],
    }
    systems = {p.name: [s["name"] for s in p.plan["systems"]] for p in made}
    assert systems["evaluate-rate"] == ["smollm2-135m-instruct"]
    assert systems["evaluate-warm"] == ["rules", "smollm2-135m-instruct"]
    assert made[2].plan["systems"][1]["options"]["temperature"] == 0.5


def test_prompts_travel_in_the_question_and_paths_are_relative_to_the_plan(here):
    corpus = here / "programs.jsonl"
    corpus.write_text("{}")
    wanted = Wanted(corpus=corpus, samples=3, runs=2, folder=here / "runs")
    port, rate = plans_of(
        ids("tasks/port.yaml", "tasks/rate.yaml"), read_models("smollm2-135m-instruct"), wanted
    )
    [task] = port.plan["tasks"]
    assert task["options"] == {
        "system": "Port.",
        "user": "{python_code} {signature}",
        "path": "../programs.jsonl",
    }
    assert (task["limit"], port.plan["seeds"]) == (3, [0, 1])
    assert rate.plan["tasks"][0]["options"]["path"] == "../tasks/rows.jsonl"
    assert any("fewer than 5" in note for note in port.notes)


def test_what_a_small_model_is_to_reach_becomes_a_claim(here):
    (here / "tasks/port.yaml").write_text(
        PORT + "slm_target: {target_accuracy: 0.9, model_size_mb: 1}\n"
    )
    gguf(here / "small.gguf")
    [made] = plans_of(ids("tasks/port.yaml"), read_models("small.gguf"), Wanted())
    [claim] = made.plan["claims"]
    assert (claim["system"], claim["metric"], claim["at_least"]) == ("small", "accuracy", 0.9)
    assert any("within the 1 MB" in note for note in made.notes)


@pytest.mark.parametrize(
    ("metric", "rows", "kind"),
    [
        ("accuracy", None, "label"),
        ("exact_match", None, "text"),
        ("rouge_l", None, "text"),
        ("f1", None, "label"),
        ("f1", [{"input": f"q{k}", "label": f"a{k}"} for k in range(9)], "text"),
        ("accuracy", [{"input": f"q{k}", "label": ["a", "b"]} for k in range(9)], "text"),
    ],
)
def test_what_judges_rows_follows_from_metric_and_labels_and_is_told(here, metric, rows, kind):
    pytest.importorskip("rouge_score")
    (here / "tasks/rate.yaml").write_text(RATE.replace("accuracy", metric))
    if rows is not None:
        (here / "tasks/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [made] = plans_of(ids("tasks/rate.yaml"), read_models("smollm2-135m-instruct"), Wanted())
    assert made.plan["tasks"][0]["options"]["kind"] == kind
    assert any("type:" in note for note in made.notes) or (metric, kind) == ("accuracy", "label")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (RATE.replace("{input}", "{inptu}"), PlanError, "inptu"),
        (RATE.replace("{input}", "{label}"), PlanError, "label"),
        (RATE.replace("rows.jsonl", "rwos.jsonl"), DataError, "cannot be read"),
        (RATE.replace("{source: rows.jsonl}", "{source: rows.jsonl, label_key: lable}"), PlanError, "lable"),
    ],
)  # fmt: skip
def test_what_the_rows_do_not_have_is_told_with_the_line_of_the_task_file(here, text, error, said):
    (here / "tasks/rate.yaml").write_text(text)
    with pytest.raises(error, match=said) as caught:
        plans_of(ids("tasks/rate.yaml"), [], Wanted())
    assert caught.value.where.startswith("tasks/rate.yaml:")


def test_two_tasks_of_one_id_are_an_error(here):
    (here / "tasks/again.yaml").write_text(PORT)
    with pytest.raises(PlanError, match=r"that of tasks/port\.yaml"):
        plans_of(ids("tasks/port.yaml", "tasks/again.yaml"), [], Wanted())


# --- the command: what is wrong is told before anything runs ----------------------------------


def nothing_ran(folder: Path) -> bool:
    return not [p for p in folder.glob("runs/*") if p.is_dir()]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tasks": "tasks/none*.yaml"}, "nothing matches"),
        ({"models": "models/*.gguf"}, "nothing matches"),
        ({"output": Path("nowhere/out.json")}, "there is no folder nowhere"),
        ({"output": Path("out.html")}, "neither .json nor .md"),
        ({"output": Path("tasks")}, "neither .json nor .md"),
        ({"runs": 0}, "0 is too few"),
        ({"samples": -1}, "-1 is too few"),
        ({"out": Path("tasks/port.yaml")}, "is a file"),
        ({"corpus": Path("nowhere.jsonl")}, "there is no nowhere.jsonl"),
        ({"tasks": "tasks/rate.yaml"}, "nobody is there to be asked"),
        (
            {"tasks": "tasks/rate.yaml", "corpus": Path("tasks")},
            "no task is judged by the compiler",
        ),
        ({"models": "smollm3"}, "no model 'smollm3'"),
    ],
)
def test_a_wrong_option_is_told_before_anything_runs(here, monkeypatch, options, said):
    if "models" in options and options["models"] == "smollm3":
        pytest.importorskip("xllamacpp")
    with pytest.raises(AssayError) as caught:
        evaluate(**{"tasks": "tasks/port.yaml", **options})
    assert said in caught.value.what
    assert nothing_ran(here)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"", "there is no program"),
        (b"\n\n", "there is no program"),
        (b'{"id": "a", "python_code": "\xff"}\n', "not UTF-8"),
        (b'{"id": "a", "python_code": "' + b"x" * 10_000_000 + b'"}\n', "longer than"),
        (
            b'{"id": "a", "python_code": "", "test_cases": [{"input": [NaN], "expected": 1}]}\n',
            "NaN is no JSON",
        ),
    ],
)
def test_a_corpus_that_cannot_be_used_is_told_before_anything_runs(here, held, said):
    (here / "corpus.jsonl").write_bytes(held)
    if rust.INSTALL and not _rust():
        pytest.skip("rustc is absent")
    with pytest.raises(DataError, match=said) as caught:
        evaluate(tasks="tasks/port.yaml", corpus=Path("corpus.jsonl"))
    assert "corpus.jsonl" in caught.value.where
    assert nothing_ran(here)


def _rust() -> bool:
    try:
        rust.toolchain()
    except PluginError:
        return False
    return True


def test_without_rust_a_compiler_task_says_how_to_install_it_and_others_go_on(here, monkeypatch):
    rust.toolchain.cache_clear()
    monkeypatch.setenv("PATH", str(here / "empty"))
    monkeypatch.delenv("RUSTC", raising=False)
    try:
        with pytest.raises(PluginError, match="rustc is not installed") as caught:
            evaluate(tasks="tasks/port.yaml")
        assert "rustup" in caught.value.hint
        # A task with labels gets as far as asking whom to ask.
        with pytest.raises(PlanError, match="nobody is there"):
            evaluate(tasks="tasks/rate.yaml")
    finally:
        rust.toolchain.cache_clear()


# --- the command, run -------------------------------------------------------------------------


@needs_rust
@pytest.mark.slow
def test_the_example_of_the_compiler_is_evaluated_and_written(here):
    pytest.importorskip("tree_sitter_rust")
    out = Path("results.json")
    page = evaluate(tasks=str(EXAMPLES / "port.yaml"), samples=4, runs=3, output=out)
    [done] = json.loads(out.read_text())["evaluations"]
    assert done["tasks"] == ["python-to-rust"]
    assert done["asked"]["rules"] == 1
    assert any(note.startswith("rules is deterministic") for note in done["notes"])
    assert any("fewer than 5" in note for note in done["notes"])
    assert any("claude-haiku" in note for note in done["notes"])
    [right] = [
        row
        for row in done["summary"]["systems"]
        if (row["system"], row["metric"]) == ("rules", "accuracy")
    ]
    assert right["n"] == 4
    run = Run.load(done["run"])
    assert run.verify() == []
    assert page.lines[-1] == f"python-to-rust: {run.decision['python-to-rust']['says']}"
    plan = yaml.safe_load(Path(done["plan"]).read_text())
    assert plan["seeds"] == [0, 1, 2]


RIVAL = """\
import sys
asked = sys.stdin.read()
print("Positive." if any(w in asked for w in ("joy", "love", "best", "perfect", "warm")) else "Negative.")
"""


@needs_command
@pytest.mark.slow
def test_the_example_with_labels_is_asked_of_a_program(here):
    (here / "rival.py").write_text(RIVAL)
    page = evaluate(
        tasks=str(EXAMPLES / "sentiment.yaml"),
        baselines=f"words={sys.executable} {here / 'rival.py'}",
        runs=1,
        output=Path("out.md"),
        out=Path("mine"),
    )
    said = (here / "out.md").read_text()
    assert said.startswith("# Evaluation of sentiment\n")
    assert "### How it was asked" in said
    [done] = page.facts["evaluations"]
    assert done["tasks"] == ["sentiment"]
    assert any("words: asked once, as if deterministic" in note for note in done["notes"])
    run = Run.load(done["run"])
    for sample, record in run.read("words"):
        assert isinstance(record.said, Answer)
        assert record.said.value in ("Positive.", "Negative.")
        assert sample.input["prompt"].startswith("Review: ")
    assert run.estimate("accuracy", "words").value > 0.5
    assert run.verify() == []


def test_headings_sink_and_code_stays():
    assert _lower("# a\n```sh\n# b\n```\n## c\n") == "## a\n```sh\n# b\n```\n### c\n"
