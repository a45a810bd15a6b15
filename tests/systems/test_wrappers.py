"""Wrappers turn answers into declines, or ask another; they never invent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Cell, Check, Crash, Outcome, Question, Record, Reply, Verdict
from assay.analysis.table import make_table
from assay.core.reply import Said
from assay.core.verdict import judge
from assay.store.columns import OUTCOMES, to_columns
from assay.store.line import to_line
from assay.systems.cascade import Cascade
from assay.systems.railed import Railed
from assay.systems.threshold import Thresholded
from strategies import bottoms, crashes, faileds, json_values, usages

SURE = st.none() | st.floats(0, 1) | st.sampled_from([0, 1, 0.5])
ANSWERS = st.builds(Answer, json_values(), SURE)
PROPOSING = st.builds(Bottom, st.just("unsure"), ANSWERS)
SAIDS = ANSWERS | bottoms() | PROPOSING | faileds() | crashes()
TARGETS = st.sampled_from([Answer("x"), Bottom("none"), None])


@dataclass(frozen=True)
class Scripted:
    """Says what it was told to say; a question that is not in the script gets no reply."""

    script: dict[str, Said]

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        for question in questions:
            if question.id in self.script:
                yield Reply(question.id, self.script[question.id], attempt=question.attempt)


def asked(count: int) -> list[Question]:
    return [Question(id=f"q{i}", input=i) for i in range(count)]


def said_by(system: object, count: int) -> dict[str, Said]:
    return {r.question: r.said for r in system.answer(asked(count))}  # type: ignore[attr-defined]


def script(saids: list[Said]) -> Scripted:
    return Scripted({f"q{i}": said for i, said in enumerate(saids)})


@given(
    rows=st.lists(st.tuples(SAIDS, TARGETS, st.booleans()), min_size=1, max_size=12),
    at_least=st.floats(0, 1.1) | st.sampled_from([0.5, 1.0]),
)
def test_what_ships_is_what_was_computed(
    rows: list[tuple[Said, Answer | Bottom | None, bool]], at_least: float
) -> None:
    """The wrapper that ships a threshold and the table that chose it withhold the same answers."""
    cell = Cell(task="t", system="s", seed=0, split="test")
    targets = {f"q{i}": target for i, (_, target, _) in enumerate(rows)}
    passed = {f"q{i}": Check(passed=right) for i, (_, _, right) in enumerate(rows)}

    def outcomes(saids: dict[str, Said]) -> dict[str, Outcome]:
        return {q: judge(targets[q], said, passed[q]).outcome for q, said in saids.items()}

    def record(question: str, said: Said) -> Record:
        verdict = judge(targets[question], said, passed[question])
        return Record(
            cell=cell, sample=question, group=question, said=said, verdict=verdict, usage=next_usage
        )

    from assay import Usage

    next_usage = Usage()
    system = script([said for said, _, _ in rows])
    columns = to_columns([to_line(record(q, s)) for q, s in system.script.items()])
    no_answer = {q: isinstance(target, Bottom) for q, target in targets.items()}
    table = make_table("s", {0: columns}, no_answer).above({0: at_least})
    computed = {q: OUTCOMES[c] for q, c in zip(table.samples, table.outcome[0], strict=True)}
    shipped = outcomes(said_by(Thresholded(system, at_least), len(rows)))
    assert shipped == computed


@given(saids=st.lists(SAIDS, max_size=8), at_least=st.floats(0, 1.1))
def test_a_threshold_declines_what_is_unsure_and_keeps_what_it_would_have_said(
    saids: list[Said], at_least: float
) -> None:
    found = said_by(Thresholded(script(saids), at_least), len(saids))
    for place, said in enumerate(saids):
        unsure = (
            isinstance(said, Answer) and said.confidence is not None and said.confidence < at_least
        )
        assert found[f"q{place}"] == (Bottom("below_threshold", said) if unsure else said)


@given(saids=st.lists(SAIDS, max_size=8), fires=st.sets(st.integers(0, 7)), usage=usages())
def test_a_rail_only_ever_turns_an_answer_into_a_decline(
    saids: list[Said], fires: set[int], usage: object
) -> None:
    def rail(question: Question, _: object) -> str | None:
        return "ltv" if question.input in fires else None

    found = said_by(Railed(script(saids), (rail,)), len(saids))
    for place, said in enumerate(saids):
        fired = isinstance(said, Answer) and place in fires
        assert found[f"q{place}"] == (Bottom("rail:ltv", said) if fired else said)


def test_a_rail_that_fires_is_a_right_decline_where_nothing_should_be_answered() -> None:
    railed = Railed(script([Answer("borrow")]), (lambda _q, _a: "ltv",))
    said = said_by(railed, 1)["q0"]
    assert judge(Bottom("too_risky"), said).outcome is Outcome.DECLINED
    assert judge(Answer("borrow"), said).outcome is Outcome.WITHHELD


def test_a_rail_may_say_the_numbers_behind_its_reason():
    railed = Railed(
        script([Answer("borrow")]), (lambda _q, _a: Bottom("ltv", detail="0.8 > 0.75"),)
    )
    assert said_by(railed, 1)["q0"] == Bottom("rail:ltv", Answer("borrow"), "0.8 > 0.75")


def test_the_first_rail_that_fires_names_the_reason_and_the_rest_are_not_asked() -> None:
    called: list[str] = []

    def rail(name: str, reason: str | None) -> object:
        def look(_question: Question, _answer: object) -> str | None:
            called.append(name)
            return reason

        return look

    rails = (rail("a", None), rail("b", "b"), rail("c", "c"))
    found = said_by(Railed(script([Answer("x")]), rails), 1)  # type: ignore[arg-type]
    assert found == {"q0": Bottom("rail:b", Answer("x"))}
    assert called == ["a", "b"]


def test_a_reply_behind_rails_keeps_its_usage_and_attempt() -> None:
    from assay import Usage

    class Twice:
        def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
            for q in questions:
                yield Reply(q.id, Answer("x"), Usage(busy_s=2.0), q.attempt)

    question = replace(asked(1)[0], attempt=3)
    [reply] = Railed(Twice(), (lambda _q, _a: "no",)).answer([question])
    assert (reply.usage.busy_s, reply.attempt) == (2.0, 3)


@given(
    first=st.lists(st.none() | SAIDS, max_size=8),
    second=st.lists(SAIDS, min_size=8, max_size=8),
)
def test_a_cascade_asks_the_fallback_what_the_first_does_not_answer(
    first: list[Said | None], second: list[Said]
) -> None:
    front = Scripted({f"q{i}": said for i, said in enumerate(first) if said is not None})
    found = said_by(Cascade(front, script(second)), len(first))
    for place, said in enumerate(first):
        # A crash of the first is ours and stays one: nobody knows what it would have said.
        kept = isinstance(said, Answer | Crash)
        assert found[f"q{place}"] == (said if kept else second[place])


def test_a_cascade_that_needs_no_fallback_asks_none() -> None:
    class Never:
        def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
            raise AssertionError("asked")

    assert said_by(Cascade(script([Answer(1)]), Never()), 1) == {"q0": Answer(1)}


def test_wrappers_wrap_wrappers() -> None:
    inner = script([Answer("a", 0.9), Answer("b", 0.2), Bottom("no")])
    stack = Cascade(Thresholded(Railed(inner, ()), 0.5), script([Answer("z")] * 3))
    assert [said.value for said in said_by(stack, 3).values()] == ["a", "z", "z"]  # type: ignore[union-attr]


@given(verdict=st.sampled_from(Outcome), sure=st.floats(0, 1), at=st.floats(0, 1))
def test_a_threshold_never_touches_what_was_no_answer(
    verdict: Outcome, sure: float, at: float
) -> None:
    said: Said = Answer("x", sure)
    if verdict not in (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED, Outcome.SCORED):
        said = Bottom("no", Answer("x", sure))
    from assay import Usage

    row = Record(
        cell=Cell(task="t", system="s", seed=0, split="test"),
        sample="q",
        group="q",
        said=said,
        verdict=Verdict(outcome=verdict),
        usage=Usage(),
    )
    table = make_table("s", {0: to_columns([to_line(row)])}, {"q": False})
    above = table.above({0: at})
    if isinstance(said, Bottom) or sure >= at:
        np.testing.assert_array_equal(above.outcome, table.outcome)
    else:
        assert OUTCOMES[above.outcome[0, 0]] in (Outcome.WITHHELD, Outcome.DECLINED)
