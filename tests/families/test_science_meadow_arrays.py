"""Arrays over a meadow agree with its elements, and never read what a mask covers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.science.meadow.arrays import Masked
from assay.families.science.meadow.bridges import (
    element_from_ieee,
    element_to_ieee,
    from_ieee,
    from_masked_array,
    from_projective,
    to_ieee,
    to_masked_array,
    to_projective,
)
from assay.families.science.meadow.comparisons import compare, same
from assay.families.science.meadow.element import BOTTOM, Element, FaultError

LIBRARIES = [
    pytest.param(lambda array: array, id="NumPy"),
    pytest.param(
        lambda array: import_module("torch").from_numpy(np.array(array)),
        id="torch",
        marks=[
            pytest.mark.heavy,
            pytest.mark.skipif(find_spec("torch") is None, reason="absent: torch"),
        ],
    ),
]
OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "minus": lambda x, y: -x,
    "size": lambda x, y: abs(x),
    "sign": lambda x, y: x.sign(),
    "inverse": lambda x, y: x.inverse(),
    "cube": lambda x, y: x**3,
    "power -2": lambda x, y: x**-2,
    "2 more": lambda x, y: x + 2,
    "from 2": lambda x, y: 2 - x,
    "bottom": lambda x, y: x * BOTTOM,
}
REDUCTIONS = {
    "sum": lambda x, y: x.sum(),
    "sum along": lambda x, y: x.sum(0),
    "mean": lambda x, y: x.mean(),
    "mean along": lambda x, y: x.mean(-1),
    "dot": lambda x, y: x.dot(y),
    "row": lambda x, y: x[0],
    "compare": compare,
}
LOST = "lost"
numbers = st.floats(allow_nan=False, allow_infinity=False)
cells = st.one_of(st.none(), numbers, st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e308]))


def masked(values, to, garbage=np.nan, on_fault="mark", fault=None):
    bottom = np.array([value is None for value in values], bool)
    payload = np.array([garbage if value is None else value for value in values], float)
    fault = np.zeros_like(bottom) if fault is None else np.array(fault, bool) & ~bottom
    payload[fault] = garbage
    return Masked(to(payload), to(bottom), to(fault), on_fault)


def held(x):
    """Return what an array holds: elements, and what was lost."""
    assert not bool((x.bottom & x.fault).any())
    flat = (np.asarray(part).reshape(-1).tolist() for part in (x.payload, x.bottom, x.fault))
    return [BOTTOM if b else LOST if f else Element(v) for v, b, f in zip(*flat, strict=True)]


def on_elements(operation, x, y):
    try:
        return operation(Element(x), Element(y))
    except FaultError:
        return LOST


@pytest.mark.parametrize("to", LIBRARIES)
@given(pairs=st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_arrays_compute_what_elements_compute_faults_included(to, pairs):
    xs, ys = zip(*pairs, strict=True)
    for name, operation in OPERATIONS.items():
        found = held(operation(masked(xs, to), masked(ys, to)))
        assert found == [on_elements(operation, x, y) for x, y in pairs], name


@pytest.mark.parametrize("to", LIBRARIES)
@given(
    rows=st.lists(st.tuples(cells, cells, st.booleans(), st.booleans()), min_size=2, max_size=6),
    garbage=st.tuples(st.floats(), st.floats()),
)
def test_what_a_mask_covers_is_never_read(to, rows, garbage):
    xs, ys, lost_xs, lost_ys = zip(*rows, strict=True)
    for name, operation in (OPERATIONS | REDUCTIONS).items():
        first, second = (
            operation(
                masked(xs, to, garbage=one, fault=lost_xs),
                masked(ys, to, garbage=one, fault=lost_ys),
            )
            for one in garbage
        )
        assert held(first) == held(second), name
        if name != "row":  # a part of an array, not a result
            assert bool((first.payload[~first.has_value] == 0).all()), name
        assert bool((first.filled(0) == second.filled(0)).all()), name
    one, other = (masked(xs, to, garbage=one, fault=lost_xs) for one in garbage)
    assert bool((same(one, other) == ~one.fault).all())


@pytest.mark.parametrize("to", LIBRARIES)
@given(
    cells=st.lists(st.one_of(st.none(), st.integers(-9, 9)), max_size=8),
    others=st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=8, max_size=8),
)
def test_reductions_fold_the_operations(to, cells, others):
    x, y = masked(cells, to), masked(others[: len(cells)], to)
    total, dot = Element(0), Element(0)
    for a, b in zip(cells, others, strict=False):
        total, dot = total + Element(a), dot + Element(a) * Element(b)
    assert held(x.sum()) == [total]
    assert held(x.dot(y)) == [dot]
    expected = total / len(cells)
    [mean] = held(x.mean())
    assert mean.is_bottom == expected.is_bottom
    assert mean.is_bottom or float(mean.value) == pytest.approx(float(expected.value))


def test_the_mean_of_nothing_is_bottom_and_the_sum_is_0():
    nothing = Masked.finite(np.zeros((2, 0)))
    assert held(nothing.mean(1)) == [BOTTOM, BOTTOM]
    assert held(nothing.sum(1)) == [Element(0), Element(0)]


@pytest.mark.parametrize("to", LIBRARIES)
def test_an_underflow_beside_others_is_rounding_and_alone_a_fault(to):
    x = Masked(
        to(np.array([[1e-200, 1.0], [1e-200, 0.0]])), to(np.zeros((2, 2), bool)), None, "mark"
    )
    assert held(x.dot(x)) == [Element(1.0), LOST]


# --- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("to", LIBRARIES)
def test_a_fault_stays_one_but_beside_bottom(to):
    x = masked([1e300, 1e300, 2.0], to)
    lost = x * 1e300
    assert held(lost) == [LOST, LOST, Element(2e300)]
    assert held(lost - lost) == [LOST, LOST, Element(0)]
    assert held(lost * masked([None, 0.0, 1.0], to)) == [BOTTOM, LOST, Element(2e300)]
    assert held(lost / 0) == [BOTTOM] * 3
    assert held(lost.sum()) == [LOST]
    assert held((lost * masked([1.0, None, 1.0], to)).sum()) == [BOTTOM]
    assert not bool(same(lost, lost)[0])


@pytest.mark.parametrize("to", LIBRARIES)
def test_bottom_absorbs_a_sum_that_would_be_lost(to):
    x = masked([1e308, 1e308, None], to, on_fault="raise")
    assert held(x.sum()) == held(x.mean()) == [BOTTOM]
    assert held(x.dot(x)) == [BOTTOM]


@pytest.mark.parametrize("to", LIBRARIES)
def test_an_array_that_raises_wins_over_one_that_marks(to):
    marks, raises = masked([1e300], to), masked([1e300], to, on_fault="raise")
    assert held(marks * marks) == [LOST]
    for one, other in ((marks, raises), (raises, marks)):
        with pytest.raises(FaultError, match="1 of 1 results"):
            one * other
    with pytest.raises(FaultError):
        marks * marks + raises
    with pytest.raises(FaultError):
        masked([1.0], to, fault=[True], on_fault="raise")


@pytest.mark.parametrize("number", [1e300, -(10**400), 1e300j])
def test_a_number_beyond_single_precision_is_a_fault(number):
    with pytest.raises(FaultError, match=r"float32|complex64"):
        Masked.finite(np.ones(1, np.float32)) + number


@pytest.mark.parametrize("to", LIBRARIES)
@pytest.mark.parametrize("size", [1e308, 1.0, 1e-310])
def test_complex_signs_stay_on_the_unit_circle_at_every_size(to, size):
    x = Masked.finite(to(np.array([complex(size, size), 0, -size])))
    sign = np.asarray(x.sign().payload)
    np.testing.assert_allclose(sign, [np.exp(0.25j * np.pi), 0, -1], rtol=1e-12)


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("to", LIBRARIES)
def test_a_payload_that_counts_is_finite(to):
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="from_ieee") as caught:
            Masked.finite(to(np.array([1.0, bad])))
        assert caught.value.code == "A202"
        with pytest.raises(DataError):
            Masked.finite(to(np.ones(2))) + to(np.array([1.0, bad]))


@pytest.mark.parametrize("to", LIBRARIES)
@pytest.mark.parametrize(
    ("payload", "bottom"),
    [
        (np.ones(2, int), np.zeros(2, bool)),
        (np.ones(2, bool), np.zeros(2, bool)),
        (np.ones(2), np.zeros(3, bool)),
        (np.ones(2), np.zeros((), bool)),
        (np.ones(2), np.zeros(2)),
    ],
)
def test_payload_and_mask_fit(to, payload, bottom):
    with pytest.raises(DataError):
        Masked(to(payload), to(bottom))


def test_lists_are_no_arrays():
    with pytest.raises(DataError, match="a list is neither"):
        Masked([1.0], [False])


@pytest.mark.heavy
def test_libraries_do_not_mix():
    torch = pytest.importorskip("torch")
    with pytest.raises(DataError, match="do not mix"):
        Masked(torch.ones(2), np.zeros(2, bool))
    with pytest.raises(DataError, match="do not mix"):
        Masked.finite(torch.ones(2)) + Masked.finite(np.ones(2))


@pytest.mark.parametrize("to", LIBRARIES)
def test_plain_arrays_stand_on_either_side(to):
    x, plain = masked([2.0, None], to), to(np.array([4.0, 4.0]))
    assert held(x + plain) == held(plain + x) == [Element(6), BOTTOM]
    assert held(plain / x) == [Element(2), BOTTOM]
    assert held(plain - x) == [Element(2), BOTTOM]
    assert held(BOTTOM + x) == [BOTTOM, BOTTOM]
    assert held(np.float64(2) * x) == [Element(4), BOTTOM]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_operations_keep_the_dtype_and_broadcast(dtype):
    x = Masked.finite(np.ones((3, 1), dtype))
    y = Masked(np.ones(2, dtype), np.array([False, True]))
    for name, operation in OPERATIONS.items():
        assert np.asarray(operation(x, y).filled(0)).real.dtype == np.ones(1, dtype).real.dtype, (
            name
        )
    assert (x / y).shape == (x / y).bottom.shape == (x / y).fault.shape == (3, 2)
    assert held((x * y).sum(0)) == [Element(3), BOTTOM]


# --- order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", LIBRARIES)
@given(pairs=st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_an_order_is_the_sign_of_a_difference_that_cannot_be_lost(to, pairs):
    xs, ys = zip(*pairs, strict=True)
    found = held(compare(masked(xs, to, on_fault="raise"), masked(ys, to, on_fault="raise")))
    for order, x, y in zip(found, xs, ys, strict=True):
        assert order == (BOTTOM if x is None or y is None else Element((x > y) - (x < y)))


def test_complex_numbers_have_no_order():
    x = Masked.finite(np.ones(1, complex))
    with pytest.raises(DataError, match="no order"):
        compare(x, x)


# --- bridges --------------------------------------------------------------------------------


@pytest.mark.parametrize("to", LIBRARIES)
@given(values=st.lists(st.floats(), max_size=8))
def test_ieee_numbers_come_back_as_they_were_but_for_signs_of_inf(to, values):
    x = from_ieee(to(np.array(values, float)), inf="fault", on_fault="mark")
    back = np.asarray(to_ieee(x))
    np.testing.assert_array_equal(back, np.where(np.isinf(values), np.inf, values))
    np.testing.assert_array_equal(np.asarray(x.bottom), np.isnan(values))


@given(number=st.floats())
def test_single_ieee_numbers_are_read_as_arrays_are(number):
    x = element_from_ieee(number)
    assert held(from_ieee(np.array([number]))) == [x]
    np.testing.assert_array_equal(element_to_ieee(x), number if np.isfinite(number) else np.nan)


@pytest.mark.parametrize("to", LIBRARIES)
def test_what_is_declared_a_mistake_is_refused(to):
    array = to(np.array([1.0, np.inf, np.nan]))
    with pytest.raises(DataError, match="1 numbers are Inf"):
        from_ieee(array, inf="raise")
    with pytest.raises(DataError, match="1 numbers are NaN"):
        from_ieee(array, nan="raise")
    with pytest.raises(FaultError):
        from_ieee(array, inf="fault")
    with pytest.raises(DataError):
        element_from_ieee(complex(1, np.inf), inf="raise")
    with pytest.raises(DataError):
        element_from_ieee(np.nan, nan="raise")


@given(cells=st.lists(st.one_of(st.none(), numbers), max_size=8))
def test_masked_arrays_of_numpy_come_back(cells):
    x = masked(cells, lambda array: array, on_fault="raise")
    assert held(from_masked_array(to_masked_array(x))) == held(x)
    assert to_masked_array(x).tolist() == cells


@pytest.mark.parametrize("to", LIBRARIES)
@given(cells=st.lists(st.one_of(st.none(), numbers), max_size=8))
def test_pairs_come_back(to, cells):
    x = masked(cells, to, on_fault="raise")
    p, q = to_projective(x)
    assert held(from_projective(p, q)) == held(x)
    p, q = to_projective(x, side=-to(np.ones(len(cells))))
    assert np.asarray(p)[[c is None for c in cells]].tolist() == [-1.0] * cells.count(None)
    assert held(from_projective(p, q)) == held(x)


@given(pairs=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=8))
def test_a_pair_means_the_same_at_every_scale(pairs):
    p, q = np.array(pairs, float).T
    for scale in (-4.0, 0.5, 1024.0):
        assert held(from_projective(scale * p, scale * q)) == held(from_projective(p, q))


def test_faults_leave_by_the_bridge_that_can_say_so():
    lost = masked([1e300, None], lambda array: array) * 1e300
    assert str(to_ieee(lost)) == "[inf nan]"
    for bridge in (to_masked_array, to_projective):
        with pytest.raises(DataError, match="to_ieee"):
            bridge(lost)
