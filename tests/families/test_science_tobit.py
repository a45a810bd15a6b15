"""Censored regression: the maximum of its likelihood, and what it says of a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from assay import Answer, Bottom, DataError, PlanError, Sample
from assay.families.science.domains.dose import dose
from assay.families.science.domains.ik import ik
from assay.families.science.domains.table import table
from assay.families.science.domains.targets import Told, limited
from assay.families.science.recipes.censored import fit, log_between, losses
from assay.families.science.recipes.tobit import Tobit
from assay.testing import check_recipe
from science_sitting import sit, value

SLOPES = np.array([2.0, -1.0, 0.5])
OFFSET, NOISE = 1.0, 1.5
NOWHERE = Path()


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    x = rng.normal(size=(n, 3)) * [1.0, 2.0, 0.5]
    return x, x @ SLOPES + OFFSET + NOISE * rng.normal(size=n)


def asked(x: np.ndarray, y: np.ndarray, low: float | None, high: float | None) -> list[Sample]:
    return [
        Sample(id=f"s{i}", input=row, target=limited(Told(float(v)), (low, high)).target())
        for i, (row, v) in enumerate(zip(x.tolist(), y, strict=True))
    ]


def told(answer) -> tuple[float, float]:
    return answer.value, answer.scores["sd"]


def line_of(system) -> tuple[np.ndarray, float]:
    """Return slopes and offset of a system, read off what it would say (within its limits)."""
    points = np.vstack([np.zeros(3), 0.1 * np.eye(3)])
    samples = [Sample(id=f"p{i}", input=p) for i, p in enumerate(points.tolist())]
    said = [r.said for r in system.answer([s.question() for s in samples])]
    values = np.array([told(s if isinstance(s, Answer) else s.proposal)[0] for s in said])
    return (values[1:] - values[0]) / 0.1, values[0]


# --- the fit --------------------------------------------------------------------------------


def test_it_finds_the_line_where_least_squares_on_the_known_rows_is_biased():
    x, y = drawn(4000, seed=1)
    train = asked(x, y, 0.0, 4.0)
    assert 0.3 < np.mean([isinstance(s.target, Bottom) for s in train]) < 0.6
    slopes, offset = line_of(Tobit().build(train, [], seed=0, workdir=NOWHERE).system)
    biased, _ = line_of(Tobit(censored="ignore").build(train, [], seed=0, workdir=NOWHERE).system)
    np.testing.assert_allclose(slopes, SLOPES, atol=0.12)
    assert offset == pytest.approx(OFFSET, abs=0.1)
    # Rows far up and down were lost: what is left looks flatter than it is, by half and more.
    assert (np.abs(biased) < 0.6 * np.abs(SLOPES)).all()


def test_the_deviation_is_that_of_the_noise():
    x, y = drawn(4000, seed=2)
    made = Tobit().build(asked(x, y, 0.0, 4.0), [], seed=0, workdir=NOWHERE)
    assert made.notes["deviation"] == pytest.approx(NOISE, rel=0.05)


def test_rows_with_limits_of_their_own_count_as_what_they_say():
    x, y = drawn(4000, seed=3)
    limits = np.random.Generator(np.random.PCG64(4)).uniform(0, 3, len(y))
    train = [
        Sample(id=f"s{i}", input=row, target=limited(Told(float(v)), (float(at), None)).target())
        for i, (row, v, at) in enumerate(zip(x.tolist(), y, limits, strict=True))
    ]
    low = np.where(y <= limits, -np.inf, y)
    line = fit(x, low, np.where(y <= limits, limits, y), penalty=1e-3)
    np.testing.assert_allclose(line.weights, SLOPES, atol=0.12)
    # Through the samples, which keep the limit of each row.
    system = Tobit(penalties=(0.001,)).build(train, [], seed=0, workdir=NOWHERE).system
    sure = [Sample(id="a", input=[2.0, 0.0, 0.0]), Sample(id="b", input=[2.5, 0.0, 0.0])]
    one, two = (r.said.value for r in system.answer([s.question() for s in sure]))
    assert (two - one) / 0.5 == pytest.approx(line.weights[0], rel=1e-3)


def test_numbers_known_to_the_nearest_three_are_enough_for_the_line():
    x, y = drawn(4000, seed=5)
    low = np.floor(y / 3) * 3
    line = fit(x, low, low + 3, penalty=1e-6)
    np.testing.assert_allclose(line.weights, SLOPES, atol=0.12)
    assert line.deviation == pytest.approx(NOISE, rel=0.05)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), penalty=st.floats(0.01, 100))
def test_without_censoring_it_is_ridge_regression(seed, penalty):
    """At the maximum the weights are ridge regression's, whose penalty is in units of the noise."""
    x, y = drawn(60, seed)
    line = fit(x, y, y, penalty=penalty)
    centred, mean = x - x.mean(axis=0), x.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(3), centred.T @ (y - y.mean()))
    np.testing.assert_allclose(line.weights, weights, rtol=1e-5, atol=1e-6)
    assert line.offset == pytest.approx(y.mean() - mean @ weights, rel=1e-5, abs=1e-5)
    rest = y - line.mean(x)
    assert line.deviation**2 == pytest.approx(
        (rest @ rest + penalty * weights @ weights) / len(y), rel=1e-5
    )


def test_no_other_line_is_likelier():
    """Against a general optimiser on the likelihood written out with scipy's distributions."""
    x, y = drawn(150, seed=6)
    low = np.where(y <= 0, -np.inf, np.where(y >= 4, 4.0, np.where(y > 3, 3.0, y)))
    high = np.where(y <= 0, 0.0, np.where(y >= 4, np.inf, np.where(y > 3, 4.0, y)))

    def loss(point: np.ndarray) -> float:
        mean, sd = x @ point[:3] + point[3], np.exp(point[4])
        known = low == high
        total = -stats.norm.logpdf(y[known], mean[known], sd).sum()
        a, b = (low[~known] - mean[~known]) / sd, (high[~known] - mean[~known]) / sd
        with np.errstate(divide="ignore"):
            return total - np.log(stats.norm.cdf(b) - stats.norm.cdf(a)).sum()

    best = optimize.minimize(loss, [1, -1, 0, 1, 1], method="BFGS", options={"gtol": 1e-4})
    line = fit(x, low, high, penalty=1e-9)
    found = np.array([*line.weights, line.offset, np.log(line.deviation)])
    np.testing.assert_allclose(found, best.x, atol=2e-3)
    assert loss(found) <= best.fun + 1e-6
    of_rows = losses(low, high, mean=line.mean(x), deviation=np.full(len(y), line.deviation))
    assert of_rows.sum() == pytest.approx(loss(found), rel=1e-9)


@given(low=st.floats(-8, 8), width=st.floats(1e-3, 5))
def test_the_share_between_two_numbers_is_that_of_the_distribution(low, width):
    [found] = log_between(np.array([low]), np.array([low + width]))
    side = -1 if low > 0 else 1  # where the distribution function has digits left
    ends = sorted((side * low, side * (low + width)))
    assert np.exp(found) == pytest.approx(np.diff(stats.norm.cdf(ends)).item(), rel=1e-6)


# --- the system -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def censored(tmp_path_factory) -> Path:
    x, y = drawn(1200, seed=7)
    path = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [",".join(map(repr, [*row, float(v)])) for row, v in zip(x.tolist(), y, strict=True)]
    path.write_text("\n".join(["a,b,c,y", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "recipe",
    [Tobit(), Tobit(terms="quadratic"), Tobit(censored="ignore"), Tobit(unit="target")],
    ids=["linear", "quadratic", "ignore", "target"],
)
def test_it_keeps_the_contract_of_a_recipe_on_tables(recipe, censored, tmp_path):
    check_recipe(recipe, table(path=censored, target="y", limits=(0.0, 4.0)), workdir=tmp_path)
    check_recipe(recipe, table(path=censored, target="y"), workdir=tmp_path)


def test_it_sits_the_other_tasks_of_the_family_too(tmp_path):
    sizes = {"train": 150, "tune": 40, "calibration": 20, "test": 40}
    for task in (dose(**sizes), ik(**sizes)):
        check_recipe(Tobit(), task, workdir=tmp_path)


def test_it_answers_each_output_of_several_with_a_deviation_of_its_own():
    task = ik(train=150, tune=40, calibration=20, test=40)
    system = Tobit().build(task.samples("train"), task.samples("tune"), seed=0, workdir=NOWHERE)
    for reply in system.system.answer([s.question() for s in task.samples("test")]):
        assert isinstance(reply.said, Answer)  # singular is no side of a limit
        assert len(reply.said.value) == 2
        assert set(reply.said.scores) == {"sd_0", "sd_1"}


def test_it_beats_a_constant_and_the_fit_that_ignores_censored_rows(censored):
    from assay.families.science.recipes.plain import ConstantValue

    task = table(path=censored, target="y", limits=(0.0, 4.0))
    parts = task.samples("train"), task.samples("tune")
    found = {}
    for name, recipe in {
        "tobit": Tobit(),
        "ignore": Tobit(censored="ignore"),
        "constant": ConstantValue(say="likeliest"),
    }.items():
        columns = sit(task, recipe.build(*parts, seed=0, workdir=NOWHERE).system)
        found[name] = {m: value(task.metrics, m, columns) for m in ("macro_f1", "nll", "accuracy")}
    assert found["tobit"]["macro_f1"] > found["ignore"]["macro_f1"] + 0.3
    assert found["tobit"]["accuracy"] > found["ignore"]["accuracy"] + 0.1
    assert found["tobit"]["macro_f1"] > found["constant"]["macro_f1"] + 0.3
    assert found["constant"]["nll"] is None


def test_its_confidence_is_how_often_a_value_is_there_and_right(censored):
    """On rows that are as it assumes: the mean confidence is the share, to three standard errors."""
    task = table(path=censored, target="y", limits=(0.0, 4.0), tolerance=1.0, unit="target")
    recipe = Tobit(tolerance=1.0, unit="target")
    made = recipe.build(task.samples("train"), task.samples("tune"), seed=0, workdir=NOWHERE)
    columns = {
        name: np.concatenate(
            [sit(task, made.system, part)[name] for part in ("calibration", "test")]
        )
        for name in ("correct", "wrong", "invented", "confidence")
    }
    answered = (columns["correct"] + columns["wrong"] + columns["invented"]) > 0
    right, sure = columns["correct"][answered], columns["confidence"][answered]
    assert len(right) > 200
    assert abs(right.mean() - sure.mean()) < 3 * np.sqrt((sure * (1 - sure)).sum()) / len(sure)


def test_it_declines_just_where_its_line_is_beyond_a_limit(censored):
    task = table(path=censored, target="y", limits=(0.0, 4.0))
    made = Tobit().build(task.samples("train"), task.samples("tune"), seed=0, workdir=NOWHERE)
    questions = [s.question() for s in task.samples("test")]
    truth = np.array([q.input for q in questions]) @ SLOPES + OFFSET
    for at, reply in zip(truth, made.system.answer(questions), strict=True):
        match reply.said:
            case Answer(value, _, _, instead):
                assert 0 <= value <= 4
                assert -0.4 < at < 4.4
                assert instead == ("below" if value < 2 else "above")
            case Bottom(reason, proposal):
                assert at < 0.4 if reason == "below" else at > 3.6
                assert proposal.value == (0.0 if reason == "below" else 4.0)
                assert proposal.confidence < 0.5


def test_a_limit_that_no_row_tells_is_the_outermost_value_that_is_there():
    x, y = drawn(500, seed=8)
    train = [
        Sample(id=s.id, input=s.input, target=Bottom("below"))
        if isinstance(s.target, Bottom)
        else s
        for s in asked(x, y, 0.0, None)
    ]
    least = min(s.target.value for s in train if isinstance(s.target, Answer))
    made = Tobit().build(train, [], seed=0, workdir=NOWHERE)
    far = Sample(id="far", input=[-50.0, 0.0, 0.0]).question()
    [reply] = made.system.answer([far])
    assert reply.said.reason == "below"
    assert reply.said.proposal.value == pytest.approx(least, rel=1e-5)


def test_the_likeliest_penalty_on_tune_is_taken():
    """Forty features that say nothing, of sixty rows: a small penalty learns them by heart."""
    rng = np.random.Generator(np.random.PCG64(9))
    x, y = rng.normal(size=(160, 40)), rng.normal(size=160)
    samples = asked(x, y, None, None)
    made = Tobit(penalties=(0.01, 1000.0)).build(
        samples[:60], samples[60:], seed=0, workdir=NOWHERE
    )
    assert made.notes["penalty"] == 1000.0


@pytest.mark.parametrize(
    "options",
    [{"penalties": ()}, {"penalties": (0.0,)}, {"tolerance": 0.0}, {"tolerance": float("nan")}],
)
def test_options_that_no_fit_can_have_are_refused(options):
    with pytest.raises(PlanError):
        Tobit(**options)


def test_values_that_do_not_differ_cannot_be_fitted():
    same = [Sample(id=f"s{i}", input=[float(i)], target=Answer(1.0)) for i in range(9)]
    with pytest.raises(DataError, match="do not differ"):
        Tobit().build(same, [], seed=0, workdir=NOWHERE)


def test_more_terms_than_can_be_fitted_are_refused():
    wide = [Sample(id=f"s{i}", input=[float(i)] * 40, target=Answer(float(i))) for i in range(9)]
    with pytest.raises(DataError, match="860 terms"):
        Tobit(terms="quadratic").build(wide, [], seed=0, workdir=NOWHERE)


@pytest.mark.slow
def test_in_a_run_it_is_trained_with_the_limits_and_intervals_of_a_file(tmp_path):
    """Workers read stored samples: what is known of a value beside it must have come through."""
    import runs
    from assay import Run

    x, y = drawn(400, seed=10)
    low = np.floor(y / 3) * 3
    rows = [
        ",".join(map(repr, [*row, *(["", 0.0] if v < 0 else [float(at), float(at) + 3])]))
        for row, v, at in zip(x.tolist(), y, low, strict=True)
    ]
    text = "\n".join(["a,b,c,low,high", *rows]).replace("''", "")
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    options = "{path: t.csv, interval: [low, high], censored: below}"
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        f"name: walk\ntasks: [{{use: science.table, options: {options}}}]\n"
        "systems:\n- {name: tobit, use: science.tobit}\n"
        "- {name: middles, use: science.tobit, options: {censored: ignore}}\n"
        "timing: {processes: 1, blocks: 2, questions: 1}\n",
        encoding="utf-8",
    )
    run = Run.load(runs.execute_plan(plan, tmp_path / "run").root)
    task = table(path=tmp_path / "t.csv", interval=("low", "high"), censored="below")
    parts = task.samples("train"), task.samples("tune")
    for name, recipe in {"tobit": Tobit(), "middles": Tobit(censored="ignore")}.items():
        columns = sit(task, recipe.build(*parts, seed=0, workdir=NOWHERE).system)
        for metric in ("macro_f1", "accuracy", "nll"):
            here = value(task.metrics, metric, columns)
            assert run.estimate(metric, name).value == pytest.approx(here, rel=1e-6), metric


@settings(max_examples=15)
@given(
    scale=st.floats(0.01, 1000),
    shift=st.floats(-100, 100),
    feature=st.floats(0.01, 1000),
)
def test_the_units_of_features_and_values_do_not_matter(scale, shift, feature):
    x, y = drawn(200, seed=11)

    def said(x, y, low, high):
        train = asked(x, y, low, high)
        system = Tobit().build(train[:150], train[150:], seed=0, workdir=NOWHERE).system
        return [r.said for r in system.answer([s.question() for s in train[150:]])]

    plain = said(x, y, 0.0, 4.0)
    other = said(feature * x - shift, scale * y + shift, shift, 4 * scale + shift)
    for one, two in zip(plain, other, strict=True):
        assert type(one) is type(two)
        if isinstance(one, Answer):
            assert (two.value - shift) / scale == pytest.approx(
                one.value, abs=1e-4 * (1 + abs(shift) / scale)
            )
            assert two.confidence == pytest.approx(one.confidence, abs=1e-4)
        else:
            assert one.reason == two.reason
