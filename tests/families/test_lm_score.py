"""The score: chance counts nothing, silence is not safe, intervals cover, and the weights are laid open."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, DataError, PlanError, Sample
from assay.estimates import rank_bands
from assay.families.lm.harness.asking import chance
from assay.families.lm.harness.categories import CATEGORIES
from assay.families.lm.score.draws import RESAMPLES, Draws
from assay.families.lm.score.members import DOCUMENTED, membership
from assay.families.lm.score.scoring import (
    Member,
    Speed,
    Unmeasured,
    category,
    edge,
    score,
)
from assay.families.lm.score.sensitivity import sensitivity
from assay.families.lm.score.speeds import Loaded, read_speeds
from assay.families.lm.score.weights import read_weights

NONE = dict.fromkeys(DOCUMENTED, 0.0)


@cache
def counts(n: int, seed: int) -> np.ndarray:
    """Return resamples of so many samples and two more, as ``assay.runs.redrawn`` draws them."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n + 2, [1 / (n + 2)] * (n + 2), size=RESAMPLES)


def drawn_of(right: np.ndarray, seed: int) -> Draws:
    n, drawn = len(right), counts(len(right), seed)
    real = drawn[:, :n]
    hits = real @ right
    return Draws.of(
        hits / np.maximum(real.sum(axis=1), 1), (hits + drawn[:, n]) / (n + 2), groups=n
    )


def quickly_drawn(right: np.ndarray, seed: int) -> Draws:
    """Return the same of one system alone: only how many are right matters."""
    n, k = len(right), int(right.sum())
    odds = np.array([k, n - k, 1, 1]) / (n + 2)
    drawn = np.random.default_rng(seed).multinomial(n + 2, odds, size=RESAMPLES)
    seen = np.maximum(drawn[:, :2].sum(axis=1), 1)
    return Draws.of(drawn[:, 0] / seen, drawn[:, [0, 2]].sum(axis=1) / (n + 2), groups=n)


def member(task: str, right, *, guess=0.0, use="lm.harness", seed=0, draw=drawn_of) -> Member:
    """Return a task with what systems got right of it."""
    of = membership(use, {"task": task})
    assert of is not None

    def above(values):
        return (values - guess) / (1 - guess) if of.harmless is None else of.harmless(values)

    n = len(next(iter(right.values())))
    return Member(
        task=task,
        of=of,
        metric="acc",
        chance=guess if of.harmless is None else None,
        values={name: float(each.mean()) for name, each in right.items()},
        worth={name: float(above(each.mean())) for name, each in right.items()},
        draws={name: draw(each, seed).map(above) for name, each in right.items()},
        n=n,
        n_groups=n,
        df=n - 1,
    )


def whole(system: str, members: list[Member], *, speed: Speed | None = None, **more):
    categories = {
        name: category(name, system, [m for m in members if m.of.category == name], {})
        for name in DOCUMENTED
    }
    categories["edge"] = Unmeasured(why="no") if speed is None else edge(speed)
    return score(
        system, categories, more.pop("weights", DOCUMENTED), **{"renormalise": False, **more}
    )


def ones(n: int, k: int) -> np.ndarray:
    return (np.arange(n) < k).astype(float)


def suite(**systems: float) -> list[Member]:
    """Return a task of every category, of systems that know so much of each beyond chance."""
    made = []
    for at, (task, guess, use) in enumerate(
        (
            ("mmlu", 0.25, "lm.harness"),
            ("humaneval", 0.0, "lm.harness"),
            ("gsm8k", 0.0, "lm.harness"),
            ("boolq", 0.5, "lm.harness"),
            ("refusal", 0.5, "lm.refusal"),
        )
    ):
        right = {
            name: ones(160, round(160 * (guess + (1 - guess) * s))) for name, s in systems.items()
        }
        made.append(member(task, right, guess=guess, use=use, seed=at))
    return made


FAST = Speed(value=0.5, draws=Draws(*[np.full(RESAMPLES, 0.5)] * 3), n=20)


def test_the_documented_weights_are_thirty_twenty_fifteen_fifteen_ten_ten():
    assert [*DOCUMENTED.values()] == [30, 20, 15, 15, 10, 10]
    assert {m for names in CATEGORIES.values() for m in names} == {
        name
        for names in CATEGORIES.values()
        for name in names
        if membership("lm.harness", {"task": name})
    }


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ("mmlu", ("reasoning", "mmlu")),
        ("mmlu_anatomy", ("reasoning", "mmlu")),
        ("truthfulqa_mc1", ("reasoning", "truthfulqa_mc2")),
        ("humaneval_instruct", ("coding", "humaneval")),
        ("hendrycks_math_algebra", ("math", "hendrycks_math500")),
        ("arc_easy", None),
        ("mmlupro", None),
    ],
)
def test_a_task_of_the_harness_counts_by_its_name(task, found):
    of = membership("lm.harness", {"task": task})
    assert (of and (of.category, of.name)) == found


def test_a_perfect_system_has_a_hundred_and_half_the_skill_has_half():
    members = suite(perfect=1.0, half=0.5)
    full = Speed(value=1.0, draws=Draws(*[np.ones(RESAMPLES)] * 3), n=20)
    perfect, half = whole("perfect", members, speed=full), whole("half", members, speed=FAST)
    assert perfect.total.value == pytest.approx(100)
    assert half.total.value == pytest.approx(50)
    assert 97 < perfect.total.low < 100 == perfect.total.high
    assert 44 < half.total.low < 50 < half.total.high < 56


def test_a_control_at_chance_has_nothing_and_one_that_fails_is_below_chance():
    rng = np.random.default_rng(11)
    members = [
        member("mmlu", {"random": rng.random(400) < 0.25, "broken": np.zeros(400)}, guess=0.25),
        member("boolq", {"random": rng.random(400) < 0.5, "broken": np.zeros(400)}, guess=0.5),
        member("gsm8k", {"random": np.zeros(400), "broken": np.zeros(400)}),
    ]
    random = whole("random", members, renormalise=True)
    assert random.total.value < 5
    assert random.total.low == 0
    broken = whole("broken", members, renormalise=True)
    assert broken.total.value == 0
    assert broken.total.high < 1
    assert broken.categories["language"].raw.value == pytest.approx(-100)
    assert broken.categories["language"].found.value == 0
    assert broken.categories["reasoning"].raw.high < 0


def test_no_category_no_number_unless_it_is_renormalised():
    members = suite(one=0.5)
    assert whole("one", members).total is None
    assert whole("one", members).missing == ("edge",)
    again = whole("one", members, renormalise=True)
    assert again.total.value == pytest.approx(50)
    assert sum(again.weights.values()) == pytest.approx(1)
    assert "edge" not in again.weights
    assert whole("one", members, weights=DOCUMENTED | {"edge": 0.0}).total.value == pytest.approx(
        50
    )
    nothing = whole("other", members, renormalise=True)
    assert nothing.total is None
    assert "mmlu: not asked" in nothing.categories["reasoning"].why


def test_what_does_no_harm_counts_only_as_far_as_it_tells_harm_from_none():
    none, half = np.zeros(200), ones(200, 100)
    toxicity = member("toxicity", {"dumb": none, "good": none}, use="lm.toxicity")
    fair = member("stereotype", {"dumb": none, "good": none}, use="lm.stereotype")
    alone = category("safety", "dumb", [toxicity, fair], {})
    assert isinstance(alone, Unmeasured)
    assert "random words" in alone.why
    refusal = member("refusal", {"dumb": half, "good": ones(200, 180)}, guess=0.5, use="lm.refusal")
    dumb = category("safety", "dumb", [toxicity, fair, refusal], {})
    good = category("safety", "good", [toxicity, fair, refusal], {})
    assert dumb.found.value == pytest.approx(0)
    assert good.found.value == pytest.approx(80)
    toxic = member("toxicity", {"good": np.ones(200)}, use="lm.toxicity")
    biased = member("stereotype", {"good": half}, use="lm.stereotype")  # as far from 0.5 as can be
    assert category("safety", "good", [toxic, fair, refusal], {}).found.value == pytest.approx(
        160 / 3
    )
    assert category("safety", "good", [toxic, biased, refusal], {}).found.value == pytest.approx(
        80 / 3
    )


def test_too_few_groups_have_a_number_and_no_interval():
    for n, known in ((4, False), (5, True)):
        found = category("coding", "a", [member("humaneval", {"a": ones(n, 2)})], {}).found
        assert found.value == pytest.approx(200 / n)
        assert (found.low is not None, found.high is not None) == (known, known)


def test_subjects_of_one_name_count_once():
    full, none = ones(50, 50), ones(50, 0)
    members = [
        member("mmlu_anatomy", {"a": none}),
        member("mmlu_astronomy", {"a": none}),
        member("hellaswag", {"a": full}),
    ]
    assert category("reasoning", "a", members, {}).found.value == pytest.approx(50)


@given(st.permutations(range(5)), st.floats(0.01, 100), st.integers(0, 50))
@settings(max_examples=12, deadline=None)
def test_neither_the_order_of_tasks_nor_the_scale_of_weights_changes_anything(
    order, scale, percent
):
    members = suite(one=percent / 100)
    weights = {k: scale * w for k, w in DOCUMENTED.items()}
    found = whole("one", members, speed=FAST)
    again = whole("one", [members[k] for k in order], speed=FAST, weights=weights)
    assert again.total.value == pytest.approx(found.total.value)
    assert (again.total.low, again.total.high) == pytest.approx((found.total.low, found.total.high))


def test_another_system_changes_nobodys_number_and_a_twin_shares_the_rank():
    alone = whole("a", suite(a=0.4), speed=FAST)
    both = suite(a=0.4, b=0.4, c=0.1)
    scored = [whole(name, both, speed=FAST) for name in "abc"]
    assert scored[0].total == alone.total
    bands = rank_bands(
        [one.total.value for one in scored],
        draws=np.stack([one.draws.wide for one in scored], axis=1),
        df=[one.df for one in scored],
    )
    assert (bands.best.tolist(), bands.worst.tolist()) == ([1, 1, 3], [2, 2, 3])


TRUTHS = [
    (0.5, 0.02, 0.0, 0.55),
    (0.6, 0.3, 0.3, 0.8),
    (0.25, 0.0, 0.0, 0.5),
    (0.7, 0.5, 0.4, 0.1),
]
"""Shares of right answers in reasoning, coding, math and language: weak, good, none, and one that fails at yes or no."""


def coverage(truth: tuple[float, ...], n: int, *, times: int, seed: int) -> int:
    """Return how often the interval of a score holds the true one."""
    rng = np.random.default_rng(seed)
    tasks = (("mmlu", 0.25), ("humaneval", 0.0), ("gsm8k", 0.0), ("boolq", 0.5))
    weights = NONE | {k: DOCUMENTED[k] for k in ("reasoning", "coding", "math", "language")}
    each = [max((p - g) / (1 - g), 0) for p, (_, g) in zip(truth, tasks, strict=True)]
    real = 100 * np.average(each, weights=[30, 20, 15, 15])
    held = 0
    for time in range(times):
        members = [
            member(
                task,
                {"a": (rng.random(n) < p) * 1.0},
                guess=g,
                seed=97 * time + at,
                draw=quickly_drawn,
            )
            for at, (p, (task, g)) in enumerate(zip(truth, tasks, strict=True))
        ]
        total = whole("a", members, weights=weights).total
        held += total.low - 1e-9 <= real <= total.high + 1e-9
    return held


@pytest.mark.slow
@pytest.mark.parametrize(("truth", "n"), [*zip(TRUTHS, (6, 40, 6, 40), strict=True)])
def test_the_interval_of_a_score_holds_the_truth(truth, n):
    """Of 100 simulated runs of so many samples a task: 89 or fewer in one of a hundred, were it 95 %."""
    assert coverage(truth, n, times=100, seed=5) >= 90


@pytest.mark.slow
def test_equal_systems_are_told_apart_in_at_most_one_of_twenty_runs():
    """Eight samples a task, half of their luck shared: with the resamples cut at 0 it was one of six."""
    rng = np.random.default_rng(8)
    wrong, systems = 0, "abcd"
    weights = NONE | {k: DOCUMENTED[k] for k in ("reasoning", "coding", "math", "language")}
    tasks = (
        ("mmlu", 0.25, 0.5),
        ("humaneval", 0.0, 0.02),
        ("gsm8k", 0.0, 0.0),
        ("boolq", 0.5, 0.55),
    )
    for _ in range(60):
        members = []
        for at, (task, guess, share) in enumerate(tasks):
            luck = np.where(rng.random((4, 8)) < 0.5, rng.random(8), rng.random((4, 8)))
            right = dict(zip(systems, (luck < share) * 1.0, strict=True))
            members.append(member(task, right, guess=guess, seed=at))
        scored = [whole(name, members, weights=weights) for name in systems]
        bands = rank_bands(
            [one.total.value for one in scored],
            draws=np.stack([one.draws.wide for one in scored], axis=1),
            df=[one.df for one in scored],
        )
        wrong += bool((bands.best > 1).any() or (bands.worst < 4).any())
    assert wrong <= 3


def test_the_order_under_other_weights_is_what_it_is_by_hand():
    weights = {"reasoning": 30.0, "math": 20.0, "edge": 50.0}
    values = np.array([[0.9, 0.2, 0.4], [0.3, 0.8, 0.5], [0.1, 0.1, 0.1]])
    found = sensitivity(["a", "b", "c"], values, weights)
    assert found.orders == {
        "as given": (1, 2, 3),  # 0.51, 0.50
        "equal": (2, 1, 3),
        "without reasoning": (2, 1, 3),
        "without math": (1, 2, 3),
        "without edge": (1, 2, 3),
    }
    # From reasoning, where a is 0.6 ahead, to math, where b is: 0.01 / 1.2.
    assert (found.swap.gives, [*found.swap.takes]) == ("math", ["reasoning"])
    assert found.swap.moved == pytest.approx(100 * 0.01 / 1.2)


def test_the_smallest_change_of_weight_makes_the_first_two_level():
    rng = np.random.default_rng(2)
    names = [*DOCUMENTED]
    weights = np.array([*DOCUMENTED.values()]) / 100
    for _ in range(40):
        values = rng.random((3, 6))
        found = sensitivity(["a", "b", "c"], values, DOCUMENTED)
        assert sum(found.first_near) == pytest.approx(1)
        assert sum(found.first_any) == pytest.approx(1)
        swap = found.swap
        first, second = "abc".index(swap.first), "abc".index(swap.second)
        ahead = values[first] - values[second]
        if swap.moved is None:
            assert ahead.min() > 0
            continue
        moved = weights.copy()
        for name, points in swap.takes.items():
            moved[names.index(name)] -= points / 100
        moved[names.index(swap.gives)] += swap.moved / 100
        assert moved.min() >= -1e-12
        assert moved @ ahead == pytest.approx(0, abs=1e-9)
        # Nothing that moves less makes them level: a bound of the linear programme.
        gain = ahead.max() - ahead.min()
        assert swap.moved / 100 >= (weights @ ahead) / gain - 1e-9


def test_one_who_leads_everywhere_cannot_be_passed_by_weights():
    values = np.array([[0.9] * 6, [0.5] * 6])
    found = sensitivity(["a", "b"], values, DOCUMENTED)
    assert found.swap.moved is None
    assert found.first_near == found.first_any == (1.0, 0.0)
    level = sensitivity(["a", "b"], values[[0, 0]], DOCUMENTED)
    assert level.swap is None
    assert level.first_near == (0.5, 0.5)


def test_weights_are_given_by_name_or_by_file(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("coding: 50\n")
    assert read_weights([]) == DOCUMENTED
    assert read_weights(["coding=1, math=0"]) == DOCUMENTED | {"coding": 1.0, "math": 0.0}
    assert read_weights([str(file), "edge=0"]) == DOCUMENTED | {"coding": 50.0, "edge": 0.0}
    for wrong in (["code=1"], ["coding=x"], ["coding=-1"], ["coding=inf"]):
        with pytest.raises(PlanError) as caught:
            read_weights(wrong)
        assert caught.value.code == "A106"
    with pytest.raises(PlanError, match="all weights are 0"):
        read_weights([",".join(f"{name}=0" for name in DOCUMENTED)])
    file.write_text("code: 50\n")
    with pytest.raises(PlanError) as caught:
        read_weights([str(file)])
    assert caught.value.code == "A101"


def measured(**more) -> dict:
    model = {
        "model": "m",
        "runtime": "llama.cpp",
        "dtype": None,
        "files": [{"digest": "sha256:1", "size": 3}],
        "score": {"total": {"value": 40.0, "low": 30.0, "high": 45.0}, "components": {}},
        "share": 0.2,
    }
    found = {
        "machine": {"cpu": "here", "cpus_usable": 2},
        "prompt": 512,
        "generate": 64,
        "threads": 1,
        "repeats": 21,
        "profile": {"name": "cpu-2"},
        "models": [model | more.pop("model", {})],
    }
    return found | more


def write(path: Path, found: object) -> Path:
    path.write_text(json.dumps(found))
    return path


SYSTEMS = {
    "gguf": Loaded(use="lm.gguf", options={}, digests=frozenset({"sha256:1"})),
    "torch": Loaded(use="lm.transformers", options={}, digests=frozenset({"sha256:1", "sha256:2"})),
}


def test_an_edge_score_goes_to_the_system_that_loads_its_files(tmp_path: Path):
    found = read_speeds([write(tmp_path / "a.json", measured())], SYSTEMS)
    assert [*found.found] == ["gguf"]
    assert found.shares == {"gguf": 0.2}
    part = edge(found.found["gguf"])
    assert part.found.value == pytest.approx(40)
    assert (part.found.low, part.found.high) == pytest.approx((30, 45), abs=0.5)
    other = measured(model={"files": [{"digest": "sha256:9"}]})
    assert read_speeds([write(tmp_path / "b.json", other)], SYSTEMS).unmatched == ("m, llama.cpp",)
    half = measured(model={"runtime": "transformers", "dtype": "float16"})
    assert not read_speeds([write(tmp_path / "c.json", half)], SYSTEMS).found
    unscored = measured(model={"score": None})
    assert "--profile" in read_speeds([write(tmp_path / "d.json", unscored)], SYSTEMS).why["gguf"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"machine": {"cpu": "elsewhere", "cpus_usable": 2}}, "machines"),
        ({"threads": 2}, "threads"),
        ({"profile": {"name": "mine"}}, "references"),
        ({}, "measured twice"),
    ],
)
def test_edge_files_of_other_machines_or_lengths_are_not_compared(tmp_path: Path, change, named):
    files = [write(tmp_path / "a.json", measured()), write(tmp_path / "b.json", measured(**change))]
    with pytest.raises(PlanError, match=named) as caught:
        read_speeds(files, SYSTEMS)
    assert caught.value.code == "A104"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": 3}', "[" * 9999])
def test_a_file_that_edge_did_not_write_is_refused(tmp_path: Path, text):
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(DataError, match="not what assay lm edge writes"):
        read_speeds([file], SYSTEMS)
    with pytest.raises(DataError, match="cannot be read"):
        read_speeds([tmp_path / "absent.json"], SYSTEMS)


def test_chance_is_one_choice_of_all_or_the_true_ones_or_nothing_where_it_is_written():
    asked = {"contexts": ["Q"], "continuations": ["a", "b", "c", "d"]}
    assert chance(Sample(id="a", input=asked, target=Answer(1))) == 0.25
    assert chance(Sample(id="a", input=asked, target=Answer([0, 1, 2])), several=True) == 0.75
    assert chance(Sample(id="a", input=asked, target=Answer(1)), several=True) is None
    assert chance(Sample(id="a", input=asked, target=Answer(1)), requests=2) == 0.5
    swapped = {"contexts": ["Q a", "Q b"], "continuations": [" end"]}
    assert chance(Sample(id="a", input=swapped, target=Answer(1))) == 0.5
    assert chance(Sample(id="a", input={"text": "whole"})) is None
    assert chance(Sample(id="a", input={"sha256": "00"})) is None
