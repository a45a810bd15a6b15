"""A run as files of Every Eval Ever: an aggregate and a line per reply, for every system."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard

from ...analysis.case import Case
from ...core.errors import PlanError, SealError
from ...core.metric import Better, Estimate, Origin
from ...core.record import Cell
from ...core.reply import Answer, Bottom
from ...core.sample import Json, Sample
from ...store.canon import canonical, disk_errors, pretty, write_whole
from ...store.journal import read_lines
from ...store.line import Decided, Line
from ...store.manifest import SystemFacts
from ..run import Run
from .eee import MARK
from .eee_aggregate import schema

RIGHT = ("correct", "declined")


def export_eee(
    run: Run, out: Path, *, systems: Collection[str] = (), developer: str = "unknown"
) -> list[Path]:
    """Write the systems under test of a run as Every Eval Ever 0.3; return the files.

    ``out`` gets the layout of the data store: ``data/NAME/DEVELOPER/MODEL/UUID.json`` and
    ``UUID_samples.jsonl``.  The replies are those of the test split, as the systems gave them; the
    scores are as shipped, with the intervals of the report.  ``developer`` stands before the names
    of models that name none.  Equal runs give equal files.

    Raises ``PlanError`` A103 for an unknown system, ``SealError`` A303 when ``out`` is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SealError(
            "the folder is not empty",
            where=str(out),
            hint="name a new folder with --out",
            code="A303",
        )
    tested = [n for n, s in run.manifest.systems.items() if not s.control]
    for name in systems:
        if name not in tested:
            hint = f"it has {', '.join(tested)}"
            raise PlanError(f"no system under test is called {name!r}", hint=hint, code="A103")
    return [file for name in tested if not systems or name in systems
            for file in _write(run, name, out, developer)]  # fmt: skip


def _write(run: Run, system: str, out: Path, developer: str) -> Iterator[Path]:
    facts = run.manifest.systems[system]
    model = _model_id(system, facts, developer)
    folder = (
        Path("data") / _plain(run.manifest.name) / Path(*(_plain(p) for p in model.split("/", 1)))
    )
    name = _uuid(run.manifest.plan, run.manifest.run, system)
    told = f"{run.manifest.name}/{model}/{_when(run)}"
    samples = out / folder / f"{name}_samples.jsonl"
    sha, total = hashlib.sha256(), 0
    with disk_errors(samples):
        samples.parent.mkdir(parents=True, exist_ok=True)
        with samples.open("wb") as file:
            for line in _instances(run, system, told, model):
                raw = canonical(line) + b"\n"
                file.write(raw)
                sha.update(raw)
                total += 1
    aggregate = {
        "schema_version": schema("eval")["version"],
        "evaluation_id": told,
        "retrieved_timestamp": _when(run),
        "source_metadata": {
            "source_name": run.manifest.name,
            "source_type": "evaluation_run",
            "source_organization_name": "unknown",
            "evaluator_relationship": "other",
            "additional_details": {"origin": facts.origin.value, "run": run.manifest.run},
        },
        "eval_library": {
            "name": "assay",
            "version": run.manifest.packages.get("assay-eval", "unknown"),
            "additional_details": {"plan": run.manifest.plan, **_asked_by(facts)},
        },
        "model_info": {
            "name": system,
            "id": model,
            "additional_details": {
                "deployment_type": "unknown",
                "model_availability": "unknown",
                "digest": facts.digest,
            },
        },
        "evaluation_results": [
            _result(told, case, system, metric)
            for case in run.results.cases.values()
            for metric in case.metrics
            if case.estimate(system, metric).value is not None
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": f"{folder.as_posix()}/{name}_samples.jsonl",
            "hash_algorithm": "sha256",
            "checksum": sha.hexdigest(),
            "total_rows": total,
        },
    }
    path = out / folder / f"{name}.json"
    write_whole(path, pretty(aggregate))
    yield path
    yield samples


def _result(told: str, case: Case, system: str, metric: str) -> dict[str, Any]:
    about, estimate = case.metrics[metric], case.estimate(system, metric)
    low, high = about.bounds
    return {
        "evaluation_result_id": _result_id(told, case.task, metric),
        "evaluation_name": case.task,
        "source_data": {"dataset_name": case.task, "source_type": "other"},
        "metric_config": {
            "evaluation_description": about.says,
            "metric_id": metric,
            "lower_is_better": about.better is Better.LOWER,
            "score_type": "continuous",
            "min_score": low if low > float("-inf") else "-Infinity",
            "max_score": high if high < float("inf") else "Infinity",
        },
        "score_details": {"score": estimate.value, "uncertainty": _uncertainty(estimate)},
    }


def _uncertainty(estimate: Estimate) -> dict[str, Any]:
    found: dict[str, Any] = {"num_samples": estimate.n}
    if estimate.low is not None and estimate.high is not None:
        found["confidence_interval"] = {
            "lower": estimate.low,
            "upper": estimate.high,
            "confidence_level": estimate.confidence,
            "method": estimate.method,
        }
    return found


def _instances(run: Run, system: str, told: str, model: str) -> Iterator[dict[str, Any]]:
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
            last = {line.decided.sample: line for line in read_lines(run.dir.journal(cell))}
            for line in last.values():
                yield {
                    "schema_version": schema("instance_level_eval")["version"],
                    "evaluation_id": told,
                    "model_id": model,
                    "evaluation_name": task,
                    "evaluation_result_id": _result_id(told, task, headline),
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


def _asked_by(facts: SystemFacts) -> Mapping[str, str]:
    return {"asked_by": str(facts.options["tool"])} if facts.origin is Origin.REPORTED else {}


def _model_id(system: str, facts: SystemFacts, developer: str) -> str:
    said = facts.options.get("name") if facts.origin is Origin.REPORTED else None
    name = said if isinstance(said, str) and said else system
    return name if "/" in name.strip("/") else f"{developer}/{name}"


def _plain(part: str) -> str:
    return "".join(c if c.isalnum() or c in "._+-" else "-" for c in part).strip(".") or "unknown"


def _result_id(told: str, task: str, metric: str) -> str:
    return f"{told}/{task}/{metric}"


def _when(run: Run) -> str:
    sealed = run.provenance.attempts[-1]["sealed"] if run.provenance.attempts else None
    return str(int(datetime.fromisoformat(str(sealed)).timestamp())) if sealed else "0"


def _uuid(*words: str) -> str:
    """Return a UUID of version 4's form that depends on the words only."""
    raw = hashlib.sha256("\n".join(words).encode()).digest()[:16]
    return str(uuid.UUID(bytes=raw, version=4))
