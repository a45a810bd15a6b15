"""Documents of the harness as our samples: its own prompts, its own order, its own examples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay import Answer, Sample

from .definitions import Definition

MOST_TOKENS = 256
"""Tokens of an answer where a task says nothing, as in the harness."""


def samples(name: str, definition: Definition) -> Iterator[Sample]:
    """Yield a sample for each document of a task, as the harness would ask it without a chat template.

    Documents with the same passage, or else the same text, are one group.
    """
    shots = definition.config.num_fewshot or 0
    for at, doc in enumerate(definition.eval_docs):
        context = definition.fewshot_context(doc, shots, gen_prefix=definition.doc_to_prefix(doc))
        asked = definition.construct_requests(doc=doc, ctx=context, metadata=(name, at, 1))
        requests = asked if isinstance(asked, list) else [asked]
        yield Sample(
            id=f"{name}/{at}",
            input=_question([request.args for request in requests], requests[0].request_type),
            target=_target(definition, doc),
            group=_group(name, doc),
            tags=frozenset({name}),
        )


def _question(args: list[tuple[Any, ...]], kind: str) -> dict[str, Any]:
    match kind:
        case "loglikelihood":
            contexts = [pair[0] for pair in args]
            continuations = [pair[1] for pair in args]
            return {"contexts": _once(contexts), "continuations": _once(continuations)}
        case "loglikelihood_rolling":
            return {"text": args[0][0]}
        case _:
            context, given = args[0][0], dict(args[0][1])
            until = given.get("until") or []
            return {
                "prompt": context,
                "until": [until] if isinstance(until, str) else list(until),
                "max_tokens": int(given.get("max_gen_toks") or MOST_TOKENS),
            }


def _once(texts: list[str]) -> list[str]:
    return texts[:1] if len(set(texts)) == 1 else texts


def _target(definition: Definition, doc: Mapping[str, Any]) -> Answer | None:
    """Return what is right, for people; None for a whole text, which has a likelihood only."""
    if definition.OUTPUT_TYPE == "loglikelihood_rolling":
        return None
    truths = _truths(definition, doc)
    if truths is not None:
        return Answer(truths)
    wanted = (
        definition.doc_to_text(doc) if definition.multiple_input else definition.doc_to_target(doc)
    )
    return Answer(json.loads(json.dumps(wanted, default=str)))


def has_several(scored: object) -> bool:
    """Whether a task's ``process_results`` is that of TruthfulQA: several choices are true."""
    return getattr(scored, "__name__", "") == "process_results_mc2"


def _truths(definition: Definition, doc: Mapping[str, Any]) -> list[int] | None:
    """Return the places of all choices that are true, where the score is the share that they get."""
    if not has_several(definition.config.process_results):
        return None
    return [at for at, label in enumerate(doc["mc2_targets"]["labels"]) if label]


def chance(sample: Sample, *, requests: int = 1, several: bool = False) -> float | None:
    """Return the score of one to whom every choice is as likely; 0 where the answer is written.

    ``requests`` is how often a task asks for each choice; ``several`` that the score is the share of the
    likelihood that the true ones get.  None where the question is not there, as in a run that keeps digests.

    >>> chance(Sample(id="a", input={"contexts": ["Q"], "continuations": [" A", " B"]}, target=Answer(0)))
    0.5
    >>> chance(Sample(id="a", input={"prompt": "Q", "until": [], "max_tokens": 9}))
    0.0
    """
    match sample.input:
        case {"prompt": _}:
            return 0.0
        case {"contexts": [*contexts], "continuations": [*continuations]}:
            count = max(len(contexts), len(continuations)) // requests
        case _:
            return None
    if count < 2:
        return 0.0
    if not several:
        return 1 / count
    match sample.target:
        case Answer(value=[*true]):
            return len(true) / count
        case _:
            return None


def _group(name: str, doc: Mapping[str, Any]) -> str:
    said = doc.get("passage") or json.dumps(
        dict(doc), sort_keys=True, ensure_ascii=False, default=str
    )
    return (
        f"{name}/{hashlib.sha256(str(said).encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"
    )
