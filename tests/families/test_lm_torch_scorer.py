"""The torch scorer is held to plain forward passes, whatever the architecture and the batch."""

from __future__ import annotations

import random
from typing import Any

import pytest

from assay.families.lm.likelihood.tokens import Scored

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.heavy

_SHAPE = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
_GEMMA = {
    "head_dim": 8,
    "sliding_window": 12,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
}
_MAKERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", {}),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", _GEMMA),
    "mistral": ("MistralForCausalLM", "MistralConfig", {"sliding_window": 10}),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", {}),
}


def _model(kind: str) -> Any:
    maker, config, more = _MAKERS[kind]
    torch.manual_seed(0)
    shape = {k: v for k, v in _SHAPE.items() if kind != "gpt_neox" or k != "num_key_value_heads"}
    model = getattr(transformers, maker)(getattr(transformers, config)(**shape, **more)).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.mul_(3)  # far from even: a wrong mask shows
    return model


def _questions() -> list[list[Scored]]:
    """Return questions of which a third begins alike, a third alike for longer, a third not at all."""
    rnd = random.Random(1)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rnd.randrange(5, 300) for _ in range(count))

    header = tokens(40)
    passage = header + tokens(20)
    asked = []
    for at in range(24):
        context = (header, passage, ())[at % 3] + tokens(rnd.randrange(1, 12))
        count = rnd.randrange(1, 5)
        asked.append(
            [Scored(context + tokens(rnd.randrange(1, 6)), len(context)) for _ in range(count)]
        )
    return asked


def _plain(model: Any, one: Scored) -> tuple[float, bool]:
    """Score a continuation by one whole forward pass, as anybody would."""
    with torch.no_grad():
        predicted = model(torch.tensor([one.given])).logits[0].log_softmax(-1)[one.context - 1 :]
    wanted = torch.tensor(one.tokens[one.context :])
    total = predicted[torch.arange(len(wanted)), wanted].sum()
    return float(total), bool((predicted.argmax(-1) == wanted).all())


@pytest.mark.parametrize("kind", _MAKERS)
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_a_tree_scores_what_whole_passes_score(kind: str, batch: int) -> None:
    from assay.families.lm.likelihood.torch_scorer import TorchScorer

    model, questions = _model(kind), _questions()
    scorer = TorchScorer(model, batch=batch)
    found = {scores.at: scores for scores in scorer.score(questions)}
    assert scorer.trees
    assert sorted(found) == list(range(len(questions)))
    for at, continuations in enumerate(questions):
        for one, likelihood in zip(continuations, found[at].likelihoods, strict=True):
            total, greedy = _plain(model, one)
            assert likelihood.total == pytest.approx(total, abs=1e-4)
            assert likelihood.greedy == greedy
            assert likelihood.tokens == len(one.tokens) - one.context


def test_what_questions_share_goes_through_the_model_once() -> None:
    from assay.families.lm.likelihood.torch_scorer import NEVER_SHARED, TorchScorer

    scorer = TorchScorer(_model("llama"))
    header = tuple(range(10, 70))
    questions = [
        [Scored((*header, 80 + k, 7, 8), 61), Scored((*header, 80 + k, 9), 61)] for k in range(10)
    ]
    shared = {scores.at: scores.likelihoods for scores in scorer.score(questions)}
    assert scorer.asked == 10 * (62 + 61)
    assert scorer.computed == 60 + 10 * 2
    apart = TorchScorer(_model("llama"), least=NEVER_SHARED)
    for scores in apart.score(questions):
        for one, other in zip(scores.likelihoods, shared[scores.at], strict=True):
            assert one.total == pytest.approx(other.total, abs=1e-4)
    assert apart.computed == 10 * (60 + 2)


def test_a_model_that_follows_no_masks_is_asked_plainly_and_right() -> None:
    from assay.families.lm.likelihood.torch_scorer import TorchScorer

    model = _model("llama")
    followed = model.forward

    def unmasked(*given: Any, **named: Any) -> Any:
        return followed(*given, **(named | {"attention_mask": None}))

    model.forward = unmasked
    scorer, questions = TorchScorer(model), _questions()
    assert not scorer.trees
    found = {scores.at: scores.likelihoods for scores in scorer.score(questions)}
    for at, continuations in enumerate(questions):
        for one, likelihood in zip(continuations, found[at], strict=True):
            assert likelihood.total == pytest.approx(_plain(model, one)[0], abs=1e-4)


def test_a_broken_model_scores_no_finite_number() -> None:
    from assay.families.lm.likelihood.torch_scorer import TorchScorer

    model = _model("llama")
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    found = list(TorchScorer(model).score(_questions()[:3]))
    assert all(
        likelihood.total != likelihood.total for one in found for likelihood in one.likelihoods
    )
