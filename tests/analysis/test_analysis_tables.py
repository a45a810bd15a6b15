"""Tables: thresholds applied after the run, pairs on common samples, one size fits no one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Cell, Check, DataError, Failed, Over, Record, Usage
from assay.analysis.infer import infer, infer_difference
from assay.analysis.metrics import OUTCOME_METRICS, accuracy, coverage, invention_rate, risk
from assay.analysis.table import Table, make_table
from assay.core.verdict import judge
from assay.stats.inference import Census, Undefined
from assay.store.columns import CODE, OUTCOMES, CellColumns, to_columns
from assay.store.line import to_line

NEVER = 2.0  # no confidence reaches it
BOTH = frozenset({Over.SAMPLES, Over.SEEDS})
SAMPLES = frozenset({Over.SAMPLES})


def table(outcomes, *, seeds=1, confidence=0.5, groups=None, name="s"):
    """Return a table whose rows are the same for every seed unless outcomes is 2-d."""
    rows = np.atleast_2d(np.array([[CODE[o] for o in row] for row in np.atleast_2d(outcomes)]))
    rows = np.repeat(rows, seeds, axis=0) if len(rows) == 1 else rows
    n = rows.shape[1]
    none = [o in ("declined", "invented") for o in np.atleast_2d(outcomes)[0]]
    return Table(
        system=name,
        seeds=tuple(range(len(rows))),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(groups or [f"g{i}" for i in range(n)]),
        outcome=rows.astype(np.int8),
        confidence=np.broadcast_to(np.asarray(confidence, dtype=float), rows.shape).copy(),
        no_answer=np.array(none),
    )


outcomes_of_answered = st.lists(
    st.sampled_from(["correct", "wrong", "withheld", "declined", "invented", "failed"]),
    min_size=2,
    max_size=40,
)


@given(outcomes_of_answered)
def test_a_threshold_nobody_reaches_turns_every_answer_into_a_decline(outcomes):
    shut = table(outcomes).above({0: NEVER})
    assert not np.isin(shut.outcome, [CODE[o] for o in ("correct", "wrong", "invented")]).any()
    failed = [o == "failed" for o in outcomes]
    assert ((shut.outcome[0] == CODE["failed"]) == failed).all()


@given(outcomes_of_answered)
def test_a_threshold_of_zero_changes_nothing(outcomes):
    before = table(outcomes)
    assert (before.above({0: 0.0}).outcome == before.outcome).all()


@given(outcomes_of_answered, st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_threshold_never_answers_more(outcomes, one, other):
    low, high = sorted((one, other))
    rng = np.random.default_rng(len(outcomes))
    raw = table(outcomes, confidence=rng.random((1, len(outcomes))))
    answered = [raw.above({0: t}).terms(coverage)[0].sum() for t in (low, high)]
    assert answered[1] <= answered[0]


def test_an_answer_without_a_confidence_is_not_withheld():
    kept = table(["correct", "wrong"], confidence=np.nan).above({0: 0.9})
    assert [OUTCOMES[c].value for c in kept.outcome[0]] == ["correct", "wrong"]


def test_a_crash_is_in_no_denominator_and_a_failure_in_every_one():
    crashed = table(["correct", "crashed", "crashed"])
    failed = table(["correct", "failed", "failed"])
    assert infer(accuracy, crashed, over=frozenset(), rng=0).value == 1.0
    assert infer(accuracy, failed, over=frozenset(), rng=0).value == pytest.approx(1 / 3)
    assert not crashed.complete


def test_not_measured_is_never_zero():
    silent = table(["withheld", "declined"])
    found = infer(risk, silent, over=SAMPLES, rng=0)
    assert isinstance(found, Undefined)
    assert found.value is None


def test_identical_seeds_say_nothing_about_seeds():
    same = table(["correct", "wrong", "correct", "correct"], seeds=3)
    found = infer(accuracy, same, over=BOTH, rng=0)
    assert "seed has no effect" in found.method


def test_no_seeds_or_samples_is_a_census():
    found = infer(accuracy, table(["correct", "wrong"]), over=frozenset(), rng=0)
    assert found == Census(0.5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_difference_is_the_mirror_of_its_reverse(seed):
    rng = np.random.default_rng(seed)
    a, b = (
        table([rng.choice(["correct", "wrong", "withheld"], size=30).tolist()], name=n)
        for n in "ab"
    )
    forth = infer_difference(accuracy, a, b, over=SAMPLES, rng=0)
    back = infer_difference(accuracy, b, a, over=SAMPLES, rng=0)
    assert forth.value == pytest.approx(-back.value, abs=1e-12)
    assert forth.interval()[0] == pytest.approx(-back.interval()[1], abs=1e-6)


def test_systems_are_paired_on_the_samples_that_both_were_asked():
    a = table(["correct"] * 10 + ["wrong"] * 10)
    b = table(["correct"] * 20).only([f"s{i}" for i in range(10)])
    assert infer_difference(accuracy, a, b, over=SAMPLES, rng=0).value == 0.0


def test_systems_without_a_common_sample_cannot_be_compared():
    a = table(["correct"] * 4)
    b = replace(table(["correct"] * 4), samples=("x", "y", "z", "w"))
    assert infer_difference(accuracy, a, b, over=SAMPLES, rng=0).value is None


def test_seeds_that_were_asked_other_samples_are_refused():
    def cell(names):
        n = len(names)
        return CellColumns(
            samples=tuple(names),
            attempts=np.zeros(n, dtype=np.int64),
            groups=tuple(names),
            outcome=np.zeros(n, dtype=np.int8),
            confidence=np.full(n, np.nan),
            measured={},
            checks={},
            reason=np.zeros(n, dtype=np.int32),
        )

    with pytest.raises(DataError) as caught:
        make_table("s", {0: cell("ab"), 1: cell("ac")}, {"a": False, "b": False, "c": False})
    assert caught.value.code == "A203"


def test_every_outcome_metric_is_within_its_bounds():
    mixed = table(["correct", "wrong", "withheld", "declined", "invented", "failed"])
    for metric in OUTCOME_METRICS:
        low, high = infer(metric, mixed, over=SAMPLES, rng=0).interval()
        assert metric.bounds[0] <= low <= high <= metric.bounds[1]


def test_invention_counts_only_questions_without_an_answer():
    mixed = table(["correct", "correct", "declined", "invented"])
    assert infer(invention_rate, mixed, over=frozenset(), rng=0).value == 0.5


def simulate(rng, *, groups, size, spread):
    """Return a table of one system whose true accuracy is 0.8, with groups that go together."""
    rate = rng.beta(0.8 * spread, 0.2 * spread, size=groups)
    right = rng.random((groups, size)) < rate[:, None]
    outcomes = np.where(right, "correct", "wrong").ravel().tolist()
    return table([outcomes], groups=[f"g{i}" for i in range(groups) for _ in range(size)])


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "size", "spread"), [(200, 20, 1.0), (60, 5, 4.0)])
def test_an_interval_over_groups_covers_the_truth_19_times_in_20(groups, size, spread):
    rng = np.random.default_rng(5)
    trials = 600
    held = 0
    for _ in range(trials):
        low, high = infer(
            accuracy, simulate(rng, groups=groups, size=size, spread=spread), over=SAMPLES, rng=0
        ).interval()
        held += low <= 0.8 <= high
    assert 0.925 <= held / trials <= 0.98


def with_reason(said, *, threshold=None):
    """Return one cell of lines as ``said`` by the system, as a table above a threshold."""
    cell = Cell(task="t", system="s", seed=0, split="test")
    lines = [
        to_line(
            Record(
                cell=cell,
                sample=f"s{i}",
                group=f"s{i}",
                said=one,
                verdict=judge(target, one, Check(passed=True)),
                usage=Usage(),
            )
        )
        for i, (target, one) in enumerate(said)
    ]
    cells = {0: to_columns(lines)}
    made = make_table("s", cells, {f"s{i}": isinstance(t, Bottom) for i, (t, _) in enumerate(said)})
    return made if threshold is None else made.above({0: threshold})


def test_a_reason_counts_where_the_system_declined_with_it():
    said = [
        (Bottom("above"), Bottom("above")),
        (Bottom("above"), Bottom("below", Answer(1.0, 0.2))),
        (Answer(1.0), Answer(1.0, 0.9, instead="above")),
        (Answer(1.0), Failed("above")),
    ]
    columns = with_reason(said).reads(replace(accuracy, columns=("reason:above", "reason:below")))
    assert columns["reason:above"].tolist() == [[1, 0, 0, 0]]
    assert columns["reason:below"].tolist() == [[0, 1, 0, 0]]


def test_a_withheld_answer_declines_with_the_reason_it_named():
    said = [
        (Bottom("above"), Answer(1.0, 0.3, instead="above")),
        (Answer(1.0), Answer(1.0, 0.9, instead="above")),
        (Answer(1.0), Answer(1.0, 0.3)),
    ]
    asks = replace(accuracy, columns=("reason:above",))
    assert with_reason(said).reads(asks)["reason:above"].sum() == 0
    shut = with_reason(said, threshold=0.5)
    assert shut.reads(asks)["reason:above"].tolist() == [[1, 0, 0]]
    assert shut.only(["s1", "s0"]).reads(asks)["reason:above"].tolist() == [[0, 1]]


def test_a_reason_that_nobody_gave_is_a_column_of_zeros():
    asks = replace(accuracy, columns=("reason:nobody",))
    assert with_reason([(Answer(1.0), Answer(1.0))]).reads(asks)["reason:nobody"].tolist() == [[0]]
