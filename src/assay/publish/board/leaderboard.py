"""The board in the form of ``leaderboard.json`` that was documented before: what was not measured is null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.metric import Origin
from .older import DOCUMENTED
from .registry import ModelEntry, Registry

SCORES = ("reasoning", "coding", "math", "language", "safety", "edge")
TOTAL = "aggregate"


def leaderboard_of(document: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the documented form of a board.

    That form has one list of ranks: they are those of the cohort with the most models (the first by id of equal ones),
    and a model that has no row there has none.  ``rank`` is the band; the interval stands beside it.  It has no place
    to say that a number is reported, so reported rows are left out.
    """
    cohorts = [c for c in document["cohorts"] if any(map(_is_measured, c["rows"]))]
    entries = {m.id: m for m in registry.models}
    ranked = max(
        sorted(cohorts, key=lambda c: str(c["id"])),
        key=lambda c: len({row["model"] for row in c["rows"] if _is_measured(row)}),
        default=None,
    )
    models = [
        _model(model, entries[model["id"]], cohorts, ranked)
        for model in document["models"]
        if model["state"] in ("tested", "published")
    ]
    return {
        "models": models,
        "metadata": {
            "last_updated": document["built"]["date"],
            "total_models": len(models),
            "schema_version": DOCUMENTED,
        },
    }


def _model(
    model: Mapping[str, Any],
    entry: ModelEntry,
    cohorts: Sequence[Mapping[str, Any]],
    ranked: Mapping[str, Any] | None,
) -> dict[str, Any]:
    rows = list(_rows(cohorts, model["id"], ranked))
    first = rows[0] if rows else None
    rank = None
    if first is not None and ranked is not None and first[0]["id"] == ranked["id"]:
        rank = first[1]["ranks"].get(ranked["headline"])
    latency, memory = _value(first, "latency_p50"), _value(first, "peak_bytes")
    return {
        "id": model["id"],
        "name": model["name"],
        "family": model["family"],
        "hf_repo": model["hf_repo"],
        "parameters": model["parameters"],
        "license": model["licence"],
        "context_length": model["context_length"],
        "architecture": model["architecture"],
        "categories": model["categories"],
        "quantizations": [{"name": q["name"]} for q in model["quantizations"]],
        "scores": {name: _value(first, name, group="score") for name in SCORES},
        "aggregate_score": _value(first, TOTAL, group="score"),
        "rank": rank and rank["band"],
        "rank_best": rank and rank["best"],
        "rank_worst": rank and rank["worst"],
        "efficiency_score": None,
        "co2_kg": None,
        "energy_kwh": None,
        "latency_ms": None if latency is None else 1000 * latency,
        "throughput_tps": _value(first, "tokens_per_s"),
        "memory_gb": None if memory is None else memory / 1e9,
        "date_added": entry.added,
        "submitted_by": model["submitted_by"],
    }


def _is_measured(row: Mapping[str, Any]) -> bool:
    return row["model"] is not None and row["origin"] == Origin.MEASURED.value


def _rows(
    cohorts: Sequence[Mapping[str, Any]], model: str, ranked: Mapping[str, Any] | None
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield a model's rows with their cohorts, those of the ranked cohort first."""
    others = [c for c in cohorts if c is not ranked]
    for cohort in ([ranked] if ranked is not None else []) + others:
        for row in cohort["rows"]:
            if row["model"] == model and _is_measured(row):
                yield cohort, row


def _value(
    placed: tuple[Mapping[str, Any], Mapping[str, Any]] | None, metric: str, *, group: str = ""
) -> float | None:
    """Return a number of a row: of the headline's task where several tasks have such a column."""
    if placed is None:
        return None
    cohort, row = placed
    task = next((c["task"] for c in cohort["columns"] if c["id"] == cohort["headline"]), None)
    columns = [c for c in cohort["columns"] if c["metric"] == metric and group in ("", c["group"])]
    columns.sort(key=lambda c: (c["task"] != task, str(c["id"])))
    for column in columns:
        value = row["cells"].get(column["id"], {}).get("value")
        if value is not None:
            return float(value)
    return None
