"""The verifier of ``supply.agreement``: it has the source, and computes every divergence itself.

*Covered*: a system that says how well it agrees (nobody reads it), values that are no logits, a text that
was read as other tokens.  *Not covered*: a system that runs the source instead of its own file; its
artifacts say what it loaded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from assay import Answer, Check, Crash, Reply, Sample
from assay.predictions import read_answer

from .divergence import WORST, compare_logits

Array: TypeAlias = Any
K = 10
_TEXTS = 2
_APART = {"kl": WORST, "top1": 0.0, "topk": 0.0, "cosine": -1.0, "nll": WORST, "nll_difference": WORST}  # fmt: skip


class Agrees:
    """Compares logits with those of a source, which is loaded when the first answer comes."""

    def __init__(self, source: Path) -> None:
        self._path = source
        self._model: Any = None
        self._texts: OrderedDict[str, tuple[list[int], Array]] = OrderedDict()

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterator[Check | Crash]:
        """Score each answer; none is right or wrong."""
        for sample, reply in batch:
            match sample.input, reply.said:
                case {"text": str(text), "position": int(position)}, Answer(value=value):
                    yield self._scored(text, position, value)
                case _:
                    yield Crash("no_question", f"sample {sample.id!r} has no text and position")

    def _scored(self, text: str, position: int, value: object) -> Check:
        tokens, logits = self._read(text)
        theirs = logits[position : position + 1]
        ours = read_answer(value, tokens[: position + 1], size=theirs.shape[1])
        if ours is None:
            return Check(
                passed=None,
                scores={"comparable": 0.0, **_APART},
                evidence={"why": "other tokens, another vocabulary, or no packed logits"},
            )
        found = compare_logits(theirs, ours[None], [tokens[position + 1]], k=K)
        nll = float(found.candidate_nll[0])
        return Check(
            passed=None,
            scores={
                "comparable": 1.0,
                "kl": float(found.kl[0]),
                "top1": float(found.top1[0]),
                "topk": float(found.topk[0]),
                "cosine": float(found.cosine[0]),
                "nll": nll,
                "nll_difference": nll - float(found.source_nll[0]),
            },
        )

    def _read(self, text: str) -> tuple[list[int], Array]:
        """Return the source's tokens and logits of a text; the last two texts are kept."""
        if text not in self._texts:
            model = self._loaded()
            tokens = model.tokens(text)
            logits = model.logits(tokens, range(len(tokens)))
            self._texts[text] = (tokens, logits)
            while len(self._texts) > _TEXTS:
                self._texts.popitem(last=False)
        return self._texts[text]

    def _loaded(self) -> Any:
        if self._model is None:
            from .models import find_model
            from .torch_speaker import TorchModel

            self._model = TorchModel(find_model(self._path).folder())
        return self._model
