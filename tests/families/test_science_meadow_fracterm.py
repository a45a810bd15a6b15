"""A flattened expression has the value of the expression everywhere, bottom included."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay import DataError
from assay.families.science.meadow.arrays import Masked
from assay.families.science.meadow.budgets import Budget
from assay.families.science.meadow.element import BOTTOM, Element
from assay.families.science.meadow.fracterm import (
    Constant,
    Fracterm,
    Operation,
    Variable,
    degrees_of,
    evaluate,
    flatten,
)
from assay.families.science.meadow.polynomials import Polynomial

FORMS = ("strict", "guarded")
NAMES = "xyz"
small = st.sampled_from([Fraction(n, d) for n in range(-3, 4) for d in (1, 2)])
# Mostly variables, mostly numbers, often 0: where everything is bottom nothing is compared.
leaves = st.one_of(st.builds(Constant, small), *[st.builds(Variable, st.sampled_from(NAMES))] * 3)
number = st.builds(Element, st.sampled_from([0, 0, 1, -1, 2, Fraction(-3, 2)]))
value = st.one_of(*[number] * 9, st.just(BOTTOM))
points = st.fixed_dictionaries(dict.fromkeys(NAMES, value))


def trees(levels):
    if levels == 1:
        return leaves
    below = trees(levels - 1)
    joined = st.builds(Operation, st.sampled_from("+-*//"), below, below)
    if levels == 2:
        return st.one_of(joined, joined, leaves)
    # Over a fraction: where the denominator of a denominator counts.
    over = st.builds(lambda x, y, z: x / (y / z), below, trees(levels - 2), trees(levels - 2))
    return st.one_of(joined, over, leaves)


@pytest.mark.parametrize("form", FORMS)
@given(tree=trees(4), values=st.lists(points, min_size=12, max_size=12))
def test_a_fraction_is_its_expression_everywhere(form, tree, values):
    flat = flatten(tree, form=form)
    for point in values:
        assert flat.evaluate(point) == evaluate(tree, point), point


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbol", "+-*/")
@pytest.mark.parametrize("side", ["left", "right"])
def test_every_operation_keeps_what_must_not_be_0_on_either_side(form, symbol, side):
    a, b, c, d = map(Variable, "abcd")
    parts = (a / (b / c), d) if side == "left" else (d, a / (b / c))
    tree = Operation(symbol, *parts)
    flat = flatten(tree, form=form)
    grid = [Element(0), Element(1), Element(-2), BOTTOM]
    for values in product(grid, repeat=4):
        point = dict(zip("abcd", values, strict=True))
        assert flat.evaluate(point) == evaluate(tree, point), point


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@given(tree=trees(5), values=st.lists(points, min_size=4, max_size=4))
def test_a_fraction_of_five_levels_is_its_expression_everywhere(form, tree, values):
    try:
        flat = flatten(tree, form=form, budget=Budget(terms=200))
    except DataError:
        assume(False)  # too many terms to multiply out hundreds of times
    for point in values:
        assert flat.evaluate(point) == evaluate(tree, point), point


def test_the_points_that_are_tried_hit_bottom_and_numbers_alike():
    x, y = Variable("x"), Variable("y")
    tree = (1 / x) / (x / y)
    grid = [Element(v) for v in (None, Fraction(0), Fraction(1, 2), Fraction(-3))]
    found = [flatten(tree).evaluate({"x": a, "y": b}) for a in grid for b in grid]
    assert found == [evaluate(tree, {"x": a, "y": b}) for a in grid for b in grid]
    assert found.count(BOTTOM) == 12


@pytest.mark.parametrize("form", FORMS)
@given(tree=trees(4))
def test_degrees_are_known_before_anything_is_multiplied_out(form, tree):
    flat = flatten(tree, form=form)
    assert degrees_of(tree, form=form) == (flat.p.degree, flat.q.degree)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data(), levels=st.integers(1, 5))
def test_no_expression_of_that_many_levels_goes_beyond_its_budget(form, data, levels):
    tree = data.draw(trees(levels))
    assert max(degrees_of(tree, form=form)) <= Budget(levels=levels).most(form)


@pytest.mark.parametrize(("form", "symbol", "degree"), [("strict", "/", 27), ("guarded", "*", 8)])
def test_four_levels_can_reach_their_budget_and_no_fewer_allow_it(form, symbol, degree):
    x = Polynomial.variable("x")
    tree = Fracterm(x, x)
    for _ in range(3):
        tree = Operation(symbol, tree, tree)
    assert flatten(tree, form=form, budget=Budget(levels=4)).degree == degree
    assert Budget(levels=4).most(form) == degree
    with pytest.raises(DataError, match="more than 3 levels") as caught:
        flatten(tree, form=form, budget=Budget(levels=3))
    assert caught.value.code == "A202"


def test_an_expression_that_shares_its_parts_is_refused_at_once():
    tree = Variable("x")
    for _ in range(200):  # 2^200 paths
        tree = tree / tree
    with pytest.raises(DataError, match="more than 5 levels"):
        flatten(tree)


def test_too_many_terms_are_refused_before_anything_is_multiplied_out():
    total = sum((Polynomial.variable(name) for name in "abcdefgh"), Polynomial.constant(1))
    head = Fracterm(total, total)
    for _ in range(4):
        head = head / head
    with pytest.raises(DataError, match="the terms of the fraction would be"):
        flatten(head)


def test_an_expression_of_something_else_is_refused():
    for use in (flatten, lambda tree: evaluate(tree, {})):
        with pytest.raises(DataError, match="no expression"):
            use(Operation("+", Variable("x"), "y") if use is flatten else "x")
    with pytest.raises(DataError, match="'x' has no value; given: y"):
        evaluate(Variable("x"), {"y": Element(1)})
    for number in (float("nan"), 1j):
        with pytest.raises(DataError):
            flatten(Variable("x") + number)


# --- nothing is cancelled -------------------------------------------------------------------


def test_nothing_is_cancelled():
    a, b, u, v, x = map(Variable, "abuvx")
    assert str(flatten(x / x)) == "(x) / (x)"
    assert str(flatten(x - x)) == "(0 x) / (1)"
    assert str(flatten((a / b) / (u / v))) == "(a v^2) / (b u v)"
    assert str(flatten((a / b) / (u / v), form="guarded")) == "(a v) / (b u) where v is not 0"
    assert str(flatten(1 + 0 / x)) == "(x + 0) / (x)"


@pytest.mark.parametrize("form", FORMS)
@given(point=points)
def test_x_over_x_is_1_and_0_over_x(form, point):
    x = Variable("x")
    left, right = flatten(x / x, form=form), flatten(1 + 0 / x, form=form)
    assert left.evaluate(point) == right.evaluate(point)
    assert (left.evaluate(point) == Element(1)) is (point["x"] not in (Element(0), BOTTOM))


@pytest.mark.parametrize("form", FORMS)
def test_a_variable_that_drops_out_still_makes_bottom(form):
    x, y = Variable("x"), Variable("y")
    for tree in (x - x, 0 * x, y - 0 * x, (x + y) - x, 1 + 0 * (x * y)):
        flat = flatten(tree, form=form)
        assert flat.evaluate({"x": BOTTOM, "y": Element(1)}) == BOTTOM
        assert flat.evaluate({"x": Element(2), "y": Element(1)}) != BOTTOM


def test_a_division_by_the_number_0_is_bottom_everywhere():
    for form in FORMS:
        for tree in (Variable("x") / 0, 1 / (Constant(2) / 0), Constant(1) / (1 / Constant(0))):
            assert flatten(tree, form=form).evaluate({"x": Element(1)}) == BOTTOM


def test_guards_that_say_nothing_are_left_out():
    x, y = Variable("x"), Variable("y")
    assert flatten(x / 2 / 3, form="guarded").guards == ()
    assert len(flatten((1 / (1 / x)) * (y / (1 / x)), form="guarded").guards) == 1


# --- fractions as leaves, arrays as values --------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@given(inner=trees(3), other=trees(2), point=points, symbol=st.sampled_from("+-*/"))
def test_fractions_join_as_their_expressions_do(form, inner, other, point, symbol):
    joined = Operation(symbol, flatten(inner, form=form), other)
    flat = flatten(joined, form=form, budget=Budget(degree=9))
    assert flat.evaluate(point) == evaluate(Operation(symbol, inner, other), point)


def test_a_head_of_a_network_is_a_fraction_of_higher_degree():
    x = Polynomial.variable("x")
    head = Fracterm(x * x * x + Polynomial.constant(0.25), x * x)
    with pytest.raises(DataError, match="the degree of the fraction would be 6"):
        flatten(head * head, budget=Budget(levels=2))
    assert flatten(head * head, budget=Budget(levels=2, degree=3)).degree == 6


@given(tree=trees(4), values=st.lists(points, min_size=3, max_size=6))
def test_arrays_are_values_too(tree, values):
    rows = [
        {n: BOTTOM if e.is_bottom else Element(float(e.value)) for n, e in row.items()}
        for row in values
    ]
    columns = {}
    for name in NAMES:
        cells = [row[name].value for row in rows]
        payload = np.array([np.nan if cell is None else cell for cell in cells])
        columns[name] = Masked(payload, np.isnan(payload))
    nothing = 0 * columns["x"]  # makes an array of what does not depend on one
    for compute in (lambda at: evaluate(tree, at), flatten(tree).evaluate):
        found = compute(columns) + nothing
        for place, row in enumerate(rows):
            expected = compute(row) + 0 * row["x"]
            assert found.bottom[place] == expected.is_bottom
            assert expected.is_bottom or found.payload[place] == expected.value
