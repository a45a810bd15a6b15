"""Tasks of lm-evaluation-harness: its prompts, its scores; gold answers pass, others do not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay import Answer, Better, Check, DataError, PlanError, Ratio, Reply, Sample
from assay.families.lm.harness.verifying import shown

pytest.importorskip("lm_eval", reason="the extra harness is not installed")
pytestmark = pytest.mark.heavy

from assay.families.lm.harness.catalogue import leaves  # noqa: E402
from assay.families.lm.harness.task import harness_task  # noqa: E402

ARC = [
    {
        "id": str(at),
        "question": f"What is {at} and {at}?",
        "choices": {"text": ["nothing", str(2 * at), "a lot of things"], "label": ["A", "B", "C"]},
        "answerKey": "B",
    }
    for at in range(1, 9)
]
GSM = [
    {"question": f"Tom has {at} nuts and finds 2. How many?", "answer": f"{at} + 2.\n#### {at + 2}"}
    for at in range(1, 9)
]
HUMAN = [
    {
        "task_id": "T/0",
        "prompt": "def twice(x):\n",
        "entry_point": "twice",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(f):\n    assert f(2) == 4\n    assert f(-1) == -2\n",
    }
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for place, rows in (
        ("allenai__ai2_arc/ARC-Easy/test", ARC),
        ("allenai__ai2_arc/ARC-Easy/train", ARC[:2]),
        ("openai__gsm8k/main/test", GSM),
        ("openai__openai_humaneval/default/test", HUMAN),
    ):
        path = tmp_path / f"{place}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def _weighed(sample: Sample, best: int) -> Reply:
    count = max(len(sample.input["contexts"]), len(sample.input["continuations"]))  # type: ignore[index,arg-type,call-overload]
    totals = {f"ll:{k}": -1.0 if k == best else -99.0 for k in range(count)}
    greedy = {f"greedy:{k}": 0.0 for k in range(count)}
    return Reply(sample.id, Answer(best, scores=totals | greedy))


def _check(task, sample: Sample, reply: Reply) -> Check:  # type: ignore[no-untyped-def]
    (found,) = task.verifier.check([(sample, reply)])
    assert isinstance(found, Check)
    return found


def test_a_choice_is_scored_as_the_harness_scores_it(data: Path) -> None:
    task = harness_task(task="arc_easy", data=data)
    samples = task.samples("test")
    assert [sample.target for sample in samples] == [Answer(1)] * len(ARC)
    assert samples[0].input["contexts"] == ["Question: What is 1 and 1?\nAnswer:"]  # type: ignore[index,call-overload]
    assert samples[0].input["continuations"] == [" nothing", " 2", " a lot of things"]  # type: ignore[index,call-overload]
    for sample in samples:
        assert _check(task, sample, _weighed(sample, 1)).passed
        assert not _check(task, sample, _weighed(sample, 0)).passed


def test_length_counts_where_the_harness_says_so(data: Path) -> None:
    task = harness_task(task="arc_easy", data=data)
    sample = task.samples("test")[0]
    said = Answer(
        1,
        scores={"ll:0": -9.0, "ll:1": -1.0, "ll:2": -1.1} | {f"greedy:{k}": 0.0 for k in range(3)},
    )
    found = _check(task, sample, Reply(sample.id, said))
    assert (found.scores["acc"], found.scores["acc_norm"], found.passed) == (1.0, 0.0, False)


def test_examples_come_from_train_or_from_rows_that_are_set_aside(data: Path) -> None:
    shot = harness_task(task="arc_easy", fewshot=1, data=data).samples("test")
    assert shot[0].input["contexts"][0].count("Question:") == 2  # type: ignore[index,call-overload,union-attr]
    task = harness_task(task="gsm8k", fewshot=2, set_aside=3, data=data)
    samples = task.samples("test")
    assert len(samples) == len(GSM) - 3
    heads = {sample.input["prompt"].rpartition("Question:")[0] for sample in samples}  # type: ignore[index,call-overload,union-attr]
    assert len(heads) == 1  # the same examples for everybody, so they are computed once
    with pytest.raises(PlanError, match="no split for them") as caught:
        harness_task(task="gsm8k", data=data).samples("test")
    assert caught.value.code == "A104"


@pytest.mark.parametrize(
    ("task", "fewshot", "said"),
    [
        ("arc_easy", None, "without examples"),
        ("arc_easy", 3, "after 3 examples each"),
        ("gsm8k", None, "after 5 examples each"),  # its own file says so, and no plan does
    ],
)
def test_a_task_says_how_many_examples_stand_before_a_question(
    task: str, fewshot: int | None, said: str
) -> None:
    assert harness_task(task=task, fewshot=fewshot).says.endswith(said)


def test_a_run_says_which_rows_are_asked_and_which_are_examples(data: Path) -> None:
    for given, said in (
        ({"task": "arc_easy"}, "Asked: test of local files"),
        ({"task": "arc_easy", "fewshot": 2}, "Asked: test of local files; examples: train"),
        (
            {"task": "gsm8k", "fewshot": 2, "set_aside": 3},
            "Asked: test of local files; examples: 3 rows set aside",
        ),
    ):
        task = harness_task(**given, data=data)  # type: ignore[arg-type]
        assert task.caveats() == ()  # nothing is read yet
        task.samples("test")
        assert task.caveats() == (said,)


def test_words_are_filtered_and_matched_as_the_harness_does(data: Path) -> None:
    task = harness_task(task="gsm8k", fewshot=0, data=data)
    sample = task.samples("test")[0]
    strict = _check(task, sample, Reply(sample.id, Answer("It is 1 + 2.\n#### 3")))
    loose = _check(task, sample, Reply(sample.id, Answer("So Tom has 3 nuts")))
    wrong = _check(task, sample, Reply(sample.id, Answer("#### 4")))
    assert (strict.passed, loose.passed, wrong.passed) == (True, False, False)
    assert (loose.scores["exact_match"], loose.scores["exact_match_flexible_extract"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("    return 2 * x\n", True),
        ("    return x + 2\n", False),
        ("    return 2 *\n", False),
        ("    raise SystemExit(0)\n", False),
        ("    pass\nimport os\nos._exit(0)\n", False),
        ("    while True: pass\n", False),
    ],
)
def test_programs_are_run_in_the_sandbox(data: Path, said: str, passes: bool) -> None:
    from assay import AssayError
    from assay.sandbox import find_sandbox

    try:
        find_sandbox()
    except AssayError:
        pytest.skip("no sandbox works here")
    task = harness_task(task="humaneval", data=data)
    (sample,) = task.samples("test")
    assert sample.input["until"]  # type: ignore[index,call-overload]
    assert _check(task, sample, Reply(sample.id, Answer(said))).passed is passes


TRUE_OR_NOT = {
    "question": "Is it so?",
    "mc1_targets": {"choices": ["yes", "no"], "labels": [1, 0]},
    "mc2_targets": {"choices": ["yes", "surely", "no"], "labels": [1, 1, 0]},
}


@pytest.mark.parametrize(("likelier", "share"), [(1.0, 0.731), (90.0, 1.0)])
def test_a_share_of_likelihood_is_no_verdict_even_where_it_is_all(
    tmp_path: Path, likelier: float, share: float
) -> None:
    path = tmp_path / "truthfulqa__truthful_qa" / "multiple_choice" / "validation.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(TRUE_OR_NOT) + "\n")
    task = harness_task(task="truthfulqa_mc2", data=tmp_path)
    (sample,) = task.samples("test")
    totals = {"ll:0": -10.0, "ll:1": -90.0, "ll:2": -10.0 - likelier}
    said = Answer(0, scores=totals | {f"greedy:{k}": 0.0 for k in range(3)})
    found = _check(task, sample, Reply(sample.id, said))
    assert found.passed is None
    assert found.scores["acc"] == pytest.approx(share, abs=1e-3)


def test_a_score_of_which_less_is_better_has_no_value_where_nothing_was_answered() -> None:
    """A model that failed on every pair of CrowS-Pairs had no stereotype at all: 0, the best there is."""
    for name in ("likelihood_diff", "pct_stereotype"):
        metrics = {
            metric.name: metric for metric in harness_task(task="crows_pairs_english").metrics
        }
        form = metrics[name].form
        assert metrics[name].better is (Better.NONE if name == "pct_stereotype" else Better.LOWER)
        assert isinstance(form, Ratio)
        failed = {f"check:{name}": np.full(3, np.nan), "asked": np.ones(3)}
        assert form.denominator(failed).sum() == 0
        some = {f"check:{name}": np.array([1.0, 0.0, np.nan]), "asked": np.ones(3)}
        assert form.numerator(some).sum() / form.denominator(some).sum() == 0.5


def test_what_the_harness_scores_in_another_way_is_named_and_not_made_a_mean() -> None:
    task = harness_task(task="cola")  # its metric is mcc, and its file does not say how it adds up
    assert [metric.name for metric in task.metrics] == ["coverage", "failure_rate"]
    assert "mcc" in task.caveats()[0]
    assert harness_task(task="arc_easy").caveats() == ()


def test_a_task_that_scores_several_answers_to_a_question_is_refused() -> None:
    with pytest.raises(PlanError, match="scores 64 answers to each question") as caught:
        harness_task(task="gsm8k_cot_self_consistency")
    assert caught.value.code == "A104"


def test_what_answers_no_likelihoods_is_wrong(data: Path) -> None:
    task = harness_task(task="arc_easy", data=data)
    sample = task.samples("test")[0]
    assert _check(task, sample, Reply(sample.id, Answer("nothing"))).passed is False


def test_names_are_resolved_before_anything_runs() -> None:
    with pytest.raises(PlanError, match="no task 'arc_esay'") as caught:
        harness_task(task="arc_esay")
    assert (caught.value.code, "arc_easy" in caught.value.hint) == ("A103", True)
    assert len(leaves("mmlu")) == 57
    assert {leaf.name for leaf in leaves("ai2_arc")} == {"arc_easy", "arc_challenge"}


def test_the_index_of_names_is_the_harnesss_own() -> None:
    """Its own index takes half a minute for all of them: folders stand for it here."""
    from lm_eval.tasks import TaskManager

    from assay.families.lm.harness.catalogue import _listed

    home = Path(__import__("lm_eval").__file__).parent / "tasks"
    for folder in ("arc", "mmlu", "hendrycks_math", "gsm8k", "super_glue"):
        manager = TaskManager(include_path=str(home / folder), include_defaults=False)
        listed = _listed()
        assert set(manager.all_subtasks) | set(manager.all_groups) <= set(listed.files)
        assert set(manager.all_tags) <= set(listed.tags)


def test_data_that_is_not_there_is_told(tmp_path: Path, data: Path) -> None:
    with pytest.raises(DataError, match="not at hand: Rowan/hellaswag"):
        harness_task(task="hellaswag", data=data).samples("test")
    broken = tmp_path / "allenai__ai2_arc" / "ARC-Easy" / "test.jsonl"
    broken.write_text('{"question": "q"}\n')
    with pytest.raises(DataError, match="cannot read the data of arc_easy"):
        harness_task(task="arc_easy", data=data).samples("test")


@pytest.mark.parametrize(
    "options", [{"fewshot": -1}, {"set_aside": -1}, {"revision": "main"}, {"revision": "A" * 40}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(PlanError) as caught:
        harness_task(task="arc_easy", **options)  # type: ignore[arg-type]
    assert caught.value.code == "A102"


def test_scores_are_named_after_their_filter_unless_it_is_the_first() -> None:
    assert shown("acc", "none", first="none") == "acc"
