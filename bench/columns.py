"""From a journal on disk to one share with a cluster-robust interval.

*Covered*: a million records in groups of ten, read and estimated, seconds and peak memory, each
way in a process of its own; agreement of the intervals.  *Not covered*: many cells, resampling.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from contest import SOURCE, children, contest, given, tell

sys.path.insert(0, str(SOURCE))

GROUP = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] in WAYS:
        _, way, path, n = sys.argv
        ends = WAYS[way](Path(path), int(n))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        said = f"[{ends[0]:.5f}, {ends[1]:.5f}]; " if ends else ""
        print(f"{said}peak {peak:,.0f} MB")
        return
    quick, as_json = given()
    n, rounds = (5_000, 1) if quick else (1_000_000, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.jsonl")
        write(path, n)
        sides = {
            said: starts(way, path, n)
            for way, said in (
                ("ours", "assay columns and share"),
                ("plain", "json.loads, numpy sandwich"),
                ("pandas", "msgspec dicts, pandas, statsmodels"),
                ("imports", "assay's imports alone"),
            )
            if way != "pandas" or has_peers()
        }
        what = f"read and estimate, {path.stat().st_size / 1e6:.3g} MB"
        scale = ("assay's imports alone",)
        rows = contest(what, sides, n=n, rounds=rounds, each=children, for_scale=scale)
    tell(rows, as_json=as_json)


def write(path: Path, n: int) -> None:
    """Write a journal whose groups are right, or wrong, more or less together."""
    from assay.store.line import Decided, Line, Spent, encode

    rng = np.random.default_rng(0)
    right = rng.random(n) < np.repeat(rng.beta(8, 2, -(-n // GROUP)), GROUP)[:n]
    with path.open("wb") as file:
        for k, good in enumerate(right.tolist()):
            decided = Decided(
                sample=f"test/{k:07}",
                group=f"pattern/{k // GROUP:06}",
                kind="answer",
                outcome="correct" if good else "wrong",
                value=f"action_{k % 40}",
                confidence=k * 37 % 1000 / 1000,
            )
            spent = Spent(busy_s=k % 1000 * 1e-6, latency_s=k % 1000 * 1.1e-6)
            file.write(encode(Line(decided=decided, usage=spent)))


def starts(way: str, path: Path, n: int) -> Callable[[], str]:
    """Return a side that runs one way in a fresh process."""

    def start() -> str:
        words = [sys.executable, __file__, way, str(path), str(n)]
        environment = {**os.environ, **ONE_THREAD}
        done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    return start


def ours(path: Path, n: int) -> tuple[float, float]:
    from assay.stats.clusters import share
    from assay.store.columns import CODE, read_columns

    columns = read_columns(path)
    assert len(columns.samples) == n
    groups = np.unique(columns.groups, return_inverse=True)[1]
    ends = share(columns.outcome == CODE["correct"], np.ones(n), groups=groups).interval(0.95)
    assert ends is not None
    return ends


def plain(path: Path, n: int) -> tuple[float, float]:
    right, names = [], []
    with path.open("rb") as file:
        for raw in file:
            decided = json.loads(raw)["decided"]
            right.append(decided["outcome"] == "correct")
            names.append(decided["group"])
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(name, len(known)) for name in names])
    hits, sizes = np.bincount(codes, weights=right), np.bincount(codes)
    value = hits.sum() / n
    se = np.sqrt(len(known) / (len(known) - 1) * ((hits - value * sizes) ** 2).sum()) / n
    return float(value - 1.96 * se), float(value + 1.96 * se)


def pandas(path: Path, n: int) -> tuple[float, float]:
    import msgspec
    import statsmodels.api as sm
    from pandas import DataFrame

    lines = msgspec.json.Decoder().decode_lines(path.read_bytes())
    frame = DataFrame.from_records([line["decided"] for line in lines])
    right = (frame["outcome"] == "correct").astype(float)
    codes = frame["group"].astype("category").cat.codes
    fit = sm.OLS(right, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    low, high = fit.conf_int().to_numpy()[0]
    return float(low), float(high)


def imports(*_: object) -> None:
    import assay.stats.clusters
    import assay.store.columns  # noqa: F401  (importing is what is timed)


def has_peers() -> bool:
    from importlib.util import find_spec

    found = all(find_spec(name) for name in ("pandas", "statsmodels"))
    if not found:
        print("skipped: pandas and statsmodels, which are not installed", file=sys.stderr)
    return found


WAYS: dict[str, Any] = {"ours": ours, "plain": plain, "pandas": pandas, "imports": imports}

if __name__ == "__main__":
    main()
