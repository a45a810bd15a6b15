"""What ``board.json`` holds, for tests of what is made of it."""

from __future__ import annotations

from typing import Any

ACCURACY = {
    "id": "accuracy@t",
    "label": "right",
    "task": "t",
    "metric": "accuracy",
    "unit": "share",
}
LATENCY = {"id": "latency_p50@t", "label": "median latency", "task": "t", "metric": "latency_p50"}
CELL = {"value": 0.61, "low": 0.55, "high": 0.67, "n": 200, "confidence": 0.95, "method": "Wilson"}
SEAL = "ab" * 32


def document(**row: Any) -> dict[str, Any]:
    """Return a board with a measured row, a reported one and a control in one cohort."""
    base = {
        "id": "small--q8",
        "model": "small",
        "system": "q8",
        "label": "Small",
        "origin": "measured",
        "run": SEAL,
        "cells": {"accuracy@t": CELL},
    }
    rows = [
        base | row,
        base | {"id": "small--said", "origin": "reported"},
        base | {"id": "constant", "model": None},
    ]
    run = {
        "seal": SEAL,
        "run": "20261129T200000Z-t",
        "date": "2026-11-29T20:00:00Z",
        "assay": "0.1.0",
        "signed": None,
        "archive": "models/runs/abababababababab.tar.xz",
    }
    return {
        "models": [
            {"id": "small", "name": "Small", "hf_repo": "org/small", "runs": [run]},
            {"id": "other", "name": "Other", "hf_repo": "org/other", "runs": []},
        ],
        "cohorts": [
            {
                "suite": {"name": "open"},
                "headline": "accuracy@t",
                "hardware": {"says": "2 cores"},
                "columns": [ACCURACY, LATENCY],
                "rows": rows,
            }
        ],
    }
