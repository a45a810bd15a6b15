"""The metrics of a confidence, their intervals, and temperatures."""

from dataclasses import replace

import numpy as np
import pytest

from assay import Over
from assay.analysis.infer import infer, infer_difference
from assay.analysis.sureness import SURENESS, aurc, brier, e_aurc, ece, nll
from assay.analysis.table import Table
from assay.analysis.temperature import at_temperature, temperature
from assay.analysis.thresholds import Calibration
from assay.core.metric import Statistic
from assay.stats.bootstrap import counts, one_by_one
from assay.stats.inference import Undefined
from assay.store.columns import CODE

SAMPLES = frozenset({Over.SAMPLES})
CENSUS = frozenset()


def answers(rng, *, n=400, heat=1.0, split="test", size=1):
    """Return answers that are right as often as they would say at a temperature of 1."""
    truth = np.repeat(0.5 + 0.5 * rng.random(n // size), size)
    luck = np.repeat(rng.random(n // size), size)
    sure = 1 / (1 + np.exp(-np.log(truth / (1 - truth)) / heat))
    return Table(
        system="s",
        seeds=(0,),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i // size}" for i in range(n)),
        outcome=np.where(luck < truth, CODE["correct"], CODE["wrong"]).astype(np.int8)[None],
        confidence=sure[None],
        no_answer=np.zeros(n, dtype=bool),
        split=split,
    )


def value(metric, table):
    return infer(metric, table, over=CENSUS, rng=0).value


def test_a_number_of_a_confidence_counts_the_answers_that_have_one():
    table = answers(np.random.default_rng(0), n=40, size=2)
    table.outcome[0, :5] = CODE["declined"]
    table.confidence[0, 5:8] = np.nan
    for name, metric in SURENESS.items():
        rests_on_all = name.startswith("selective")
        assert table.counted(metric) == ((40, 20) if rests_on_all else (32, 16)), name


def test_each_is_what_it_says_on_three_answers():
    table = answers(np.random.default_rng(0), n=3)
    table.outcome[0] = [CODE["correct"], CODE["wrong"], CODE["correct"]]
    table.confidence[0] = [0.9, 0.6, 0.7]
    assert value(brier, table) == pytest.approx((0.01 + 0.36 + 0.09) / 3)
    assert value(nll, table) == pytest.approx(-np.log([0.9, 0.4, 0.7]).mean())
    assert value(ece, table) == pytest.approx((0.1 + 0.6 + 0.3) / 3)
    assert value(aurc, table) == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert value(e_aurc, table) == pytest.approx(0.0)
    assert value(SURENESS["selective_accuracy_at_50"], table) == 1.0
    assert value(SURENESS["selective_accuracy_at_90"], table) == pytest.approx(2 / 2.7)


@pytest.mark.parametrize("name", SURENESS)
def test_what_has_no_confidence_has_no_such_number(name):
    table = answers(np.random.default_rng(0), n=40)
    table.confidence[:] = np.nan
    assert isinstance(infer(SURENESS[name], table, over=SAMPLES, rng=0), Undefined)


@pytest.mark.parametrize("name", SURENESS)
def test_permuting_records_changes_nothing(name):
    rng = np.random.default_rng(1)
    table = answers(rng, n=60)
    other = table.only([table.samples[i] for i in rng.permutation(60)])
    assert value(SURENESS[name], other) == pytest.approx(value(SURENESS[name], table))


@pytest.mark.parametrize("name", SURENESS)
def test_swapping_two_systems_negates_the_difference(name):
    rng = np.random.default_rng(2)
    a, b = answers(rng, n=80), answers(rng, n=80, heat=0.5)
    one = infer_difference(SURENESS[name], a, b, over=SAMPLES, rng=0)
    two = infer_difference(SURENESS[name], b, a, over=SAMPLES, rng=0)
    assert one.value == pytest.approx(-two.value)
    low, high = one.interval()
    assert two.interval() == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize("name", [n for n, m in SURENESS.items() if isinstance(m.form, Statistic)])
def test_many_resamples_at_once_are_those_one_at_a_time(name):
    rng = np.random.default_rng(8)
    table = answers(rng, n=120, size=3)
    table.outcome[0, ::7] = CODE["withheld"]
    table.outcome[0, ::11] = CODE["invented"]
    table.confidence[0, ::13] = np.nan
    table.confidence[0] = np.round(table.confidence[0], 1)
    metric = SURENESS[name]
    columns = {key: np.ravel(column) for key, column in table.reads(metric).items()}
    drawn = counts(table.n_groups, resamples=50, rng=rng)
    many = metric.form.prepare(columns, table.codes)(drawn)
    single = one_by_one(metric.form.of, columns, groups=table.codes)(drawn)
    assert many == pytest.approx(single, nan_ok=True)
    assert np.isfinite(many).any() or name.endswith("90")


def test_a_resampled_number_says_how_many_resamples_it_has_and_refuses_a_handful_of_groups():
    rng = np.random.default_rng(9)
    assert "10000 resamples" in infer(aurc, answers(rng), over=SAMPLES, rng=0).method
    few = infer(aurc, answers(rng, n=40, size=4), over=SAMPLES, rng=0)
    assert "where that is wider" in few.method
    none = infer(aurc, answers(rng, n=40, size=8), over=SAMPLES, rng=0)
    assert isinstance(none, Undefined)
    assert "groups" in none.why


def test_very_many_groups_are_joined_and_say_the_same():
    one = infer(ece, answers(np.random.default_rng(10), n=9000, heat=0.4), over=SAMPLES, rng=0)
    assert "10000 resamples" in one.method
    other = infer(ece, answers(np.random.default_rng(10), n=9000, heat=0.4), over=SAMPLES, rng=1)
    low, high = one.interval()
    assert other.interval() == pytest.approx((low, high), abs=0.1 * (high - low))


def test_a_share_of_the_questions_that_nobody_answers_has_no_accuracy():
    table = answers(np.random.default_rng(3), n=100)
    table.outcome[0, :60] = CODE["withheld"]
    assert isinstance(
        infer(SURENESS["selective_accuracy_at_50"], table, over=SAMPLES, rng=0), Undefined
    )


def test_a_temperature_is_fitted_on_calibration_and_helps_on_test():
    rng = np.random.default_rng(4)
    made = Calibration(
        answers(rng, split="tune"), answers(rng, n=2000, heat=0.4, split="calibration")
    )
    heat = temperature(made)
    assert heat == pytest.approx(2.5, rel=0.2)
    test = answers(rng, n=2000, heat=0.4)
    for metric in (nll, brier, ece):
        assert value(metric, at_temperature(test, heat)) < value(metric, test)
    assert value(aurc, at_temperature(test, heat)) == pytest.approx(value(aurc, test), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("heat", "size"), [(0.4, 1), (0.4, 4), (0.7, 1)])
def test_the_interval_of_a_calibration_error_covers_the_truth(heat, size):
    rng = np.random.default_rng(5)
    truth = value(ece, answers(rng, n=400_000, heat=heat))
    held = biased = 0.0
    trials = 60
    for _ in range(trials):
        table = answers(rng, n=800, heat=heat, size=size)
        found = infer(ece, table, over=SAMPLES, rng=0)
        low, high = found.interval()
        held += low <= truth <= high
        biased += found.value - truth
    assert held / trials >= 0.95 - 3 * (0.05 * 0.95 / trials) ** 0.5
    assert abs(biased / trials) < 0.012


@pytest.mark.slow
def test_the_interval_of_an_area_covers_the_truth():
    rng = np.random.default_rng(6)
    truth = value(aurc, answers(rng, n=400_000))
    trials = 60
    held = 0
    for _ in range(trials):
        low, high = infer(aurc, answers(rng, n=600), over=SAMPLES, rng=0).interval()
        held += low <= truth <= high
    assert held / trials >= 0.95 - 3 * (0.05 * 0.95 / trials) ** 0.5


def test_a_threshold_does_not_change_how_sure_a_system_was():
    table = answers(np.random.default_rng(7), n=50)
    assert replace(table).confidence is table.confidence
    assert (table.above({0: 0.9}).confidence == table.confidence).all()


def test_every_system_is_resampled_once_and_its_pairs_say_what_they_would_alone():
    asked = []

    def prepare(columns, groups):
        inner = aurc.form.prepare(columns, groups)

        def values(drawn):
            asked.append(len(drawn))
            return inner(drawn)

        return values

    metric = replace(aurc, form=replace(aurc.form, prepare=prepare))
    rng = np.random.default_rng(0)
    tables = [answers(rng, n=60) for _ in range(3)]
    found = [
        infer_difference(metric, a, b, over=SAMPLES, rng=3)
        for a in tables
        for b in tables
        if a is not b
    ]
    assert sum(asked) == len(tables) * 10_000
    alone = [
        infer_difference(metric, replace(a), replace(b), over=SAMPLES, rng=3)
        for a in tables
        for b in tables
        if a is not b
    ]
    for one, other in zip(found, alone, strict=True):
        assert one.interval() == other.interval()
        assert one.p_at_least(0.0) == other.p_at_least(0.0)
    infer(metric, tables[0], over=SAMPLES, rng=4)
    infer(metric, tables[0].only(tables[0].samples[::-1]), over=SAMPLES, rng=3)
    assert sum(asked) == (3 + 12 + 2) * 10_000  # other draws, and other records, are others
