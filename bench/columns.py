"""From journals on disk to a share with its interval, a paired comparison and a front.

*Covered*: a million records in one journal to one share; whole sealed runs of 10^4 to 10^6 records
(10^7 with ASSAY_BENCH_LARGE=1: 1.6 GB below TMPDIR, minutes), their seal checked, read for the first time and
again; seconds and peak memory, each way in a process of its own; agreement of the intervals.
*Not covered*: reports, resampling, statistics that are no ratios.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from big_run import SHAPES, TASK, write_run
from contest import SOURCE, Row, children, contest, given, tell

sys.path.insert(0, str(SOURCE))

GROUP = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] in WAYS:
        _, way, path, n = sys.argv
        ends = WAYS[way](Path(path), int(n))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pairs = zip(ends[::2], ends[1::2], strict=True) if ends else ()
        said = "".join(f"[{low:.5f}, {high:.5f}]; " for low, high in pairs)
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
    for size in sizes(quick=quick):
        rows += whole_run(size, rounds=1 if quick or size == max(SHAPES) else rounds)
    tell(rows, as_json=as_json)


def sizes(*, quick: bool) -> list[int]:
    """Return the numbers of records that whole runs are to have."""
    large = os.environ.get("ASSAY_BENCH_LARGE", "") not in ("", "0")
    return [n for n in SHAPES if n <= (10_000 if quick else 10_000_000 if large else 1_000_000)]


def whole_run(n: int, *, rounds: int) -> list[Row]:
    """Read a sealed run to an estimate, a paired comparison and a front, each way."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "run")
        write_run(root, n)
        size = sum(path.stat().st_size for path in root.glob("records/*/*/*.jsonl"))
        again = starts("run", root, n)

        def first() -> str:
            shutil.rmtree(root / "cache", ignore_errors=True)
            return again()

        sides = {
            "assay, seal checked, first time": first,
            "assay, seal checked, again": again,
            "json.loads, numpy sandwich": starts("plain_run", root, n),
        }
        if has("duckdb"):
            sides["duckdb read_json, numpy sandwich"] = starts("duckdb_run", root, n)
        what = f"estimate, comparison and front of {SHAPES[n]} systems, {size / 1e6:.3g} MB"
        scale = ("assay, seal checked, again",)
        return contest(what, sides, n=n, rounds=rounds, each=children, for_scale=scale)


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


def run(root: Path, n: int) -> tuple[float, ...]:
    from assay.publish.run import Run

    loaded = Run.load(root)
    case = loaded.results.cases[TASK]
    assert sum(table.outcome.size for table in case.tables.values()) == n
    made = case.estimate("s00", "accuracy"), case.compare("s00", "s01", "accuracy")
    [front] = loaded.results.fronts
    assert any(point.standing.value == "on" for point in front.points)
    return tuple(end for e in made for end in (e.low, e.high) if end is not None)


def plain_run(root: Path, n: int) -> tuple[float, ...]:
    hits: dict[str, dict[str, float]] = {}
    asked: dict[str, dict[str, int]] = {}
    for path in sorted(root.glob("records/*/*/*-test.jsonl")):
        right, count = (d.setdefault(path.parent.name, {}) for d in (hits, asked))
        with path.open("rb") as file:
            for raw in file:
                decided = json.loads(raw)["decided"]
                group = decided["group"]
                right[group] = right.get(group, 0) + (decided["outcome"] == "correct")
                count[group] = count.get(group, 0) + 1
    assert sum(sum(count.values()) for count in asked.values()) == n
    return of_groups(
        {s: np.array(list(d.values()), dtype=np.float64) for s, d in hits.items()},
        np.array(list(asked["s00"].values()), dtype=np.float64),
        root,
    )


def duckdb_run(root: Path, n: int) -> tuple[float, ...]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads=1")
    found = connection.execute(
        "SELECT regexp_extract(filename, '([^/]+)/[^/]+$', 1) system, decided.\"group\" g, "
        "sum((decided.outcome = 'correct')::INT)::DOUBLE hits, count(*) asked FROM read_json("
        "$1, filename = true, format = 'newline_delimited', "
        "columns = {decided: 'STRUCT(\"group\" VARCHAR, outcome VARCHAR)'}) GROUP BY ALL ORDER BY ALL",
        [f"{root}/records/*/*/*-test.jsonl"],
    ).fetchnumpy()
    assert found["asked"].sum() == n
    names = found["system"].astype(str)
    hits = {s: np.asarray(found["hits"][names == s]) for s in dict.fromkeys(names.tolist())}
    return of_groups(hits, np.asarray(found["asked"][names == "s00"], dtype=np.float64), root)


def of_groups(hits: dict[str, np.ndarray], sizes: np.ndarray, root: Path) -> tuple[float, ...]:
    """Return both intervals from totals of groups, and see who is beaten on point values."""
    n, k = sizes.sum(), len(sizes)

    def ends(total: np.ndarray) -> tuple[float, float]:
        value = total.sum() / n
        se = np.sqrt(k / (k - 1) * ((total - value * sizes) ** 2).sum()) / n
        return float(value - 1.96 * se), float(value + 1.96 * se)

    seconds: dict[str, list[float]] = {}
    for path in root.glob("timing/*/*.jsonl"):
        for raw in path.read_bytes().splitlines():
            line = json.loads(raw)
            seconds.setdefault(line["system"], []).append(line["busy_s"])
    points = {s: (-h.sum(), sum(seconds[s])) for s, h in hits.items()}
    front = [
        p for p in points.values() if not any(q[0] <= p[0] and q[1] < p[1] for q in points.values())
    ]
    assert front
    return *ends(hits["s00"]), *ends(hits["s00"] - hits["s01"])


def imports(*_: object) -> None:
    import assay.stats.clusters
    import assay.store.columns  # noqa: F401  (importing is what is timed)


def has(*names: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)


def has_peers() -> bool:
    found = has("pandas", "statsmodels")
    if not found:
        print("skipped: pandas and statsmodels, which are not installed", file=sys.stderr)
    return found


WAYS: dict[str, Any] = {
    "ours": ours,
    "plain": plain,
    "pandas": pandas,
    "imports": imports,
    "run": run,
    "plain_run": plain_run,
    "duckdb_run": duckdb_run,
}

if __name__ == "__main__":
    main()
