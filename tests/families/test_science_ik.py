"""Arms: where the tip goes, how poses are drawn, and what counts as a right step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Check, Crash, PlanError, Reply, Sample
from assay.families.science.domains.arm import (
    damped_step,
    jacobian,
    moved,
    nearness,
    step_of,
    tip_error,
)
from assay.families.science.domains.ik import (
    CAP,
    CAP_SQUARED,
    Arms,
    TipWithin,
    draw,
    draw_poses,
    ik,
)
from assay.families.science.domains.ik_metrics import STEPPED, STRATA, ik_metrics, strata_words
from assay.families.science.domains.strata import within
from assay.testing import check_task
from science_sitting import sit, value

ANGLE = st.floats(-3.1, 3.1)
BENT = st.floats(0.01, 3.13) | st.floats(-3.13, -0.01)
MOVE = st.floats(-1, 1)
TASK = ik(train=40, tune=20, calibration=20, test=1_200)


def rows(*values):
    return np.array([values], dtype=float)


def tip(first, second):
    both = first + second
    return np.array([np.cos(first) + np.cos(both), np.sin(first) + np.sin(both)])


@given(first=ANGLE, second=ANGLE, step=st.tuples(MOVE, MOVE))
def test_the_jacobian_is_the_derivative_of_the_tips_place(first, second, step):
    small = 1e-6 * np.array(step)
    ahead, behind = (
        tip(first + small[0], second + small[1]),
        tip(first - small[0], second - small[1]),
    )
    expected = (ahead - behind) / 2e-6
    assert moved(rows(first, second), rows(*step))[0] == pytest.approx(expected, abs=1e-6)


@given(first=ANGLE, second=ANGLE)
def test_the_nearness_is_the_size_of_the_determinant(first, second):
    at = rows(first, second)
    assert nearness(at)[0] == pytest.approx(abs(np.linalg.det(jacobian(at)[0])), abs=1e-9)


@given(first=ANGLE, second=BENT, move=st.tuples(MOVE, MOVE))
def test_the_step_of_a_move_makes_the_move(first, second, move):
    at, wanted = rows(first, second), rows(*move)
    made = moved(at, step_of(at, wanted))
    assert np.abs(made - wanted).max() <= 1e-9 * (1 + np.abs(wanted).max() / nearness(at)[0])


@given(first=ANGLE, second=ANGLE, move=st.tuples(MOVE, MOVE), damping=st.floats(1e-3, 1))
def test_the_damped_step_is_the_least_squares_one(first, second, move, damping):
    at, wanted = rows(first, second), rows(*move)
    stacked = np.vstack([jacobian(at)[0], damping * np.eye(2)])
    expected = np.linalg.lstsq(stacked, np.r_[wanted[0], 0, 0], rcond=None)[0]
    assert damped_step(at, wanted, damping)[0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_straight_arm_cannot_move_outwards_and_its_damped_step_stands_still():
    straight, outwards = rows(0, 0), rows(0.1, 0)
    assert damped_step(straight, outwards, 0.1).tolist() == [[0.0, 0.0]]
    assert not np.isfinite(step_of(straight, outwards)).all()


def test_the_task_keeps_its_contract():
    check_task(TASK)


def test_the_same_seed_draws_the_same_arms_and_another_one_draws_others():
    again = ik(train=40, tune=20, calibration=20, test=1_200)
    assert again.samples("test") == TASK.samples("test")
    assert ik(seed=8, test=1_200).samples("test") != TASK.samples("test")


def test_a_smaller_split_changes_no_other_one():
    assert ik(train=1, test=1_200).samples("test") == TASK.samples("test")


def test_a_sample_shows_six_numbers_and_hides_the_true_angles():
    sample = TASK.samples("test")[0]
    assert len(sample.input) == 6
    assert vars_of(sample.question()) == {"id", "input", "attempt", "seed"}


def vars_of(question):
    return set(type(question).__dataclass_fields__)


def test_all_moves_of_a_pose_are_one_group_with_one_measurement():
    by_group = {}
    for sample in TASK.samples("test"):
        by_group.setdefault(sample.group, []).append(sample)
    assert {len(found) for found in by_group.values()} == {2}
    assert all(len({tuple(s.input[:4]) for s in found}) == 1 for found in by_group.values())
    assert all(len({tuple(s.input[4:]) for s in found}) == 2 for found in by_group.values())


def test_the_label_is_singular_exactly_where_the_true_determinant_is_below_the_limit():
    arms = Arms()
    poses = draw_poses(arms, 500, np.random.default_rng(3))
    drawn = draw(arms, 500, np.random.default_rng(3))
    det = np.repeat(np.abs(np.sin(poses.angles[:, 1])), 2)
    assert [reason == "singular" for reason in drawn.reasons] == (det < arms.limit).tolist()
    assert all(("singular" in t) == bool(r) for t, r in zip(drawn.tags, drawn.reasons, strict=True))


def test_a_label_is_the_undamped_step_of_the_true_angles():
    for sample in TASK.samples("test"):
        if isinstance(sample.target, Answer):
            at = rows(*sample.target.scores.values())
            wanted = rows(*sample.input[4:])
            assert tip_error(at, rows(*sample.target.value), wanted)[0] < 1e-4


def test_labels_grow_without_damping_as_the_arm_gets_straight():
    """The reference's labels were damped, and shrank to nothing where its benchmark looked."""
    sizes = {tag: [] for tag in STEPPED}
    for sample in TASK.samples("test"):
        if isinstance(sample.target, Answer):
            [tag] = sample.tags & set(STRATA)
            wanted = np.linalg.norm(sample.input[4:])
            sizes[tag].append(np.linalg.norm(sample.target.value) / wanted)
    middle = [np.median(sizes[tag]) for tag in STEPPED]
    assert middle == sorted(middle, reverse=True)
    assert middle[0] > 5


def test_every_stratum_of_the_determinant_has_a_share_of_the_poses():
    drawn = draw(Arms(), 5_000, np.random.default_rng(0))
    shares = {tag: np.mean([tag in tags for tags in drawn.tags]) for tag in STRATA}
    assert min(shares.values()) > 0.05
    assert sum(shares.values()) == pytest.approx(1)
    assert all(len(tags & set(STRATA)) == 1 for tags in drawn.tags)


def test_near_the_singularity_every_decade_and_every_side_is_drawn_alike():
    """The reference drew one normal of width 0.001 around it: one distance, in effect."""
    poses = draw_poses(Arms(near=1.0), 40_000, np.random.default_rng(0))
    second = poses.angles[:, 1]
    away = second - np.pi * np.round(second / np.pi)
    decades = np.log10(np.abs(away) / (np.pi / 2)) / np.log10(Arms().closest / (np.pi / 2))
    counts = np.histogram(decades, bins=10, range=(0, 1))[0]
    assert counts.sum() == 40_000
    assert np.abs(counts - 4_000).max() < 5 * np.sqrt(4_000)
    sides = [
        np.mean((np.sign(away) == s) & ((np.cos(second) > 0) == c)) for s in (1, -1) for c in (0, 1)
    ]
    assert np.abs(np.array(sides) - 0.25).max() < 0.02


def test_moves_have_one_length_and_every_direction():
    wanted = draw_poses(Arms(), 5_000, np.random.default_rng(0)).wanted.reshape(-1, 2)
    assert np.linalg.norm(wanted, axis=1) == pytest.approx(0.1)
    assert np.abs(wanted.mean(axis=0)).max() < 0.005


def test_the_measured_angles_are_off_by_the_noise():
    poses = draw_poses(Arms(noise=0.03), 20_000, np.random.default_rng(0))
    off = poses.measured - poses.angles
    assert off.std(axis=0) == pytest.approx([0.03, 0.03], rel=0.03)
    assert np.corrcoef(off.T)[0, 1] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(
    "options",
    [
        {"noise": 0},
        {"noise": 0.2},
        {"limit": 0.001},
        {"limit": 0.5},
        {"tolerance": 0},
        {"tolerance": 1},
    ],
)
def test_numbers_that_make_no_task_are_refused(options):
    with pytest.raises(PlanError) as error:
        ik(**options)
    assert error.value.code == "A102"


# --- the verifier ---------------------------------------------------------------------------


def sample_at(angles, wanted):
    step = step_of(rows(*angles), rows(*wanted))[0].tolist()
    target = Answer(step, scores=dict(zip(("first", "second"), angles, strict=True)))
    seen = [np.cos(angles[0]), np.sin(angles[0]), np.cos(angles[1]), np.sin(angles[1]), *wanted]
    return Sample(id="test/0", input=seen, target=target)


def check(sample, said, tolerance=0.2):
    [found] = TipWithin(tolerance).check([(sample, Reply(sample.id, Answer(said)))])
    return found


@given(first=ANGLE, second=BENT, move=st.tuples(st.floats(0.01, 1), MOVE), off=st.floats(0, 0.9))
def test_a_step_is_right_as_long_as_the_tip_misses_by_no_more_than_the_tolerance(
    first, second, move, off
):
    sample = sample_at((first, second), move)
    found = check(sample, [(1 - off) * one for one in sample.target.value], tolerance=0.5)
    assert found.scores["tip_error"] == pytest.approx(off, abs=1e-6)
    assert found.passed == (off <= 0.5) or off == pytest.approx(0.5, abs=1e-6)


def test_a_step_far_from_the_right_one_is_right_where_the_tip_does_not_tell_them_apart():
    sample = sample_at((0.0, 0.06), (0.015, 0.1))
    found = check(sample, [0.1, -0.1])
    assert found.passed
    assert found.scores["squared_error"] > 0.01


def test_standing_still_misses_by_one_move_and_the_opposite_step_by_two():
    sample = sample_at((0.3, 1.0), (0.1, 0.02))
    assert check(sample, [0, 0]).scores["tip_error"] == 1.0
    opposite = check(sample, [-one for one in sample.target.value])
    assert opposite.scores["tip_error"] == pytest.approx(2.0)
    assert opposite.scores["signs"] == 0.0
    assert check(sample, list(sample.target.value)).scores["signs"] == 1.0


@pytest.mark.parametrize("said", [[1e308, -1e308], [1e200, 1e308], [2**63, 0]])
def test_errors_are_capped_however_wild_a_step_is(said):
    found = check(sample_at((0.3, 1.0), (0.1, 0.02)), said)
    assert not found.passed
    assert found.scores["tip_error"] == CAP
    assert found.scores["squared_error"] == CAP_SQUARED


@pytest.mark.parametrize(
    "said", [None, 0.1, "0.1", [0.1], [0.1, 0.2, 0.3], [True, 0.1], ["a", 0.1], {}]
)
def test_what_is_no_pair_of_numbers_is_wrong_and_has_no_scores(said):
    assert check(sample_at((0.3, 1.0), (0.1, 0.02)), said) == Check(passed=False)


def test_a_sample_without_true_angles_is_no_wrong_answer_but_a_crash():
    good = sample_at((0.3, 1.0), (0.1, 0.02))
    blind = Sample(id="test/1", input=good.input, target=Answer(good.target.value))
    found = list(TipWithin(0.2).check([(s, Reply(s.id, good.target)) for s in (blind, good)]))
    assert isinstance(found[0], Crash)
    assert found[1].passed


# --- the metrics ----------------------------------------------------------------------------


class Saying:
    """Says what a function makes of a sample: it peeks, as no system can."""

    def __init__(self, task, say):
        self.said = {s.id: say(s) for s in task.samples("test")}

    def answer(self, questions):
        return [Reply(q.id, self.said[q.id]) for q in questions]


def measured(say):
    columns = sit(TASK, Saying(TASK, say))
    return {metric.name: value(TASK.metrics, metric.name, columns) for metric in TASK.metrics}


def gold(sample):
    return sample.target


def flipped(sample):
    if isinstance(sample.target, Bottom):
        return sample.target
    return Answer([-one for one in sample.target.value], 0.9)


def test_the_right_steps_score_as_perfect():
    found = measured(gold)
    assert found["accuracy"] == found["macro_f1"] == found["sign_consistency"] == 1.0
    assert found["tip_error"] < 1e-4
    assert found["withheld_rate"] == found["invention_rate"] == 0.0
    assert found["charged_tip_error_det_b2"] < 1e-4


def test_a_system_with_its_signs_flipped_scores_as_broken():
    found, share = (
        measured(flipped),
        1 - np.mean([isinstance(s.target, Answer) for s in TASK.samples("test")]),
    )
    assert found["accuracy"] == pytest.approx(share)
    assert found["selective_accuracy"] == 0.0
    assert found["tip_error"] == pytest.approx(2.0, abs=1e-3)
    assert found["charged_tip_error"] == 1.0
    assert found["sign_consistency"] == 0.0
    assert all(found[f"accuracy_{tag}"] == 0.0 for tag in STEPPED)


def test_declining_everything_is_charged_as_standing_still():
    silent, still = measured(lambda _: Bottom("singular")), measured(lambda _: Answer([0.0, 0.0]))
    assert silent["charged_tip_error"] == still["charged_tip_error"] == 1.0
    assert silent["withheld_rate"] == still["invention_rate"] == 1.0
    assert silent["bottom_cost"] == 0.5
    assert silent["accuracy_det_b0"] == silent["accuracy_det_b1"] == 1.0
    assert silent["accuracy_det_b2"] == still["accuracy"] == 0.0


def test_the_accuracy_is_that_of_the_strata_put_together():
    found = measured(lambda s: gold(s) if "det_b3" in s.tags or "det_b1" in s.tags else Bottom("x"))
    samples = TASK.samples("test")
    shares = [np.mean([tag in s.tags for s in samples]) for tag in STRATA]
    parts = [found[f"accuracy_{tag}"] for tag in STRATA]
    assert np.dot(shares, parts) == pytest.approx(found["accuracy"])


def test_strata_are_told_in_determinants_of_the_limit_at_hand():
    assert strata_words(0.05)["det_b1"] == "|det J| 0.01 to 0.05"
    [one] = [m for m in ik_metrics(0.05) if m.name == "accuracy_det_b4"]
    assert one.says.endswith("|det J| 0.2 and more")


def test_a_metric_that_is_no_ratio_has_no_strata():
    from assay import PluginError

    [macro] = [m for m in ik_metrics() if m.name == "macro_f1"]
    with pytest.raises(PluginError):
        within(macro, "det_b0", where="anywhere")
