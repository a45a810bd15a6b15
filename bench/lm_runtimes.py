"""Score the same continuations by llama.cpp and by torch, on the weights of one GGUF file: what differs.

    python bench/lm_runtimes.py [smollm2-135m-instruct | FILE.gguf]

Torch runs the weights unpacked to 32 bits.  ``assay model convert --to gguf --quantise f32 --out F.gguf FILE.gguf``
makes a file whose weights llama.cpp need not round.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from assay.families.lm.folder import find_model
from assay.families.lm.likelihood.tokens import split
from assay.families.lm.models import locate
from assay.families.lm.prompted.llama_speaker import LlamaSpeaker
from assay.families.lm.prompted.transformers_speaker import TransformersSpeaker

CONTEXTS = (
    "The capital of France is",
    "Two plus two is",
    "She opened the door and saw that",
    "Water is made of hydrogen and",
)
CONTINUATIONS = (
    " Paris",
    " London",
    " four",
    " the room was empty, and nobody had been there for years.",
    " oxygen, as every child learns at school 🦜",
)


def scored(weighs: Any) -> tuple[list[Any], dict[int, Any], float]:
    """Return the tokens, what they come to, and the seconds of processor time."""
    asked = [
        [split(weighs.words, context, behind) for behind in CONTINUATIONS] for context in CONTEXTS
    ]
    started = time.process_time()
    found = {one.at: one for one in weighs.scorer.score(asked)}
    return asked, found, time.process_time() - started


def main(model: str) -> None:
    """Print the differences."""
    path = locate(model).path
    speaker = LlamaSpeaker(path, chat="plain", threads=1, context=1024)
    ours, here, took = scored(speaker.weighs)
    del speaker
    torch = TransformersSpeaker(find_model(path).path, chat="plain", device="cpu", dtype="float32")
    theirs, there, other = scored(torch.weighs)
    print(
        f"{path.name}: llama.cpp {took:.1f} s of CPU, torch {other:.1f} s; same tokens: {ours == theirs}"
    )
    for at, context in enumerate(CONTEXTS):
        for k, behind in enumerate(CONTINUATIONS):
            one, two = here[at].likelihoods[k], there[at].likelihoods[k]
            print(
                f"{context:34}{behind[:22]:24}{one.tokens:3} tokens "
                f"{one.total:9.4f} {two.total:9.4f} {one.total - two.total:+.4f}"
                f"{'' if one.greedy == two.greedy else '  greedy differs'}"
            )
        best = [
            max(range(len(CONTINUATIONS)), key=lambda k: found[at].likelihoods[k].total)
            for found in (here, there)
        ]
        print(f"  likeliest: {best[0]} and {best[1]}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m-instruct")
