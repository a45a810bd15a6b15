"""How networks learn: alone and together, stopped and resumed, moved, and kept."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.families.science.domains.dose import dose
from assay.families.science.domains.ik import ik
from assay.families.science.learning.kept import (
    NETWORK,
    SPENT,
    STACK,
    Network,
    contract_of,
    read_network,
    read_state,
    write_network,
    write_state,
)
from assay.families.science.learning.rows import Scale
from assay.families.science.learning.shape import Part, Shape, begin
from assay.families.science.learning.teaching import Search, teach
from assay.families.science.learning.together import Member, Stack, named, pace, spoken
from assay.families.science.recipes.networks import Conformal, Ensemble, Softmax, TwoHeaded
from assay.families.science.recipes.projective import Rational

DOSE = dose(train=300, tune=60, calibration=1, test=1)
ARMS = ik(train=150, tune=30, calibration=1, test=1)

ALL = {"epochs": 3, "batch": 64, "hidden": (16, 8)}
EVERY = {
    "two heads": TwoHeaded(**ALL),
    "with a spread": TwoHeaded(**ALL, spread=True, activation="silu"),
    "intervals": Softmax(**ALL, bins=10),
    "ensemble": Ensemble(**ALL),
    "conformal": Conformal(**ALL),
    "projective": Rational(**ALL),
    "published": Rational(
        **ALL, fit="published", detach=True, shock=0.01, margin=0.1, separation=1.0, sign=0.5
    ),
    "joint": Rational(**ALL, direction="joint", fit="chordal"),
    "detached": Rational(**ALL, direction="detached", fit="implicit", coverage=0.1, decoded=0.1),
    "line": TwoHeaded(epochs=3, batch=64, hidden=()),
}
heavy = pytest.mark.heavy


@cache
def lesson_of(name, task=DOSE):
    pytest.importorskip("torch")
    return EVERY[name].lesson(task.samples("train"), task.samples("tune"))


def members_of(n, first=0):
    return [Member(seed=first + i, rate=2e-3 * (1 + i), decay=1e-3 * (i % 2)) for i in range(n)]


def taught(lesson, members, epochs=None, state=None):
    stack = Stack(lesson, members, state)
    while not stack.done and stack.state.epoch != epochs:
        stack.epoch()
    return stack.state


def same(one, other, mine=slice(None), others=slice(None)):
    """Say whether two stacks, or some networks of them, are equal to the last bit."""
    arrays = ("weights", "mean", "square", "best", "best_score", "best_epoch")
    return all(np.array_equal(getattr(one, a)[mine], getattr(other, a)[others]) for a in arrays)


# --- paces, starts, shuffles ----------------------------------------------------------------


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_rate_rises_to_all_of_it_and_falls_to_a_hundredth(steps, warmup):
    found = [pace(step, steps, warmup) for step in range(steps)]
    top = int(np.argmax(found))
    assert found[top] == 1.0
    assert all(0 < one <= 1 for one in found)
    assert np.all(np.diff(found[: top + 1]) > 0)
    assert np.all(np.diff(found[top:]) <= 0)
    assert found[-1] >= 0.01


def test_a_start_is_what_its_seed_draws():
    parts = [
        Part(name="w", shape=(200, 50), spread=2.0, start=(1.0,)),
        Part(name="b", shape=(1, 3), spread=0.0),
    ]
    one, again, other = (begin(parts, seed)["w"] for seed in (4, 4, 5))
    assert (one == again).all()
    assert not (one == other).any()
    assert one.mean() == pytest.approx(1.0, abs=0.1)
    assert one.std() == pytest.approx(2.0, rel=0.05)
    assert (begin(parts, 4)["b"] == 0).all()


@given(st.integers(1, 5), st.lists(st.integers(1, 9), max_size=3), st.integers(1, 4))
def test_a_shape_has_the_parameters_that_its_widths_say(inputs, hidden, outputs):
    shape = Shape(inputs=inputs, hidden=tuple(hidden), outputs=outputs)
    widths = [inputs, *hidden, outputs]
    wanted = sum((a + 1) * b for a, b in pairwise(widths))
    assert sum(part.size for part in shape.parts()) == wanted
    made = begin(list(shape.parts()), seed=0)
    said = shape.say(np.zeros((3, inputs)), made)
    assert said.out.shape == (3, outputs)
    assert said.hidden.shape == (3, widths[-2])


@heavy
def test_shuffles_depend_on_seed_and_epoch_and_on_nothing_else():
    lesson = lesson_of("two heads")
    stack, alone = Stack(lesson, members_of(3)), Stack(lesson, members_of(3)[1:2])
    orders = [stack._order(epoch) for epoch in (0, 1)]
    assert (orders[0][1] == alone._order(0)[0]).all()
    assert (np.sort(orders[0], axis=1) == np.arange(len(lesson.train.x))).all()
    assert not (orders[0] == orders[1]).all(axis=1).any()
    assert not (orders[0][0] == orders[0][1]).all()


def test_every_seed_and_every_head_tries_the_same():
    search = Search(rate=2e-3, decay=1e-4, tries=6)
    one, other = search.members(0), search.members(7)
    assert [(m.rate, m.decay) for m in one] == [(m.rate, m.decay) for m in other]
    assert {m.seed for m in other} == {7}
    assert (one[0].rate, one[0].decay) == (2e-3, 1e-4)
    assert len({(m.rate, m.decay) for m in one}) == 6


# --- together and alone ---------------------------------------------------------------------


@heavy
@pytest.mark.parametrize("task", [DOSE, ARMS], ids=lambda t: t.name)
@pytest.mark.parametrize("name", EVERY)
def test_a_network_learns_the_same_to_the_last_bit_alone_and_in_a_stack(name, task):
    lesson, members = lesson_of(name, task), members_of(4)
    stack = taught(lesson, members)
    for i, member in enumerate(members[:2]):
        alone = taught(lesson, [member])
        assert same(stack, alone, slice(i, i + 1))
        assert [line["loss"][i] for line in stack.log] == [line["loss"][0] for line in alone.log]
    assert same(stack, taught(lesson, members[1:3]), slice(1, 3))
    assert not same(stack, stack, slice(0, 1), slice(1, 2))


@heavy
@pytest.mark.parametrize("name", EVERY)
def test_loss_falls_with_learning(name):
    log = taught(lesson_of(name), [Member(seed=s, rate=5e-3) for s in range(3)]).log
    assert np.mean(log[-1]["loss"]) < np.mean(log[0]["loss"])


@heavy
def test_torch_says_what_numpy_says():
    import torch

    from assay.families.science.learning.forward import forward

    for activation in ("relu", "silu"):
        lesson = lesson_of("two heads")
        lesson = replace(lesson, shape=replace(lesson.shape, activation=activation))
        weights = begin(lesson.parts, seed=1)
        mine = spoken(lesson, weights, lesson.tune.x)
        x = torch.tensor(lesson.scale.inward(lesson.tune.x))[None]
        theirs = forward(
            torch, lesson.shape, x, {k: torch.tensor(v)[None] for k, v in weights.items()}
        )
        assert np.allclose(mine.out, theirs[0][0].numpy())
        assert np.allclose(mine.hidden, theirs[1][0].numpy())


@heavy
@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("hidden", [(), (5,), (7, 3)])
def test_a_gradient_by_hand_is_the_one_that_torch_works_out(hidden, activation):
    import torch

    from assay.families.science.learning.forward import Room, backward, passed_through

    shape, networks = Shape(inputs=4, hidden=hidden, outputs=2, activation=activation), 3
    parts = list(shape.parts())
    begun = [begin(parts, seed) for seed in range(networks)]
    rng = np.random.Generator(np.random.PCG64(1))

    def drawn(*size):
        return torch.tensor(rng.normal(size=size))

    weights = {p.name: torch.tensor(np.stack([one[p.name] for one in begun])) for p in parts}
    for bias in (name for name in weights if name[0] == "b"):
        weights[bias] += drawn(*weights[bias].shape)
    leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    x = drawn(networks, 6, 4)
    last = x
    for i in range(len(hidden)):
        act = torch.relu if activation == "relu" else torch.nn.functional.silu
        last = act(last @ leaves[f"w{i}"] + leaves[f"b{i}"])
    out = last @ leaves["wo"] + leaves["bo"]
    of_out, of_hidden = drawn(networks, 6, 2), drawn(*last.shape)
    wanted = torch.autograd.grad(
        (out * of_out).sum() + (last * of_hidden).sum(), list(leaves.values())
    )
    room = Room()
    for _ in range(2):  # the second time in what the first has left
        passed = passed_through(torch, shape, x, weights, room)
        assert torch.allclose(passed.out.transpose(1, 2), out)
        found = {name: torch.full_like(weight, 9.0) for name, weight in weights.items()}
        backward(torch, shape, passed, weights, (of_out.transpose(1, 2), of_hidden), found, room)
        for gradient, (name, mine) in zip(wanted, found.items(), strict=True):
            assert torch.allclose(mine, gradient), name


@heavy
def test_parameters_are_found_again_by_name():
    lesson = lesson_of("detached")
    begun = begin(lesson.parts, seed=2)
    row = np.concatenate([begun[part.name].ravel() for part in lesson.parts]).astype(np.float32)
    found = named(lesson.parts, row)
    assert found.keys() == begun.keys()
    for name, array in begun.items():
        assert np.array_equal(found[name], array.astype(np.float32))


@heavy
def test_the_step_is_that_of_adamw():
    import torch

    lesson, member = lesson_of("two heads"), Member(seed=3, rate=1e-3, decay=1e-2)
    # Epochs without a warm-up, and steps of all rows: the rate is known, and so is the gradient.
    course = replace(lesson.course, epochs=1, batch=len(lesson.train.x), warmup=0.0)
    stack = Stack(replace(lesson, course=course), [member])
    theirs = torch.nn.Parameter(stack.flat.clone())
    optimiser = torch.optim.AdamW([theirs], lr=1e-3, weight_decay=1e-2)
    for step in range(5):
        rng = np.random.Generator(np.random.PCG64(step))
        gradient = torch.tensor(rng.normal(size=theirs.shape), dtype=torch.float32)
        optimiser.param_groups[0]["lr"] = 1e-3 * pace(step, 1, 0.0)
        theirs.grad = gradient
        optimiser.step()
        with torch.no_grad():
            stack.gradient.copy_(gradient)
            stack._adam(step)
        assert torch.allclose(stack.flat, theirs, rtol=1e-5, atol=1e-7)


@heavy
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_a_stack_learns_what_an_ordinary_loop_of_torch_learns(activation):
    """Modules, a loss of torch's own, AdamW and a scheduler: nothing of the stack but start and order."""
    import torch

    recipe = TwoHeaded(**ALL, activation=activation, decay=1e-2)
    lesson = recipe.lesson(DOSE.samples("train"), DOSE.samples("tune"))
    lesson = replace(lesson, course=replace(lesson.course, best=False))
    member = Member(seed=5, rate=4e-3, decay=1e-2)
    stack = Stack(lesson, [Member(seed=1, rate=1e-3), member])
    begun = begin(lesson.parts, member.seed)
    act = torch.nn.ReLU if activation == "relu" else torch.nn.SiLU
    net = torch.nn.Sequential(
        torch.nn.Linear(10, 16), act(), torch.nn.Linear(16, 8), act(), torch.nn.Linear(8, 4)
    )
    for name, layer in zip("01o", (net[0], net[2], net[4]), strict=True):
        layer.weight.data = torch.tensor(begun[f"w{name}"].T, dtype=torch.float32)
        layer.bias.data = torch.tensor(begun[f"b{name}"][0], dtype=torch.float32)
    steps = stack.steps * lesson.course.epochs
    optimiser = torch.optim.AdamW(net.parameters(), lr=member.rate, weight_decay=member.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: pace(step, steps, lesson.course.warmup)
    )
    x, y, kind = (torch.tensor(np.asarray(a)) for a in (stack.x, stack.y[..., 0], stack.kind))
    for epoch in range(lesson.course.epochs):
        order = torch.tensor(stack._order(epoch)[1])
        for rows in order[: stack.steps * 64].split(64):
            out, there = net(x[rows]), kind[rows] == 0
            loss = torch.nn.functional.cross_entropy(out[:, :3], kind[rows])
            loss = loss + torch.nn.functional.mse_loss(out[there, 3], y[rows][there])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    while not stack.done:
        stack.epoch()
    found = named(lesson.parts, stack.state.weights[1])
    for name, layer in zip("01o", (net[0], net[2], net[4]), strict=True):
        assert np.allclose(found[f"w{name}"].T, layer.weight.detach().numpy(), atol=1e-4), name
        assert np.allclose(found[f"b{name}"][0], layer.bias.detach().numpy(), atol=1e-4), name
    assert not np.allclose(found["w0"], begun["w0"], atol=1e-2)


# --- stopped and resumed --------------------------------------------------------------------


@heavy
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("after", [1, 2])
def test_a_stack_that_was_stopped_ends_as_one_that_was_not(name, after, tmp_path):
    lesson, members = lesson_of(name), members_of(2)
    contract = contract_of(lesson, members, {})
    write_state(tmp_path, taught(lesson, members, epochs=after), contract)
    state = read_state(tmp_path, contract)
    assert state.epoch == after
    resumed, straight = taught(lesson, members, state=state), taught(lesson, members)
    assert same(resumed, straight)
    assert resumed.log == straight.log


def half_taught(lesson, search, workdir, seeds=(0, 1)):
    """Leave a stack as a process leaves it that is killed after its second epoch."""
    members = [m for seed in seeds for m in search.members(seed)]
    state = taught(lesson, members, epochs=2)
    state.cpu_s = 1000.0
    write_state(workdir, state, contract_of(lesson, members, {"starts": {}}))


SEARCH = Search(rate=2e-3, decay=0.0, tries=2)


def folders_of(place, seeds=(0, 1)):
    return {seed: place / str(seed) for seed in seeds}


def weights_in(found):
    return {seed: network.weights.tobytes() for seed, network in found.items()}


@heavy
def test_teaching_goes_on_where_it_was_stopped_and_counts_what_that_had_cost(tmp_path):
    lesson = lesson_of("projective")
    straight = teach(lesson, SEARCH, folders_of(tmp_path / "a"), workdir=tmp_path / "a")
    half_taught(lesson, SEARCH, tmp_path / "b")
    resumed = teach(lesson, SEARCH, folders_of(tmp_path / "b"), workdir=tmp_path / "b")
    assert weights_in(resumed) == weights_in(straight)
    assert [n.spent["resumed_at"] for n in resumed.values()] == [2, 2]
    assert all(n.spent["cpu_s"] > 500 for n in resumed.values())
    assert all(0 < n.spent["cpu_s"] < 500 for n in straight.values())
    assert not (tmp_path / "b" / STACK).exists()


@heavy
def test_a_run_that_was_moved_goes_on(tmp_path):
    lesson = lesson_of("projective")
    half_taught(lesson, SEARCH, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    found = teach(lesson, SEARCH, folders_of(tmp_path / "there"), workdir=tmp_path / "there")
    assert {n.spent["resumed_at"] for n in found.values()} == {2}
    shutil.move(tmp_path / "there", tmp_path / "elsewhere")
    again = teach(lesson, SEARCH, folders_of(tmp_path / "elsewhere"), workdir=tmp_path)
    assert weights_in(again) == weights_in(found)
    assert {n.spent["resumed_at"] for n in again.values()} == {2}


@heavy
def test_networks_that_are_done_are_not_taught_again(tmp_path):
    lesson = lesson_of("two heads")
    folders = folders_of(tmp_path)
    first = teach(lesson, SEARCH, {0: folders[0]}, workdir=tmp_path)
    before = (folders[0] / NETWORK).stat().st_mtime_ns
    both = teach(lesson, SEARCH, folders, workdir=tmp_path)
    assert (folders[0] / NETWORK).stat().st_mtime_ns == before
    assert both[0].spent == first[0].spent
    assert both[1].spent["together"] == SEARCH.tries


@heavy
@pytest.mark.parametrize("name", ["two heads", "projective"])
def test_equal_networks_are_equal_files(name, tmp_path):
    lesson = lesson_of(name)
    for place, seeds in (("a", (0, 1)), ("b", (1,)), ("c", (1, 2))):
        teach(lesson, SEARCH, folders_of(tmp_path / place, seeds), workdir=tmp_path / place)
    files = {(tmp_path / place / "1" / NETWORK).read_bytes() for place in "abc"}
    assert len(files) == 1
    assert (tmp_path / "a" / "0" / NETWORK).read_bytes() not in files


@heavy
def test_the_best_try_and_the_best_epoch_are_kept(tmp_path):
    lesson = lesson_of("two heads")
    state = taught(lesson, SEARCH.members(0))
    [kept] = teach(lesson, SEARCH, {0: tmp_path}, workdir=tmp_path).values()
    scores = np.array([line["score"] for line in state.log])
    epoch, attempt = np.unravel_index(scores.argmin(), scores.shape)
    assert kept.facts["score"] == scores.min()
    assert kept.facts["epoch"] == epoch + 1
    assert kept.facts["rate"] == SEARCH.members(0)[attempt].rate
    assert [line["score"] for line in kept.facts["log"]] == scores[:, attempt].tolist()


@heavy
def test_the_last_epoch_is_kept_where_that_is_asked_for():
    lesson = lesson_of("two heads")
    last = replace(lesson, course=replace(lesson.course, best=False))
    state = taught(last, members_of(2))
    assert np.array_equal(state.best, state.weights)
    assert state.best_epoch.tolist() == [3, 3]


# --- files ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a stack and a network, and what they hold."""
    pytest.importorskip("safetensors")
    place = tmp_path_factory.mktemp("files")
    lesson, members = lesson_of("two heads"), members_of(2)
    state = taught(lesson, members, epochs=1)
    write_state(place, state, "mine")
    write_network(place, Network(weights=state.weights[0], facts={"score": 0.5}), "mine")
    return place, state


@heavy
def test_what_is_written_is_read(files):
    place, state = files
    found = read_state(place, "mine")
    assert same(found, state)
    assert (found.epoch, found.log) == (state.epoch, state.log)
    network = read_network(place, "mine")
    assert np.array_equal(network.weights, state.weights[0])
    assert network.facts == {"score": 0.5}


@heavy
def test_files_of_another_contract_are_left_aside(files, tmp_path):
    place, _ = files
    assert read_state(place, "another") is read_network(place, "another") is None
    assert read_state(tmp_path, "mine") is read_network(tmp_path, "mine") is None


@heavy
@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from([STACK, NETWORK]))
def test_a_file_that_is_cut_or_changed_anywhere_is_left_aside(files, tmp_path_factory, data, name):
    place, _ = files
    whole = (place / name).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 900))
    changed = bytes([whole[at] ^ data.draw(st.integers(1, 255))])
    damaged = data.draw(
        st.sampled_from([whole[:at], whole[:at] + changed + whole[at + 1 :], whole + b"\0"])
    )
    other = tmp_path_factory.mktemp("damaged")
    (other / name).write_bytes(damaged)
    read = read_state if name == STACK else read_network
    found = read(other, "mine")
    if found is not None:  # a change that says nothing, such as of a space in the header
        kept = read(place, "mine")
        assert np.array_equal(found.weights, kept.weights)
        assert getattr(found, "log", None) == getattr(kept, "log", None)


@heavy
def test_a_damaged_stack_is_learnt_again(tmp_path):
    lesson = lesson_of("two heads")
    straight = teach(lesson, SEARCH, folders_of(tmp_path / "a"), workdir=tmp_path / "a")
    half_taught(lesson, SEARCH, tmp_path / "b")
    data = (tmp_path / "b" / STACK).read_bytes()
    (tmp_path / "b" / STACK).write_bytes(data[:-7] + b"\xff" + data[-6:])
    found = teach(lesson, SEARCH, folders_of(tmp_path / "b"), workdir=tmp_path / "b")
    assert weights_in(found) == weights_in(straight)
    assert {n.spent["resumed_at"] for n in found.values()} == {0}


@heavy
def test_a_network_without_its_cost_is_used_all_the_same(files):
    place, _ = files
    (place / SPENT).write_text("{")
    assert read_network(place, "mine").spent == {}


# --- contracts ------------------------------------------------------------------------------

OTHER = {
    "hidden": (16, 9),
    "activation": "silu",
    "epochs": 4,
    "batch": 63,
    "rate": 3e-3,
    "decay": 0.5,
    "tries": 2,
    "keep": "last",
    "precision": "bfloat16",
    "values": "arsinh",
    "gate": "own",
    "weight": 2.0,
    "spread": True,
    "bins": 11,
    "form": "angle",
    "direction": "joint",
    "anchored": True,
    "shock": 0.5,
    "detach": True,
    "epsilon": 0.1,
    "tau": 0.1,
    "fit": "chordal",
    "decoded": 1.0,
    "margin": 1.0,
    "separation": 1.0,
    "sign": 1.0,
    "coverage": 1.0,
}
READ_ONLY = ("alpha", "members", "device", "seeded", "needs")
"""Options that decide nothing about what one network learns on this device."""


def contract(recipe, task=DOSE):
    lesson = recipe.lesson(task.samples("train"), task.samples("tune"))
    search = Search(rate=recipe.rate, decay=recipe.decay, tries=recipe.tries)
    return contract_of(lesson, search.members(0), {})


@heavy
@pytest.mark.parametrize("name", ["two heads", "intervals", "ensemble", "conformal", "projective"])
def test_whoever_changes_an_option_learns_again(name):
    pytest.importorskip("torch")
    recipe = EVERY[name]
    found = {contract(recipe)}
    options = [f.name for f in fields(recipe) if f.name not in READ_ONLY]
    for option in options:
        other = OTHER[option]
        if (name, option) == ("conformal", "gate"):
            other = "tuned"
        found.add(contract(replace(recipe, **{option: other})))
    assert len(found) == len(options) + 1


@heavy
def test_whoever_changes_the_data_learns_again():
    lesson, members = lesson_of("two heads"), members_of(1)
    train, tune, scale = lesson.train, lesson.tune, lesson.scale
    moved = train.x.copy()
    moved[0, 0] = np.nextafter(moved[0, 0], 9.0)
    lessons = [
        lesson,
        replace(lesson, train=replace(train, x=moved)),
        replace(lesson, train=replace(train, y=train.y * 2)),
        replace(lesson, train=replace(train, kind=train.kind[::-1])),
        replace(lesson, train=replace(train, reasons=("up", "down"))),
        replace(lesson, tune=replace(tune, x=tune.x + 1)),
        replace(lesson, tune=replace(tune, y=tune.y + 1)),
        replace(lesson, scale=replace(scale, y_sd=scale.y_sd * 2)),
        replace(lesson, scale=Scale.of(train, "arsinh")),
        replace(lesson, only=frozenset({"wo"})),
        replace(lesson, device="cuda"),
    ]
    assert len({contract_of(one, members, {}) for one in lessons}) == len(lessons)
    assert contract_of(lesson, members, {}) != contract_of(lesson, members, {"starts": {"0": "x"}})
    assert contract_of(lesson, members, {}) == contract_of(replace(lesson), members_of(1), {})


@heavy
def test_parameters_that_do_not_learn_stay_to_the_last_bit():
    lesson = replace(lesson_of("two heads"), only=frozenset({"wo", "bo"}))
    stack = Stack(lesson, [Member(seed=0, rate=1e-2, decay=0.1)])
    before = named(lesson.parts, stack.state.weights[0])
    stack.epoch()
    after = named(lesson.parts, stack.state.weights[0])
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name not in ("wo", "bo")), name
