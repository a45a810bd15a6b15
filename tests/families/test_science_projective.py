"""The rational head: its gate, its losses, and what each option changes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Failed, PlanError
from assay.families.science.learning.head import NONE, Batch
from assay.families.science.learning.kept import SPENT
from assay.families.science.learning.projective import Projective, Taus, Weights
from assay.families.science.learning.shape import Said, begin
from assay.families.science.learning.together import named
from assay.families.science.recipes.answering import Reader
from assay.families.science.recipes.projective import Rational
from assay.testing import check_recipe
from science_networks import DOSE, QUICK, batch_of, check_gradients, shuffled, small_tasks
from science_sitting import sit, value

heavy = pytest.mark.heavy
PLAIN = Projective(width=1, reasons=2)
RECIPES = {
    "plain": Rational(**QUICK),
    "published": Rational(
        **QUICK,
        fit="published",
        detach=True,
        shock=0.01,
        margin=0.1,
        separation=1.0,
        sign=0.5,
        gate="own",
    ),
    "chordal": Rational(**QUICK, fit="chordal", direction="joint"),
    "anchored": Rational(**QUICK, anchored=True, direction="detached"),
    "frozen": Rational(**QUICK, direction="frozen", tries=2),
    "epsilon": Rational(
        **QUICK, decoded=1.0, weight=0.0, epsilon=0.05, coverage=0.1, direction="none"
    ),
}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    return small_tasks(tmp_path_factory.mktemp("tables"))


def coefficients(width=1, seed=3):
    """Return coefficients of P and Q that are far from their start."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return {"p": rng.normal(size=(width, 4)), "q": rng.normal(size=(1, 3))}


def read(head, out, own=None, hidden=None):
    out = np.atleast_2d(np.asarray(out, float))
    hidden = np.zeros((len(out), 4)) if hidden is None else hidden
    return head.read(Said(out=out, hidden=hidden), coefficients(head.width) if own is None else own)


IDENTITY = {"p": np.array([[0.0, 1.0, 0.0, 0.0]]), "q": np.array([[0.0, 1.0, 0.0]])}
"""P is the first number, Q the second, or the other way round: see ``pair``."""


def pair(p, q):
    """Return what a network has to say so that (P, Q) is in the direction of (p, q)."""
    return [q, p]


NUMBERS = st.floats(-5, 5)

# --- what is read ---------------------------------------------------------------------------


@given(NUMBERS, st.floats(0.3, 5), st.sampled_from([-1, 1]))
def test_the_value_is_p_over_q(p, q, sign):
    found = read(PLAIN, pair(p, sign * q), IDENTITY)
    assert found.value.item() == pytest.approx(sign * p / q)
    assert found.confidence.item() == pytest.approx(q / np.hypot(p, q))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8), st.floats(-200, 200))
def test_nothing_that_is_said_depends_on_the_gauge(rows, exponent):
    """(P, Q) and c (P, Q) are the same number, for any c above 0."""
    scale = 10.0**exponent
    one = read(PLAIN, rows)
    other = read(PLAIN, rows, {name: scale * array for name, array in coefficients().items()})
    assert np.allclose(one.value, other.value, rtol=1e-9, equal_nan=True)
    assert np.allclose(one.confidence, other.confidence, rtol=1e-9)
    for name in ("declines", "reason", "fault"):
        assert (getattr(one, name) == getattr(other, name)).all()


@heavy
@given(exponent=st.floats(-3, 3))
def test_no_loss_depends_on_the_gauge(exponent):
    pytest.importorskip("torch")
    head = replace(PLAIN, weights=Weights(decoded=0.5, margin=1, separation=1, sign=1, coverage=1))
    out, hidden, own, batch = batch_of(head, np.random.Generator(np.random.PCG64(4)))
    scaled = {name: 10.0**exponent * array for name, array in own.items()}
    for fit in ("oriented", "chordal", "implicit", "published"):
        one = replace(head, fit=fit)
        losses = [one.loss(out, hidden, coeffs, batch).numpy() for coeffs in (own, scaled)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@given(NUMBERS, NUMBERS)
def test_p_and_q_negated_together_are_the_same_number(p, q):
    one, other = (
        read(replace(PLAIN, direction="none"), pair(s * p, s * q), IDENTITY) for s in (1, -1)
    )
    assert np.allclose(one.value, other.value, equal_nan=True)
    assert one.confidence == other.confidence
    assert one.declines == other.declines


@given(st.floats(0.001, 0.9), st.floats(-0.2, 0.2))
def test_the_gate_is_strict(tau, near):
    head = replace(PLAIN, taus=Taus.around(tau))
    angle = np.arcsin(tau) + near
    found = read(head, pair(np.cos(angle), np.sin(angle)), IDENTITY)
    assert found.declines.item() == (found.confidence.item() < tau)


def test_at_the_gate_itself_there_is_a_value():
    # 0.6 and 0.8 are the sides of a triangle whose third is 1, in doubles, too.
    found = read(replace(PLAIN, taus=Taus(infer=0.6)), pair(0.8, 0.6), IDENTITY)
    assert found.confidence.item() == 0.6
    assert not found.declines.item()


def test_a_zero_denominator_is_a_bottom_and_no_fault():
    found = read(PLAIN, [pair(1.0, 0.0), pair(0.0, 0.0)], IDENTITY)
    assert found.declines.all()
    assert not found.fault.any()
    assert found.confidence.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_numbers_that_are_none_are_a_fault_and_no_bottom(bad):
    found = read(PLAIN, [pair(bad, 1.0), pair(1.0, bad), pair(1.0, 1.0)])
    assert found.fault.tolist() == [True, True, False]
    assert not found.declines[:2].any()
    assert found.confidence[:2].tolist() == [0.0, 0.0]


def test_a_bottom_stays_one_where_nobody_declines():
    # ``gate: never``: 1/0 has no value all the same, and a fault is not hidden behind it.
    from assay.families.science.learning.rows import Scale
    from assay.families.science.recipes.learner import gated

    one = np.ones(1)
    rows = np.array([pair(1.0, 0.0), pair(np.nan, 1.0), pair(3.0, 2.0)])
    system = Reader(
        read=gated(lambda _: read(PLAIN, rows, IDENTITY), 0.0),
        scale=Scale(x_mean=0 * one, x_sd=one, y_mean=0 * one, y_sd=one),
        reasons=("above", "below"),
    )
    said = [reply.said for reply in system.answer([s.question() for s in DOSE.samples("test")[:3]])]
    assert said[0] == Bottom("above")
    assert said[1] == Failed("non_finite")
    assert isinstance(said[2], Answer)
    assert said[2].value == 1.5


def test_the_angle_is_the_cotangent():
    head = Projective(width=1, reasons=2, form="angle")
    found = read(head, [[0.7, 9.0], [0.0, 9.0]], {})
    assert found.value[0].item() == pytest.approx(1 / np.tan(0.7))
    assert found.declines.tolist() == [False, True]
    assert not found.fault.any()


@given(NUMBERS, NUMBERS)
def test_with_an_epsilon_a_value_is_always_a_number(p, q):
    head = replace(PLAIN, epsilon=0.1)
    found = read(head, pair(p, q), IDENTITY)
    length = np.hypot(p, q) or 1.0
    p, q = p / length, q / length
    assert found.value.item() == pytest.approx(p * q / (q**2 + 0.01))


def test_the_side_is_the_sign_of_p_and_without_one_there_is_none():
    rows = [pair(1.0, 0.01), pair(-1.0, 0.01)]
    assert read(PLAIN, rows, IDENTITY).reason.tolist() == [1, 2]
    assert read(replace(PLAIN, direction="none"), rows, IDENTITY).reason.tolist() == [NONE, NONE]
    assert read(replace(PLAIN, reasons=1), rows, IDENTITY).reason.tolist() == [1, 1]
    assert read(replace(PLAIN, reasons=3), rows, IDENTITY).reason.tolist() == [NONE, NONE]


def test_a_joint_head_names_the_side_by_its_logits():
    head = replace(PLAIN, direction="joint")
    out = np.array([[*pair(1.0, 0.01), -1.0, 2.0], [*pair(1.0, 0.01), 2.0, -1.0]])
    assert read(head, out, IDENTITY).reason.tolist() == [2, 1]


# --- losses ---------------------------------------------------------------------------------


def known(head, pairs, values, kinds):
    """Return what a stack of one network says, and its batch, where P and Q are these."""
    import torch

    out = torch.tensor([[pair(p, q) for p, q in pairs]], dtype=torch.float64)
    own = {name: torch.tensor(array)[None] for name, array in IDENTITY.items()}
    there = [float(kind == 0) for kind in kinds]
    batch = Batch(
        y=torch.tensor([[[v] for v in values]], dtype=torch.float64),
        there=torch.tensor([there], dtype=torch.float64),
        kind=torch.tensor([kinds]),
    )
    return head.loss(out, out, own, batch).item()


PAIRS = [(0.6, 0.8), (-0.28, 0.96), (0.96, 0.28), (-0.8, -0.6), (1.0, 0.0)]
VALUES, KINDS = [0.5, -1.0, 0.0, 0.0, 0.0], [0, 0, 1, 2, 1]
TARGETS = [(0.5, 1.0), (-1.0, 1.0), (1.0, 0.0), (-1.0, 0.0), (1.0, 0.0)]


def only(**weights):
    return replace(PLAIN, weights=Weights(**{"fit": 0.0, "direction": 0.0, **weights}))


@heavy
@pytest.mark.parametrize("fit", ["implicit", "published"])
def test_the_cross_product_is_the_published_one(fit):
    pytest.importorskip("torch")
    wanted = np.mean(
        [
            (p * d - q * n) ** 2 / (q**2 * d**2 + p**2 * n**2 + 1e-9)
            for (p, q), (n, d) in zip(PAIRS, TARGETS, strict=True)
        ]
    )
    assert known(replace(only(fit=1.0), fit=fit), PAIRS, VALUES, KINDS) == pytest.approx(wanted)


@heavy
def test_the_oriented_and_chordal_misfits_are_of_the_angle():
    pytest.importorskip("torch")
    cosines = [
        (p * n + q * d) / np.hypot(n, d) for (p, q), (n, d) in zip(PAIRS, TARGETS, strict=True)
    ]
    found = {
        fit: known(replace(only(fit=1.0), fit=fit), PAIRS, VALUES, KINDS)
        for fit in ("oriented", "chordal")
    }
    assert found["oriented"] == pytest.approx(np.mean([1 - c for c in cosines]), abs=1e-5)
    assert found["chordal"] == pytest.approx(np.mean([1 - c**2 for c in cosines]), abs=1e-5)


@heavy
def test_the_other_losses_are_those_of_their_formulas():
    pytest.importorskip("torch")
    pairs = [(0.9999, 0.02), (0.6, 0.8), (0.8, 0.6), (-1.0, 0.005), (0.9, 0.03)]
    unit = [(p / np.hypot(p, q), q / np.hypot(p, q)) for p, q in pairs]
    kinds = [0, 0, 1, 2, 1]
    size = np.array([abs(q) for _, q in unit])
    there, gone = size[:2], size[2:]
    relu = lambda x: np.maximum(x, 0.0)  # noqa: E731
    soft = 1 / (1 + np.exp(-(size - 0.025) / 0.005))
    signs = [1.0, -1.0, 1.0]
    wanted = {
        "margin": np.mean(relu(0.05 - there) ** 2),
        "separation": np.mean(relu(gone - 0.01) ** 2) + np.mean(relu(0.05 - there) ** 2),
        "sign": np.mean([1 - p * s for (p, _), s in zip(unit[2:], signs, strict=True)]),
        "coverage": relu(0.4 - soft.mean()) ** 2,
    }
    for name, expected in wanted.items():
        found = known(only(**{name: 2.0}), pairs, [0.5, 0.5, 0, 0, 0], kinds)
        assert found == pytest.approx(2.0 * expected, abs=1e-5), name
    errors = [(p * q / (q**2 + 1e-6) - 0.5) ** 2 for p, q in unit[:2]]
    found = known(only(decoded=1.0), pairs, [0.5, 0.5, 0, 0, 0], kinds)
    assert found == pytest.approx(np.mean(np.minimum(errors, 100.0)))


@heavy
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit": "chordal"},
        {"fit": "implicit"},
        {"form": "angle"},
        {"anchored": True},
        {"direction": "joint"},
        {"epsilon": 0.1, "weights": Weights(decoded=1.0, margin=1.0, separation=1.0)},
        {"weights": Weights(sign=1.0, coverage=3.0)},
        {"width": 2, "reasons": 1, "taus": Taus.around(0.4), "weights": Weights(separation=2.0)},
        {"direction": "joint", "reasons": 3},
        {"form": "angle", "direction": "joint", "weights": Weights(decoded=1.0, sign=1.0)},
        {"width": 2, "anchored": True, "weights": Weights(decoded=1.0, sign=1.0, coverage=3.0)},
        {"width": 2, "fit": "implicit", "taus": Taus(finite=0.3), "weights": Weights(margin=1.0)},
    ],
    ids=repr,
)
def test_gradients_are_those_of_differences(options):
    pytest.importorskip("torch")
    check_gradients(replace(PLAIN, **options))


def gradients(head, cut=()):
    """Return loss and gradients of a head at one point."""
    import torch

    out, hidden, own, batch = batch_of(head, np.random.Generator(np.random.PCG64(8)))
    given_ = {"out": out, "hidden": hidden, **own}
    for tensor in given_.values():
        tensor.requires_grad_()
    loss = head.loss(out, hidden, own, batch)
    found = torch.autograd.grad(loss.sum(), list(given_.values()), allow_unused=True)
    return loss.detach().numpy(), dict(zip(given_, found, strict=True))


@heavy
@pytest.mark.parametrize(
    ("cut", "whole"),
    [({"detach": True}, {}), ({"fit": "published"}, {"fit": "implicit"})],
    ids=["renormalisation", "scale"],
)
def test_what_is_cut_off_changes_the_gradient_and_not_the_loss(cut, whole):
    pytest.importorskip("torch")
    one, other = gradients(replace(PLAIN, **cut)), gradients(replace(PLAIN, **whole))
    assert one[0] == pytest.approx(other[0])
    assert not np.allclose(one[1]["out"], other[1]["out"])


@heavy
def test_the_published_gradient_is_that_of_torch_where_length_and_scale_are_cut_off():
    torch = pytest.importorskip("torch")
    head = replace(PLAIN, fit="published", detach=True)
    out, _, own, batch = batch_of(head, np.random.Generator(np.random.PCG64(2)))
    leaves = [one.requires_grad_() for one in (out, own["p"], own["q"])]
    q, p = (
        sum(own[name][:, :, k] * out[..., place] ** k for k in range(own[name].shape[2]))
        for name, place in (("q", 0), ("p", 1))
    )
    length = torch.hypot(p, q).detach()
    p, q, there = p / length, q / length, batch.there
    above = there * batch.y[..., 0] + (1 - there) * (3.0 - 2.0 * batch.kind)
    scale = ((q * there) ** 2 + (p * above) ** 2).detach()
    wanted = ((p * there - q * above) ** 2 / scale).mean(dim=1)
    found = head.loss(out, out, own, batch)
    assert torch.allclose(found, wanted)
    gradients = (torch.autograd.grad(loss.sum(), leaves) for loss in (found, wanted))
    assert all(torch.allclose(*both) for both in zip(*gradients, strict=True))


@heavy
def test_a_length_with_a_gradient_keeps_losses_from_pulling_at_it():
    """With it the gradient is along the circle: scaling P and Q together changes nothing."""
    pytest.importorskip("torch")
    for detach, still in ((False, True), (True, False)):
        _, found = gradients(replace(PLAIN, detach=detach))
        head = replace(PLAIN, detach=detach)
        _, _, own, _ = batch_of(head, np.random.Generator(np.random.PCG64(8)))
        along = sum(
            (own[name].detach() * found[name]).sum(dim=(1, 2)) for name in ("p", "q")
        ).numpy()
        assert np.allclose(along, 0.0, atol=1e-9) == still


@heavy
def test_the_trunk_feels_a_joint_direction_and_no_detached_one():
    pytest.importorskip("torch")
    base = replace(PLAIN, weights=Weights(fit=0.0, direction=1.0))
    _, joint = gradients(replace(base, direction="joint"))
    assert joint["out"][..., -2:].abs().max() > 0
    _, apart = gradients(replace(base, direction="detached"))
    assert apart["hidden"] is None or not apart["hidden"].any()
    assert apart["wd"].abs().max() > 0
    assert not apart["out"].any()


@heavy
def test_nothing_at_all_has_a_gradient_that_is_a_number():
    torch = pytest.importorskip("torch")
    out = torch.zeros((1, 1, 2), dtype=torch.float64, requires_grad=True)
    own = {name: torch.tensor(array)[None] for name, array in IDENTITY.items()}
    batch = Batch(
        y=torch.ones((1, 1, 1), dtype=torch.float64),
        there=torch.ones((1, 1), dtype=torch.float64),
        kind=torch.zeros((1, 1), dtype=int),
    )
    PLAIN.loss(out, out, own, batch).sum().backward()
    assert torch.isfinite(out.grad).all()


# --- options --------------------------------------------------------------------------------


def test_a_start_is_near_zero_far_from_it_or_neither():
    starts = {
        name: read(head, np.full((1, 2), 0.5), begin(head.parts(4), seed=0)).confidence.item()
        for name, head in {
            "plain": PLAIN,
            "shock": replace(PLAIN, shock=0.01),
            "anchored": replace(PLAIN, anchored=True),
        }.items()
    }
    assert starts["shock"] < 0.1 < starts["plain"] < starts["anchored"]


@pytest.mark.parametrize(
    "options",
    [
        {"tau": 0.0},
        {"tau": 1.0},
        {"shock": 0.0},
        {"shock": 1.5},
        {"epsilon": -1.0},
        {"margin": -0.1},
        {"epochs": 0},
    ],
)
def test_options_that_no_head_can_have_are_refused(options):
    with pytest.raises(PlanError) as caught:
        Rational(**options)
    assert caught.value.code == "A102"


def test_a_head_that_nothing_teaches_is_refused():
    with pytest.raises(PlanError, match="nothing teaches the value") as caught:
        Rational(weight=0.0)
    assert caught.value.code == "A104"


@heavy
def test_an_angle_of_two_numbers_is_refused(tasks, tmp_path):
    pytest.importorskip("torch")
    task = tasks["ik"]
    with pytest.raises(PlanError, match="an angle is one number") as caught:
        Rational(form="angle").build(
            task.samples("train"), task.samples("tune"), seed=0, workdir=tmp_path
        )
    assert caught.value.code == "A104"


def test_every_option_reaches_the_head():
    from assay.families.science.learning.rows import rows_of

    rows = rows_of(DOSE.samples("tune"))
    other = {
        "form": "angle",
        "direction": "joint",
        "anchored": True,
        "shock": 0.5,
        "detach": True,
        "epsilon": 0.1,
        "tau": 0.1,
        "fit": "chordal",
        "weight": 0.5,
        "decoded": 1.0,
        "margin": 1.0,
        "separation": 1.0,
        "sign": 1.0,
        "coverage": 1.0,
    }
    heads = [Rational(**{name: v}).head(rows) for name, v in other.items()]
    assert len({repr(head) for head in (Rational().head(rows), *heads)}) == len(other) + 1
    assert Rational(tau=0.1).head(rows).taus == Taus(infer=0.1, train=0.2, bottom=0.04, finite=0.2)


# --- systems --------------------------------------------------------------------------------


@heavy
@pytest.mark.parametrize("task", ["dose", "rf", "ik", "table"])
@pytest.mark.parametrize("name", RECIPES)
def test_rational_heads_keep_the_contract_of_recipes(name, task, tasks, tmp_path):
    pytest.importorskip("torch")
    check_recipe(RECIPES[name], tasks[task], workdir=tmp_path)


@heavy
@pytest.mark.parametrize("direction", ["sign", "joint"])
def test_a_rational_head_learns_and_with_targets_of_others_it_is_at_chance(direction, tmp_path):
    pytest.importorskip("torch")
    recipe = Rational(epochs=12, batch=128, rate=4e-3, direction=direction)
    samples = [DOSE.samples(split) for split in ("train", "tune")]
    learnt = recipe.build(*samples, seed=0, workdir=tmp_path / "a")
    astray = recipe.build(*map(shuffled, samples), seed=0, workdir=tmp_path / "b")
    assert value(DOSE.metrics, "macro_f1", sit(DOSE, learnt.system)) > 0.9
    assert value(DOSE.metrics, "macro_f1", sit(DOSE, astray.system)) < 0.4
    assert 0 <= learnt.notes["gap_rate"] <= 1


@heavy
def test_the_gap_is_what_is_answered_although_it_is_near_the_gate(tmp_path):
    pytest.importorskip("torch")
    for tau in (0.05, 0.3):
        recipe = Rational(**QUICK, tau=tau, gate="own")
        made = recipe.build(
            DOSE.samples("train"), DOSE.samples("tune"), seed=0, workdir=tmp_path / str(tau)
        )
        said = [r.said for r in made.system.answer([s.question() for s in DOSE.samples("tune")])]
        near = [isinstance(one, Answer) and one.confidence < 2 * tau for one in said]
        assert made.notes["gap_rate"] == pytest.approx(np.mean(near), abs=1e-6)
        assert all(one.confidence >= tau for one in said if isinstance(one, Answer))


@heavy
def test_a_frozen_direction_leaves_the_trunk_as_it_was_and_costs_both_courses(tmp_path):
    pytest.importorskip("torch")
    recipe = replace(RECIPES["frozen"], epochs=3, decay=1e-3)
    samples = [DOSE.samples(split) for split in ("train", "tune")]
    made = recipe.build(*samples, seed=3, workdir=tmp_path / "frozen")
    lesson = recipe.lesson(*samples)
    base = replace(lesson, head=replace(lesson.head, direction="none"))
    trunk = recipe.taught(lesson, {3: tmp_path / "frozen"}, tmp_path / "frozen")[3]
    alone = Rational.__mro__[1].taught(recipe, base, {3: tmp_path / "alone"}, tmp_path / "alone")[3]
    whole, below = named(lesson.parts, trunk.weights), named(base.parts, alone.weights)
    assert set(whole) - set(below) == {"wd", "bd"}
    for name, array in below.items():
        assert np.array_equal(whole[name], array), name
    begun = begin([p for p in lesson.parts if p.name == "wd"], seed=3)["wd"].astype(np.float32)
    assert not np.array_equal(whole["wd"], begun)
    assert made.usage.busy_s > 0
    spent = [json.loads(p.read_text())["cpu_s"] for p in (tmp_path / "frozen").rglob(SPENT)]
    assert len(spent) == 2
    assert trunk.spent["cpu_s"] == pytest.approx(sum(spent)) == pytest.approx(made.usage.busy_s)


@heavy
def test_a_frozen_direction_is_kept_and_moved_like_any_other(tmp_path):
    import shutil

    pytest.importorskip("torch")
    recipe, samples = RECIPES["frozen"], [DOSE.samples(split) for split in ("train", "tune")]
    one = recipe.build(*samples, seed=0, workdir=tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "b").rglob("*.safetensors")}
    other = recipe.build(*samples, seed=0, workdir=tmp_path / "b")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "b").rglob("*.safetensors")} == before
    assert one.artifacts == other.artifacts
    assert one.usage == other.usage
