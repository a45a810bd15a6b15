"""The published benchmarks of zeroproofml 0.6.1 as tasks: what they ask, and what is wrong with them.

Expected numbers are of ``reference`` measurements of the original, or follow from its generator.
That both draw from the same distribution was tested against the original (LOG.md, 2026-11-29).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Metric, Reply, Sample, Task
from assay.core.verdict import Outcome, judge
from assay.families.science.domains.classic import dose, ik, rf
from assay.families.science.domains.classic.dose import classic_dose
from assay.families.science.domains.classic.ik import classic_ik
from assay.families.science.domains.classic.rf import classic_rf
from assay.families.science.domains.classic.vectors import WithinShare
from assay.families.science.domains.drawn import generator, samples_of
from assay.testing import check_task

SMALL = {
    "dose": lambda **more: classic_dose(train=60, tune=20, calibration=20, test=80, **more),
    "rf": lambda **more: classic_rf(train=3, tune=2, calibration=2, test=4, **more),
    "ik": lambda **more: classic_ik(train=160, tune=20, calibration=20, test=80, **more),
}
SPLITS = ("train", "tune", "calibration", "test")


def inputs(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([sample.input for sample in samples])


def values(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([sample.target.value for sample in samples])


def measured(task: Task, say: Callable[[Sample], Answer | Bottom], split: str = "test"):
    """Return every metric of the task for what is said to each sample, as a run would have it."""
    asked = task.samples(split)
    said = {sample.id: say(sample) for sample in asked}
    needed = [
        (s, Reply(s.id, said[s.id]))
        for s in asked
        if isinstance(s.target, Answer) and isinstance(said[s.id], Answer)
    ]
    checks = {s.id: c for (s, _), c in zip(needed, task.verifier.check(needed), strict=True)}
    outcomes = [judge(s.target, said[s.id], checks.get(s.id)).outcome for s in asked]

    def column(name: str) -> np.ndarray:
        kind, _, rest = name.partition(":")
        match kind:
            case "tag":
                found = [rest in s.tags for s in asked]
            case "reason":
                found = [said[s.id] == Bottom(rest) for s in asked]
            case "check":
                found = [checks[s.id].scores[rest] if s.id in checks else np.nan for s in asked]
            case "asked":
                found = [1.0] * len(asked)
            case "no_answer":
                found = [isinstance(s.target, Bottom) for s in asked]
            case _:
                found = [outcome is Outcome(name) for outcome in outcomes]
        return np.array(found, dtype=float)

    def of(metric: Metric) -> float | None:
        columns = {name: column(name) for name in metric.columns}
        if hasattr(metric.form, "of"):
            return metric.form.of(columns, np.ones(len(asked)))
        above = np.nan_to_num(metric.form.numerator(columns)).sum()
        below = metric.form.denominator(columns).sum()
        return above / below if below else None

    return {metric.name: of(metric) for metric in task.metrics}


@pytest.mark.parametrize("domain", SMALL)
def test_a_classic_task_keeps_the_contract(domain):
    check_task(SMALL[domain]())


@pytest.mark.parametrize("domain", SMALL)
def test_a_seed_decides_every_sample_and_another_seed_draws_others(domain):
    one, same, other = SMALL[domain](), SMALL[domain](), SMALL[domain](seed=2)
    for split in SPLITS:
        assert one.samples(split) == same.samples(split)
        assert not np.array_equal(
            inputs(one.samples(split))[:, -2:], inputs(other.samples(split))[:, -2:]
        )


@pytest.mark.parametrize("domain", SMALL)
def test_numbers_are_printed_with_what_is_wrong_with_the_task(domain):
    said = SMALL[domain]().caveats()
    assert 2 <= len(said) <= 3
    assert all(40 < len(sentence) < 400 and sentence[0].islower() for sentence in said)


# --- dose -----------------------------------------------------------------------------------


def test_inputs_of_a_curve_are_ten_concentrations_each_before_its_response():
    x = inputs(classic_dose(test=500).samples("test"))
    assert x.shape == (500, 20)
    assert np.allclose(x[:, ::2], np.linspace(-9, -5, 10), atol=1e-6)
    assert np.ptp(x[:, ::2], axis=0).max() == 0
    assert x[:, 1::2].std() > 0.3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_no_ic50_lies_in_the_gaps_of_both_limits(seed, n):
    drawn = dose.draw(dose.ClassicCurves(), n, generator(seed, "test"))
    at = drawn.y[:, 0]
    assert (((at < -10.2) & (at > -13)) | (np.abs(at + 7) <= 1.8) | ((at > -3.8) & (at < -1))).all()
    for value, reason, tags in zip(at, drawn.reasons, drawn.tags, strict=True):
        regime = "below" if value < -10 else "above" if value > -4 else ""
        assert reason == ("above" if "null" in tags else regime)
        assert (reason or "in_range") in tags


def test_curves_without_an_effect_look_like_those_below_the_range_and_are_labelled_above():
    drawn = dose.draw(dose.ClassicCurves(), 20_000, generator(0, "test"))
    seen = drawn.x[:, 1::2].mean(axis=1)
    null = np.array(["null" in tags for tags in drawn.tags])
    reasons = np.array(drawn.reasons)
    assert null.mean() == pytest.approx(0.1, abs=0.01)
    assert set(reasons[null]) == {"above"}
    # The reference: 0.001 against -0.001, among responses from 0 to 1.
    assert abs(seen[reasons == "below"].mean() - seen[null].mean()) < 0.02
    assert seen[(reasons == "above") & ~null].mean() > 0.95


def two_constants(train: Sequence[Sample]) -> Callable[[Sample], Answer | Bottom]:
    """Learn two limits of the mean response from train: below the first, above the second."""
    seen = inputs(train)[:, 1::2].mean(axis=1)
    named = np.array([t.reason if isinstance(t := s.target, Bottom) else "" for s in train])
    grid = np.linspace(0, 1, 101)
    low = max(grid, key=lambda cut: ((seen < cut) == (named == "below")).sum())
    high = max(grid, key=lambda cut: ((seen > cut) == (named == "above")).sum())

    def say(sample: Sample) -> Answer | Bottom:
        mean = float(np.mean(sample.input[1::2]))
        if mean < low or mean > high:
            return Bottom("below" if mean < low else "above")
        return Answer(-7.0)

    return say


def test_two_constants_on_the_mean_response_score_what_the_reference_measured():
    task = classic_dose(train=5_000, test=5_000)
    found = measured(task, two_constants(task.samples("train")))
    assert found["macro_f1"] == pytest.approx(0.904, abs=0.01)
    assert found["macro_f1"] <= dose.ceiling(task.samples("test")) + 0.002
    assert found["withheld_rate"] < 0.01
    assert found["invention_rate"] < 0.01


@pytest.mark.parametrize(
    ("said", "score"),
    [(Bottom("below"), 0.15), (Bottom("above"), 0.19), (Answer(-7.0), 0.17)],
)
def test_one_constant_scores_as_chance_does(said, score):
    assert measured(classic_dose(), lambda _: said)["macro_f1"] == pytest.approx(score, abs=0.03)


def likelihoods(curves: dose.ClassicCurves, seen: np.ndarray) -> np.ndarray:
    """Return the logarithm of the density of responses under each class, shape [curves, 3].

    The ends of a curve and the noise are normal, so given log10 IC50 and the slope the responses
    are, too; those two are summed over a grid of midpoints.
    """
    hills = np.linspace(*curves.hill, 8)
    found = []
    for low, high in curves.ranges:
        at, hill = map(np.ravel, np.meshgrid(np.linspace(low, high, 61), hills))
        share = dose.inhibited(curves.grid, at, hill)
        rest = 1 - share
        spread = curves.plate**2 * (
            rest[:, :, None] * rest[:, None, :] + share[:, :, None] * share[:, None, :]
        )
        flat = np.full_like(spread, curves.plate**2) + curves.flatness**2 * (
            share[:, :, None] * share[:, None, :]
        )
        noise = curves.noise**2 * np.eye(curves.points)
        found += [_normal(seen, share, spread + noise), _normal(seen, 0 * share, flat + noise)]
    below, null_0, within, null_1, above, null_2 = found
    null = np.log(curves.null / (1 - curves.null))
    above = np.logaddexp.reduce([above, *(null + one for one in (null_0, null_1, null_2))])
    return np.stack([below, within, above], axis=1)


def _normal(seen: np.ndarray, means: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean of normal densities at each row, but for a constant."""
    inverse = np.linalg.inv(spread)
    scale = -0.5 * np.linalg.slogdet(spread)[1]
    whitened = np.linalg.cholesky(inverse).transpose(0, 2, 1)
    parts = [
        s - 0.5 * (((seen - m) @ w.T) ** 2).sum(axis=1)
        for s, m, w in zip(scale, means, whitened, strict=True)
    ]
    return np.logaddexp.reduce(parts) - np.log(len(parts))


@pytest.mark.slow
def test_whoever_knows_the_generator_has_the_macro_f1_that_the_caveat_says():
    task = classic_dose(test=4_000)
    asked = task.samples("test")
    best = likelihoods(dose.ClassicCurves(), inputs(asked)[:, 1::2]).argmax(axis=1)
    says = (Bottom("below"), Answer(-7.0), Bottom("above"))
    said = {sample.id: says[at] for sample, at in zip(asked, best, strict=True)}
    found = measured(task, lambda sample: said[sample.id])["macro_f1"]
    assert found == pytest.approx(dose.ceiling(asked), abs=0.003)
    assert f"{dose.ceiling(asked):.3f}" in task.caveats()[0]


def test_whoever_knew_which_curve_is_null_would_have_no_error():
    task = classic_dose(test=200)
    assert measured(task, lambda sample: sample.target)["macro_f1"] == 1.0


# --- rf -------------------------------------------------------------------------------------


def test_a_response_is_what_the_differential_equation_says_at_its_frequency():
    samples = classic_rf(train=20).samples("train")
    w, w0, q = 10.0 ** inputs(samples).T
    heard = values(samples) @ [1, 1j]
    s = 1j * w
    assert np.allclose(heard * (s**2 + w0 / q * s + w0**2), w0**2, rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([30.0, 500.0]))
def test_filters_stay_inside_of_their_ranges_and_are_asked_at_64_frequencies(seed, most):
    drawn = rf.draw(rf.ClassicFilters(), 3, generator(seed, "test"), most=most)
    w, w0, q = 10.0**drawn.x.T
    assert len(w) == 3 * 64
    assert w.min() > 0.0999999
    assert w.max() < 10.00001
    assert w0.min() > 0.499999
    assert w0.max() < 5.00001
    assert q.min() > 1.99999
    assert q.max() < most * 1.00001
    assert [("extrapolation" in tags) for tags in drawn.tags] == list(q > 30)
    for group in set(drawn.groups):
        mine = [i for i, each in enumerate(drawn.groups) if each == group]
        assert len({tuple(drawn.x[i, 1:]) for i in mine}) == 1


def test_only_test_has_quality_factors_above_30_and_no_sample_is_without_a_value():
    task = classic_rf()
    for split in SPLITS:
        outside = ["extrapolation" in sample.tags for sample in task.samples(split)]
        assert any(outside) == (split == "test")
        assert all(isinstance(sample.target, Answer) for sample in task.samples(split))
    share = np.mean(["extrapolation" in sample.tags for sample in task.samples("test")])
    assert share == pytest.approx(np.log(500 / 30) / np.log(250), abs=0.12)


def test_the_formula_has_no_error_and_silence_has_no_metric():
    task = classic_rf(test=8)

    def formula(sample: Sample) -> Answer:
        heard = rf.response(np.array([sample.input]))[0]
        return Answer([float(heard.real), float(heard.imag)])

    found = measured(task, formula)
    assert found["pointwise_mse"] < 1e-9
    assert found["accuracy"] == 1.0
    silent = measured(task, lambda _: Bottom("pole"))
    assert silent["pointwise_mse"] is None
    assert silent["coverage"] == 0.0


def test_the_error_of_zero_is_the_square_of_the_response_in_each_band():
    task = classic_rf(test=64)
    found = measured(task, lambda _: Answer([0.0, 0.0]))
    squares = (values(task.samples("test")) ** 2).mean(axis=1)
    beyond = np.array(["extrapolation" in sample.tags for sample in task.samples("test")])
    assert found["pointwise_mse"] == pytest.approx(squares.mean())
    assert found["extrapolation_mse"] == pytest.approx(squares[beyond].mean())
    assert found["in_band_mse"] == pytest.approx(squares[~beyond].mean())


# --- ik -------------------------------------------------------------------------------------


def hand(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack(
        [np.cos(first) + np.cos(first + second), np.sin(first) + np.sin(first + second)], axis=-1
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_the_jacobian_is_how_the_hand_moves(seed):
    first, second = np.random.default_rng(seed).uniform(-3, 3, (2, 5))
    made, tiny = ik.jacobian(first, second), 1e-6
    for joint in (0, 1):
        up = hand(first + tiny * (joint == 0), second + tiny * (joint == 1))
        down = hand(first - tiny * (joint == 0), second - tiny * (joint == 1))
        assert np.allclose(made[:, :, joint], (up - down) / (2 * tiny), atol=1e-8)
    assert np.allclose(np.linalg.det(made), np.sin(second))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.001, 1))
def test_damped_steps_are_the_least_of_error_and_damped_length(seed, damping):
    rng = np.random.default_rng(seed)
    pose, step = rng.uniform(-3, 3, (1, 2)), rng.normal(size=(1, 2))
    found = ik.damped_steps(pose, step, damping)
    j = ik.jacobian(pose[:, 0], pose[:, 1])[0]
    stacked = np.vstack([j, damping * np.eye(2)])
    least = np.linalg.lstsq(stacked, np.concatenate([step[0], [0, 0]]), rcond=None)[0]
    assert np.allclose(found[0], least, atol=1e-6, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 300))
def test_three_poses_of_ten_are_near_a_singularity_and_the_others_keep_away(seed, n):
    drawn = ik.draw(ik.ClassicArm(), n, generator(seed, "test"))
    near = np.array(["near_pole" in tags for tags in drawn.tags])
    second = drawn.x[:, 1]
    assert near.sum() == int(0.3 * n)
    assert (np.minimum(np.abs(second), np.pi - second)[near] < 0.007).all()
    assert (np.abs(np.sin(second))[~near] > 0.00199).all()
    assert np.abs(drawn.x[:, :2]).max() < 3.14160
    if near.sum() > 1:
        assert second[0] == 0
        assert "folded" in drawn.tags[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(1, 100))
def test_train_and_test_share_no_row_and_every_stratum_is_divided_alike(seed, train, test):
    pool = ik.draw(ik.ClassicArm(), train + test, generator(seed, "train"))
    first, last = ik.divided(pool, train, test)
    assert sorted([*first.groups, *last.groups]) == sorted(pool.groups)
    for stratum in ik.STRATA:
        many, few = (sum(stratum in tags for tags in part.tags) for part in (first, last))
        assert abs(many - train / (train + test) * (many + few)) <= 0.5
    assert len(samples_of(last, "test")) == len(last.tags)


def test_strata_are_those_of_the_determinant():
    samples = classic_ik().samples("test")
    det = np.abs(np.sin(inputs(samples)[:, 1]))
    for edge, stratum, above in zip(ik.EDGES, ik.STRATA, ik.EDGES[1:], strict=False):
        inside = np.array([stratum in sample.tags for sample in samples])
        assert inside.any()
        # Angles have seven digits: a determinant is off by less than 1e-6.
        assert det[inside].min() > edge - 1e-6
        assert det[inside].max() < above + 1e-6


def test_damped_least_squares_has_no_error_and_zero_has_that_of_the_reference():
    task = classic_ik(train=40_000, test=10_000)
    asked = task.samples("test")
    best = ik.damped_steps(inputs(asked)[:, :2], inputs(asked)[:, 2:], 0.01)
    said = {sample.id: Answer(list(row)) for sample, row in zip(asked, best.tolist(), strict=True)}
    found = measured(task, lambda sample: said[sample.id])
    assert found["mse"] < 1e-10
    assert found["accuracy"] == 1.0
    zero = measured(task, lambda _: Answer([0.0, 0.0]))
    assert zero["near_pole_mse_b0"] == pytest.approx(0.0052, rel=0.15)
    assert zero["near_pole_mse_b3"] == pytest.approx(2.09, rel=0.4)
    assert zero["near_pole_mse_b4"] == pytest.approx(0.39, rel=0.25)


def test_the_stratum_next_to_the_poles_is_not_the_same_in_train_and_test():
    task = classic_ik()
    shares = [
        np.mean(["near_pole" in s.tags for s in task.samples(split) if "det_b3" in s.tags])
        for split in ("train", "test")
    ]
    assert shares[0] == 1.0
    assert shares[1] < 0.9


# --- values of several numbers --------------------------------------------------------------


@settings(max_examples=100)
@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=2),
    st.lists(st.floats(-1e9, 1e9) | st.integers(-(10**400), 10**400), min_size=2, max_size=2),
)
def test_a_value_is_right_within_a_share_of_its_length_and_every_error_is_finite(wanted, said):
    sample = Sample(id="s", input=[], target=Answer(wanted))
    [check] = WithinShare(0.1).check([(sample, Reply("s", Answer(said)))])
    near = np.clip(np.array([float(np.clip(v, -1e6, 1e6)) for v in said], dtype=float), -1e6, 1e6)
    off = math.hypot(*(near - wanted))
    assert check.passed == (off <= 0.1 * math.hypot(*wanted))
    assert all(np.isfinite(score) for score in check.scores.values())


@pytest.mark.parametrize("said", [1.0, [1.0], [1.0, 2.0, 3.0], [1.0, "2"], [1.0, True], None, {}])
def test_what_is_no_list_of_so_many_numbers_is_wrong(said):
    sample = Sample(id="s", input=[], target=Answer([1.0, 2.0]))
    [check] = WithinShare(0.1).check([(sample, Reply("s", Answer(said)))])
    assert check.passed is False
