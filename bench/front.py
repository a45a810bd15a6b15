"""The non-dominated points of a set, beside the libraries that find them and an n-squared loop in Rust.

*Covered*: 10 to 10^6 points at random, all on the front, and with many ties, in two and three
objectives; the same bytes to every contender in one run, the same points back.  Up to 500 points,
every contender goes through 64 sets in turn: nobody, and no branch predictor, meets one set all day.
The Rust is compiled here (``rustc -O``) and repeats inside one call: being called from Python costs it
nothing.
*Not covered*: four objectives and more, resamples, the first call (numba compiles, moocore imports).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, log10
from pathlib import Path
from typing import Any, TypeAlias

import moocore
import numpy as np
from contest import SOURCE, Row, contest, given, here, tell

sys.path.insert(0, str(SOURCE))

RUST = Path(__file__).with_suffix(".rs")
SIZES = (10, 50, 100, 500, 10_000, 1_000_000)
KINDS = ("random", "all on the front", "ties")
Finder: TypeAlias = Callable[[np.ndarray, int], np.ndarray]
"""From sets of shape [sets, points, objectives], taken in turn so many times, to the last answer."""

AT_MOST = {  # larger sets take minutes, or the memory of n squared
    ("Rust, n squared", "all on the front"): 10_000,
    ("Rust, n squared", "ties"): 10_000,
    ("paretoset", "all on the front"): 10_000,
    ("pymoo", "random"): 10_000,
    ("pymoo", "all on the front"): 10_000,
    ("pymoo", "ties"): 10_000,
}


@dataclass(frozen=True, slots=True)
class Side:
    """A contender that repeats short work, so that a clock can see it."""

    run: Callable[[int], Any]
    repeat: int
    note: str

    def __call__(self) -> str:
        """Run, and return the note."""
        self.run(self.repeat)
        return self.note


def main() -> None:
    quick, as_json = given()
    with tempfile.TemporaryDirectory() as folder:
        finders = contenders(Path(folder))
        rows: list[Row] = []
        for objectives in (2, 3):
            for kind in KINDS:
                rows += grown(objectives, kind, finders, quick=quick)
    tell(rows, as_json=as_json)


def grown(objectives: int, kind: str, finders: Mapping[str, Finder], *, quick: bool) -> list[Row]:
    """Time every size of one kind of set."""
    rows: list[Row] = []
    before: tuple[int, float] | None = None
    for n in (50, 2_000) if quick else SIZES:
        sets = np.stack([made(kind, n, objectives, k) for k in range(64 if n <= 500 else 1)])
        theirs = [moocore.is_nondominated(one, maximise=True, keep_weakly=True) for one in sets]
        sides = {
            who: side(find, sets, theirs)
            for who, find in finders.items()
            if n <= AT_MOST.get((who, kind), n)
        }
        rounds = 1 if quick else 3 if n > 100_000 else 5
        found = contest(f"{kind}, {objectives} objectives", sides, n=n, rounds=rounds, each=once)
        if n >= 10_000:
            spent = found[0].cpu.median
            if before is not None:
                grows = log10(spent / before[1]) / log10(n / before[0])
                found[0] = noted(found[0], f"since n = {before[0]:,} it grows as n^{grows:.2f}")
            before = n, spent
        rows += found
    return rows


def made(kind: str, n: int, objectives: int, seed: int = 0) -> np.ndarray:
    """Return points; more is better on every objective."""
    rng = np.random.default_rng([n, objectives, seed])
    if kind == "random":
        return rng.random((n, objectives))
    if kind == "ties":
        return rng.integers(0, 10, (n, objectives)).astype(np.float64)
    points = np.abs(rng.normal(size=(n, objectives)))
    return np.ascontiguousarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def side(find: Finder, sets: np.ndarray, theirs: list[np.ndarray]) -> Side:
    """Check a contender's answers, and choose how often it repeats: about 20 ms in all."""
    found = [np.asarray(find(sets[k : k + 1], 1)).astype(bool) for k in range(len(sets))]
    wrong = sum(int((a != b).sum()) for a, b in zip(found, theirs, strict=True))
    start = time.perf_counter()
    find(sets, 1)
    spent = time.perf_counter() - start
    repeat = min(max(ceil(0.02 / max(spent, 1e-7)), 1), 20_000)
    repeat = -(-repeat // len(sets)) * len(sets)
    standing = sum(int(one.sum()) for one in found) / len(sets)
    said = f"{standing:,.3g} stand" if standing < 1000 else f"{standing:,.0f} stand"
    said += f", OTHERS THAN MOOCORE: {wrong:,}" if wrong else ""
    return Side(lambda times: find(sets, times), repeat, said)


def once(side: Side) -> tuple[float, float, str]:
    """Time a contender, and divide by its repetitions."""
    cpu, wall, note = here(side)
    return cpu / side.repeat, wall / side.repeat, note


def noted(row: Row, more: str) -> Row:
    return replace(row, note=f"{row.note}; {more}")


def contenders(folder: Path) -> dict[str, Finder]:
    """Return whoever is installed; say who is not."""
    from assay.core.metric import Better
    from assay.stats.frontier import non_dominated

    def repeated(find: Callable[[np.ndarray], np.ndarray]) -> Finder:
        def run(sets: np.ndarray, times: int) -> np.ndarray:
            for turn in range(times):
                found = find(sets[turn % len(sets)])
            return found

        return run

    ups = [Better.HIGHER] * 3
    found = {
        "assay": repeated(lambda p: non_dominated(p, ups[: p.shape[1]])),
        "moocore": repeated(lambda p: moocore.is_nondominated(p, maximise=True, keep_weakly=True)),
    }
    try:
        from paretoset import paretoset
    except ImportError:
        skip("paretoset", "is not installed (`make bench` installs it)")
    else:
        found["paretoset"] = repeated(
            lambda p: paretoset(p, sense=["max"] * p.shape[1], distinct=False)
        )
        try:
            import numba  # noqa: F401
        except ImportError:
            skip("numba", "is not installed: paretoset runs without it, much slower")
    try:
        from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
    except ImportError:
        skip("pymoo", "is not installed (`make bench` installs it)")
    else:
        sort = NonDominatedSorting()

        def first(points: np.ndarray) -> np.ndarray:
            stands = np.zeros(len(points), dtype=bool)
            stands[sort.do(-points, only_non_dominated_front=True)] = True
            return stands

        found["pymoo"] = repeated(first)
    rust = compiled(folder)
    if rust is not None:
        found["Rust, n squared"] = rust
    return found


def compiled(folder: Path) -> Finder | None:
    """Compile the Rust, if there is a compiler."""
    compiler = shutil.which("rustc")
    if compiler is None:
        skip("the loop in Rust", "there is no rustc on the PATH")
        return None
    library = folder / "front.so"
    options = ["-O", "--edition", "2021", "--crate-type", "cdylib"]
    subprocess.run([compiler, *options, "-o", library, RUST], check=True)
    call = ctypes.CDLL(str(library)).front
    whole, where = ctypes.c_size_t, ctypes.c_void_p
    call.argtypes, call.restype = [where, whole, whole, whole, where, whole], None

    def run(sets: np.ndarray, times: int) -> np.ndarray:
        stands = np.zeros(sets.shape[1], dtype=np.uint8)
        call(sets.ctypes.data, *sets.shape, stands.ctypes.data, times)
        return stands

    return run


def skip(who: str, why: str) -> None:
    print(f"skipped: {who}: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()
