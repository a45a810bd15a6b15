"""Cascades: from records alone, exactly what asking in turn would have given."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Crash, Failed, PlanError, Question, Reply
from assay.analysis.cascade import sweep
from assay.analysis.chain import Chain
from assay.analysis.spend import Spend
from assay.analysis.table import Table
from assay.analysis.timed import Timed
from assay.core.policy import Declines, Person, Policy, Stage
from assay.publish.policy import gain_sentence
from assay.stats.resamples import RESAMPLES
from assay.store.columns import CODE, OUTCOMES
from assay.systems.cascade import Cascade

SAID = ("correct", "wrong", "withheld", "declined", "invented", "failed", "crashed")


def table(
    outcomes: Sequence[str], sure: Sequence[float], *, none: Sequence[bool], name: str = "s"
) -> Table:
    n = len(outcomes)
    return Table(
        system=name,
        seeds=(0,),
        samples=tuple(f"q{i}" for i in range(n)),
        groups=tuple(f"g{i // 2}" for i in range(n)),
        outcome=np.array([[CODE[o] for o in outcomes]], dtype=np.int8),
        confidence=np.array([sure], dtype=float),
        no_answer=np.array(none),
    )


class Recorded:
    """A system that says again what a table says that it said."""

    def __init__(self, made: Table) -> None:
        self.made = made

    def answer(self, questions: Sequence[Question]):
        for question in questions:
            at = self.made.samples.index(question.id)
            sure = float(self.made.confidence[0, at])
            match OUTCOMES[int(self.made.outcome[0, at])].value:
                case "correct" | "wrong" | "invented" as outcome:
                    yield Reply(question.id, Answer(outcome, sure))
                case "withheld" | "declined":
                    yield Reply(question.id, Bottom("out_of_scope"))
                case "failed":
                    yield Reply(question.id, Failed("died"))
                case _:
                    yield Reply(question.id, Crash("ours"))


@st.composite
def two_tables(draw):
    n = draw(st.integers(1, 20))
    none = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    made = []
    for name in "ab":
        outcomes = [
            draw(st.sampled_from(("declined", "invented", "failed", "crashed") if empty else
                                 ("correct", "wrong", "withheld", "failed", "crashed")))
            for empty in none
        ]  # fmt: skip
        sure = draw(st.lists(st.sampled_from([0.1, 0.4, 0.6, 0.9]), min_size=n, max_size=n))
        made.append(table(outcomes, sure, none=none, name=name))
    return made


@given(two_tables(), st.sampled_from([None, 0.0, 0.5, 0.6, 1.1]), st.sampled_from(list(Declines)))
def test_records_give_exactly_what_the_running_cascade_says(tables, at_least, declines):
    first, then = tables
    policy = Policy(
        stages=(
            Stage(system="a", at_least=None if at_least is None else {0: at_least}),
            Stage(system="b"),
        ),
        declines=declines,
    )
    right, seen, asked = Chain((first, then)).terms(policy)
    running = Cascade(Recorded(first), Recorded(then), at_least, declines)
    said = {
        r.question: r.said
        for r in running.answer([Question(id=s, input="") for s in first.samples])
    }
    for i, sample in enumerate(first.samples):
        none = bool(first.no_answer[i])
        match said[sample]:
            case Answer(value=value):
                expected = float(value == "correct")
            case Bottom():
                expected = float(none)
            case _:
                expected = 0.0
        assert right[0, i] == expected
        assert seen[0, i] == (not isinstance(said[sample], Crash))
    assert (asked[0] == 1.0).all()


@given(two_tables())
def test_a_cascade_that_hands_nothing_on_is_the_first_system(tables):
    first, then = tables
    policy = Policy(
        stages=(Stage(system="a", at_least={0: -np.inf}), Stage(system="b")),
        declines=Declines.STAND,
    )
    right, _, asked = Chain((first, then)).terms(policy)
    failed = first.outcome == CODE["failed"]
    own = np.isin(first.outcome, [CODE["correct"], CODE["declined"]])
    assert (right[~failed] == own[~failed]).all()
    assert (asked[1] == failed).all()


@given(two_tables())
def test_a_crash_of_the_first_is_not_hidden_by_the_second(tables):
    first, then = tables
    _, seen, asked = Chain((first, then)).terms(
        Policy(stages=(Stage(system="a"), Stage(system="b")))
    )
    crashed = first.outcome == CODE["crashed"]
    assert not seen[crashed].any()
    assert not asked[1][crashed].any()


def test_a_person_is_right_as_often_as_assumed_and_paid_per_question():
    none = [False] * 4
    first = table(["correct", "wrong", "withheld", "failed"], [0.9, 0.1, 0.9, 0.9], none=none)
    policy = Policy(
        stages=(Stage(system="s", at_least={0: 0.5}),), person=Person(usd=0.1, right=0.9)
    )
    right, _, asked = Chain((first,)).terms(policy)
    assert right.tolist() == [[1.0, 0.9, 0.9, 0.9]]
    assert asked[1].tolist() == [[0.0, 1.0, 1.0, 1.0]]


def timed(values: Sequence[float], blocks: int = 24, name: str = "s") -> Timed:
    each = np.array(values, dtype=float)
    return Timed(
        system=name,
        blocks=tuple(f"{i % 3}/{i % blocks}" for i in range(len(each))),
        processes=3,
        columns={"usd": each / 100.0, "latency_s": each, "timed": np.ones(len(each))},
    )


def test_dollars_are_the_means_of_the_stages_times_who_reaches_them():
    spend = Spend.of([timed([1.0] * 24), timed([3.0] * 24)], Person(usd=0.5), 0)
    shares = np.tile([1.0, 0.4, 0.1], (RESAMPLES + 1, 1))
    value, draws = spend.mean("usd", shares)
    assert value == pytest.approx(0.01 + 0.4 * 0.03 + 0.1 * 0.5)
    assert np.allclose(draws, value)


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.99))
@settings(max_examples=10)
def test_a_quantile_of_the_policy_is_that_of_the_mixture(handed_on, q):
    rng = np.random.default_rng(3)
    one, two = rng.exponential(1.0, 48), rng.exponential(5.0, 48)
    spend = Spend.of([timed(list(one)), timed(list(two))], None, 0)
    (((value, _),),) = spend.quantiles([q], [np.tile([1.0, handed_on], (RESAMPLES + 1, 1))])
    order = Spend.of([timed(list(one)), timed(list(two))], None, 0).latency
    both = np.concatenate([order[0], order[0] + order[1]])
    weights = np.concatenate([np.full(48, 1 - handed_on), np.full(48, handed_on)]) / 48
    assert weights[both < value].sum() <= q + 1e-9
    assert weights[both <= value].sum() >= q - 1e-9


@given(st.integers(1, 3), st.sampled_from([0.5, 0.95]), st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_the_draws_of_a_quantile_are_those_of_weighted_questions(stages, q, seed):
    rng = np.random.default_rng(seed)
    spend = Spend.of([timed(list(rng.exponential(k + 1.0, 48))) for k in range(stages)], None, seed)
    shares = np.sort(rng.uniform(size=(RESAMPLES + 1, stages)), axis=1)[:, ::-1]
    shares[:, 0] = 1.0
    (((_, draws),),) = spend.quantiles([q], [shares])
    ends = np.cumsum(np.stack(spend.latency), axis=0)
    order = np.argsort(ends, axis=None)
    for at in range(0, RESAMPLES, 997):
        stop = shares[at + 1] - np.append(shares[at + 1, 1:], 0.0)
        mass = np.cumsum((stop[:, None] * spend.drawn[at, spend.block]).ravel()[order])
        expected = ends.ravel()[order][np.searchsorted(mass, q * mass[-1] * (1 - 1e-12))]
        assert draws[at] == expected


def swept(n_groups: int):
    """Return a sweep of two systems that know nothing, on 120 questions in so many groups."""
    made = {
        name: table(["correct", "wrong"] * 60, [0.9, 0.2] * 60, none=[False] * 120, name=name)
        for name in ("small", "large")
    }
    groups = tuple(f"g{i % n_groups}" for i in range(120))
    times = {"small": timed([0.01] * 24), "large": timed([1.0 + i for i in range(24)])}
    test = {name: replace(one, groups=groups) for name, one in made.items()}
    return sweep(test, made, times, order=["small", "large"], rng=0)


def test_dollars_of_few_groups_have_no_interval_and_those_of_many_rest_on_ten_thousand_draws():
    few, many = (swept(n).options[-1].usd_per_1k for n in (6, 60))
    assert few.value == many.value
    assert (few.low, few.high) == (None, None)
    assert few.over == frozenset()
    assert many.low < many.value < many.high
    assert "10000 resamples" in many.method


def honest(rng: np.random.Generator, n: int, skill: float, name: str) -> Table:
    """Return a system whose confidence is the chance that it is right."""
    sure = rng.uniform(0.0, 1.0, n) ** (1.0 / skill)
    right = rng.uniform(size=n) < sure
    return table(
        ["correct" if r else "wrong" for r in right], list(sure), none=[False] * n, name=name
    )


def test_a_cascade_of_honest_systems_is_more_right_than_either_and_cheaper_than_the_large_one():
    rng = np.random.default_rng(11)
    small = [honest(rng, 2000, 2.0, "small") for _ in range(2)]
    large = [honest(rng, 2000, 4.0, "large") for _ in range(2)]
    found = sweep(
        {"small": small[0], "large": large[0]},
        {"small": small[1], "large": large[1]},
        {"small": timed([0.01] * 24), "large": timed([1.0] * 24)},
        order=["small", "large"],
        margin=0.005,
        rng=5,
    )
    assert found.picked is not None
    picked = found.options[found.picked]
    alone = [(t.outcome == CODE["correct"]).mean() for t in (small[0], large[0])]
    assert picked.accuracy.value > max(alone)
    assert found.best_alone == "large"
    assert found.gain.value == pytest.approx(picked.accuracy.value - alone[1])
    assert found.gain.low < found.gain.value < found.gain.high
    assert picked.usd_per_1k.high < 1000.0 * 0.01
    assert sum(o.on_hull for o in found.options) >= 3
    # What was picked on calibration holds on test within what chance allows.
    best = max(o.accuracy.value for o in found.options)
    assert picked.accuracy.value >= best - 0.05


@pytest.mark.parametrize(("skill", "idle"), [(1.0, True), (4.0, False)])
def test_a_policy_in_which_no_answer_of_the_first_stands_says_that_it_is_paid_for_nothing(
    skill, idle
):
    rng = np.random.default_rng(3)
    first = [honest(rng, 400, skill, "first") for _ in range(2)]
    if idle:  # sure and wrong, wherever one cuts
        wrong = np.full_like(first[0].outcome, CODE["wrong"])
        first = [replace(t, outcome=wrong) for t in first]
    last = [honest(rng, 400, 3.0, "last") for _ in range(2)]
    found = sweep(
        {"first": first[0], "last": last[0]},
        {"first": first[1], "last": last[1]},
        {"first": timed([0.01] * 24), "last": timed([1.0] * 24)},
        order=["first", "last"],
        rng=5,
    )
    assert ("No answer of first stands" in gain_sentence(found)) is idle


def test_without_calibration_of_the_last_system_nothing_is_picked_and_it_says_why():
    rng = np.random.default_rng(1)
    a, b = honest(rng, 60, 2.0, "a"), honest(rng, 60, 3.0, "b")
    found = sweep({"a": a, "b": b}, {"a": a}, {}, order=["a", "b"], rng=0)
    assert (found.picked, found.gain) == (None, None)
    assert "b was asked no calibration questions" in found.why
    assert found.options[0].usd_per_1k.value is None
    assert "not timed" in found.options[0].usd_per_1k.method


def test_a_system_without_confidence_has_no_thresholds_to_sweep():
    rng = np.random.default_rng(1)
    a = honest(rng, 40, 2.0, "a")
    mute = replace(a, confidence=np.full(a.confidence.shape, np.nan))
    found = sweep({"a": mute, "b": a}, {"a": mute, "b": a}, {}, order=["a", "b"], rng=0)
    assert {o.handed_on for o in found.options} == {(0.0,)}


@pytest.mark.parametrize(
    ("order", "code", "said"),
    [
        (["a", "b"], "A104", "no calibration questions"),
        (["a", "x"], "A103", "no system is called 'x'"),
        (["a"], "A104", "no cascade can be made of a"),
        (["a", "a"], "A104", "no cascade can be made of a, a"),
    ],
)
def test_what_cannot_be_a_cascade_is_refused(order, code, said):
    a = honest(np.random.default_rng(1), 10, 2.0, "a")
    with pytest.raises(PlanError, match=said) as caught:
        sweep({"a": a, "b": a}, {}, {}, order=order, rng=0)
    assert caught.value.code == code


def test_systems_of_other_seeds_are_refused():
    a = honest(np.random.default_rng(1), 10, 2.0, "a")
    two = replace(
        a,
        seeds=(0, 1),
        outcome=np.repeat(a.outcome, 2, axis=0),
        confidence=np.repeat(a.confidence, 2, axis=0),
    )
    other = replace(two, seeds=(0, 2))
    with pytest.raises(PlanError, match="different seeds"):
        sweep({"a": two, "b": other}, {"a": two, "b": other}, {}, order=["a", "b"], rng=0)


def test_the_best_alone_is_told_by_calibration_where_a_policy_is_picked():
    n = 40

    def of(name, right):
        said = ["correct"] * right + ["wrong"] * (n - right)
        return table(said, [0.5] * n, none=[False] * n, name=name)

    test = {"a": of("a", 20), "b": of("b", 25)}
    calibration = {"a": of("a", 25), "b": of("b", 20)}
    assert sweep(test, calibration, {}, order=["a", "b"], rng=0).best_alone == "a"
    only = {"a": calibration["a"]}
    assert sweep(test, only, {}, order=["a", "b"], rng=0).best_alone == "b"
