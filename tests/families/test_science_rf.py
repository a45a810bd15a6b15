"""Resonators: labels that follow the physics, a verifier that knows peaks, metrics that count them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Crash, PlanError, Question, Reply, Sample
from assay.analysis.table import terms_of
from assay.families.science.domains.drawn import generator
from assay.families.science.domains.resonance import LIMIT, denominator, highest
from assay.families.science.domains.rf import (
    FEATURES,
    POLE,
    SHARP,
    TOLERANCE,
    Filters,
    draw,
    read_sheets,
    rf,
)
from assay.families.science.domains.rf_verifier import WithinShare, read_response
from assay.families.science.recipes.resonator import Resonator
from assay.families.science.recipes.rf_oracle import RfOracle
from assay.testing import check_recipe, check_task
from science_sitting import sit

SMALL = {"train": 4, "tune": 2, "calibration": 2, "test": 12}

quality = st.floats(0.6, 500.0)
log_w = st.floats(-1.0, 1.0)
log_w0 = st.floats(-0.3, 0.7)


@pytest.fixture(scope="module")
def task():
    return rf(**SMALL)


def response(at: float, w0: float, damping: float) -> complex:
    return 1.0 / complex(denominator(np.float64(at), np.float64(w0), np.float64(damping)))


def target_of(given: complex) -> Sample:
    return Sample(id="s", input=[0.0] * 5, target=Answer([given.real, given.imag]))


def check(sample: Sample, value: object):
    [found] = WithinShare(TOLERANCE).check([(sample, Reply("s", Answer(value)))])
    return found


class Saying:
    """Says what it was told to: it peeks, as no system can."""

    def __init__(self, said):
        self.said = said

    def answer(self, questions):
        return [Reply(q.id, self.said[q.id]) for q in questions]


def measured(task, said):
    """Return every metric as a run has it: what nobody scored is NaN, and a share of nothing None."""
    columns = sit(task, Saying(said))
    nothing = np.full(len(said), np.nan)
    found = {}
    for metric in task.metrics:
        held = {
            name: columns.get(name, nothing if name.startswith("check:") else np.zeros(len(said)))
            for name in metric.columns
        }
        above, below = terms_of(metric.form, held)
        found[metric.name] = above.sum() / below.sum() if below.sum() else None
    return found


# --- physics --------------------------------------------------------------------------------


@given(log_w, log_w0, quality)
def test_a_response_is_the_transfer_function_at_s_equal_jw(at, w0, q):
    s, resonance = 1j * 10.0**at, 10.0**w0
    wanted = resonance**2 / (s**2 + resonance / q * s + resonance**2)
    assert response(at, w0, 1.0 / q) == pytest.approx(wanted, rel=1e-9)


@given(log_w, log_w0, st.floats(2.0, 90.0))
def test_the_highest_response_is_found_from_any_one_of_a_filter(at, w0, q):
    grid = np.linspace(w0 - 0.3, w0 + 0.3, 40_001)
    seen = np.abs(1.0 / denominator(grid, np.float64(w0), np.float64(1.0 / q))).max()
    assert highest(response(at, w0, 1.0 / q)) == pytest.approx(min(seen, 1.0 / LIMIT), rel=1e-3)


def test_nothing_is_higher_than_the_limit_allows_and_an_overdamped_filter_only_falls():
    assert highest(response(0.3, 0.0, 0.0)) == 1.0 / LIMIT
    assert highest(response(0.0, 0.0, 1.0 / 0.6)) == 1.0


# --- the generator --------------------------------------------------------------------------


def test_a_label_is_pole_exactly_where_the_denominator_is_below_the_limit():
    filters = replace(Filters(), frequency_noise=0.0, damping_noise=0.0, quality=SHARP)
    drawn = draw(filters, 300, generator(3, "test"))
    below = np.abs(denominator(*drawn.x[:, :3].T))
    reasons = np.array(drawn.reasons)
    clear = np.abs(below / LIMIT - 1.0) > 1e-3  # what is seen is rounded
    assert ((below < LIMIT) == (reasons == POLE))[clear].all()
    assert 0.05 < (reasons == POLE).mean() < 0.3
    there = reasons == ""
    value = drawn.y[there, 0] + 1j * drawn.y[there, 1]
    assert np.abs(value * denominator(*drawn.x[there, :3].T) - 1.0).max() < 2e-3


def test_a_lossless_filter_has_poles_and_a_filter_as_in_train_has_none(task):
    samples = rf(train=100, tune=1, calibration=1, test=1).samples("train")
    poles = [s for s in samples if isinstance(s.target, Bottom)]
    assert poles
    assert all("lossless" in s.tags and POLE in s.tags for s in poles)
    lossless = {s.group for s in samples if "lossless" in s.tags}
    assert 0.05 < len(lossless) / 100 < 0.3


def test_train_holds_no_filter_as_sharp_as_half_of_those_of_test():
    task = rf(train=60, tune=10, calibration=60, test=60)
    sharp = {
        split: len({s.group for s in task.samples(split) if "extrapolation" in s.tags})
        for split in ("train", "tune", "calibration", "test")
    }
    assert sharp["train"] == sharp["tune"] == 0
    assert sharp["calibration"] > 15
    assert sharp["test"] > 15


def test_each_sweep_has_one_peak_and_it_is_the_highest_value_of_it(task):
    by_group: dict[str, list[Sample]] = {}
    for sample in task.samples("test"):
        by_group.setdefault(sample.group, []).append(sample)
    for sweep in by_group.values():
        sizes = {
            s.id: abs(read_response(s.target.value)) for s in sweep if isinstance(s.target, Answer)
        }
        [peak] = [s.id for s in sweep if "peak" in s.tags]
        assert sizes[peak] == max(sizes.values())
        assert sizes[peak] <= 1.001 / LIMIT


def test_a_sweep_says_nothing_of_the_filter_that_its_sheet_does_not():
    """Frequencies lie around what was measured: other truths behind one sheet have one sweep."""
    drawn = draw(replace(Filters(), frequency_noise=0.01), 400, generator(5, "test"))
    at, sheet, _ = drawn.x[:, :3].T
    near = (at - sheet).reshape(400, -1)[:, 8:]
    # Were sweeps laid around the truth, their middles would be off by the noise of the sheet.
    assert np.abs(near.mean(axis=1)).mean() < 0.002


def test_numbers_that_are_seen_twice_follow_from_those_seen_once(task):
    for sample in task.samples("test"):
        at, sheet, damping, away, compressed = sample.input
        assert len(sample.input) == len(FEATURES)
        assert np.sinh(away) * 0.001 == pytest.approx(at - sheet, abs=1e-6)
        assert np.sinh(compressed) * 0.003 == pytest.approx(damping, rel=1e-5)


def test_the_task_keeps_its_contract(task):
    check_task(task)


@pytest.mark.parametrize(
    "options", [{"lossless": 1.5}, {"frequency_noise": -0.1}, {"damping_noise": -1.0}]
)
def test_an_option_out_of_range_is_refused(options):
    for refuse in (partial(rf, **SMALL), RfOracle):
        with pytest.raises(PlanError) as caught:
            refuse(**options)
        assert caught.value.code == "A102"


@pytest.mark.parametrize("option", ["limit", "frequency_noise", "damping_noise"])
def test_the_formula_refuses_a_number_below_zero(option):
    with pytest.raises(PlanError) as caught:
        Resonator(**{option: -0.01})
    assert caught.value.code == "A102"


# --- the verifier ---------------------------------------------------------------------------


@given(log_w, log_w0, quality, st.floats(0.0, 0.6), st.floats(-np.pi, np.pi))
def test_an_answer_is_right_within_the_tolerance_whatever_its_direction(at, w0, q, off, turn):
    truth = response(at, w0, 1.0 / q)
    said = truth * (1.0 + off * np.exp(1j * turn))
    found = check(target_of(truth), [said.real, said.imag])
    if abs(off - TOLERANCE) > 1e-9:
        assert found.passed == (off < TOLERANCE)
    assert found.scores["squared_error"] == pytest.approx((off * abs(truth)) ** 2, abs=1e-9)


@given(st.floats(1e-3, 1e3))
def test_the_error_of_a_magnitude_is_in_decibels(factor):
    truth = response(0.1, 0.0, 0.1)
    found = check(target_of(truth), [truth.real * factor, truth.imag * factor])
    assert found.scores["log_error"] == pytest.approx(abs(20.0 * np.log10(factor)), abs=1e-6)


@pytest.mark.parametrize(
    ("value", "kept", "false"),
    [(0.0, 0.0, 0.0), (0.8, 0.0, 0.0), (0.95, 1.0, 0.0), (1.05, 1.0, 0.0), (1.2, 1.0, 1.0)],
)
def test_a_peak_is_kept_from_nine_tenths_on_and_false_above_ten_ninths(value, kept, false):
    top = response(float(np.log10((1 - 0.05**2 / 2) ** 0.5)), 0.0, 0.05)
    sample = replace(target_of(top), tags=frozenset({"peak"}))
    scores = check(sample, [top.real * value, top.imag * value]).scores
    assert (scores["peak_kept"], scores["false_peak"]) == (kept, false)


def test_only_the_peak_of_a_sweep_can_be_kept():
    assert "peak_kept" not in check(target_of(0.5 + 0j), [0.5, 0.0]).scores


@pytest.mark.parametrize(
    "value", [0.5, "0.5", [0.5], [0.5, 0.0, 0.0], [True, False], ["0.5", 0.0], None, {}]
)
def test_what_is_no_pair_of_numbers_is_wrong_and_has_no_score(value):
    found = check(target_of(0.5 + 0j), value)
    assert found.passed is False
    assert found.scores == {}


@pytest.mark.parametrize("value", [[1e300, -1e300], [10**400, 0], [-(10**400), 10**400]])
def test_an_enormous_answer_is_wrong_and_its_scores_are_finite(value):
    found = check(target_of(0.5 + 0j), value)
    assert found.passed is False
    assert all(np.isfinite(score) for score in found.scores.values())


def test_a_sample_without_a_response_is_no_fault_of_the_system():
    sample = Sample(id="s", input=[0.0] * 5, target=Bottom(POLE))
    [found] = WithinShare(TOLERANCE).check([(sample, Reply("s", Answer([1.0, 0.0])))])
    assert isinstance(found, Crash)


# --- metrics --------------------------------------------------------------------------------


def test_the_truth_has_no_error_and_every_peak(task):
    said = {s.id: s.target for s in task.samples("test")}
    found = measured(task, said)
    assert found["accuracy"] == found["peak_retention_yield"] == 1.0
    for name in ("pointwise_mse", "in_band_mse", "extrapolation_mse", "log_error", "withheld_rate"):
        assert found[name] == 0.0
    assert found["false_peak_rate"] == found["invention_rate"] == found["charged_log_error"] == 0.0


def test_whoever_declines_everything_keeps_no_peak_and_is_charged(task):
    found = measured(task, {s.id: Bottom(POLE) for s in task.samples("test")})
    assert found["peak_retention_yield"] == 0.0
    assert found["withheld_rate"] == 1.0
    assert found["bottom_cost"] == 0.5
    assert found["charged_log_error"] == 20.0
    assert found["pointwise_mse"] is None
    assert found["false_peak_rate"] is None


def test_a_washed_out_response_keeps_no_peak_and_a_loud_one_has_false_ones(task):
    def scaled(factor):
        said = {}
        for sample in task.samples("test"):
            given = sample.target.value if isinstance(sample.target, Answer) else [1.0, 0.0]
            said[sample.id] = Answer([factor * part for part in given])
        return measured(task, said)

    quiet, loud = scaled(0.5), scaled(3.0)
    assert quiet["peak_retention_yield"] == quiet["false_peak_rate"] == quiet["accuracy"] == 0.0
    assert quiet["log_error"] == pytest.approx(20 * np.log10(2), rel=1e-4)
    assert loud["peak_retention_yield"] == 1.0
    assert loud["false_peak_rate"] > 0.2
    assert loud["invention_rate"] == 1.0
    assert loud["charged_log_error"] == pytest.approx(20 * np.log10(3), rel=1e-4)


def test_errors_of_sharp_filters_and_of_those_near_the_resonance_stand_apart(task):
    def nudged(tag):
        said = {}
        for sample in task.samples("test"):
            given = sample.target.value if isinstance(sample.target, Answer) else [1.0, 0.0]
            off = 1.0 if tag in sample.tags else 0.0
            said[sample.id] = Answer([given[0] + off, given[1]])
        return measured(task, said)

    assert nudged("extrapolation")["extrapolation_mse"] == pytest.approx(1.0)
    assert nudged("in_band")["in_band_mse"] == pytest.approx(1.0)
    assert nudged("in_band")["pointwise_mse"] < 1.0


# --- recipes keep their contract ------------------------------------------------------------


@pytest.mark.parametrize("recipe", [Resonator(), RfOracle()], ids=["resonator", "oracle"])
def test_both_recipes_keep_their_contract(recipe, task, tmp_path):
    check_recipe(recipe, task, workdir=tmp_path)


@pytest.mark.parametrize("given", ["text", [1.0, 2.0], [True] * 5, ["1"] * 5, None])
def test_what_is_no_sheet_is_refused(given):
    with pytest.raises(PlanError) as caught:
        read_sheets([given])
    assert caught.value.code == "A104"


@pytest.mark.parametrize("recipe", [Resonator(), RfOracle()], ids=["resonator", "oracle"])
def test_a_recipe_refuses_a_task_that_asks_for_something_else(recipe, tmp_path):
    other = [Sample(id="a", input=[1.0, 2.0], target=Answer(0.5))]
    with pytest.raises(PlanError):
        recipe.build(other, other, seed=0, workdir=tmp_path)


@pytest.mark.parametrize("recipe", [Resonator(), RfOracle()], ids=["resonator", "oracle"])
def test_no_question_is_no_answer_and_an_attempt_is_named(recipe, tmp_path):
    system = recipe.build([], [], seed=0, workdir=tmp_path).system
    assert list(system.answer([])) == []
    asked = Question(id="q", input=[0.5, 0.0, 0.1, 0.0, 0.0], attempt=3)
    [reply] = system.answer([asked])
    assert (reply.question, reply.attempt) == ("q", 3)
