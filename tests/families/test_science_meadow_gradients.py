"""Gradients that come back through bottoms: finite, zero where declared, right everywhere else."""

from __future__ import annotations

import doctest
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.science.meadow import gradients
from assay.families.science.meadow.arrays import Masked
from assay.families.science.meadow.gradients import guard, tame

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(find_spec("torch") is None, reason="absent: torch"),
]
FINITE = ("clamp", "project", "reject")
row = st.tuples(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
)


@pytest.fixture(scope="module")
def torch():
    return import_module("torch")


def quotient(p, q, policy):
    """Return P / Q in the meadow, its operands under a policy, bottom filled with 0."""
    bottom = q.detach() == 0
    guarded = (guard(part, bottom, policy=policy) for part in (p, q))
    x, y = map(Masked.finite, guarded)
    return (x / y).filled(0)


@pytest.mark.parametrize("policy", FINITE)
@given(rows=st.lists(row, min_size=1, max_size=6), single=st.booleans())
def test_no_gradient_that_is_not_finite_comes_out(torch, policy, rows, single):
    arriving = torch.tensor([[a, b] for a, b, _ in rows], dtype=torch.float64)
    arriving = arriving.to(torch.float32) if single else arriving
    bottom = torch.tensor([[b, False] for *_, b in rows])
    for sent in (arriving, torch.complex(arriving, arriving.flip(0))):
        values = torch.zeros_like(sent).requires_grad_()
        guard(values, bottom, policy=policy).backward(sent)
        assert torch.isfinite(values.grad).all()
        assert (values.grad[bottom] == 0).all()
        if policy == "reject":
            assert (values.grad[bottom.any(1)] == 0).all()
        if policy == "clamp":
            assert (values.grad.abs() <= 1 + 1e-6).all()


@given(rows=st.lists(row, min_size=1, max_size=6))
def test_elsewhere_project_and_reject_leave_finite_gradients_alone_and_pass_all(torch, rows):
    arriving = torch.tensor([[a, b] for a, b, _ in rows], dtype=torch.float64)
    bottom = torch.tensor([[b, False] for *_, b in rows])
    found = {}
    for policy in ("project", "reject", "pass"):
        values = torch.zeros_like(arriving).requires_grad_()
        guard(values, bottom, policy=policy).backward(arriving)
        found[policy] = values.grad
    finite = torch.isfinite(arriving)
    assert torch.equal(found["project"], torch.where(finite & ~bottom, arriving, 0))
    rows_left = ~bottom.any(1, keepdim=True)
    assert torch.equal(found["reject"], torch.where(finite & rows_left, arriving, 0))
    assert torch.equal(found["pass"].nan_to_num(7), arriving.nan_to_num(7))


def test_clamp_limits_and_keeps_directions(torch):
    clear = torch.zeros(5, dtype=torch.bool)
    inf, nan = float("inf"), float("nan")
    assert tame(torch.tensor([-3.0, 0.5, inf, nan, -inf]), clear, "clamp").tolist() == [
        -1,
        0.5,
        1,
        0,
        -1,
    ]
    turned = tame(
        torch.tensor([3 + 4j, 0.3 + 0.4j, 1e308j, 1e308 + 1e308j, 0j]).cdouble(), clear, "clamp"
    )
    half = np.sqrt(0.5)
    expected = [0.6 + 0.8j, 0.3 + 0.4j, 1j, half + half * 1j, 0]
    np.testing.assert_allclose(turned.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("policy", ["project", "reject", "pass"])
@given(
    pairs=st.lists(
        st.tuples(st.floats(-3, 3), st.floats(0.5, 3), st.booleans()), min_size=1, max_size=5
    ),
    weights=st.lists(st.floats(-2, 2), min_size=5, max_size=5),
)
def test_where_there_is_a_value_the_gradient_is_that_of_finite_differences(
    torch, policy, pairs, weights
):
    p = torch.tensor([a for a, _, _ in pairs], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.0 if pole else b for _, b, pole in pairs], dtype=torch.float64)
    q.requires_grad_()
    weight = torch.tensor(weights[: len(pairs)], dtype=torch.float64)
    (quotient(p, q, policy) * weight).sum().backward()
    step = 1e-5
    for place, (_, _, pole) in enumerate(pairs):
        for part in (p, q):
            assert torch.isfinite(part.grad).all()
            if pole:
                assert part.grad[place] == 0  # the filled payload has no slope, under any policy
                continue
            ends = []
            for sign in (1, -1):
                moved = [x.detach().clone() for x in (p, q)]
                moved[0 if part is p else 1][place] += sign * step
                ends.append((quotient(*moved, policy) * weight).sum().item())
            assert part.grad[place].item() == pytest.approx(
                (ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-6
            )


@pytest.mark.parametrize("policy", FINITE)
def test_a_plain_quotient_at_a_pole_sends_no_nan_back(torch, policy):
    p = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    q = torch.tensor([0.0, 0.0, 4.0], requires_grad=True)
    plain = torch.where(q == 0, 0.0, p / q)
    plain.sum().backward()
    assert not torch.isfinite(q.grad).all()  # what the policy is there for
    p.grad = q.grad = None
    bottom = q.detach() == 0
    a, b = (guard(part, bottom, policy=policy) for part in (p, q))
    torch.where(bottom, 0.0, a / b).sum().backward()
    np.testing.assert_allclose(p.grad.numpy(), [0, 0, 0.25])
    np.testing.assert_allclose(q.grad.numpy(), [0, 0, -0.125])


def test_pass_lets_through_what_arrives_at_a_pole(torch):
    q = torch.tensor([0.0], requires_grad=True)
    (1 / guard(q, torch.tensor([True]), policy="pass")).sum().backward()
    assert torch.isinf(q.grad).all()


def test_values_are_left_alone_and_gradients_of_gradients_are_right(torch):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    bottom = torch.tensor([False, True])
    for policy in (*FINITE, "pass"):
        assert torch.equal(guard(x, bottom, policy=policy), x)
    cube = (guard(x, bottom, policy="project") ** 3).sum()
    (first,) = torch.autograd.grad(cube, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert first.tolist() == [3, 0]
    assert second.tolist() == [6, 0]


def test_a_mask_of_rows_broadcasts_and_rejects_as_one_of_places(torch):
    arriving = torch.arange(6.0).reshape(3, 2) / 10
    rows = torch.tensor([[False], [True], [False]])
    for policy in FINITE:
        found = []
        for bottom in (rows, rows.expand(3, 2)):
            values = torch.zeros(3, 2, requires_grad=True)
            guard(values, bottom, policy=policy).backward(arriving)
            found.append(values.grad)
        assert torch.equal(*found)
        assert found[0][1].tolist() == [0, 0]
        assert torch.equal(found[0][::2], arriving[::2])


@pytest.mark.parametrize("policy", FINITE)
def test_many_seeds_at_once_have_the_gradients_of_one_at_a_time(torch, policy):
    values = torch.linspace(-2, 2, 12).reshape(3, 4)
    bottom = values.abs() < 0.5

    def loss(x, mask):
        return (guard(x, mask, policy=policy) ** 3).sum()

    together = torch.func.vmap(torch.func.grad(loss))(values, bottom)
    alone = torch.stack([torch.func.grad(loss)(x, m) for x, m in zip(values, bottom, strict=True)])
    assert torch.equal(together, alone)


def test_what_is_no_policy_or_no_mask_is_refused(torch):
    with pytest.raises(DataError, match="use clamp, project, reject, pass"):
        guard(torch.ones(2), torch.zeros(2, dtype=torch.bool), policy="ignore")
    with pytest.raises(DataError, match="does not broadcast"):
        guard(torch.ones(2), torch.zeros(3, dtype=torch.bool), policy="clamp")


# --- arrays over the meadow ----------------------------------------------------------------


@pytest.mark.parametrize(
    "compute",
    [
        lambda x, y: x / y,
        lambda x, y: (x * y + 1).inverse(),
        lambda x, y: (x - y) ** -2,
        lambda x, y: abs(x).mean(0) + x.dot(y) / y,
    ],
)
@pytest.mark.parametrize("on_fault", ["raise", "mark"])
def test_arrays_have_the_gradients_of_finite_differences_and_none_beneath_masks(
    torch, compute, on_fault
):
    bottom = torch.tensor([False, True, False, False])
    p = torch.tensor([0.7, float("nan"), -2.0, 1.5], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([1.3, float("inf"), 0.4, 3.0], dtype=torch.float64, requires_grad=True)

    def total(p, q):
        clear = torch.zeros(4, dtype=torch.bool)
        x, y = (Masked(part, bottom, clear, on_fault) for part in (p, q))
        return compute(x[~bottom], y[~bottom]).filled(0).sum() + compute(x, y).filled(0).sum()

    total(p, q).backward()
    assert p.grad[1] == q.grad[1] == 0
    for part in (p, q):
        assert torch.isfinite(part.grad).all()
    step = 1e-6
    for place in (0, 2, 3):
        moved = torch.zeros(4, dtype=torch.float64)
        moved[place] = step
        for part, (up, down) in (
            (p, (total(p + moved, q), total(p - moved, q))),
            (q, (total(p, q + moved), total(p, q - moved))),
        ):
            slope = (up - down).item() / (2 * step)
            assert part.grad[place].item() == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_marked_faults_and_poles_send_back_nothing(torch):
    p = torch.tensor([1e300, 1e-300, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([1e-300, 1e300, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    x, y = (Masked.finite(part, on_fault="mark") for part in (p, q))
    z = x / y
    assert z.fault.tolist() == [True, True, False, False]
    assert z.bottom.tolist() == [False, False, True, False]
    z.filled(0).sum().backward()
    assert p.grad.tolist() == [0, 0, 0, 0.5]
    assert q.grad.tolist() == [0, 0, 0, -0.75]


def test_complex_signs_have_finite_gradients_at_0(torch):
    z = torch.tensor([0j, 3 + 4j], dtype=torch.complex128, requires_grad=True)
    torch.view_as_real(Masked.finite(z).sign().payload).sum().backward()
    assert torch.isfinite(torch.view_as_real(z.grad)).all()


def test_the_examples_in_the_docstrings_hold_where_torch_is(torch):
    tried = 0
    for test in doctest.DocTestFinder().find(gradients):
        for example in test.examples:
            example.options.pop(doctest.SKIP, None)
            tried += 1
        assert doctest.DocTestRunner().run(test).failed == 0
    assert tried == 7
