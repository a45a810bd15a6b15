"""Systems that move arms: two formulas, and the ceiling that nobody passes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from assay import Answer, Bottom, PlanError, Question, Sample
from assay.families.science.domains.arm import moved, nearness, tip_error
from assay.families.science.domains.ik import Arms, draw_poses, ik
from assay.families.science.domains.ik_metrics import STEPPED
from assay.families.science.recipes.arm import DampedLeastSquares, JacobianInverse, read_arms
from assay.families.science.recipes.arm_oracle import ArmOracle, Knowing, most_probable, step_for
from assay.families.science.recipes.arm_posterior import posterior
from assay.testing import check_recipe
from science_sitting import sit, value

RECIPES = (DampedLeastSquares(), JacobianInverse(), ArmOracle())
SMALL = ik(train=10, tune=5, calibration=5, test=40)
LARGE = ik(train=1, tune=1, calibration=1, test=4_000)
LOOSE = ik(train=1, tune=1, calibration=1, test=4_000, noise=0.05)
ARMS = Arms()


def built(recipe, tmp_path, task=SMALL):
    train, tune = task.samples("train"), task.samples("tune")
    return recipe.build(train, tune, seed=0, workdir=tmp_path).system


def seen(first, second, along=0.1, across=0.05):
    return [np.cos(first), np.sin(first), np.cos(second), np.sin(second), along, across]


def said(system, *inputs):
    replies = system.answer([Question(id=str(i), input=one) for i, one in enumerate(inputs)])
    return [reply.said for reply in replies]


@pytest.fixture(scope="module")
def sat(tmp_path_factory):
    """Each recipe's columns on a large draw, made once."""
    place = tmp_path_factory.mktemp("arms")
    return {type(r).__name__: sit(LARGE, built(r, place)) for r in RECIPES}


def measure(sat, recipe, name):
    return value(LARGE.metrics, name, sat[recipe])


def right(columns):
    return columns["correct"] + columns["declined"]


def standard_error(values, poses=4_000):
    return values.reshape(poses, -1).mean(axis=1).std(ddof=1) / np.sqrt(poses)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_a_recipe_keeps_its_contract(recipe, tmp_path):
    check_recipe(recipe, SMALL, workdir=tmp_path)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_a_recipe_says_the_same_of_a_question_in_any_company(recipe, tmp_path):
    system = built(recipe, tmp_path)
    questions = [s.question() for s in SMALL.samples("test")]
    together = {r.question: r.said for r in system.answer(questions)}
    for question in questions[:20]:
        [alone] = system.answer([question])
        assert alone.said == together[question.id]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("second", [0.0, np.pi])
def test_an_arm_that_is_measured_to_be_exactly_straight_gets_one_reply(recipe, second, tmp_path):
    exactly = [1.0, 0.0, np.cos(second), 0.0, 0.1, 0.05]
    [found] = said(built(recipe, tmp_path), exactly)
    step = found.value if isinstance(found, Answer) else found.proposal and found.proposal.value
    assert step is None or np.isfinite(step).all()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_a_move_of_nothing_is_answered_by_standing_still(recipe, tmp_path):
    [found] = said(built(recipe, tmp_path), seen(0.3, 1.2, 0.0, 0.0))
    assert found.value == [0.0, 0.0]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_a_recipe_refuses_the_questions_of_another_task(recipe, tmp_path):
    other = [Sample(id="a", input=[0.1] * 10, target=Answer(1.0))]
    with pytest.raises(PlanError) as error:
        recipe.build(other, (), seed=0, workdir=tmp_path)
    assert error.value.code == "A104"


@pytest.mark.parametrize(
    "recipe",
    [
        DampedLeastSquares(damping=0),
        JacobianInverse(noise=0),
        JacobianInverse(limit=1),
        ArmOracle(noise=0),
        ArmOracle(tolerance=1),
        ArmOracle(limit=0),
    ],
    ids=repr,
)
def test_an_option_that_makes_no_system_is_refused(recipe, tmp_path):
    with pytest.raises(PlanError) as error:
        recipe.build((), (), seed=0, workdir=tmp_path)
    assert error.value.code == "A102"


@given(first=st.floats(-3.1, 3.1), second=st.floats(-3.1, 3.1), along=st.floats(-1, 1))
def test_the_measured_angles_are_read_back_from_their_sines_and_cosines(first, second, along):
    angles, wanted = read_arms([seen(first, second, along)])
    assert angles[0] == pytest.approx([first, second], abs=1e-9)
    assert wanted.tolist() == [[along, 0.05]]


# --- the formulas ---------------------------------------------------------------------------


def test_the_inverse_moves_the_measured_arm_as_wanted_and_declines_below_the_limit(tmp_path):
    system = built(JacobianInverse(limit=0.3), tmp_path)
    bent, straight = said(system, seen(0.2, 0.5), seen(0.2, 0.29))
    made = moved(np.array([[0.2, 0.5]]), np.array([bent.value]))
    assert made[0] == pytest.approx([0.1, 0.05], rel=1e-4)
    assert isinstance(straight, Bottom)
    assert straight.reason == bent.instead == "singular"
    assert straight.proposal.confidence < 0.5 < bent.confidence


def test_the_inverse_is_as_sure_as_the_noise_lets_it_be(tmp_path):
    """At the limit itself it is even; one standard deviation further it is sure to 0.84."""
    edge = np.arcsin(0.1)
    system = built(JacobianInverse(noise=0.01), tmp_path)
    at, beyond, far = said(system, *(seen(0.1, t) for t in (edge + 1e-6, edge + 0.01, 1.0)))
    assert at.confidence == pytest.approx(0.5, abs=1e-3)
    assert beyond.confidence == pytest.approx(0.8413, abs=1e-3)
    assert far.confidence == 1.0


def test_damping_never_declines_and_is_less_sure_the_straighter_the_arm(tmp_path):
    system = built(DampedLeastSquares(), tmp_path)
    found = said(system, *(seen(0.1, t) for t in (0.001, 0.01, 0.1, 1.0)))
    sure = [one.confidence for one in found]
    assert sure == sorted(sure)
    assert sure[1] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.slow
def test_damping_is_less_often_right_the_nearer_the_singularity(sat, tmp_path):
    sat = {"heavy": sit(LARGE, built(DampedLeastSquares(damping=0.1), tmp_path))}
    found = [measure(sat, "heavy", f"accuracy_{tag}") for tag in STEPPED]
    assert found == sorted(found)
    assert found[0] < 0.5
    assert found[-1] > 0.99


@pytest.mark.slow
def test_damping_invents_a_step_wherever_there_is_none(sat):
    assert measure(sat, "DampedLeastSquares", "invention_rate") == 1.0
    assert measure(sat, "DampedLeastSquares", "coverage") == 1.0


@pytest.mark.slow
def test_a_formula_with_its_signs_flipped_scores_as_broken(sat, tmp_path):
    class Flipped:
        def __init__(self, system):
            self.system = system

        def answer(self, questions):
            for reply in self.system.answer(questions):
                match reply.said:
                    case Answer([first, second], sure):
                        yield replace(reply, said=Answer([-first, -second], sure))
                    case _:
                        yield reply

    flipped = {"flipped": sit(LARGE, Flipped(built(JacobianInverse(), tmp_path)))}
    assert measure(flipped, "flipped", "selective_accuracy") == 0.0
    assert measure(flipped, "flipped", "sign_consistency") < 0.05
    assert measure(flipped, "flipped", "charged_tip_error") == 1.0
    assert measure(sat, "JacobianInverse", "charged_tip_error") < 0.1


# --- the posterior --------------------------------------------------------------------------


@cache
def drawn_near(measured, arms=ARMS, n=400_000, seed=0):
    """Return true second angles as the generator draws them, weighted by the measured one."""
    poses = draw_poses(arms, n, np.random.default_rng(seed))
    second = poses.angles[:, 1]
    off = second - measured
    off -= 2 * np.pi * np.round(off / (2 * np.pi))
    weight = np.exp(-0.5 * (off / arms.noise) ** 2)
    return measured + off, weight / weight.sum()


@pytest.mark.parametrize("measured", [0.0, 0.06, -0.1, 0.16, np.pi - 0.12, -np.pi + 0.08, 1.0])
def test_the_chance_of_a_singular_arm_is_that_of_drawn_arms_that_measure_alike(measured):
    second, weight = drawn_near(measured)
    singular = np.abs(np.sin(second)) < ARMS.limit
    expected, spread = weight @ singular, np.sqrt((weight**2).sum())
    found = posterior(ARMS, np.array([measured])).singular[0]
    assert found == pytest.approx(expected, abs=4 * spread * 0.5 + 1e-6)


@pytest.mark.parametrize("noise", [0.03, 0.1])
@pytest.mark.parametrize("measured", [0.12, -0.16, 0.5, np.pi - 0.14])
@pytest.mark.parametrize("towards", [0.0, 0.3, 1.2, 1.6, -2.0, 3.0])
def test_the_chance_of_a_step_is_how_often_it_moves_drawn_arms_as_wanted(noise, measured, towards):
    """By drawing arms and moving them: nothing of it is shared with the integral but the prior."""
    arms_of = Arms(noise=noise)
    second, weight = drawn_near(measured, arms_of)
    first = np.random.default_rng(1).normal(0.0, noise, len(second))
    move = np.array([[np.cos(towards), np.sin(towards)]])
    step = step_for(move, np.array([measured * 1.1]), np.array([0.1]))
    joints = np.stack([step.turn, step.both - step.turn], axis=1)
    arms = np.stack([first, second], axis=1)
    kept = weight > 1e-9
    miss = tip_error(arms[kept], np.repeat(joints, kept.sum(), 0), np.repeat(move, kept.sum(), 0))
    hit = (miss <= 0.2) & (nearness(arms[kept]) >= ARMS.limit)
    found = posterior(arms_of, np.array([measured])).chance(step.turn, step.both, move, 0.2)[0]
    assert found == pytest.approx(weight[kept] @ hit, abs=2 * np.sqrt((weight**2).sum()) + 1e-4)


@given(
    measured=st.floats(-3.14, 3.14),
    towards=st.floats(-3.1, 3.1),
    turn=st.floats(-50, 50),
    both=st.floats(-50, 50),
)
def test_a_chance_is_one_and_no_more_than_that_there_is_a_step(measured, towards, turn, both):
    at = posterior(ARMS, np.array([measured]))
    move = np.array([[np.cos(towards), np.sin(towards)]])
    found = at.chance(np.array([turn]), np.array([both]), move, 0.2)[0]
    assert -1e-9 <= found <= 1.0 - at.singular[0] + 1e-9


def test_the_posterior_is_that_of_the_smallest_noise_too():
    arms = Arms(noise=1e-4)
    edge = np.arcsin(arms.limit)
    measured = np.array([edge + 1e-4, edge - 1e-4, 0.002, 0.0])
    expected = [*ndtr((edge - measured[:2]) / arms.noise), 1.0, 1.0]
    assert posterior(arms, measured).singular == pytest.approx(expected, abs=2e-3)


@pytest.mark.slow
def test_no_step_among_thousands_is_right_more_often_than_the_one_that_is_found():
    rng = np.random.default_rng(5)
    measured = np.array([0.08, 0.11, 0.14, 0.18, -0.13, np.pi - 0.12, 0.25])
    towards = rng.uniform(-np.pi, np.pi, len(measured))
    move = np.stack([np.cos(towards), np.sin(towards)], axis=1)
    at = posterior(ARMS, measured)
    best, chance = most_probable(at, move, 0.2)
    for _ in range(3_000):
        turn = best.turn + rng.normal(0, 1, len(measured)) * 10 ** rng.uniform(-3, 1)
        both = best.both + rng.normal(0, 1, len(measured)) * 10 ** rng.uniform(-3, 1)
        assert (at.chance(turn, both, move, 0.2) <= chance + 3e-3).all()


def test_a_move_that_any_arm_can_make_needs_no_turn_of_the_second_link():
    at = posterior(ARMS, np.array([0.12]))
    across = np.array([[0.05, np.sqrt(1 - 0.05**2)]])
    _, chance = most_probable(at, across, 0.2)
    assert chance[0] == pytest.approx(1 - at.singular[0], abs=1e-6)


# --- the ceiling ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("rival", ["DampedLeastSquares", "JacobianInverse"])
def test_no_formula_is_right_more_often_than_the_oracle(rival, sat):
    ahead = right(sat["ArmOracle"]) - right(sat[rival])
    assert ahead.mean() > -2 * standard_error(ahead)


@pytest.mark.slow
def test_no_threshold_on_a_formula_makes_it_right_more_often_than_the_oracle(sat, tmp_path):
    oracle = right(sat["ArmOracle"])
    for limit in (0.07, 0.09, 0.1, 0.11, 0.13):
        columns = sit(LARGE, built(JacobianInverse(limit=limit), tmp_path))
        ahead = oracle - right(columns)
        assert ahead.mean() > -2 * standard_error(ahead), limit
    for least in (0.5, 0.7, 0.8, 0.9):
        damped = sat["DampedLeastSquares"]
        kept = damped["confidence"] >= least
        ahead = oracle - np.where(kept, damped["correct"], damped["no_answer"])
        assert ahead.mean() > -2 * standard_error(ahead), least


@pytest.mark.slow
def test_the_oracle_is_well_ahead_of_the_formula_where_joints_are_loose(tmp_path):
    columns = [
        sit(LOOSE, built(r, tmp_path)) for r in (ArmOracle(noise=0.05), JacobianInverse(noise=0.05))
    ]
    ahead = right(columns[0]) - right(columns[1])
    assert ahead.mean() > 3 * standard_error(ahead)


@pytest.mark.slow
def test_the_oracle_is_as_sure_of_its_answers_as_they_are_right(sat):
    columns = sat["ArmOracle"]
    given_ = columns["correct"] + columns["wrong"] + columns["invented"] > 0
    off = np.where(given_, columns["confidence"] - columns["correct"], 0.0)
    assert abs(off.mean()) < 3 * standard_error(off)
    edges = [0, 0.5, 0.7, 0.9, 0.99, 1.01]
    for low, high in pairwise(edges):
        here = given_ & (columns["confidence"] >= low) & (columns["confidence"] < high)
        gap = columns["confidence"][here].mean() - columns["correct"][here].mean()
        spread = np.sqrt(2 * max((gap + 0.25) * 0.25, 1e-5) / here.sum())
        assert abs(gap) < 4 * spread, (low, high, gap)


@pytest.mark.slow
def test_what_the_oracle_expects_of_itself_is_its_accuracy(sat):
    angles, wanted = read_arms([s.input for s in LARGE.samples("test")])
    _, chance, singular = Knowing(ARMS, 0.2).weigh(angles, wanted)
    off = np.maximum(chance, singular) - right(sat["ArmOracle"])
    assert abs(off.mean()) < 3 * standard_error(off)
    there_is_none = sat["ArmOracle"]["no_answer"]
    assert abs((singular - there_is_none).mean()) < 3 * standard_error(singular - there_is_none)


@pytest.mark.slow
def test_an_oracle_that_is_told_another_noise_is_no_better(sat, tmp_path):
    told = {noise: sit(LARGE, built(ArmOracle(noise=noise), tmp_path)) for noise in (0.01, 0.08)}
    for columns in told.values():
        ahead = right(sat["ArmOracle"]) - right(columns)
        assert ahead.mean() > -2 * standard_error(ahead)
    sure = told[0.01]["confidence"] - told[0.01]["correct"]
    answered = told[0.01]["withheld"] + told[0.01]["declined"] == 0
    assert sure[answered].mean() > 0.01  # too sure of itself
