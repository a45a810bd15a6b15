"""Samples as arrays, their scale, and the one rule by which all heads decline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay import Answer, Bottom, DataError, Question, Sample
from assay.families.science.domains.drawn import FEW, rounded
from assay.families.science.learning.head import NONE, Read, best_gate, own_gate
from assay.families.science.learning.rows import Rows, Scale, features_of, reasons_of, rows_of
from assay.families.science.learning.tries import choices, factors, halton

NUMBERS = st.floats(-1e6, 1e6)


def sample(name, seen, target):
    return Sample(id=name, input=seen, target=target)


# --- samples as arrays ----------------------------------------------------------------------


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS | st.sampled_from(["a", "b"])), min_size=1))
def test_rows_hold_what_samples_hold(rows):
    samples = [
        sample(str(i), [one, two], Bottom(it) if isinstance(it, str) else Answer(it))
        for i, (one, two, it) in enumerate(rows)
    ]
    found = rows_of(samples)
    assert found.x.tolist() == [list(s.input) for s in samples]
    for i, (_, _, it) in enumerate(rows):
        if isinstance(it, str):
            assert found.reasons[found.kind[i] - 1] == it
            assert np.isnan(found.y[i]).all()
        else:
            assert found.kind[i] == 0
            assert found.y[i].tolist() == [it]
    assert found.there.tolist() == [not isinstance(it, str) for *_, it in rows]


def test_reasons_are_sorted_whatever_the_order_of_samples():
    samples = [sample("a", [1.0], Bottom("z")), sample("b", [1.0], Bottom("a"))]
    assert reasons_of(samples) == reasons_of(samples[::-1]) == ("a", "z")


def test_a_value_may_be_several_numbers():
    rows = rows_of([sample("a", [1.0], Bottom("no")), sample("b", [1.0], Answer([1.0, 2.0]))])
    assert rows.y.shape == (2, 2)
    assert rows.y[1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("seen", "target"),
    [
        ("text", Answer(1.0)),
        ([1.0, "two"], Answer(1.0)),
        ([1.0, True], Answer(1.0)),
        ([1.0], Answer(1.0)),
        ([1.0, 2.0], Answer("one")),
        ([1.0, 2.0], Answer(True)),
        ([1.0, 2.0], Answer([1.0, 2.0])),
        ([1.0, 2.0], None),
        ([1.0, 2.0], Bottom("unheard_of")),
    ],
)
def test_what_is_no_row_of_numbers_is_refused_by_name(seen, target):
    good = sample("good", [1.0, 2.0], Answer(1.0))
    with pytest.raises(DataError, match="'odd' is no row of numbers") as caught:
        rows_of([good, sample("odd", seen, target)], reasons=("known",))
    assert caught.value.code == "A200"


def test_questions_give_the_same_features_as_their_samples():
    samples = [sample(str(i), [i, i / 2], Answer(1.0)) for i in range(3)]
    assert (features_of(samples) == features_of([s.question() for s in samples])).all()
    assert features_of([Question(id="q", input=[1, 2])]).tolist() == [[1.0, 2.0]]


# --- scales ---------------------------------------------------------------------------------


def drawn(seed, n=50, width=2):
    rng = np.random.Generator(np.random.PCG64(seed))
    y = rng.normal(3.0, 10.0, (n, width))
    kind = (rng.random(n) < 0.2).astype(np.int64)
    y[kind > 0] = np.nan
    return Rows(x=rng.normal(5.0, [0.1, 100.0, 3.0], (n, 3)), y=y, kind=kind, reasons=("no",))


@pytest.mark.parametrize("values", ["plain", "arsinh"])
@given(seed=st.integers(0, 1000))
def test_what_is_learnt_has_mean_0_and_deviation_1(values, seed):
    rows = drawn(seed)
    scale = Scale.of(rows, values)
    for made in (scale.inward(rows.x), scale.wanted(rows.y[rows.there])):
        assert np.allclose(made.mean(axis=0), 0.0, atol=1e-9)
        assert np.allclose(made.std(axis=0), 1.0)


@pytest.mark.parametrize("values", ["plain", "arsinh"])
@given(
    seed=st.integers(0, 1000),
    y=arrays.arrays(float, (7, 2), elements=st.floats(-1e9, 1e9, allow_subnormal=False)),
)
def test_values_come_back_from_their_scale(values, seed, y):
    scale = Scale.of(drawn(seed), values)
    assert np.allclose(scale.outward(scale.wanted(y)), y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("values", ["plain", "arsinh"])
@given(seed=st.integers(0, 1000), at=st.floats(-3, 3))
def test_a_spread_is_the_slope_of_the_value_times_the_spread_that_is_said(values, seed, at):
    scale = Scale.of(drawn(seed), values)
    y, step = np.full((1, 2), at), 1e-5
    slope = (scale.outward(y + step) - scale.outward(y - step)) / (2 * step)
    assert np.allclose(scale.spread(y, np.full((1, 2), 0.3)), 0.3 * slope, rtol=1e-6)


def test_relative_errors_are_alike_where_values_are_large():
    rows = Rows(x=np.zeros((2, 1)), y=np.array([[1.0], [1.0]]), kind=np.zeros(2, int), reasons=())
    scale = Scale.of(rows, "arsinh")
    small, large = (
        np.diff(scale.wanted(np.array([[at], [1.1 * at]])), axis=0) for at in (1e3, 1e6)
    )
    assert small == pytest.approx(large, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, -8.5555555, 1e9])
def test_a_feature_that_never_varies_is_not_blown_up(value):
    # The mean of equal numbers is, by rounding, not always one of them.
    rows = Rows(
        x=np.full((1001, 1), value),
        y=np.full((1001, 1), value),
        kind=np.zeros(1001, int),
        reasons=(),
    )
    scale = Scale.of(rows)
    assert scale.x_sd.tolist() == scale.y_sd.tolist() == [1.0]
    assert abs(scale.inward(np.array([[value]])).item()) <= 1e-6


# --- the rule by which all decline ----------------------------------------------------------


@st.composite
def readings(draw):
    """Draw what a head says of some rows, and the rows; confidences come in ties."""
    n, width, reasons = draw(st.integers(1, 12)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    kinds = st.integers(0, reasons)
    kind = np.array(draw(st.lists(kinds, min_size=n, max_size=n)), dtype=np.int64)
    y = draw(arrays.arrays(float, (n, width), elements=st.floats(-3, 3)))
    value = draw(
        arrays.arrays(float, (n, width), elements=st.floats(-3, 3) | st.just(float("nan")))
    )
    y[kind > 0] = np.nan
    rows = Rows(x=np.zeros((n, 1)), y=y, kind=kind, reasons=tuple("ab"[:reasons]))
    sure = st.sampled_from([0.0, 0.25, 0.5, np.nextafter(0.5, 1.0), 0.75, 1.0])
    read = Read(
        value=value,
        confidence=draw(arrays.arrays(float, n, elements=sure)),
        declines=draw(arrays.arrays(bool, n)),
        reason=draw(arrays.arrays(np.int64, n, elements=st.sampled_from([NONE, 1, 2]))),
        fault=draw(arrays.arrays(bool, n)),
    )
    return read, rows


def cost(read, rows, declines):
    """Return the mean cost of a row as its docstring has it, row by row."""
    total = 0.0
    for i in range(len(rows.x)):
        there = rows.kind[i] == 0
        if read.fault[i]:
            total += 1.0
        elif not declines[i]:
            error = np.abs(read.value[i] - rows.y[i]).mean() if there else 1.0
            total += 1.0 if np.isnan(error) else min(1.0, error)
        elif there:
            total += 1.0
        elif len(rows.reasons) > 1 and read.reason[i] != rows.kind[i]:
            total += 0.5
    return total / len(rows.x)


@given(readings())
def test_no_threshold_costs_less_than_the_one_that_is_chosen(said):
    read, rows = said
    gate = best_gate(read, rows, rows.y)
    assert cost(read, rows, read.confidence < gate.threshold) == pytest.approx(gate.score)
    for threshold in (*read.confidence, 0.0, 2.0):
        assert gate.score <= cost(read, rows, read.confidence < threshold) + 1e-9


@given(readings())
def test_the_own_rule_costs_what_it_declines(said):
    read, rows = said
    assert own_gate(read, rows, rows.y) == pytest.approx(cost(read, rows, read.declines))


def test_a_gate_leaves_equal_confidences_together():
    read = Read(
        value=np.array([[0.0], [9.0]]),
        confidence=np.array([0.5, 0.5]),
        declines=np.zeros(2, bool),
        reason=np.ones(2, int),
        fault=np.zeros(2, bool),
    )
    rows = Rows(x=np.zeros((2, 1)), y=np.zeros((2, 1)), kind=np.zeros(2, int), reasons=("no",))
    assert best_gate(read, rows, rows.y).score == 0.5


# --- tries ----------------------------------------------------------------------------------


@given(st.integers(2, 60), st.sampled_from([2, 3, 5]))
def test_tries_are_spread_over_their_range(tries, base):
    found = sorted(factors(tries, base))
    assert len(set(found)) == tries - 1
    assert 0.25 < found[0] <= found[-1] < 4.0
    exponents = [0.0, *((np.log(f) / np.log(4.0) + 1) / 2 for f in found), 1.0]
    # No hole is larger than what a grid of as many, coarse by one digit, would leave.
    assert max(np.diff(exponents)) <= 2.0 * base / tries


@given(st.integers(1, 40), st.integers(1, 40))
def test_more_tries_begin_with_the_fewer(few, more):
    few, more = sorted((few, more))
    assert factors(more)[: few - 1] == factors(few)
    assert choices(more, 4)[: few - 1] == choices(few, 4)


def test_every_choice_is_tried_before_long():
    assert set(choices(6, among=4)) == {0, 1, 2, 3}
    assert 0 < halton(1000, 3) < 1


# --- digits -----------------------------------------------------------------------------------


@given(
    st.lists(
        st.floats() | st.integers(-(10**8), 10**8).map(lambda n: n / 2), min_size=1, max_size=20
    ),
    st.integers(1, 17),
)
def test_many_numbers_are_rounded_as_each_is_written_out(values, digits):
    written = np.array([float(f"{v:.{digits - 1}e}") for v in values])
    many = rounded(np.array(values * (FEW + 1)), digits)[: len(values)]
    few = rounded(np.array(values), digits)
    for found in (many, few):
        assert np.array_equal(found, written, equal_nan=True)
        assert (np.signbit(found) == np.signbit(written))[~np.isnan(written)].all()
