"""Likelihoods: questions, tokens, shared beginnings, trees of continuations, and their system."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Failed, PlanError, Question, Reply
from assay.families.lm.likelihood.asked import Likelihoods, NoPairs, Rolling, asked_of
from assay.families.lm.likelihood.branching import laid_out, stem_of
from assay.families.lm.likelihood.scores import Likelihood, Scores
from assay.families.lm.likelihood.sharing import Group, shared
from assay.families.lm.likelihood.system import Room, Weighing, Weighs
from assay.families.lm.likelihood.tokens import Scored, split

short = st.lists(st.integers(0, 3), max_size=12).map(tuple)


def _members(group: Group, before: tuple[int, ...] = ()) -> list[tuple[int, tuple[int, ...]]]:
    """Return every member with the tokens that are computed for it."""
    computed = before + group.edge
    assert len(computed) == group.depth
    found = [(at, computed) for at in group.members]
    return found + [one for below in group.groups for one in _members(below, computed)]


@given(st.lists(short, max_size=20), st.integers(1, 4))
def test_every_sequence_is_a_member_once_and_begins_with_what_is_computed_for_it(
    sequences: list[tuple[int, ...]], least: int
) -> None:
    found = _members(shared(sequences, least=least))
    assert sorted(at for at, _ in found) == list(range(len(sequences)))
    assert all(sequences[at][: len(computed)] == computed for at, computed in found)


@given(st.lists(short, max_size=20), st.integers(1, 4))
def test_an_edge_is_long_enough_and_shared_by_two(
    sequences: list[tuple[int, ...]], least: int
) -> None:
    def check(group: Group) -> None:
        assert not group.edge or (
            len(group.edge) >= least
            and len(_members(group, ("?",) * (group.depth - len(group.edge)))) > 1
        )  # type: ignore[arg-type]
        for below in group.groups:
            assert below.edge
            check(below)

    check(shared(sequences, least=least))


def test_a_header_is_computed_once_and_a_passage_within_it_too() -> None:
    header, passage = tuple(range(10, 30)), tuple(range(30, 50))
    tree = shared(
        [(*header, 1), (*header, *passage, 2), (*header, *passage, 3), (*header, 4)], least=16
    )
    (within,) = tree.groups
    assert (tree.edge, sorted(tree.members)) == (header, [0, 3])
    assert (within.edge, sorted(within.members)) == (passage, [1, 2])


scored = st.builds(
    lambda head, tails: [Scored((*head, *tail), len(head)) for tail in tails],
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=5),
)


@given(scored, st.data())
def test_a_row_holds_each_continuation_on_the_way_from_its_stem(
    continuations: list[Scored], data: st.DataObject
) -> None:
    stem = stem_of(continuations)
    computed = data.draw(st.integers(0, len(stem)))
    row = laid_out(continuations, computed)
    assert all(parent < at for at, parent in enumerate(row.parents))
    for one, looked in zip(continuations, row.wanted, strict=True):
        place, way = looked[-1][0], []
        while place >= 0:
            way.append(row.tokens[place])
            place = row.parents[place]
        assert one.given == one.tokens[:computed] + tuple(reversed(way))
        assert tuple(token for _, token in looked) == one.tokens[one.context :]
        assert [row.depths[at] for at, _ in looked] == list(range(one.context - 1, len(one.given)))


@given(scored)
def test_tokens_that_are_the_same_stand_in_a_row_once(continuations: list[Scored]) -> None:
    row = laid_out(continuations, 0)
    assert len(row.tokens) == len(
        {one.given[:k] for one in continuations for k in range(1, len(one.given) + 1)}
    )


class _Letters:
    """A token for each letter, and for a space with the letter behind it."""

    bos: int | None = None
    opening = 0

    def encode(self, text: str) -> list[int]:
        return [*([] if self.bos is None else [self.bos]), *self.plain(text)]

    def plain(self, text: str) -> list[int]:
        tokens, at = [], 0
        while at < len(text):
            size = 2 if text[at] == " " and at + 1 < len(text) and text[at + 1] != " " else 1
            tokens.append(sum(ord(c) << (8 * k) for k, c in enumerate(text[at : at + size])))
            at += size
        return tokens


def test_spaces_at_the_end_of_a_context_belong_to_the_continuation() -> None:
    assert split(_Letters(), "ab ", "cd") == split(_Letters(), "ab", " cd")


def test_an_empty_context_is_the_token_before_every_text() -> None:
    found = split(_Letters(), "", "ab")
    assert (found.tokens[0], found.context, len(found.tokens)) == (0, 1, 3)


@given(st.text("ab ", max_size=8), st.text("ab ", min_size=1, max_size=8))
def test_a_pair_is_the_tokens_of_its_text(context: str, continuation: str) -> None:
    found = split(_Letters(), context, continuation)
    opening = () if context.strip() else (0,)
    assert found.tokens == (*opening, *_Letters().encode(context + continuation))
    assert 0 < found.context < len(found.tokens)


def test_two_openings_are_refused() -> None:
    class Twice(_Letters):
        bos = 1

        def encode(self, text: str) -> list[int]:
            return [1, 1, *self.plain(text)]

    weighing = Weighing(
        Weighs(words=Twice(), scorer=_Lengths(), room=Room(tokens=50)), others=_Says()
    )
    with pytest.raises(PlanError, match="two BOS"):
        list(weighing.answer([_question(["ab"], ["c"])]))


@pytest.mark.parametrize(
    ("asked", "is_"),
    [
        ({"contexts": ["a"], "continuations": ["b", "c"]}, Likelihoods((("a", "b"), ("a", "c")))),
        ({"contexts": ["a", "b"], "continuations": ["c"]}, Likelihoods((("a", "c"), ("b", "c")))),
        ({"text": "abc"}, Rolling("abc")),
        ({"text": "abc", "prompt": "go on"}, None),
        ("abc", None),
    ],
)
def test_questions_about_likelihoods_are_told_from_others(asked: object, is_: object) -> None:
    assert asked_of(Question(id="q", input=asked)) == is_


@pytest.mark.parametrize(
    "asked",
    [
        {"contexts": ["a", "b"], "continuations": ["c", "d", "e"]},
        {"contexts": [], "continuations": []},
        {"contexts": ["a"], "continuations": [1]},
        {"contexts": ["a"], "continuations": [""]},
        {"contexts": "a", "continuations": ["b"]},
        {"text": ""},
    ],
)
def test_questions_that_cannot_be_read_are_told(asked: object) -> None:
    with pytest.raises(NoPairs):
        asked_of(Question(id="q", input=asked))


@dataclass
class _Lengths:
    """Says that each token of a continuation has the likelihood 1/2."""

    value: float = -0.693
    seen: list[list[Scored]] = field(default_factory=list)

    def score(self, questions):  # type: ignore[no-untyped-def]
        self.seen += questions
        for at, continuations in reversed(list(enumerate(questions))):
            counts = [len(one.tokens) - one.context for one in continuations]
            found = tuple(Likelihood(self.value * n, n == 1, n) for n in counts)
            yield Scores(at, found, 10, 3)


class _Says:
    """Answers in words."""

    def answer(self, questions):  # type: ignore[no-untyped-def]
        return [Reply(question.id, Answer("said")) for question in questions]


def _question(contexts: list[str], continuations: list[str], *, name: str = "q") -> Question:
    return Question(id=name, input={"contexts": contexts, "continuations": continuations})


def _weighing(**room: object) -> Weighing:
    return Weighing(
        Weighs(words=_Letters(), scorer=_Lengths(), room=Room(**({"tokens": 50} | room))),
        others=_Says(),
    )  # type: ignore[arg-type]


def _replies(weighing: Weighing, *questions: Question) -> dict[str, Reply]:
    return {reply.question: reply for reply in weighing.answer(questions)}


def test_the_likeliest_continuation_is_the_answer_and_what_it_was_given_is_kept() -> None:
    reply = _replies(_weighing(), _question(["ab"], ["cde", "c", "cd"]))["q"]
    assert isinstance(reply.said, Answer)
    assert reply.said.value == 1
    assert reply.said.scores["greedy:1"] == 1.0
    assert reply.said.scores["ll:0"] == pytest.approx(3 * -0.693)
    assert 0.5 < (reply.said.confidence or 0) < 1
    kept = json.loads(reply.evidence["tokens"])
    assert kept == {"context": [97, 98], "continuations": [[99, 100, 101], [99], [99, 100]]}


def test_only_a_question_that_was_computed_alone_has_a_latency() -> None:
    alone = _replies(_weighing(), _question(["ab"], ["c"]))["q"].usage
    assert alone.latency_s == alone.busy_s is not None
    two = _question(["ab"], ["c"]), _question(["cd"], ["e"], name="r")
    assert [one.usage.latency_s for one in _replies(_weighing(), *two).values()] == [None, None]


def test_other_questions_go_to_the_other_system() -> None:
    asked = Question(id="w", input={"prompt": "go on"})
    replies = _replies(_weighing(), _question(["ab"], ["c"]), asked)
    assert isinstance(replies["w"].said, Answer)
    assert replies["w"].said.value == "said"


def test_a_question_that_does_not_fit_fails_or_is_cut_at_its_beginning() -> None:
    asked = _question(["abcdef"], ["gh", "g"])
    assert _replies(_weighing(tokens=6), asked)["q"].said == Failed("too_long", "7 tokens, of 6")
    weighing = _weighing(tokens=6, overlong="cut")
    assert isinstance(_replies(weighing, asked)["q"].said, Answer)
    (seen,) = weighing._scorer.seen
    assert [one.given for one in seen] == [tuple(b"bcdefg"), tuple(b"abcdef")]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), float("inf")])
def test_a_likelihood_that_is_no_number_is_the_models_fault(value: float) -> None:
    weighing = Weighing(
        Weighs(words=_Letters(), scorer=_Lengths(value), room=Room(tokens=50)), others=_Says()
    )
    said = _replies(weighing, _question(["ab"], ["c", "d"]))["q"].said
    assert isinstance(said, Failed)
    assert said.why == "non_finite"


def test_a_whole_text_has_a_likelihood_and_a_length() -> None:
    reply = _replies(_weighing(), Question(id="q", input={"text": "abcd"}))["q"]
    assert isinstance(reply.said, Answer)
    assert reply.said.scores == {"ll": pytest.approx(4 * -0.693), "tokens": 4.0}
