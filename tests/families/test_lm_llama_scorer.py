"""Likelihoods by llama.cpp: nothing depends on what was asked before, and each is that of the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Crash
from assay.families.lm.likelihood.llama_scorer import LlamaScorer
from assay.families.lm.likelihood.llama_words import LlamaWords
from assay.families.lm.likelihood.scores import Scores, Unscored
from assay.families.lm.likelihood.tokens import Scored

BATCH, VOCABULARY, PART = 3, 12, 11
"""``PART`` is part of a letter: llama.cpp says nothing of it where it is drawn."""


@dataclass
class _Llama:
    """Keeps the last prompt as llama.cpp does; its numbers depend on the batches that it was computed in."""

    goes_back: bool = True
    is_fickle: bool = True
    gives: float | None = 1.0
    """What each log-probability is multiplied with; None for a model whose logits are no numbers."""

    asked: int = 0
    memory: list[tuple[int, str]] = field(default_factory=list)

    def complete(self, body: Mapping[str, Any], /) -> Any:
        self.asked += 1
        prompt = body["prompt"]
        used = 0
        if body["cache_prompt"] and self.goes_back:
            while (
                used < min(len(prompt) - 1, len(self.memory))
                and prompt[used] == self.memory[used][0]
            ):
                used += 1
        self.memory = self.memory[:used]
        for start in range(used, len(prompt), BATCH):
            part = prompt[start : start + BATCH]
            mark = f"{start}+{len(part)}" if self.is_fickle else ""
            self.memory += [(token, mark) for token in part]
        logs = self.logs()
        ((drawn, bias),) = body["logit_bias"]
        assert bias > 100
        order = sorted(range(VOCABULARY), key=lambda token: -logs[token])
        content = None
        if drawn != PART:
            content = {
                "content": [
                    {
                        **self._told(drawn, logs),
                        "top_logprobs": [
                            self._told(token, logs) for token in order[: body["n_probs"]]
                        ],
                    }
                ]
            }
        return {"choices": [{"logprobs": content}], "timings": {"cache_n": used}}

    def logs(self) -> list[float]:
        """Return how likely each token is to come next."""
        draw = Random(repr(self.memory))
        logits = [draw.gauss(0, 2) for _ in range(VOCABULARY)]
        whole = math.log(sum(math.exp(one) for one in logits))
        return [one - whole for one in logits]

    def _told(self, token: int, logs: list[float]) -> dict[str, Any]:
        return {"id": token, "logprob": None if self.gives is None else logs[token] * self.gives}


tokens = st.lists(st.integers(0, 2) | st.just(PART), min_size=1, max_size=5).map(tuple)
contexts = st.lists(st.integers(0, 1), min_size=1, max_size=9).map(tuple)
pairs = st.tuples(contexts, tokens).map(lambda pair: Scored(pair[0] + pair[1], len(pair[0])))
questions = st.lists(st.lists(pairs, min_size=1, max_size=4), min_size=1, max_size=5)


def _scores(server: _Llama, asked: list[list[Scored]]) -> dict[int, Scores]:
    found = list(LlamaScorer(server, batch=BATCH, letter=5).score(asked))
    assert sorted(one.at for one in found) == list(range(len(asked)))
    assert all(isinstance(one, Scores) for one in found)
    return {one.at: one for one in found if isinstance(one, Scores)}


@settings(max_examples=25)
@given(questions, st.booleans())
def test_what_is_found_out_about_a_question_depends_on_it_alone(
    asked: list[list[Scored]], goes_back: bool
) -> None:
    together = _scores(_Llama(goes_back=goes_back), asked)
    for at, question in enumerate(asked):
        alone = _scores(_Llama(goes_back=goes_back), [question])[0]
        assert alone.likelihoods == together[at].likelihoods


@settings(max_examples=25)
@given(questions)
def test_a_likelihood_is_the_sum_of_what_the_model_gives_each_token(
    asked: list[list[Scored]],
) -> None:
    found = _scores(_Llama(is_fickle=False), asked)
    for at, question in enumerate(asked):
        for one, likelihood in zip(question, found[at].likelihoods, strict=True):
            plain = _Llama(is_fickle=False)
            steps = []
            for k in range(one.context, len(one.tokens)):
                plain.memory = [(token, "") for token in one.tokens[:k]]
                steps.append((plain.logs(), one.tokens[k]))
            assert likelihood.total == pytest.approx(sum(logs[token] for logs, token in steps))
            assert likelihood.greedy == all(max(logs) == logs[token] for logs, token in steps)
            assert likelihood.tokens == len(steps)


def test_whole_batches_of_what_questions_share_are_computed_once() -> None:
    shared = tuple(range(10)) * 3
    asked = [[Scored((*shared, k, 1, 2), len(shared) + 1)] for k in range(6)]
    server = _Llama()
    scorer = LlamaScorer(server, batch=BATCH, letter=5)
    found = list(scorer.score(asked))
    assert [one.lent for one in found if isinstance(one, Scores)] == [0, *[27] * 5]
    assert scorer.computed < 33 + 6 * (3 + 4) + 8  # not 6 x 33


def test_a_question_asked_in_words_in_between_changes_nothing() -> None:
    server = _Llama()
    scorer = LlamaScorer(server, batch=BATCH, letter=5)
    asked = [[Scored((0, 1, 0, 1, 0, 1, 0, 1, 2), 8)]]
    first = list(scorer.score(asked))
    server.complete(
        {"prompt": [0, 1, 0, 1, 0], "n_probs": 1, "logit_bias": [[0, 1e3]], "cache_prompt": False}
    )
    assert [one.likelihoods for one in scorer.score(asked) if isinstance(one, Scores)] == [
        one.likelihoods for one in first if isinstance(one, Scores)
    ]


def test_logits_that_are_no_numbers_make_likelihoods_that_are_none() -> None:
    found = _scores(_Llama(gives=None), [[Scored((1, 2), 1)]])
    assert math.isnan(found[0].likelihoods[0].total)


def test_a_token_of_probability_zero_is_not_given_the_least_number_that_a_float_holds() -> None:
    found = _scores(_Llama(gives=3.4028e38), [[Scored((1, 2), 1)]])
    assert found[0].likelihoods[0].total == -math.inf


def test_a_cache_that_holds_more_than_it_should_is_a_crash() -> None:
    class Keeps(_Llama):
        def complete(self, body: Mapping[str, Any], /) -> Any:
            found = super().complete(body)
            if len(body["prompt"]) > 5:
                found["timings"]["cache_n"] += 1
            return found

    asked = [[Scored((0, 1, 0, 1, 0, 1, 0, 1, 2), 8)], [Scored((0, 1), 1)]]
    found = {one.at: one for one in LlamaScorer(Keeps(), batch=BATCH, letter=5).score(asked)}
    assert isinstance(found[0], Unscored)
    assert isinstance(found[0].instead, Crash)
    assert "would depend on the questions before it" in found[0].instead.detail
    assert isinstance(found[1], Scores)


class _Tokenizer:
    """A token for each letter; 1 stands before every text and is spelt ``^``."""

    context = 9

    def opening(self) -> list[int]:
        return [1]

    def markup(self, text: str) -> list[int]:
        return [1 if letter == "^" else ord(letter) for letter in text]


@given(st.text("ab", max_size=5))
def test_the_bos_of_a_file_stands_before_a_text_once(text: str) -> None:
    words = LlamaWords(_Tokenizer(), bos=1, eos=2)  # type: ignore[arg-type]  # all that is asked of it
    assert words.encode(text) == [1, *map(ord, text)] == words.encode("^" + text)


def test_a_file_without_bos_begins_a_text_with_what_ends_one() -> None:
    assert LlamaWords(_Tokenizer(), bos=None, eos=2).opening == 2  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="names neither"):
        _ = LlamaWords(_Tokenizer(), bos=None, eos=None).opening  # type: ignore[arg-type]
