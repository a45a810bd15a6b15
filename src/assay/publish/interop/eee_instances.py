"""The replies of a run as instances of Every Eval Ever, a line each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypeGuard

from ...core.record import Cell
from ...core.reply import Answer, Bottom
from ...core.sample import Json, Sample
from ...store.journal import first_tries, read_lines
from ...store.line import Decided, Line
from ..run import Run
from .eee import MARK
from .eee_aggregate import schema

RIGHT = ("correct", "declined")


def instances(run: Run, system: str, told: str, model: str) -> Iterator[dict[str, Any]]:
    """Yield the replies of a system to the test questions, as the schema has them.

    ``told`` is the id of the evaluation, ``model`` the name of the system.
    """
    facts = run.manifest.systems[system]
    for task, samples in run.results.samples.items():
        by_id = {sample.id: sample for sample in samples}
        headline = run.results.cases[task].headline.name
        # Its licence forbids copies: what stands for the input is a digest, and says so.
        closed = (
            {} if run.manifest.tasks[task].redistributable else {f"{MARK}digest": "input,target"}
        )
        for seed in facts.seeds:
            cell = Cell(task=task, system=system, seed=seed, split="test")
            lines = first_tries(read_lines(run.dir.journal(cell)))
            last = {line.decided.sample: line for line in lines}
            for line in last.values():
                yield {
                    "schema_version": schema("instance_level_eval")["version"],
                    "evaluation_id": told,
                    "model_id": model,
                    "evaluation_name": task,
                    "evaluation_result_id": result_id(told, task, headline),
                    **_instance(by_id[line.decided.sample], line, headline),
                    "metadata": _metadata(by_id[line.decided.sample], line.decided, seed, line)
                    | closed,
                }


def _instance(sample: Sample, line: Line, headline: str) -> dict[str, Any]:
    said = line.decided
    raw = _text(sample.input)
    reference = _reference(sample)
    shown = _text(said.value) if said.kind == "answer" else ""
    right = said.outcome in RIGHT
    score = said.checks.get(headline, 0.0) if said.outcome == "scored" else float(right)
    found: dict[str, Any] = {
        "sample_id": sample.id,
        "sample_hash": hashlib.sha256(
            (raw + "".join(reference)).encode("utf-8", "surrogatepass")
        ).hexdigest(),
        "interaction_type": "single_turn",
        "input": {"raw": raw, "reference": reference},
        "output": {"raw": [shown]},
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": shown,
                "extraction_method": "none",
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": score, "is_correct": right},
    }
    if said.kind in ("failed", "crash"):
        found["error"] = f"{said.kind}: {said.reason}"
    return found | _spent(line)


def _spent(line: Line) -> dict[str, Any]:
    used = line.usage
    found: dict[str, Any] = {}
    if used.tokens_in is not None and used.tokens_out is not None:
        found["token_usage"] = {
            "input_tokens": used.tokens_in,
            "output_tokens": used.tokens_out,
            "total_tokens": used.tokens_in + used.tokens_out,
            "input_tokens_cache_read": used.tokens_cached,
        }
    if used.latency_s is not None:
        first = None if used.first_token_s is None else used.first_token_s * 1000
        found["performance"] = {
            "latency_ms": used.latency_s * 1000,
            "time_to_first_token_ms": first,
        }
    return found


def _metadata(sample: Sample, said: Decided, seed: int, line: Line) -> dict[str, str]:
    """Return what the schema has no place for, so that a reader of assay's gets it back."""
    found = {"seed": str(seed), "outcome": said.outcome}
    if sample.group and sample.group != sample.id:
        found["group"] = sample.group
    if isinstance(sample.target, Bottom):
        found["no_answer"] = sample.target.reason
    if not_text := _not_text(sample, said):
        found["json"] = not_text
    if said.reason:
        found["reason"] = said.reason
    if said.confidence is not None:
        found["confidence"] = repr(said.confidence)
    if line.usage.billed_usd is not None:
        found["billed_usd"] = repr(line.usage.billed_usd)
    return {MARK + key: value for key, value in sorted(found.items())}


def _reference(sample: Sample) -> list[str]:
    if not isinstance(sample.target, Answer):
        return []
    value = sample.target.value
    return list(value) if _is_several(value) else [_text(value)]


def _is_several(value: Json) -> TypeGuard[list[str]]:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, str) for v in value)


def _not_text(sample: Sample, said: Decided) -> str:
    """Return which parts of an instance are JSON written as text."""
    target = sample.target.value if isinstance(sample.target, Answer) else ""
    parts = {
        "input": sample.input,
        "target": "" if _is_several(target) else target,
        "value": said.value if said.kind == "answer" else "",
    }
    return ",".join(name for name, value in parts.items() if not isinstance(value, str))


def _text(value: Json) -> str:
    if value is None:
        return ""
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )


def result_id(told: str, task: str, metric: str) -> str:
    """Return the id by which an aggregate and its instances name one result."""
    return f"{told}/{task}/{metric}"
