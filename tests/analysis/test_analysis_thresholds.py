"""Thresholds are chosen on calibration records, by three rules; nothing else gets in."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Better, DataError, Metric, Statistic
from assay.analysis.cuts import Cut
from assay.analysis.infer import infer
from assay.analysis.metrics import accuracy, coverage, payoff_metric, risk
from assay.analysis.rules import AtBest, AtCoverage, ByUtility, MaxRisk
from assay.analysis.table import Table
from assay.analysis.thresholds import Calibration, Chosen, choose, withhold
from assay.stats.tuned import Payoff
from assay.store.columns import CODE

PAYOFF = Payoff(right=1.0, wrong=-4.0, declined=0.0)
RULES = (MaxRisk(max_risk=0.1), AtCoverage(coverage=0.6), ByUtility(payoff=PAYOFF))


def drawn(rng, *, groups, size=1, split="calibration", classes=1, harm=0.4, seeds=1):
    """Return records whose answers are righter the surer they are; each group says one thing."""
    shape = (seeds, groups * size)
    sure = rng.random(shape)
    kind = np.repeat(rng.integers(classes, size=groups), size)
    wrong = harm * (1 + kind) * (1 - sure) ** 3
    outcome = np.where(rng.random(shape) < 1 - wrong, CODE["correct"], CODE["wrong"])
    said = np.array([f'"c{k}"' for k in kind], dtype=object)
    return Table(
        system="s",
        seeds=tuple(range(seeds)),
        samples=tuple(f"s{i}" for i in range(groups * size)),
        groups=tuple(f"g{i // size}" for i in range(groups * size)),
        outcome=outcome.astype(np.int8),
        confidence=sure,
        no_answer=np.zeros(groups * size, dtype=bool),
        split=split,
        answers=np.broadcast_to(said, shape),
    )


def calibration(seed=0, *, groups=400, **more):
    rng = np.random.default_rng(seed)
    return Calibration(
        drawn(rng, groups=200, split="tune", **more), drawn(rng, groups=groups, **more)
    )


def census(metric, table):
    return infer(metric, table, over=frozenset(), rng=0).value


# --- what gets in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tune", "records"), [("tune", "test"), ("test", "calibration"), ("calibration", "tune")]
)
def test_records_of_another_split_are_refused_where_the_chooser_takes_them(tune, records):
    made = calibration()
    with pytest.raises(DataError, match="A202"):
        Calibration(replace(made.tune, split=tune), replace(made.records, split=records))


def test_a_table_that_says_nothing_of_its_split_is_of_test():
    made = calibration()
    unsaid = Table(
        system="s",
        seeds=(0,),
        samples=("a",),
        groups=("a",),
        outcome=np.zeros((1, 1), np.int8),
        confidence=np.ones((1, 1)),
        no_answer=np.zeros(1, bool),
    )
    with pytest.raises(DataError, match="test records of s were offered as calibration"):
        Calibration(made.tune, unsaid)


def test_two_systems_make_no_calibration():
    made = calibration()
    with pytest.raises(DataError, match="two systems"):
        Calibration(made.tune, replace(made.records, system="other"))


@pytest.mark.slow
def test_the_type_checker_refuses_a_test_table_where_calibration_is_wanted(tmp_path):
    source = """
from assay.analysis.rules import AtCoverage
from assay.analysis.table import Table
from assay.analysis.thresholds import Calibration, choose

def right(made: Calibration) -> None:
    choose(made, rule=AtCoverage(coverage=0.8), rng=0)

def wrong(test: Table) -> None:
    choose(test, rule=AtCoverage(coverage=0.8), rng=0)
"""
    path = tmp_path / "chooser.py"
    path.write_text(source)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml")]
    made = subprocess.run(
        [*command, str(path)], check=False, capture_output=True, text=True, cwd=root
    )
    errors = [line for line in made.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, made.stdout + made.stderr
    assert "chooser.py:10" in errors[0]
    assert 'incompatible type "Table"; expected "Calibration"' in errors[0]


# --- what comes out -------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_the_records_of_calibration_are_what_the_choice_was_made_of(rule):
    made = calibration(seeds=2)
    found = choose(made, rule=rule, rng=5)
    assert list(found) == [0, 1]
    shipped = withhold(made.records, found)
    for row, chosen in enumerate(found.values()):
        [cut] = chosen.cuts
        one = shipped.of_seed(row)
        answered = np.isin(one.outcome, [CODE["correct"], CODE["wrong"]])
        assert answered.sum() == cut.accepted
        assert (one.outcome == CODE["wrong"]).sum() == cut.errors
        assert chosen.value == cut.value
        assert one.confidence[answered].min() >= cut.value


def test_a_coverage_is_met_on_calibration_and_no_guarantee_is_claimed():
    made = calibration()
    [chosen] = choose(made, rule=AtCoverage(coverage=0.6), rng=0).values()
    shipped = withhold(made.records, {0: chosen})
    assert census(coverage, shipped) == pytest.approx(0.6, abs=1 / 400)
    assert "tuned, no guarantee" in chosen.promise
    assert not chosen.guaranteed


def test_a_utility_is_the_best_there_is_on_calibration():
    made = calibration(harm=0.8)
    rule = ByUtility(payoff=PAYOFF)
    [chosen] = choose(made, rule=rule, rng=0).values()
    metric = payoff_metric(PAYOFF)
    best = census(metric, withhold(made.records, {0: chosen}))
    assert best == pytest.approx(chosen.cuts[0].worth)
    for other in np.linspace(0, 1, 50):
        assert census(metric, made.records.above({0: other})) <= best + 1e-12
    assert "tuned, no guarantee" in chosen.promise


SKEWED = Metric(
    name="skewed",
    better=Better.HIGHER,
    form=Statistic(
        of=lambda c, w: float(
            ((c["correct"] - 3 * c["wrong"]) * w).sum() - (c["withheld"] * w).sum() / 2
        )
    ),
    columns=("correct", "wrong", "withheld"),
)


@pytest.mark.parametrize("metric", [accuracy, risk, SKEWED])
def test_the_best_metric_on_calibration_is_found_and_no_guarantee_is_claimed(metric):
    made = calibration(harm=0.8, groups=150)  # as few as are all tried
    [chosen] = choose(made, rule=AtBest(metric=metric), rng=0).values()
    sign = 1 if metric.better is Better.HIGHER else -1

    def worth(table):
        columns = {name: column.ravel() for name, column in table.reads(metric).items()}
        if metric is SKEWED:
            return sign * metric.form.of(columns, np.ones(table.outcome.size))
        found = census(metric, table)
        return -np.inf if found is None else sign * found

    best = worth(withhold(made.records, {0: chosen}))
    assert best == pytest.approx(sign * chosen.cuts[0].worth)
    for other in made.records.confidence[0]:
        assert worth(made.records.above({0: other})) <= best + 1e-12
    assert "tuned, no guarantee" in chosen.promise
    assert not chosen.guaranteed


def test_a_metric_that_is_undefined_everywhere_gives_no_threshold():
    nothing = replace(SKEWED, form=Statistic(of=lambda c, w: None))
    [chosen] = choose(calibration(), rule=AtBest(metric=nothing), rng=0).values()
    assert chosen.value is None
    assert "declines all" in chosen.promise


@pytest.mark.parametrize("rule", RULES)
def test_a_threshold_for_each_class_is_the_choice_made_on_that_class_alone(rule):
    made = calibration(classes=3)
    [chosen] = choose(made, rule=replace(rule, by_class=True), rng=0).values()
    assert [cut.said for cut in chosen.cuts] == ['"c0"', '"c1"', '"c2"']
    for cut in chosen.cuts:
        alone = Calibration(
            *(
                t.only([s for s, a in zip(t.samples, t.answers[0], strict=True) if a == cut.said])
                for t in (made.tune, made.records)
            )
        )
        same = replace(rule, delta=0.05 / 3) if isinstance(rule, MaxRisk) else rule
        [expected] = choose(alone, rule=same, rng=0).values()
        assert replace(cut, said=None) == expected.cuts[0]


def test_an_answer_of_a_class_without_a_threshold_is_declined():
    chosen = Chosen(
        seed=0,
        rule=MaxRisk(max_risk=0.1, by_class=True),
        cuts=(Cut(value=0.5, said='"a"'), Cut(value=None, said='"b"')),
    )
    said = np.array(['"a"', '"a"', '"b"', '"new"'], dtype=object)
    assert chosen.keeps(np.array([0.5, 0.4, 1.0, 1.0]), said).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert chosen.values == (0.5,)
    with pytest.raises(DataError, match="what was answered"):
        chosen.keeps(np.ones(4))


def test_without_a_threshold_an_answer_without_a_confidence_is_declined_too():
    unsure, said = np.array([np.nan, 1.0, np.nan]), np.array(['"a"', '"b"', '"b"'], dtype=object)
    none = Chosen(seed=0, rule=MaxRisk(max_risk=0.1), cuts=(Cut(value=None),))
    assert none.promise.endswith("it declines all")
    assert not none.keeps(unsure).any()
    some = replace(none, cuts=(Cut(value=0.5),))
    assert some.keeps(unsure).all()
    each = MaxRisk(max_risk=0.1, by_class=True)
    split = replace(none, rule=each, cuts=(Cut(value=0.5, said='"a"'), Cut(value=None, said='"b"')))
    assert split.keeps(unsure, said).tolist() == [True, False, False]


@given(st.permutations(range(40)))
def test_the_order_of_records_does_not_change_a_tuned_choice(order):
    made = calibration(groups=40)
    other = Calibration(made.tune, made.records.only([made.records.samples[i] for i in order]))
    for rule in RULES[1:]:
        assert choose(other, rule=rule, rng=0) == choose(made, rule=rule, rng=0)


# --- what is said before --------------------------------------------------------------------


def test_what_is_hopeless_before_the_run_is_refused_after_it_with_the_same_number():
    rule = MaxRisk(max_risk=0.02)
    [chosen] = choose(calibration(groups=148, harm=0.0), rule=rule, rng=0).values()
    assert chosen.value is None
    assert "no fewer than 149" in chosen.cuts[0].why
    assert "declines all" in chosen.promise
    [enough] = choose(calibration(groups=149, harm=0.0), rule=rule, rng=0).values()
    assert enough.value is not None


# --- the guarantee --------------------------------------------------------------------------


def violations(rule, *, trials, size, classes=1):
    """Return how often a threshold was chosen, and how often one was riskier than promised."""
    rng = np.random.default_rng(3)
    chosen = broken = 0
    for trial in range(trials):
        made = Calibration(
            drawn(rng, groups=80, size=size, split="tune", classes=classes),
            drawn(rng, groups=300, size=size, classes=classes),
        )
        found = choose(made, rule=rule, rng=trial)[0]
        chosen += bool(found.values)
        broken += any(
            cut.value is not None and mean_risk(cut, kind) > rule.max_risk
            for kind, cut in enumerate(found.cuts)
        )
    return chosen, broken


def mean_risk(cut, kind, harm=0.4):
    """The true risk above a threshold: the mean of harm (1 + kind) (1 - c)^3 over c >= t."""
    return harm * (1 + kind) * (1 - cut.value) ** 3 / 4


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("by_class", [False, True])
def test_a_guarantee_is_broken_at_most_one_time_in_twenty(size, by_class):
    rule = MaxRisk(max_risk=0.1 if by_class else 0.05, by_class=by_class)
    trials = 250
    chosen, broken = violations(rule, trials=trials, size=size, classes=2 if by_class else 1)
    assert chosen > trials / 2
    assert broken / trials <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("by_class", [False, True])
def test_in_2000_calibrations_a_guarantee_is_broken_at_most_one_time_in_twenty(size, by_class):
    rule = MaxRisk(max_risk=0.1 if by_class else 0.05, by_class=by_class)
    _, broken = violations(rule, trials=2000, size=size, classes=2 if by_class else 1)
    assert broken / 2000 <= 0.05 + 2 * (0.05 * 0.95 / 2000) ** 0.5


def test_the_risk_that_these_simulations_call_true_is_that_of_many_records():
    many = drawn(np.random.default_rng(0), groups=200_000)
    assert census(risk, many.above({0: 0.3})) == pytest.approx(
        mean_risk(Cut(value=0.3), 0), abs=2e-3
    )
