"""Flips: right answers of a source that a converted file no longer gives, counted with an interval."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Outcome, PlanError, Run
from assay.families.supply.agreeing.flips import Ask, Pair, Turned, count, ready
from assay.families.supply.agreeing.limits import Limits, limits_of
from assay.families.supply.agreeing.models import find_model
from assay.families.supply.formats.apr import TensorToWrite, write_apr
from assay.families.supply.passport import (
    Asked,
    Named,
    Number,
    Passport,
    as_bytes,
    passport_path,
    read_passport,
)
from runs import ROOT, installed

N = 40
PLAN = """
name: ours
tasks:
  - {use: signs.positive, name: job}
systems:
  - {name: model, use: signs.reader, options: {model: anything.apr}}
  - {name: rule, use: testing.faulty, options: {value: "yes"}}
claims:
  - {id: good, says: It is good, system: model, metric: accuracy, at_least: 0.5}
fronts: [[accuracy, usd_per_1k]]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with installed(monkeypatch):
        yield


def model(name: str, *, negative: tuple[int, ...] = ()) -> Path:
    """Write a model whose numbers are positive, but for some."""
    numbers = np.arange(1, N + 13, dtype=np.float32)
    numbers[list(negative)] *= -1
    path = Path(name)
    write_apr(path, {"name": "signs"}, [TensorToWrite.of_array("w", numbers, "F32")])
    return path


def asked(candidate: Path, source: Path, plan: str = PLAN) -> Turned:
    Path("ours.yaml").write_text(plan)
    new, old = find_model(candidate), find_model(source)
    return ready(Ask(plan=Path("ours.yaml")), candidate=new, source=old).turned(new, old)


outcomes = st.sampled_from(list(Outcome))
pairs = st.lists(st.tuples(outcomes, outcomes), min_size=1, max_size=60).map(
    lambda all_of: [
        Pair(sample=str(i), group=str(i // 2), source=s, candidate=c)
        for i, (s, c) in enumerate(all_of)
    ]
)
RIGHT = {Outcome.CORRECT, Outcome.DECLINED}


@given(pairs.filter(lambda some: any(pair.observed for pair in some)))
def test_every_flip_is_counted_one_way_or_the_other(some):
    numbers = {number.name: number for number in count(some)}
    seen = [p for p in some if Outcome.CRASHED not in (p.source, p.candidate)]
    lost = sum(p.source in RIGHT and p.candidate not in RIGHT for p in seen)
    won = sum(p.source not in RIGHT and p.candidate in RIGHT for p in seen)
    for name, wanted in (("flips", lost + won), ("lost", lost), ("won", won)):
        number = numbers[f"{name}_per_1000"]
        assert number.n == len(seen)
        assert number.value == pytest.approx(1000 * wanted / len(seen))
        low, high = number.interval
        assert 0 <= low <= number.value + 1e-9
        assert number.value - 1e-9 <= high <= 1000 + 1e-9
    unheard = len(some) - len(seen)
    assert ("not_observed" in numbers) == bool(unheard)
    assert all(number.passed for number in numbers.values()) == (not unheard)


@given(st.tuples(*[st.floats(0, 1000)] * 3).map(sorted), st.floats(0, 1000))
def test_a_limit_is_kept_by_the_whole_interval_or_not_at_all(ends, limit):
    low, value, high = ends
    number = Number(
        name="lost_per_1000", value=value, n=9, of="answers", limit=limit, interval=(low, high)
    )
    assert number.passed == (high <= limit)
    assert replace(number, relation="at_least").passed == (low >= limit)
    assert replace(number, interval=None).passed == (value <= limit)
    said = str(number)
    assert ("at most" in said) == (low <= limit)
    assert ("not shown" in said) == (low <= limit < high)


def passport_of(verdict: str, *reasons: str) -> Passport:
    """Return a passport that nothing was asked for."""
    named = Named(name="m.apr", format="apr", sha256="0" * 64, size=1)
    return Passport(
        verdict=verdict,
        reasons=[*reasons],
        candidate=named,
        source=named,
        prompts=Asked(name="p", sha256="0" * 64, n=1),
        numbers=[],
        tensors={},
        changed=[],
        farthest={},
        ran={},
        parents=[],
        settings={},
        versions={},
    )


def test_a_passport_without_a_task_is_the_bytes_that_it_was():
    passport = passport_of("accepted")
    assert b'"task"' not in as_bytes(passport)


@pytest.mark.slow
def test_the_answers_that_turn_are_those_whose_numbers_did():
    """Of 40 right answers 6 are lost and, against a source with 2 wrong ones, 2 are won."""
    source = model("source.apr", negative=(38, 39))
    found = asked(model("m.apr", negative=(0, 1, 2, 3, 10, 20)), source)
    numbers = {number.name: number for number in found.numbers}
    assert numbers["flips_per_1000"].value == pytest.approx(200)
    assert numbers["lost_per_1000"].value == pytest.approx(150)
    assert numbers["won_per_1000"].value == pytest.approx(50)
    assert numbers["accuracy_source"].value == pytest.approx(38 / 40)
    assert numbers["accuracy"].value == pytest.approx(34 / 40)
    loss = numbers["accuracy_loss"]
    assert loss.value == pytest.approx(0.1)
    assert loss.interval[0] < 0.1 < loss.interval[1]
    assert (found.task, found.version, found.plan, found.use) == (
        "job",
        "1",
        "ours",
        "signs.reader",
    )
    assert found.options == {}
    run = Run.load(found.run)
    assert [s.name for s in run.loaded.plan.systems] == ["source", "candidate"]
    assert not run.loaded.plan.claims
    assert not run.verify()
    # The same question is not asked twice, and has the same name.
    seal = (found.run / "SEAL").read_bytes()
    assert asked(Path("m.apr"), source) == found
    assert (found.run / "SEAL").read_bytes() == seal
    # Another file is another run.
    assert asked(model("m.apr", negative=(5,)), source).run != found.run


@pytest.mark.slow
def test_a_file_that_was_refused_is_asked_what_that_costs():
    """Whoever loads it is stopped by its passport; who measures it is not, and nothing is left loaded."""
    source, candidate = model("source.apr"), model("m.apr", negative=(7,))
    passport = passport_of("refused", "kl_mean 0.3 is above 0.01")
    passport_path(candidate).write_bytes(as_bytes(passport))
    assert read_passport(passport_path(candidate)).verdict == "refused"
    numbers = {one.name: one.value for one in asked(candidate, source).numbers}
    assert numbers["lost_per_1000"] == pytest.approx(25)


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        (PLAN.replace("tasks:\n", "tasks:\n  - {use: toy.errands}\n"), "several tasks"),
        (PLAN.replace("{model: anything.apr}", "{}").replace("use: signs.reader", "use: toy.votes"),
         "no system has an option `model`"),
        (PLAN.replace("  - {name: rule", "  - {name: two, use: signs.reader, options: {model: b}}\n"
         "  - {name: rule"), "several systems have a model: model, two"),
        (PLAN.replace("signs.positive", "signs.positiv"), "signs.positiv"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_say_how_to_ask_is_told_before_anything_is_asked(plan, what):
    source = model("source.apr")
    with pytest.raises(PlanError, match=what):
        asked(model("m.apr"), source, plan)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_of_several_systems_the_one_that_has_the_source_says_how_to_ask():
    source = model("source.apr")
    plan = PLAN.replace(
        "  - {name: rule",
        "  - {name: two, use: signs.reader, options: {model: source.apr}}\n  - {name: rule",
    )
    assert asked(model("m.apr"), source, plan).use == "signs.reader"


@pytest.mark.slow
def test_of_a_task_without_accuracy_flips_are_counted_and_no_loss_is_promised():
    source = model("source.apr")
    plan = PLAN.replace("name: job", "name: job, options: {metrics: 1}")
    plan = plan.replace("metric: accuracy,", "metric: failure_rate,").replace("[[accuracy, ", "[[")
    numbers = {n.name: n for n in asked(model("m.apr", negative=(0, 1)), source, plan).numbers}
    assert numbers["lost_per_1000"].value == pytest.approx(50)
    assert numbers["accuracy_loss"].value == pytest.approx(0.05)
    assert numbers["accuracy_loss"].interval == (-1.0, 1.0)


@pytest.mark.slow
def test_a_task_that_only_scores_has_no_flips():
    source = model("source.apr")
    with pytest.raises(PlanError, match="nothing is right or wrong"):
        asked(model("m.apr"), source, PLAN.replace("signs.positive", "signs.size"))


def test_limits_of_a_task_are_set_by_name_and_need_one():
    limits = limits_of(["lost_per_1000=20", "accuracy_loss=0.05"])
    assert limits.of_a_task == ("lost_per_1000", "accuracy_loss")
    assert Limits().of_a_task == ()


@pytest.mark.heavy
def test_validate_counts_flips_and_its_passport_says_them(tmp_path):
    """A limit on them is kept by the whole interval: eight questions show little."""
    pytest.importorskip("torch")
    from assay.families.supply.commands.validate import validate
    from assay.families.supply.converting.convert import convert
    from tiny_llama import write_llama

    write_llama(tmp_path / "source")
    convert(tmp_path / "source", tmp_path / "m.apr", to="apr", quantise="q8")
    (tmp_path / "few.yaml").write_text("name: few\nprompts:\n- {id: a, text: The other thing}\n")
    rows = [{"prompt": f"no. {k}", "label": "ab"[k % 2]} for k in range(24)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "ours.yaml").write_text(
        "name: ours\n"
        "tasks:\n- {use: lm.labelled, name: job, options: {path: rows.jsonl, user: '{prompt}'}}\n"
        "systems:\n- {name: model, use: lm.transformers,"
        " options: {model: x, chat: plain, max_tokens: 2}}\n"
    )
    given = {
        "against": tmp_path / "source",
        "prompts": tmp_path / "few.yaml",
        "task": tmp_path / "ours.yaml",
    }
    page = validate(tmp_path / "m.apr", **given)
    assert page.code == 0, page.lines
    rows = {line[0]: line for line in page.lines if isinstance(line, tuple)}
    n = int(rows["flips_per_1000"][3].split()[0])
    assert n >= 12
    assert "[" in rows["flips_per_1000"][1]
    assert Path(page.facts["run"]).is_dir()
    passport = read_passport(passport_path(tmp_path / "m.apr"))
    assert passport.task is not None
    assert (passport.task.task, passport.task.use) == ("job", "lm.transformers")
    assert passport.task.options == {"chat": "plain", "max_tokens": 2}
    number = next(one for one in passport.numbers if one.name == "lost_per_1000")
    assert (number.n, number.of) == (n, "answers")
    assert number.low <= number.value <= number.high
    printed = subprocess.run(
        [sys.executable, ROOT / "tools" / "passports.py", passport_path(tmp_path / "m.apr")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"| m.apr | source | accepted | {rows['accuracy_source'][1]} |" in printed
    again = validate(tmp_path / "m.apr", limit=["lost_per_1000=5"], **given)
    assert again.code == 1
    assert "not shown to be at most 5" in " ".join(map(str, again.lines))
    assert read_passport(passport_path(tmp_path / "m.apr")).verdict == "refused"
    with pytest.raises(PlanError, match="A106 lost_per_1000 is counted on a task"):
        validate(tmp_path / "m.apr", against=tmp_path / "source", limit=["lost_per_1000=5"])
