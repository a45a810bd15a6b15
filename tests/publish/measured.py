"""Measurements for tests: the files that ``assay perf run`` writes, of seconds that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

MACHINE = {
    "cpu": "Some CPU",
    "cpus": 2,
    "cpus_usable": 2,
    "memory_mb": 24_000,
    "gpus": [],
    "os": "Linux-6.1",
    "python": "3.11.7",
    "libc": "glibc 2.36",
}


def write(path: Path, seconds: Mapping[str, Sequence[float]], **about: object) -> Path:
    """Write a measurement with these seconds of CPU for each process; wall is twice as much."""
    rows = [
        {
            "name": name,
            "says": "what is timed",
            "n": 1,
            "processes": len(times),
            "values": len(times),
            "loops": 1,
            "cpu": spread(times),
            "wall": spread([2 * each for each in times]),
        }
        for name, times in seconds.items()
    ]
    facts = {
        "version": "0.1.0",
        "when": "2026-11-30T08:00:00+00:00",
        "minutes": 1.0,
        "command": "assay perf run",
        "quick": False,
        "machine": MACHINE,
        "packages": {"numpy": "2.4.6"},
        "threads": {},
        "git": {},
        "suites": {
            suite: {"version": "1", "says": "timed", "when": "2026-11-30", "load": "0 0 0"}
            for suite in {name.partition("/")[0] for name in seconds}
        },
        "rows": rows,
        **about,
    }
    whole = {
        "version": "1.0",
        "metadata": {"unit": "second"},
        "benchmarks": [
            {
                "metadata": {"name": name, "loops": 1},
                "runs": [{"values": [2 * t], "metadata": {"cpu_s": t}} for t in times],
            }
            for name, times in seconds.items()
        ],
        "assay": facts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole), "utf-8")
    return path


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return the summary of times."""
    return {"median": float(np.median(times)), "low": min(times), "high": max(times), "mad": 0.0}


def drawn(
    seed: int, *, many: int = 8, processes: int = 10, noise: float = 0.02, slow: float = 1.0
) -> dict[str, list[float]]:
    """Return seconds of processes: all benchmarks as long as in other draws, the first ``slow`` times so."""
    rng = np.random.default_rng(seed)
    calm = [f"calm/b{k}" for k in range(many)]
    return {
        name: (
            (slow if k == 0 else 1.0) * 1e-3 * (k + 1) * np.exp(rng.normal(0, noise, processes))
        ).tolist()
        for k, name in enumerate([*calm, "control/python", "control/arrays"])
    }
