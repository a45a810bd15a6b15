"""What a model expects next: ``lm`` systems answer ``supply.agreement`` as its own recipe does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay import Answer, Crash, Failed, Question
from assay.families.lm.likelihood.expecting import Expecting
from assay.predictions import question, read_answer

WORDS = 8


class Letters:
    """A tokenizer: a token a letter, BOS first."""

    bos, opening = 1, 1

    def encode(self, text: str) -> list[int]:
        return [1, *(2 + ord(letter) % (WORDS - 2) for letter in text)]

    def plain(self, text: str) -> list[int]:
        return self.encode(text)[1:]


class Last:
    """Expects the last token again; after token 3 it predicts nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def expected(self, tokens, places):
        self.asked.append(tuple(places))
        rows = np.eye(WORDS, dtype=np.float32)[[tokens[place] for place in places]]
        rows[[tokens[place] == 3 for place in places]] = np.nan
        return rows


class Others:
    def answer(self, questions):
        assert [asked.id for asked in questions] == ["words"]
        return ()


def said(*inputs, room=50):
    model = Last()
    system = Expecting(Letters(), model, room=room, others=Others())
    asked = [Question(id=str(at), input=one) for at, one in enumerate(inputs)]
    return {reply.question: reply.said for reply in system.answer(asked)}, model


def test_an_answer_is_what_was_read_and_all_that_is_expected():
    found, model = said(question("bcd", 0), question("ddd", 1), question("bcd", 2))
    assert model.asked == [(0, 2), (1,)]  # places of one text together
    for name, text, place in (("0", "bcd", 0), ("2", "bcd", 2)):
        tokens = Letters().encode(text)[: place + 1]
        row = read_answer(found[name].value, tokens, size=WORDS)
        assert row is not None
        assert row.argmax() == tokens[-1]
        assert read_answer(found[name].value, [*tokens, 1], size=WORDS) is None


def test_what_cannot_be_predicted_fails_alone():
    broken = next(letter for letter in "abcdef" if Letters().encode(letter)[-1] == 3)
    found, _ = said(
        question(broken, 1), question(broken, 0), question("ab", 9), question("a" * 60, 1)
    )
    assert isinstance(found["1"], Answer)
    reasons = [found[name].why for name in "023" if isinstance(found[name], Failed)]
    assert reasons == ["non_finite", "too_short", "too_long"]


def test_other_questions_are_handed_on():
    system = Expecting(Letters(), Last(), room=9, others=Others())
    asked = [Question(id="words", input={"text": "a", "position": 1, "more": 2})]
    assert list(system.answer(asked)) == []


@pytest.mark.heavy
def test_transformers_and_the_source_itself_expect_the_same(tmp_path: Path, monkeypatch):
    pytest.importorskip("torch")
    from assay.families.lm.prompted.safetensors_folder import Transformers
    from assay.families.supply.agreeing.task import agreement
    from tiny_llama import write_llama

    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    source, other = write_llama(tmp_path / "a"), write_llama(tmp_path / "b", seed=5)
    task = agreement(source=source, positions=2)
    samples = task.samples("test")[:6]
    far = {}
    for model in (source, other):
        recipe = Transformers(model=model, chat="plain")
        system = recipe.build([], [], seed=0, workdir=tmp_path).system
        replies = {r.question: r for r in system.answer([s.question(seed=0) for s in samples])}
        checks = list(task.verifier.check([(s, replies[s.id]) for s in samples]))
        assert not any(isinstance(check, Crash) for check in checks)
        assert all(check.scores["comparable"] == 1 for check in checks)
        far[model] = max(check.scores["kl"] for check in checks)
    assert far[source] < 1e-6
    assert far[other] > 1e-3
