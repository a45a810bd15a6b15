"""The task of agreement and the recipe that answers it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay import Answer, DataError, Failed, PlanError, Question, Reply
from assay.families.supply.agreeing.metrics import METRICS
from assay.families.supply.agreeing.recipe import Logits
from assay.families.supply.agreeing.task import agreement
from assay.families.supply.converting.convert import convert
from assay.predictions import answer, question, read_answer
from assay.testing import check_recipe, check_task
from tiny_llama import write_llama


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("models") / "source")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


@pytest.mark.heavy
def test_the_task_and_the_recipe_keep_their_contracts(source, tmp_path):
    task = agreement(source=source, positions=2)
    check_task(task)
    check_recipe(Logits(model=source), task, workdir=tmp_path / "work")
    samples = task.samples("test")
    assert len(samples) == 40
    assert len({sample.group for sample in samples}) == 20
    assert "sha256" in task.caveats()[0]


@pytest.mark.heavy
def test_the_version_of_the_task_follows_the_bytes_of_the_source(source, tmp_path):
    other = write_llama(tmp_path / "other", seed=5)
    assert agreement(source=source).version != agreement(source=other).version
    assert agreement(source=source).version == agreement(source=source).version


@pytest.mark.heavy
def test_what_a_system_says_of_itself_is_not_read(source):
    task = agreement(source=source, positions=1)
    sample = task.samples("test")[0]
    boast = {"kl": 0.0, "top1": 1.0, "size": 3, "step": 0.0, "codes": ""}
    for value in (boast, None, "kl=0", 0, [0.0] * 300):
        (check,) = task.verifier.check([(sample, Reply(sample.id, Answer(value)))])
        assert check.scores["kl"] == 100
        assert check.passed is None


@pytest.mark.heavy
def test_an_answer_for_another_place_or_text_is_not_taken(source):
    task = agreement(source=source, positions=2)
    first, second = task.samples("test")[:2]
    system = Logits(model=source).build([], [], seed=0, workdir=source).system
    (said,) = system.answer([first.question(seed=0)])
    right, wrong = task.verifier.check(
        [(first, Reply(first.id, said.said)), (second, Reply(second.id, said.said))]
    )
    assert right.scores["kl"] < 1e-6
    assert (wrong.scores["comparable"], wrong.scores["kl"]) == (0, 100)


@pytest.mark.heavy
def test_questions_that_are_none_fail_and_do_not_end_the_system(source):
    system = Logits(model=source).build([], [], seed=0, workdir=source).system
    asked = [
        Question(id="a", input="text"),
        Question(id="b", input=question("The", 500)),
        Question(id="c", input=question("The other", 0)),
    ]
    said = [reply.said for reply in system.answer(asked)]
    assert isinstance(said[0], Failed)
    assert isinstance(said[1], Failed)
    assert isinstance(said[2], Answer)


@pytest.mark.heavy
def test_llama_cpp_answers_the_same_questions(source, tmp_path):
    pytest.importorskip("xllamacpp")
    convert(source, tmp_path / "m.gguf", to="gguf", quantise="q8_0")
    recipe = Logits(model=tmp_path / "m.gguf")
    assert recipe.loads()[0].digest.startswith("sha256:")
    built = recipe.build([], [], seed=0, workdir=tmp_path)
    assert str(built.notes["ran"]).startswith("llama.cpp")
    task = agreement(source=source, positions=1)
    samples = task.samples("test")[:3]
    replies = list(built.system.answer([sample.question(seed=0) for sample in samples]))
    for check in task.verifier.check(list(zip(samples, replies, strict=True))):
        assert check.scores["kl"] < 0.05
    with pytest.raises(PlanError, match="A104"):
        Logits(model=source, run="llama.cpp").loads()


@pytest.mark.heavy
def test_wrong_options_are_told(source, tmp_path):
    with pytest.raises(PlanError, match="A102"):
        agreement(source=source, positions=0)
    (tmp_path / "own.yaml").write_text("prompts: [{id: one, text: a}]\n")
    with pytest.raises(DataError, match="nothing follows"):
        agreement(source=source, prompts=tmp_path / "own.yaml").samples("test")


def test_an_answer_comes_back_for_its_own_tokens_only():
    value = answer([1, 2], np.array([0.0, 1.0]))
    assert read_answer(value, [1, 2], size=2) is not None
    assert read_answer(value, [1, 3], size=2) is None
    assert read_answer(value, [1, 2], size=3) is None


def columns(kl: list[float], scored: list[float]) -> dict[str, np.ndarray]:
    n = len(kl)
    found = {f"check:{name}": np.array(kl) for name in ("kl", "top1", "topk", "cosine", "nll", "nll_difference")}  # fmt: skip
    return found | {"scored": np.array(scored), "asked": np.ones(n)}


def test_what_was_not_scored_counts_as_the_worst_in_every_metric():
    given = columns([0.0, np.nan], [1.0, 0.0])
    found = {}
    for metric in METRICS:
        form = metric.form
        if hasattr(form, "numerator"):
            value = form.numerator(given).sum() / form.denominator(given).sum()
        else:
            value = form.of(given, np.ones(2))
        found[metric.name] = value
    assert found["kl_mean"] == 50
    assert found["kl_p99"] == found["kl_max"] == 100
    assert found["top1"] == found["topk"] == 0
    assert found["logit_cosine"] == -0.5
    assert found["perplexity_ratio"] == pytest.approx(np.exp(50))


def test_quantiles_follow_the_weights():
    by_name = {metric.name: metric.form for metric in METRICS}
    given = columns([float(n) for n in range(100)], [1.0] * 100)
    assert by_name["kl_p99"].of(given, np.ones(100)) == 98
    assert by_name["kl_max"].of(given, np.ones(100)) == 99
    assert by_name["kl_max"].of(given, np.r_[np.ones(10), np.zeros(90)]) == 9
    assert by_name["kl_p99"].of(given, np.zeros(100)) is None
