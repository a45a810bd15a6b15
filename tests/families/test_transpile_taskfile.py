"""Task files: both forms are read, strictly, and nothing that they say is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import PlanError
from assay.families.transpile.taskfile import read_task_file

README = """\
task:
  id: python-to-rust-transpile
  domain: code-transpile
  description: Transpile Python functions to idiomatic Rust

evaluation:
  samples: 100
  timeout_ms: 30000
  metrics:
    - accuracy
    - cost
    - latency

prompts:
  system: |
    You are an expert code transpiler. Convert Python to idiomatic Rust.
  user_template: |
    Convert this Python code to Rust:
    ```python
    {python_code}
    ```

ground_truth:
  type: compiler
  run_tests: true
"""
"""As the README of single-shot-eval has it."""

LOADER = """\
task: {id: sentiment-sst2, description: Sentiment, domain: classification}
evaluation: {metric: accuracy, samples: 1000, timeout_ms: 5000}
prompts: {system: One word., user_template: "Review: {input}"}
ground_truth: {source: data/sst2.jsonl, label_key: label}
slm_optimization: {attention_heads_required: 4, context_length: 512, quantization_viable: true}
"""
"""As its loader reads them."""

SHIPPED = """\
task: {id: python-to-rust, version: "1.0"}
evaluation: {metric: accuracy, samples: 50, timeout_ms: 30000, runs: 7}
prompts: {system: Port., user_template: "{python_code}"}
ground_truth: {source: corpus.jsonl, label_key: rust}
baselines:
  - {id: haiku, provider: anthropic, model: claude-haiku, cost_per_1m_tokens: 0.25}
slm_target: {model_size_mb: 100, target_accuracy: 0.92, target_cost_reduction: 100, quantization: q4}
"""
"""With the extras that its shipped files have and its loader ignores."""


def read(folder: Path, text: str):
    path = folder / "task.yaml"
    path.write_text(text, "utf-8")
    return read_task_file(path)


def test_the_form_of_the_readme_is_read(tmp_path):
    task = read(tmp_path, README)
    assert (task.name, task.metric, task.also) == ("python-to-rust-transpile", "accuracy", ())
    assert (task.compiles, task.timeout_s, task.runs) == (True, 30.0, 5)
    assert task.file.evaluation.samples == 100
    assert task.unused() == []


def test_the_form_of_the_loader_is_read(tmp_path):
    task = read(tmp_path, LOADER)
    assert (task.name, task.metric, task.compiles) == ("sentiment-sst2", "accuracy", False)
    assert task.timeout_s == 5.0
    assert task.source == tmp_path / "data/sst2.jsonl"
    assert [said.partition(":")[2].strip().partition(":")[0] for said in task.unused()] == [
        "slm_optimization.attention_heads_required",
        "slm_optimization.quantization_viable",
    ]


def test_what_the_old_loader_ignored_is_read_and_what_nobody_acts_on_is_told(tmp_path):
    task = read(tmp_path, SHIPPED)
    assert task.compiles  # it shows programs, and counts right answers
    assert task.runs == 7
    assert task.file.baselines[0].model == "claude-haiku"
    assert task.file.slm_target.target_accuracy == 0.92
    told = " ".join(task.unused())
    for key in ("target_cost_reduction", "quantization", "label_key", "cost_per_1m_tokens"):
        assert key in told


def test_inference_parameters_and_runs_can_be_set(tmp_path):
    more = "inference: {temperature: 0.7, max_tokens: 256, timeout_ms: 9000, runs: 3}\n"
    text = README.replace("  timeout_ms: 30000\n", "")
    task = read(tmp_path, text + more)
    assert (task.file.inference.temperature, task.file.inference.max_tokens) == (0.7, 256)
    assert (task.timeout_s, task.runs) == (9.0, 3)


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        (README.replace("user_template", "user_templat"), "A101", 17, "'user_template'"),
        (README.replace("run_tests", "run_test"), "A101", 25, "'run_tests'"),
        (README.replace("evaluation:", "evaluaton:"), "A101", 6, "'evaluation'"),
        (SHIPPED.replace("provider", "povider"), "A101", 6, "'provider'"),
        (SHIPPED.replace("target_accuracy", "target_acuracy"), "A101", 7, "'target_accuracy'"),
        (README.replace("- accuracy", "- acuracy"), "A102", 10, "see docs/"),
        (README.replace("samples: 100", "samples: many"), "A102", 7, "see docs/"),
        (README.replace("samples: 100", "samples: 0"), "A102", 7, "see docs/"),
        (SHIPPED.replace("0.92", "92"), "A102", 7, "see docs/"),
        (README.replace("{python_code}", "{pyhton_code}"), "A103", 17, "'python_code'"),
        (README.replace("{python_code}", "the code"), "A104", 17, "{python_code}"),
        (README + "  source: rows.jsonl\n", "A104", 26, "--corpus"),
        (README + "inference: {timeout_ms: 1}\n", "A104", 26, "under `evaluation`"),
        (README.replace("    - accuracy\n", ""), "A104", 6, "metric: accuracy"),
        (README.replace("- accuracy", "- bleu"), "A104", 9, "write accuracy"),
        (README.replace("  metrics:", "  metric: accuracy\n  metrics:"), "A104", 10, "keep one"),
        (README.replace("  type: compiler\n  run_tests: true", "  {}"), "A104", 23, "rows.jsonl"),
        (LOADER.replace("label_key: label", "run_tests: true"), "A104", 4, "type: compiler"),
        (LOADER.replace("source: data/sst2.jsonl", "type: label"), "A104", 4, "source"),
        ("task: [\n", "A100", 2, "indentation"),
        ("", "A100", None, "begin with `task:`"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(tmp_path, text, code, line, said):
    with pytest.raises(PlanError) as caught:
        read(tmp_path, text)
    assert caught.value.code == code, caught.value
    assert said in caught.value.hint
    if line is not None:
        assert caught.value.where == f"{tmp_path}/task.yaml:{line}"


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / "task.yaml").write_bytes(b"task: {id: \xff}\n")
    with pytest.raises(PlanError, match="UTF-8"):
        read_task_file(tmp_path / "task.yaml")


@pytest.mark.parametrize("name", ["port", "sentiment"])
def test_the_examples_are_task_files(name):
    task = read_task_file(Path(__file__).parents[2] / f"examples/tasks/{name}.yaml")
    assert task.compiles is (name == "port")
