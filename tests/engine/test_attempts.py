"""A question that is asked several times, and the numbers that come of it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.attempts import attempt_metrics, pass_at, pass_hat
from assay.core.errors import PlanError
from assay.core.metric import Ratio
from assay.core.record import Cell, Record
from assay.core.reply import Answer, Crash, Usage
from assay.core.verdict import Outcome, Verdict
from assay.engine.rounds import first_round, is_asked
from assay.publish.run import Run
from assay.publish.running import run
from assay.store.columns import first_attempts, to_columns
from assay.store.journal import read_lines, repair
from assay.store.line import to_line
from runs import execute_plan, finish, resolve_plan, start_child, write_plan

PLAN = """
    name: again
    seeds: [0, 1]
    tasks: [{use: toy.errands, limit: 60, attempts: 4}]
    timing: {processes: 1, blocks: 1, questions: 1}
    systems:
      - {name: votes, use: toy.votes}
"""


LAST = "{name: last, use: toy.last_word}"


def chances(right: int, n: int, k: int) -> tuple[float, float]:
    """Return how often some, and all, of k out of n attempts are right, by looking at every choice."""
    draws = list(combinations([True] * right + [False] * (n - right), k))
    return np.mean([any(d) for d in draws]), np.mean([all(d) for d in draws])


@given(st.data())
def test_both_chances_are_what_every_choice_of_attempts_comes_to(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    k, right = data.draw(st.integers(1, n)), data.draw(st.integers(0, n))
    one = np.array([1.0])
    columns = {
        "attempts": one * n, "attempts_right": one * right, "asked": one,
        "correct": one * 0, "declined": one * 0,
    }  # fmt: skip
    found = []
    for metric in (pass_at(k), pass_hat(k)):
        assert isinstance(metric.form, Ratio)
        found.append(float(metric.form.numerator(columns)[0]))
    assert found == pytest.approx(chances(right, n, k))


def test_who_was_asked_once_and_draws_nothing_would_have_said_the_same_again() -> None:
    columns = {
        "attempts": np.full(3, np.nan), "attempts_right": np.full(3, np.nan), "asked": np.ones(3),
        "correct": np.array([1.0, 0, 0]), "declined": np.array([0, 1.0, 0]),
    }  # fmt: skip
    for metric in attempt_metrics(5):
        assert isinstance(metric.form, Ratio)
        assert metric.form.numerator(columns).tolist() == [1, 1, 0]


def test_fewer_attempts_than_k_say_nothing_of_k() -> None:
    metric = pass_at(3)
    assert isinstance(metric.form, Ratio)
    columns = {
        "attempts": np.array([2.0]), "attempts_right": np.array([1.0]), "asked": np.ones(1),
        "correct": np.ones(1), "declined": np.zeros(1),
    }  # fmt: skip
    assert np.isnan(metric.form.numerator(columns)).all()


def row(sample: str, attempt: int, outcome: Outcome) -> Record:
    said = Crash("machine") if outcome is Outcome.CRASHED else Answer("x")
    return Record(
        cell=Cell(task="t", system="s", seed=0, split="test"), sample=sample, attempt=attempt,
        group=sample, said=said, verdict=Verdict(outcome=outcome), usage=Usage(busy_s=attempt + 1),
    )  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.lists(
            st.sampled_from([Outcome.CORRECT, Outcome.WRONG, Outcome.CRASHED]),
            min_size=2,
            max_size=5,
        ),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_the_first_attempt_stands_for_the_sample_and_the_others_are_counted(told, rng) -> None:
    rows = [row(s, a, o) for s, outcomes in told.items() for a, o in enumerate(outcomes)]
    rng.shuffle(rows)
    found = first_attempts(to_columns(map(to_line, rows)))
    assert list(found.samples) == sorted(told)
    for i, sample in enumerate(found.samples):
        observed = [o for o in told[sample] if o is not Outcome.CRASHED]
        assert found.measured["attempts"][i] == len(observed)
        assert found.measured["attempts_right"][i] == observed.count(Outcome.CORRECT)
        assert found.measured["busy_s"][i] == 1


def test_what_was_asked_once_is_left_as_it_is() -> None:
    columns = to_columns([to_line(row("a", 0, Outcome.CORRECT))])
    assert first_attempts(columns) is columns


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("again")
    return run(write_plan(folder, PLAN), out=folder / "run")


def test_only_systems_that_draw_are_asked_again(again: Run) -> None:
    for system, times in (("random", 4), ("votes", 1), ("silent", 1)):
        path = again.dir.journal(Cell(task="toy.errands", system=system, seed=0, split="test"))
        asked = [(x.decided.sample, x.decided.attempt) for x in read_lines(path)]
        assert len(asked) == len(set(asked)) == 60 * times
        assert {a for _, a in asked} == set(range(times))


def test_attempts_differ_and_accuracy_speaks_of_the_first(again: Run) -> None:
    path = again.dir.journal(Cell(task="toy.errands", system="random", seed=0, split="test"))
    lines = list(read_lines(path))
    by = {(x.decided.sample, x.decided.attempt): x.decided.outcome for x in lines}
    first = [o for (_, a), o in by.items() if a == 0]
    assert any(by[s, 0] != by[s, 1] for s, a in by if a == 0)
    table = again.results.cases["toy.errands"].tables["random"]
    right = table.columns["correct"][0].sum() + table.columns["declined"][0].sum()
    assert right == sum(o in ("correct", "declined") for o in first)


def test_more_attempts_find_more_and_agree_on_less(again: Run) -> None:
    value = {
        name: again.estimate(name, system="random").value
        for name in ("accuracy", "pass_at_1", "pass_hat_1", "pass_at_4", "pass_hat_4")
    }
    assert value["pass_at_1"] == pytest.approx(value["pass_hat_1"])
    assert value["pass_hat_4"] < value["pass_at_1"] < value["pass_at_4"]
    assert value["pass_at_1"] != value["accuracy"]
    votes = {
        again.estimate(n, system="votes").value for n in ("accuracy", "pass_at_4", "pass_hat_4")
    }
    assert len(votes) == 1


def test_every_number_of_a_run_with_attempts_computes_again(again: Run) -> None:
    assert again.verify() == []


def test_a_run_that_is_killed_goes_on_at_the_next_missing_attempt(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, PLAN)
    whole = execute_plan(plan, tmp_path / "whole", workers=1)
    cell = Cell(task="toy.errands", system="random", seed=0, split="test")
    execute_plan(plan, tmp_path / "run", workers=1)
    cut = Run.load(tmp_path / "run").dir
    cut.seal.unlink()
    cut.finished(cell).unlink()
    journal = cut.journal(cell)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:101]))
    assert len(repair(journal).lines) == 101
    code, said = finish(start_child(plan, tmp_path / "run", workers=1))
    assert code == 0, said
    again = {(x.decided.sample, x.decided.attempt): x.decided for x in read_lines(journal)}
    assert again == {
        (x.decided.sample, x.decided.attempt): x.decided for x in read_lines(whole.journal(cell))
    }


def test_the_forecast_counts_attempts(tmp_path: Path) -> None:
    from assay.engine.forecast import forecast

    loads = {
        x.system: x for x in forecast(resolve_plan(write_plan(tmp_path, PLAN)), runs=tmp_path).loads
    }
    assert loads["random"].questions == 2 * 60 * 4
    assert loads["votes"].questions == 2 * 60


@pytest.mark.parametrize("times", ["0", "101", "two"])
def test_a_number_of_attempts_that_is_none_is_refused(tmp_path: Path, times: str) -> None:
    with pytest.raises(PlanError, match="attempts"):
        resolve_plan(write_plan(tmp_path, PLAN.replace("attempts: 4", f"attempts: {times}")))


def test_a_round_is_asked_when_every_attempt_is(tmp_path: Path) -> None:
    claim = """
    claims:
      - {id: good, says: It is right, system: votes, metric: accuracy, at_least: 0.3}
"""
    plan = write_plan(tmp_path, PLAN.rstrip(" ") + "    stop: when_decided" + claim)
    run, resolved = execute_plan(plan, tmp_path / "run", workers=1), resolve_plan(plan)
    this = first_round(resolved)
    assert is_asked(run, resolved, this)
    journal = run.journal(Cell(task="toy.errands", system="random", seed=0, split="test"))
    kept = [x for x in journal.read_bytes().splitlines(keepends=True) if b'"attempt":3' not in x]
    journal.write_bytes(b"".join(kept))
    assert not is_asked(run, resolved, this)


def test_attempts_go_on_from_round_to_round(tmp_path: Path) -> None:
    claim = """
    claims:
      - {id: close, says: It is right, system: last, metric: accuracy, at_least: 0.4}
"""
    text = PLAN.replace("limit: 60", "limit: 300").replace("{name: votes, use: toy.votes}", LAST)
    plan = write_plan(tmp_path, text.rstrip(" ") + "    stop: when_decided" + claim)
    found = run(plan, out=tmp_path / "run")
    samples = {
        system: {(x.sample, x.attempt) for _, x in found.read(system)}
        for system in ("random", "last")
    }
    asked = {sample for sample, _ in samples["last"]}
    assert len(asked) > 60  # more than one round
    assert samples["random"] == {(sample, attempt) for sample in asked for attempt in range(4)}
