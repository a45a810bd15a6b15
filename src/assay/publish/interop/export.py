"""A run as files of Every Eval Ever: an aggregate and a line per reply, for every system."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ...analysis.case import Case
from ...core.errors import PlanError, SealError
from ...core.metric import Better, Estimate, Origin
from ...store.canon import canonical, digest_file, disk_errors, pretty, write_whole
from ...store.manifest import SystemFacts
from ..run import Run
from .eee_aggregate import schema
from .eee_instances import instances, result_id


def export_eee(
    run: Run,
    out: Path,
    *,
    systems: Collection[str] = (),
    developer: str = "unknown",
    models: Mapping[str, str] = MappingProxyType({}),
) -> list[Path]:
    """Write the systems under test of a run as Every Eval Ever 0.3; return the files.

    ``out`` gets the layout of the data store: ``data/NAME/DEVELOPER/MODEL/UUID.json`` and
    ``UUID_samples.jsonl``.  The replies are those of the test split, as the systems gave them; the
    scores are as shipped, with the intervals of the report.  ``developer`` stands before the names
    of models that name none; ``models`` gives the id of the model that a system runs (``org/name``), where that is
    known.  Equal runs give equal files.

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
    seal = digest_file(run.dir.seal)
    return [file for name in tested if not systems or name in systems
            for file in _write(run, name, out, _Named(developer, models.get(name), seal))]  # fmt: skip


class _Named(NamedTuple):
    """What an aggregate is called, beside the name of its system."""

    developer: str
    model: str | None
    seal: str


def _write(run: Run, system: str, out: Path, named: _Named) -> Iterator[Path]:
    facts = run.manifest.systems[system]
    model = named.model or _model_id(system, facts, named.developer)
    folder = (
        Path("data") / _plain(run.manifest.name) / Path(*(_plain(p) for p in model.split("/", 1)))
    )
    name = _uuid(run.manifest.plan, run.manifest.run, system)
    # Several systems may run one model: their ids are told apart by the system.
    told = f"{run.manifest.name}/{model}{f':{system}' if named.model else ''}/{_when(run)}"
    samples = out / folder / f"{name}_samples.jsonl"
    sha, total = hashlib.sha256(), 0
    with disk_errors(samples):
        samples.parent.mkdir(parents=True, exist_ok=True)
        with samples.open("wb") as file:
            for line in instances(run, system, told, model):
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
            "additional_details": {
                "origin": facts.origin.value,
                "run": run.manifest.run,
                "seal": named.seal,
            },
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
            # The schema has no word for a metric of which neither more nor less is better.
            if case.estimate(system, metric).value is not None
            and case.better(metric) is not Better.NONE
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
        "evaluation_result_id": result_id(told, case.task, metric),
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


def _asked_by(facts: SystemFacts) -> Mapping[str, str]:
    return {"asked_by": str(facts.options["tool"])} if facts.origin is Origin.REPORTED else {}


def _model_id(system: str, facts: SystemFacts, developer: str) -> str:
    said = facts.options.get("name") if facts.origin is Origin.REPORTED else None
    name = said if isinstance(said, str) and said else system
    return name if "/" in name.strip("/") else f"{developer}/{name}"


def _plain(part: str) -> str:
    return "".join(c if c.isalnum() or c in "._+-" else "-" for c in part).strip(".") or "unknown"


def _when(run: Run) -> str:
    sealed = run.provenance.attempts[-1]["sealed"] if run.provenance.attempts else None
    return str(int(datetime.fromisoformat(str(sealed)).timestamp())) if sealed else "0"


def _uuid(*words: str) -> str:
    """Return a UUID of version 4's form that depends on the words only."""
    raw = hashlib.sha256("\n".join(words).encode()).digest()[:16]
    return str(uuid.UUID(bytes=raw, version=4))
