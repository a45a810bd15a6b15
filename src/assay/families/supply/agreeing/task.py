"""``supply.agreement``: does a model expect what its source expects, at every place of some texts?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from assay import DataError, PlanError, Sample, Task
from assay.predictions import question

from ..extras import require
from .metrics import METRICS
from .models import find_model
from .prompts import read_prompts
from .speakers import chosen
from .torch_speaker import read_tokens
from .verifier import Agrees


def agreement(*, source: Path, prompts: Path | None = None, positions: int = 8) -> Task:
    """Return the task: what comes next, compared with what the source expects over its whole vocabulary.

    ``source`` is a model file or folder, ``prompts`` a YAML file of texts (the shipped ones without it),
    ``positions`` how many places of each text are asked; a text is a group.  No answer is right or wrong:
    each is scored.  A system says its logits; the divergence is computed here.  The last place of a text
    is never asked, so that every place has a token that follows.

    Raises ``PlanError`` A102 for no positions, ``PluginError`` A401 and A403, ``DataError`` A205 as the
    gate does; ``samples`` raises ``DataError`` A200 for a text of one token.

    *Not to be trusted when* the texts are not of the kind that the model will be asked.
    """
    if positions < 1:
        raise PlanError(
            f"{positions} places of a text",
            where="options.positions",
            hint="ask for 1 or more",
            code="A102",
        )
    require("torch", "transformers")
    found, texts = find_model(source), read_prompts(prompts)

    @cache
    def asked() -> tuple[Sample, ...]:
        tokens = read_tokens(found.folder())
        samples: list[Sample] = []
        for prompt in texts.prompts:
            length = len(tokens(prompt.text))
            if length < 2:
                raise DataError(
                    f"{prompt.id} is one token: nothing follows it",
                    where=str(prompts or "the shipped prompts"),
                    hint="give a longer text",
                )
            samples += (
                Sample(
                    id=f"{prompt.id}/{place}",
                    input=question(prompt.text, place),
                    target=None,
                    group=prompt.id,
                    tags=frozenset({prompt.category}),
                )
                for place in chosen(length - 1, positions)
            )
        return tuple(samples)

    def samples(split: str) -> Sequence[Sample]:
        return asked() if split == "test" else ()

    caveat = (
        f"compared with {source.name} (sha256 {found.sha256[:16]}) on {texts.name} "
        f"({len(texts.prompts)} texts, sha256 {texts.sha256[:16]})"
    )
    return Task(
        name="supply.agreement",
        version=f"1+{found.sha256[:16]}",
        says=f"What comes next, by {source.name}?",
        samples=samples,
        verifier=Agrees(source),
        metrics=METRICS,
        caveats=lambda: (caveat,),
    )
