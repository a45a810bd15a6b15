"""The axioms of signed common meadows, on single elements, NumPy arrays and torch tensors.

Sources: J. A. Bergstra and A. Ponse, Division by zero in common meadows (arXiv:1406.6878), tables 1
and 2; J. A. Bergstra and J. V. Tucker, Fracterm calculus for signed common meadows (2024).

Rounding breaks associativity of floats, so laws of rings are tried on small multiples of powers of
two (sums and products of three are exact), laws with an inverse on powers of two.  Fractions obey
every law everywhere.
"""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from operator import neg

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.families.science.meadow.arrays import Masked
from assay.families.science.meadow.comparisons import same
from assay.families.science.meadow.element import BOTTOM, Element, FaultError

heavy = [
    pytest.mark.heavy,
    pytest.mark.skipif(find_spec("torch") is None, reason="absent: torch"),
]

RING = {
    "addition is associative": lambda x, y, z: ((x + y) + z, x + (y + z)),
    "addition is commutative": lambda x, y, z: (x + y, y + x),
    "0 adds nothing": lambda x, y, z: (x + 0, x),
    "what is taken from itself leaves 0 x": lambda x, y, z: (x + (-x), 0 * x),
    "multiplication is associative": lambda x, y, z: ((x * y) * z, x * (y * z)),
    "multiplication is commutative": lambda x, y, z: (x * y, y * x),
    "1 multiplies to nothing else": lambda x, y, z: (1 * x, x),
    "multiplication distributes": lambda x, y, z: (x * (y + z), x * y + x * z),
    "minus undoes minus": lambda x, y, z: (neg(neg(x)), x),
    "0 of a sum is 0 of a product": lambda x, y, z: (0 * (x + y), 0 * (x * y)),
    "a difference is a sum": lambda x, y, z: (x - y, x + (-y)),
    "a number less something": lambda x, y, z: (1 - x, 1 + (-x)),
    "bottom absorbs sums": lambda x, y, z: (x + BOTTOM, 0 * x + BOTTOM * y),
    "bottom absorbs products": lambda x, y, z: (x * BOTTOM, BOTTOM - z),
    "a square is a product": lambda x, y, z: (x**2, x * x),
    "the power 0 is 1 + 0 x": lambda x, y, z: (x**0, 1 + 0 * x),
    "the sign of minus is minus the sign": lambda x, y, z: ((-x).sign(), -(x.sign())),
    "a sign is where its number is": lambda x, y, z: (0 * x.sign(), 0 * x),
}
REAL = {
    "signs multiply": lambda x, y, z: ((x * y).sign(), x.sign() * y.sign()),
    "a sign is its own": lambda x, y, z: (x.sign().sign(), x.sign()),
    "a number is its sign times its size": lambda x, y, z: (x.sign() * abs(x), x),
    "a sign is -1, 0 or 1": lambda x, y, z: (
        x.sign() * (1 - x.sign()) * (1 + x.sign()),
        0 * x,
    ),
    "sums of one sign keep it": lambda x, y, z: (
        (x.sign() * abs(x) + x.sign() * abs(y) + x).sign(),
        x.sign() + 0 * y,
    ),
}
INVERSE = {
    "x times its inverse": lambda x, y, z: (x * x.inverse(), 1 + 0 * x.inverse()),
    "the inverse of the inverse": lambda x, y, z: (x.inverse().inverse(), x + 0 * x.inverse()),
    "the inverse of a product": lambda x, y, z: ((x * y).inverse(), x.inverse() * y.inverse()),
    "the inverse of 1 + 0 x": lambda x, y, z: ((1 + 0 * x).inverse(), 1 + 0 * x),
    "the inverse of minus": lambda x, y, z: ((-x).inverse(), -(x.inverse())),
    "division is multiplication by the inverse": lambda x, y, z: (x / y, x * y.inverse()),
    "a number over something": lambda x, y, z: (1 / x, x.inverse()),
    "x over x": lambda x, y, z: (x / x, 1 + 0 / x),
    "over a fraction nothing is cancelled": lambda x, y, z: (x / (y / z), x * z**2 / (y * z)),
    "fractions multiply": lambda x, y, z: ((x / y) * (x / z), (x * x) / (y * z)),
    "fractions add": lambda x, y, z: (x / y + 1 / z, (x * z + y) / (y * z)),
    "0 z may stand above or below": lambda x, y, z: (x / (y + 0 * z), (x + 0 * z) / y),
    "over 0 is bottom": lambda x, y, z: (x / 0, BOTTOM + 0 * x),
    "over bottom is bottom": lambda x, y, z: (x / BOTTOM, BOTTOM + 0 * x),
    "a negative power is an inverse": lambda x, y, z: (x**-3, (x * x * x).inverse()),
    "the sign of an inverse": lambda x, y, z: (x.inverse().sign(), x.sign().inverse()),
    "the sign of a quotient": lambda x, y, z: ((x / y).sign(), x.sign() / y.sign()),
}

dyadic = st.builds(lambda k, e: k * 2.0**e, st.integers(-9, 9), st.integers(-3, 3))
gaussian = st.builds(complex, st.integers(-9, 9), st.integers(-9, 9))
power_of_two = st.builds(lambda s, e: s * 2.0**e, st.sampled_from([-1, 0, 1]), st.integers(-9, 9))
turned = st.builds(lambda u, x: u * x, st.sampled_from([1, 1j]), power_of_two)
rational = st.fractions(min_value=-50, max_value=50, max_denominator=60)
EXACT = {
    "fraction": (rational, rational),
    "float": (dyadic, power_of_two),
    "single": (dyadic, power_of_two),
    "complex": (gaussian, turned),
}
"""For each kind of number those that sums and products, and those that quotients leave exact."""


def arrays(values, garbage, kind):
    bottom = np.array([value is None for value in values])
    dtype = {"float": np.float64, "complex": np.complex128, "single": np.float32}[kind]
    payload = np.array([0 if value is None else value for value in values], dtype)
    payload[bottom] = garbage
    return Masked(payload, bottom)


def tensors(values, garbage, kind):
    torch = import_module("torch")
    there = arrays(values, garbage, kind)
    return Masked(torch.from_numpy(there.payload), torch.from_numpy(there.bottom))


CARRIERS = [
    pytest.param(Element, "fraction", id="fractions"),
    pytest.param(Element, "float", id="floats"),
    pytest.param(Element, "complex", id="complex numbers"),
    pytest.param(arrays, "float", id="NumPy"),
    pytest.param(arrays, "single", id="NumPy in single precision"),
    pytest.param(arrays, "complex", id="NumPy, complex"),
    pytest.param(tensors, "float", id="torch", marks=heavy),
    pytest.param(tensors, "single", id="torch in single precision", marks=heavy),
    pytest.param(tensors, "complex", id="torch, complex", marks=heavy),
]


def broken(laws, columns):
    """Yield what each law that does not hold says of the columns x, y and z."""
    for name, law in laws.items():
        left, right = law(*columns)
        equal = left == right if isinstance(left, Element) else bool(same(left, right).all())
        if not equal:
            yield name, left, right


def rows(numbers):
    one = st.one_of(st.none(), numbers)
    return st.lists(st.tuples(one, one, one), min_size=3, max_size=8)


def try_laws(laws, numbers, carrier):
    make, kind = carrier

    @given(values=rows(numbers), garbage=st.sampled_from([np.nan, np.inf, 1e30, 0]))
    def attempt(values, garbage):
        if make is Element:  # one row at a time
            for row in values:
                assert list(broken(laws, [Element(value) for value in row])) == []
        else:
            columns = [make(column, garbage, kind) for column in zip(*values, strict=True)]
            assert list(broken(laws, columns)) == []

    attempt()


@pytest.mark.parametrize(("make", "kind"), CARRIERS)
def test_rings_with_a_bottom_obey_their_laws(make, kind):
    try_laws(RING, EXACT[kind][0], (make, kind))


@pytest.mark.parametrize(("make", "kind"), [c for c in CARRIERS if c.values[1] != "complex"])
def test_signs_of_real_numbers_obey_their_laws(make, kind):
    try_laws(REAL, EXACT[kind][0], (make, kind))


@pytest.mark.parametrize(("make", "kind"), CARRIERS)
def test_inverses_obey_their_laws(make, kind):
    try_laws(INVERSE, EXACT[kind][1], (make, kind))


def test_the_constants_are_what_the_axioms_say():
    assert Element(0).inverse() == BOTTOM == BOTTOM.inverse()
    assert Element(1).inverse() == Element(1)
    assert [Element(n).sign() for n in (-1, 0, 1)] == [Element(-1), Element(0), Element(1)]
    assert BOTTOM.sign() == BOTTOM
    assert Element(None) == BOTTOM
    assert BOTTOM not in (Element(0), Element(1))


@pytest.mark.parametrize("wrong", ["x / x is 1", "0 * x is 0", "x - x is 0"])
def test_laws_of_fields_fail_at_bottom_only(wrong):
    law = {
        "x / x is 1": lambda x: x / x == Element(1),
        "0 * x is 0": lambda x: 0 * x == Element(0),
        "x - x is 0": lambda x: x - x == Element(0),
    }[wrong]
    assert not law(BOTTOM)
    assert law(Element(Fraction(3, 7)))
    assert law(Element(0)) is (wrong != "x / x is 1")


# --- what is no element, and what is lost ---------------------------------------------------


@pytest.mark.parametrize(
    "number", [np.nan, np.inf, -np.inf, complex(0, np.nan), complex(np.inf, 0)]
)
def test_what_is_not_finite_is_no_element_and_the_bridge_is_named(number):
    with pytest.raises(DataError, match="element_from_ieee") as caught:
        Element(number)
    assert caught.value.code == "A202"
    with pytest.raises(DataError):
        Element(1) + number


@pytest.mark.parametrize("thing", [True, "1", [1], None])
def test_truth_values_and_things_are_no_numbers(thing):
    if thing is None:
        assert Element(thing).is_bottom
        return
    with pytest.raises(DataError):
        Element(thing)


def test_an_operation_with_a_thing_is_a_type_error():
    with pytest.raises(TypeError):
        Element(1) + "1"
    with pytest.raises(TypeError):
        Masked.finite(np.ones(1)) / "1"


@pytest.mark.parametrize(
    "lose",
    [
        lambda: Element(1e308) + Element(1e308),
        lambda: Element(-1e308) - 1e308,
        lambda: Element(1e200) * 1e200,
        lambda: Element(1e-200) * 1e-200,
        lambda: Element(1e200) / 1e-200,
        lambda: Element(1e-200) / 1e200,
        lambda: Element(5e-324).inverse(),
        lambda: Element(1e200) ** 2,
        lambda: Element(1e200 + 1e200j) * (1e200 - 1e200j),
        lambda: Element(1e-200j) * 1e-200,
        lambda: abs(Element(1.7e308 + 1.7e308j)),
        lambda: Element(10**400) * 1.5,
    ],
)
def test_a_number_that_is_lost_is_a_fault_and_not_bottom(lose):
    with pytest.raises(FaultError) as caught:
        lose()
    assert isinstance(caught.value, ArithmeticError)
    assert isinstance(caught.value, AssayError)
    assert caught.value.code == "A202"


def test_fractions_are_never_lost():
    huge = Element(10**400)
    assert huge * huge / huge == huge
    assert (huge.inverse() ** 3).inverse() == huge**3


def test_bottom_absorbs_a_product_that_would_be_lost():
    assert Element(1e200) * BOTTOM * 1e200 == BOTTOM
    assert Element(0) / 0 * 1e300 == BOTTOM


@pytest.mark.parametrize("largest", [1.7e308, 1.0, 1e-310, 5e-324])
def test_complex_signs_stay_on_the_unit_circle_at_every_size(largest):
    sign = Element(complex(largest, -largest)).sign().value
    assert sign == pytest.approx((1 - 1j) / np.sqrt(2))


def test_numbers_of_numpy_are_numbers():
    assert Element(np.float32(0.5)) == Element(0.5)
    assert Element(np.int64(3)) / 2 == Element(Fraction(3, 2))
    assert np.float64(1) / Element(0) == BOTTOM
    assert Element(1) + np.complex64(1j) == Element(1 + 1j)
    with pytest.raises(TypeError):
        np.ones(2) * Element(2)


def test_elements_are_values():
    assert len({Element(1), Element(1.0), Element(None), BOTTOM}) == 2
    assert [repr(x) for x in (BOTTOM, Element(0.5), Element(Fraction(1, 3)))] == [
        "BOTTOM",
        "Element(0.5)",
        "Element(1/3)",
    ]
