"""Asks one small model here and on another device, and prints what both said as JSON.

python tests/lm_elsewhere.py FOLDER [DEVICE]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import elsewhere
from assay.families.lm.held_decoder import HeldDecoder
from assay.families.lm.likelihood.tokens import Scored
from assay.families.lm.likelihood.torch_scorer import TorchScorer
from assay.families.lm.prompted.speaker import Draw, Message
from assay.families.lm.prompted.transformers_speaker import Together, TransformersSpeaker
from tiny_llama import write_llama

ASKED = ("the thing in the", "the thing in an", "on a ther", "the thing in the rest of an other")
MANNERS = {
    "alone": (1, "alone", 0.0),
    "together": (4, "shared", 0.0),
    "drawn": (4, "shared", 0.8),
}


def questions():
    """Return continuations that share a context, and some that share none."""
    context = tuple(range(60, 80))
    return [
        [Scored((*context, 90 + k, 91 + j), len(context)) for j in range(3)] for k in range(2)
    ] + [[Scored((5, 6, 7, 8), 1)]]


def said(folder, device):
    """Return everything that a model says on a device: answers, likelihoods, next tokens."""
    found = {}
    for name, (batch, prefix, temperature) in MANNERS.items():
        speaker = TransformersSpeaker(
            folder,
            chat="plain",
            device="cpu",
            dtype="float32",
            together=Together(batch=batch, prefix=prefix),
        )
        speaker.loaded.model.to(device)
        draw = Draw(temperature=temperature, max_tokens=12, timeout_s=600.0, seed=3)
        asked = [([Message("user", text)], draw) for text in ASKED]
        found[name] = [
            [at, one.text, one.tokens_out, one.finish] for at, one in sorted(speaker.say_all(asked))
        ]
    tokenizer, model = speaker.loaded.tokenizer, speaker.loaded.model
    for trees in (True, False):
        scorer = TorchScorer(model, batch=2, trees=trees, least=4)
        scores = sorted(scorer.score(questions()), key=lambda one: one.at)
        found[f"likelihoods, {trees}"] = [[list(one) for one in s.likelihoods] for s in scores]
    found["logits"] = scorer.expected((60, 61, 62), (0, 2)).tolist()
    held = HeldDecoder(tokenizer, model, context=64)
    held.hold(held.text("the thing "))
    found["next"] = sorted(held.next_token(held.text("in the")).logprobs.items())
    return found


def main(folder, device):
    """Print both."""
    kept = elsewhere.register() if device == elsewhere.NAME else None
    write_llama(folder / "model")
    told = {"here": said(folder / "model", "cpu"), "there": said(folder / "model", device)}
    told["called"] = dict(elsewhere.Elsewhere.called)
    sys.stdout.write(json.dumps(told))
    del kept


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else elsewhere.NAME)
