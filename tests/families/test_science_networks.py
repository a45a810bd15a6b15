"""Ordinary networks: they learn, they say what they were taught, and what is broken scores so."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, Failed, PlanError, Question, Sample
from assay.families.science.learning.binned import REACH, Binned
from assay.families.science.learning.head import NONE, Read
from assay.families.science.learning.rows import Scale
from assay.families.science.learning.shape import Said
from assay.families.science.learning.two_heads import SPREADS, TwoHeads, decided
from assay.families.science.recipes.answering import UNDIRECTED, Reader
from assay.families.science.recipes.networks import Conformal, Ensemble, Softmax, TwoHeaded
from assay.testing import check_recipe
from science_networks import (
    DOSE,
    QUICK,
    batch_of,
    check_gradients,
    shuffled,
    small_tasks,
    values_only,
)
from science_sitting import sit, value

heavy = pytest.mark.heavy
RECIPES = {
    "two heads": TwoHeaded(**QUICK),
    "with a spread": TwoHeaded(**QUICK, spread=True, values="arsinh"),
    "intervals": Softmax(**QUICK, bins=10),
    "ensemble": Ensemble(**QUICK, members=3, tries=2),
    "conformal": Conformal(**QUICK),
}
LEARN = {"epochs": 12, "batch": 128, "rate": 4e-3}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    return small_tasks(tmp_path_factory.mktemp("tables"))


@cache
def built(recipe, place, train="as it is"):
    pytest.importorskip("torch")
    samples = [DOSE.samples(split) for split in ("train", "tune")]
    if train == "of others":
        samples = [shuffled(some) for some in samples]
    return recipe.build(*samples, seed=0, workdir=place)


# --- contracts ------------------------------------------------------------------------------


@heavy
@pytest.mark.parametrize("task", ["dose", "rf", "ik", "table"])
@pytest.mark.parametrize("name", RECIPES)
def test_networks_keep_the_contract_of_recipes(name, task, tasks, tmp_path):
    pytest.importorskip("torch")
    check_recipe(RECIPES[name], tasks[task], workdir=tmp_path)


@heavy
@pytest.mark.parametrize("name", RECIPES)
def test_networks_without_a_gate_answer_everything(name, tasks, tmp_path):
    from dataclasses import replace

    pytest.importorskip("torch")
    task = tasks["dose"]
    recipe = replace(RECIPES[name], gate="never")
    made = recipe.build(task.samples("train"), task.samples("tune"), seed=0, workdir=tmp_path)
    said = [r.said for r in made.system.answer([s.question() for s in task.samples("test")])]
    assert all(isinstance(one, Answer) for one in said)
    assert {one.instead for one in said} <= {"above", "below"}


@heavy
def test_a_task_without_reasons_is_answered_always(tmp_path):
    pytest.importorskip("torch")
    train = values_only(DOSE.samples("train"))[:200]
    for name, recipe in RECIPES.items():
        system = recipe.build(train, train[:50], seed=0, workdir=tmp_path / name).system
        said = [r.said for r in system.answer([s.question() for s in train[:5]])]
        assert all(isinstance(one, Answer) and one.instead == UNDIRECTED for one in said), name


@heavy
def test_what_nobody_can_learn_from_is_refused(tmp_path):
    pytest.importorskip("torch")
    gone = [Sample(id=str(i), input=[1.0], target=Bottom("no"), group="g") for i in range(4)]
    good = [Sample(id="a", input=[1.0], target=Answer(1.0))]
    for train, tune, why in (
        (gone, gone, "no training sample has a value"),
        (good, [], "there is no tune sample"),
    ):
        with pytest.raises(DataError, match=why):
            TwoHeaded().build(train, tune, seed=0, workdir=tmp_path)
    with pytest.raises(DataError, match="two groups of tune samples"):
        Conformal().build(good, gone, seed=0, workdir=tmp_path)


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        (TwoHeaded, {"hidden": (0,)}),
        (TwoHeaded, {"hidden": (4,) * 9}),
        (TwoHeaded, {"epochs": 0}),
        (TwoHeaded, {"batch": 0}),
        (TwoHeaded, {"rate": 0.0}),
        (TwoHeaded, {"decay": -1.0}),
        (TwoHeaded, {"tries": 0}),
        (TwoHeaded, {"weight": 0.0}),
        (Softmax, {"bins": 1}),
        (Softmax, {"epochs": 0}),
        (Ensemble, {"members": 1}),
        (Conformal, {"alpha": 0.0}),
        (Conformal, {"weight": -1.0}),
    ],
)
def test_options_that_no_network_can_have_are_refused(recipe, options):
    with pytest.raises(PlanError) as caught:
        recipe(**options)
    assert caught.value.code == "A102"


@heavy
def test_a_gpu_that_is_not_there_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    recipe = TwoHeaded(device="cuda")
    assert recipe.needs.gpu
    assert not TwoHeaded().needs.gpu
    with pytest.raises(PlanError, match="no GPU") as caught:
        recipe.build(DOSE.samples("train"), DOSE.samples("tune"), seed=0, workdir=tmp_path)
    assert caught.value.code == "A104"
    made = TwoHeaded(**QUICK, device="auto")
    assert built(made, tmp_path).notes["device"] == "cpu"


# --- learning -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("learnt")


LEARNERS = [TwoHeaded(**LEARN), Softmax(**LEARN), Ensemble(**LEARN, members=3), Conformal(**LEARN)]


@heavy
@pytest.mark.parametrize("recipe", LEARNERS, ids=lambda r: type(r).__name__)
def test_they_learn_and_with_targets_of_others_they_are_at_chance(recipe, place):
    name = type(recipe).__name__
    learnt = sit(DOSE, built(recipe, place / name).system)
    astray = sit(DOSE, built(recipe, place / f"{name}-astray", "of others").system)
    assert value(DOSE.metrics, "macro_f1", learnt) > 0.9
    assert value(DOSE.metrics, "charged_error", learnt) < 0.8
    # A class for everybody, or classes at random, of three that are about as frequent.
    assert value(DOSE.metrics, "macro_f1", astray) < 0.4
    assert value(DOSE.metrics, "charged_error", astray) > 1.5


@heavy
def test_an_ensemble_is_the_mean_of_its_networks(place):
    from dataclasses import replace

    recipe = Ensemble(**QUICK, members=3)
    lesson = recipe.lesson(DOSE.samples("train"), DOSE.samples("tune"))
    from assay.families.science.learning.shape import begin

    weights = [begin(lesson.parts, seed) for seed in range(3)]
    single = TwoHeaded(**QUICK, spread=True)
    reads = [single.reader(replace(lesson, head=lesson.head), [w])(lesson.tune.x) for w in weights]
    whole = recipe.reader(lesson, weights)(lesson.tune.x)
    assert np.allclose(whole.value, np.mean([r.value for r in reads], axis=0))
    assert np.allclose(whole.odds, np.mean([r.odds for r in reads], axis=0))
    spreads = np.mean([r.sd**2 for r in reads], axis=0) + np.var([r.value for r in reads], axis=0)
    assert np.allclose(whole.sd**2, spreads)
    assert np.allclose(whole.confidence, whole.odds[:, 0])


@heavy
def test_the_networks_of_two_ensembles_are_not_the_same(tmp_path):
    pytest.importorskip("torch")
    made = Ensemble(**QUICK, members=2).build_all(
        DOSE.samples("train"), DOSE.samples("tune"), seeds=(0, 1), workdir=tmp_path
    )
    digests = [artifact.digest for one in made.values() for artifact in one.artifacts]
    assert len(set(digests)) == len(digests) == 4
    assert made[0].notes["parameters"] == made[1].notes["parameters"]


@heavy
@pytest.mark.parametrize("values", ["plain", "arsinh"])
def test_a_spread_is_as_wide_as_errors_are(values, place):
    pytest.importorskip("torch")
    rng = np.random.Generator(np.random.PCG64(3))
    x = rng.uniform(1, 3, 4000)
    wide = np.where(x > 2, 0.8, 0.2)
    y = 10 * x + wide * rng.normal(size=len(x))
    samples = [
        Sample(id=str(i), input=[a], target=Answer(b))
        for i, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))
    ]
    recipe = TwoHeaded(epochs=25, batch=64, hidden=(16,), spread=True, values=values, rate=1e-2)
    system = recipe.build(samples[:3500], samples[3500:], seed=0, workdir=place / values).system
    asked = [Question(id=str(at), input=[at]) for at in (1.3, 1.6, 2.4, 2.7)]
    said = [r.said for r in system.answer(asked)]
    assert [a.scores["sd"] for a in said] == pytest.approx([0.2, 0.2, 0.8, 0.8], rel=0.25)
    assert [a.value for a in said] == pytest.approx([13, 16, 24, 27], abs=0.3)


@heavy
def test_equal_seeds_are_equal_systems_and_others_are_not(tmp_path):
    pytest.importorskip("torch")
    made = {
        (name, seed): TwoHeaded(**QUICK).build(
            DOSE.samples("train"),
            DOSE.samples("tune"),
            seed=seed,
            workdir=tmp_path / f"{name}{seed}",
        )
        for name in "ab"
        for seed in (0, 1)
    }
    digest = {key: one.artifacts[0].digest for key, one in made.items()}
    assert digest["a", 0] == digest["b", 0] != digest["a", 1] == digest["b", 1]
    questions = [s.question() for s in DOSE.samples("test")[:50]]
    said = {key: [r.said for r in one.system.answer(questions)] for key, one in made.items()}
    assert said["a", 0] == said["b", 0] != said["a", 1] == said["b", 1]


# --- losses ---------------------------------------------------------------------------------


@heavy
@pytest.mark.parametrize(
    "head",
    [
        TwoHeads(width=1, reasons=2),
        TwoHeads(width=2, reasons=1, weight=3.0),
        TwoHeads(width=2, reasons=2, spread=True),
        TwoHeads(width=1, reasons=0),
        Binned(width=1, reasons=2, bins=7),
        Binned(width=2, reasons=0, bins=5),
    ],
    ids=repr,
)
def test_gradients_are_those_of_differences(head):
    pytest.importorskip("torch")
    check_gradients(head)


@heavy
@pytest.mark.parametrize("spread", [False, True])
def test_the_loss_of_two_heads_is_cross_entropy_and_the_error_of_values_that_are_there(spread):
    pytest.importorskip("torch")
    head = TwoHeads(width=2, reasons=1, weight=0.5, spread=spread)
    out, hidden, own, batch = batch_of(head, np.random.Generator(np.random.PCG64(1)))
    found = head.loss(out, hidden, own, batch).numpy()
    for network, loss in enumerate(found):
        crossed, errors = [], []
        for row in range(out.shape[1]):
            logits, kind = out[network, row, :2].numpy(), int(batch.kind[network, row])
            crossed.append(np.log(np.exp(logits).sum()) - logits[kind])
            if kind == 0:
                error = (out[network, row, 2:4] - batch.y[network, row]).numpy() ** 2
                if spread:
                    logs = np.clip(out[network, row, 4:].numpy(), *SPREADS)
                    error = 0.5 * error / np.exp(2 * logs) + logs
                errors.append(error.mean())
        assert loss == pytest.approx(np.mean(crossed) + 0.5 * np.mean(errors))


@heavy
def test_intervals_are_taught_the_two_that_are_nearest():
    torch = pytest.importorskip("torch")
    from assay.families.science.learning.head import Batch

    head = Binned(width=1, reasons=0, bins=7)  # centres at -3, -2, ... 3
    out = torch.zeros((1, 1, head.outputs), dtype=torch.float64, requires_grad=True)
    batch = Batch(
        y=torch.tensor([[[0.25]]]), there=torch.ones((1, 1)), kind=torch.zeros((1, 1), dtype=int)
    )
    head.loss(out, out, {}, batch).sum().backward()
    # The gradient of a cross-entropy is what is said less what is wanted.
    wanted = 1 / 7 - out.grad[0, 0, 1:].numpy()
    assert wanted == pytest.approx([0, 0, 0, 0.75, 0.25, 0, 0], abs=1e-6)


@given(st.lists(st.floats(-30, 30), min_size=11, max_size=11))
def test_intervals_say_the_mean_and_deviation_of_their_distribution(numbers):
    head = Binned(width=1, reasons=0, bins=10)
    read = head.read(Said(out=np.array([numbers]), hidden=np.zeros((1, 1))), {})
    shares = np.exp(np.array(numbers[1:]) - max(numbers[1:]))
    shares /= shares.sum()
    centres = np.linspace(-REACH, REACH, 10)
    mean = shares @ centres
    assert read.value.item() == pytest.approx(mean)
    assert read.sd.item() == pytest.approx(
        np.sqrt(max(shares @ (centres - mean) ** 2, 1e-12)), abs=1e-6
    )


# --- what is said ---------------------------------------------------------------------------

UNIT = Scale(x_mean=np.zeros(1), x_sd=np.ones(1), y_mean=np.zeros(1), y_sd=np.ones(1))


def say(read, scale=UNIT, reasons=("up", "down")):
    system = Reader(read=lambda _: read, scale=scale, reasons=reasons)
    n = len(read.confidence)
    asked = [Question(id=str(i), input=[0.0]) for i in range(n)]
    return [reply.said for reply in system.answer(asked)]


def reading(values, **other):
    n = len(values)
    given_ = {
        "confidence": np.full(n, 0.5),
        "declines": np.zeros(n, bool),
        "reason": np.ones(n, int),
        "fault": np.zeros(n, bool),
    }
    return Read(value=np.array(values, float).reshape(n, -1), **{**given_, **other})


def test_a_reason_that_is_not_known_is_said_so():
    [up, none] = say(reading([1.0, 1.0], reason=np.array([1, NONE])))
    assert (up.instead, none.instead) == ("up", UNDIRECTED)


def test_what_is_declined_keeps_its_value():
    [said] = say(reading([1.5], declines=np.ones(1, bool), reason=np.array([2])))
    assert said == Bottom("down", Answer(1.5, 0.5, instead="down"))


def test_a_fault_is_no_decline():
    [said] = say(reading([1.0], fault=np.ones(1, bool), declines=np.ones(1, bool)))
    assert said == Failed("non_finite")


@pytest.mark.parametrize("declines", [False, True])
def test_a_value_that_a_head_says_is_none_is_a_bottom(declines):
    [said] = say(reading([np.nan], declines=np.full(1, declines)))
    assert said == Bottom("up")


def test_a_value_that_is_lost_in_its_unit_is_a_fault():
    far = Scale(
        x_mean=np.zeros(1),
        x_sd=np.ones(1),
        y_mean=np.zeros(1),
        y_sd=np.full(1, 400.0),
        y_unit=np.ones(1),
    )
    one, two = say(reading([1.0, 2.0]), scale=far)
    assert one.value == pytest.approx(np.sinh(400.0), rel=1e-5)
    assert two == Failed("non_finite")


def test_a_spread_is_told_in_the_unit_of_the_value():
    scale = Scale(
        x_mean=np.zeros(1),
        x_sd=np.ones(1),
        y_mean=np.zeros(1),
        y_sd=np.full(1, 2.0),
        y_unit=np.full(1, 10.0),
    )
    [said] = say(reading([1.5], sd=np.full((1, 1), 0.1)), scale=scale)
    assert said.value == pytest.approx(10 * np.sinh(3.0), rel=1e-5)
    assert said.scores["sd"] == pytest.approx(10 * np.cosh(3.0) * 0.2, rel=1e-5)


def test_several_outputs_have_a_spread_each():
    [said] = say(reading([[1.0, 2.0]], sd=np.array([[0.1, 0.2]])))
    assert said.value == [1.0, 2.0]
    assert said.scores == {"sd_0": 0.1, "sd_1": 0.2}


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf]), min_size=4, max_size=4))
def test_numbers_that_are_none_are_faults_with_no_confidence(numbers):
    odds, values = np.array([numbers[:3]]), np.array([numbers[3:]])
    with np.errstate(all="ignore"):
        read = decided(odds, values)
    good = np.isfinite(numbers).all()
    assert bool(read.fault[0]) == (not good)
    assert 0 <= read.confidence[0] <= 1
    assert good or read.confidence[0] == 0


@heavy
@pytest.mark.parametrize("name", RECIPES)
def test_a_network_that_says_no_number_has_failed(name):
    pytest.importorskip("torch")
    from assay.families.science.learning.shape import begin
    from assay.families.science.recipes.learner import gated, steady

    recipe = RECIPES[name]
    lesson = recipe.lesson(DOSE.samples("train")[:200], DOSE.samples("tune")[:60])
    weights = [begin(lesson.parts, seed) for seed in range(recipe.networks)]
    weights[0]["bo"][:] = np.nan
    with np.errstate(all="ignore"):
        read = steady(recipe.reader(lesson, weights))
        for one in (read, gated(read, 0.0), gated(read, 1.0)):
            system = Reader(read=one, scale=lesson.scale, reasons=lesson.train.reasons)
            [reply] = system.answer([DOSE.samples("test")[0].question()])
            assert reply.said == Failed("non_finite")


# --- conformal sets -------------------------------------------------------------------------


def answered(recipe, lesson, weights, held, x):
    """Return which rows are answered, when these rows are held back."""
    from dataclasses import replace

    read = recipe.reader(replace(lesson, held=held), [weights])(x)
    return ~read.declines


@heavy
@pytest.mark.parametrize("alpha", [0.05, 0.2])
@pytest.mark.parametrize("start", [1, 2])
def test_rows_without_a_value_are_answered_at_most_as_often_as_was_promised(alpha, start):
    """Simulate: many halves held back, a new row of each reason; for any network, here one untaught."""
    pytest.importorskip("torch")
    from dataclasses import replace

    from assay.families.science.learning.rows import rows_of
    from assay.families.science.learning.shape import begin

    recipe = Conformal(**QUICK, alpha=alpha)
    lesson = recipe.lesson(DOSE.samples("train"), DOSE.samples("tune"))
    weights = begin(lesson.parts, seed=start)
    weights = {k: (30 * v if k == "wo" else v) for k, v in weights.items()}
    pool = rows_of(DOSE.samples("train"), lesson.train.reasons)
    x = lesson.scale.inward(pool.x)
    rng = np.random.Generator(np.random.PCG64(7))
    counts = {1: [0, 0], 2: [0, 0]}
    for _ in range(40):
        order = rng.permutation(len(pool.x))
        mine, others = order[:120], order[120:1320]
        held = replace(pool, x=pool.x[mine], y=pool.y[mine], kind=pool.kind[mine])
        said = answered(recipe, lesson, weights, held, x[others])
        for kind, count in counts.items():
            count[0] += int(said[pool.kind[others] == kind].sum())
            count[1] += int((pool.kind[others] == kind).sum())
    for hits, n in counts.values():
        # Rows of a half share it: its own error is that of about 40 rows of a class, 40 times.
        error = 3 * np.sqrt(alpha * (1 - alpha) / (40 * 40)) + 3 * np.sqrt(alpha / n)
        assert hits / n <= alpha + error


@heavy
def test_a_promise_can_be_broken_by_rows_from_elsewhere():
    """The simulation above can fail: rows held back of one class only let everything pass."""
    pytest.importorskip("torch")
    from dataclasses import replace

    from assay.families.science.learning.shape import begin

    recipe = Conformal(**QUICK, alpha=0.2)
    lesson = recipe.lesson(DOSE.samples("train"), DOSE.samples("tune"))
    weights = {k: (30 * v if k == "wo" else v) for k, v in begin(lesson.parts, seed=1).items()}
    said = lesson.head.read(lesson.shape.say(lesson.scale.inward(lesson.held.x), weights), weights)
    # Rows are called what the network would call them: strangers then look strange.
    kind = said.odds.argmax(axis=1)
    there = kind == 0
    held = replace(lesson.held, kind=kind.astype(np.int64), y=np.where(there[:, None], 0.0, np.nan))
    true = lesson.held.kind
    found = answered(recipe, lesson, weights, held, lesson.scale.inward(lesson.held.x))
    assert found[true > 0].mean() > 0.3


@heavy
def test_groups_of_tune_rows_are_held_back_whole():
    pytest.importorskip("torch")
    tune = [
        Sample(
            id=str(i),
            input=[float(i)],
            target=Answer(1.0) if i % 3 else Bottom("no"),
            group=f"g{i // 4}",
        )
        for i in range(16)
    ]
    lesson = Conformal().lesson(tune, tune)
    assert lesson.tune.x[:, 0].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert lesson.held.x[:, 0].tolist() == [4, 5, 6, 7, 12, 13, 14, 15]
