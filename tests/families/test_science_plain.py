"""Rivals that learn next to nothing, or by other means: a constant, boosted trees."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from assay import Answer, Bottom, DataError, PlanError, Question, Sample
from assay.families.science.domains.dose import dose
from assay.families.science.domains.ik import ik
from assay.families.science.domains.rf import rf
from assay.families.science.recipes.plain import ConstantValue, Trees
from assay.testing import check_recipe
from science_sitting import sit, value

DOSE = dose(train=600, tune=200, calibration=5, test=400)
TASKS = {
    "dose": dose(train=80, tune=20, calibration=5, test=30),
    "rf": rf(train=6, tune=3, calibration=2, test=2),
    "ik": ik(train=40, tune=10, calibration=5, test=20),
}


def built(recipe, task=DOSE, **instead):
    train = instead.get("train", task.samples("train"))
    return recipe.build(train, task.samples("tune"), seed=0, workdir=None)


def shuffled(samples):
    """Return samples with the targets of others."""
    rng = np.random.Generator(np.random.PCG64(0))
    places = rng.permutation(len(samples))
    return [
        Sample(id=s.id, input=s.input, target=samples[i].target)
        for s, i in zip(samples, places, strict=True)
    ]


# --- constants ------------------------------------------------------------------------------


@pytest.mark.parametrize("say", ["median", "zero", "decline", "likeliest"])
@pytest.mark.parametrize("task", TASKS)
def test_a_constant_keeps_the_contract_of_recipes(say, task, tmp_path):
    check_recipe(ConstantValue(say=say), TASKS[task], workdir=tmp_path)


@pytest.mark.parametrize("say", ["median", "zero", "decline", "likeliest"])
@pytest.mark.parametrize("task", TASKS)
def test_a_constant_says_the_same_to_all(say, task):
    system = built(ConstantValue(say=say), TASKS[task]).system
    said = {str(r.said) for r in system.answer([s.question() for s in TASKS[task].samples("test")])}
    assert len(said) == 1


def rows(*targets):
    return [Sample(id=str(i), input=[float(i)], target=t) for i, t in enumerate(targets)]


@pytest.mark.parametrize(
    ("say", "targets", "wanted"),
    [
        ("median", [Answer(1.0), Answer(2.0), Answer(9.0)], Answer(2.0, 1.0, instead="no_value")),
        ("zero", [Answer(1.0), Bottom("up")], Answer(0.0, 0.5, instead="up")),
        (
            "likeliest",
            [Answer(3.0), Bottom("up"), Answer(3.0)],
            Answer(3.0, 0.666667, instead="up"),
        ),
        (
            "likeliest",
            [Answer(3.0), Bottom("up"), Bottom("up"), Bottom("down")],
            Bottom("up", Answer(3.0, 0.25, instead="up")),
        ),
        ("median", [Bottom("up"), Bottom("up")], Answer(0.0, 0.0, instead="up")),
    ],
)
def test_a_constant_is_the_median_zero_or_the_likeliest(say, targets, wanted):
    system = ConstantValue(say=say).build(rows(*targets), (), seed=0, workdir=None).system
    [reply] = system.answer([Question(id="q", input=[7.0])])
    assert reply.said == wanted


@pytest.mark.parametrize("say", ["median", "zero", "decline", "likeliest"])
def test_a_constant_scores_as_chance(say):
    columns = sit(DOSE, built(ConstantValue(say=say)).system)
    # One class of three is found, at its share of the rows; the others have no hit.
    shares = Counter(str(getattr(s.target, "reason", "")) for s in DOSE.samples("test"))
    share = max(shares.values()) / len(DOSE.samples("test"))
    assert value(DOSE.metrics, "macro_f1", columns) <= 2 * share / (1 + share) / 3 + 1e-9
    assert value(DOSE.metrics, "macro_f1", columns) < 0.2


# --- trees ----------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize("task", TASKS)
def test_trees_keep_the_contract_of_recipes(task, tmp_path):
    pytest.importorskip("sklearn")
    check_recipe(Trees(iterations=5, tries=2), TASKS[task], workdir=tmp_path)


@pytest.mark.heavy
def test_trees_learn_and_with_targets_of_others_they_do_not():
    pytest.importorskip("sklearn")
    recipe = Trees(iterations=40, leaves=8)
    learnt = sit(DOSE, built(recipe).system)
    astray = sit(DOSE, built(recipe, train=shuffled(DOSE.samples("train"))).system)
    assert value(DOSE.metrics, "macro_f1", learnt) > 0.85
    assert value(DOSE.metrics, "macro_f1", astray) < 0.4


@pytest.mark.heavy
def test_trees_without_a_gate_answer_everything():
    pytest.importorskip("sklearn")
    never = sit(DOSE, built(Trees(iterations=5, gate="never")).system)
    assert value(DOSE.metrics, "coverage", never) == 1.0
    assert value(DOSE.metrics, "coverage", sit(DOSE, built(Trees(iterations=5)).system)) < 0.8


@pytest.mark.heavy
def test_trees_that_may_choose_are_no_worse_on_tune_rows():
    pytest.importorskip("sklearn")
    scores = [built(Trees(iterations=5, leaves=8, tries=n)).notes["tune_score"] for n in (1, 4)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.heavy
def test_trees_need_values_and_tune_rows():
    pytest.importorskip("sklearn")
    gone = rows(Bottom("up"), Bottom("up"))
    with pytest.raises(DataError, match="no training sample has a value"):
        Trees().build(gone, gone, seed=0, workdir=None)
    with pytest.raises(DataError, match="no tune sample"):
        Trees().build(rows(Answer(1.0)), (), seed=0, workdir=None)


@pytest.mark.parametrize(
    "options", [{"iterations": 0}, {"rate": 0.0}, {"rate": 1.5}, {"leaves": 1}, {"tries": 0}]
)
def test_options_that_no_tree_can_have_are_refused(options):
    with pytest.raises(PlanError) as caught:
        Trees(**options)
    assert caught.value.code == "A102"
