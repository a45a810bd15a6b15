"""Hold the classic science tasks to zeroproofml's own generators: do both draw from one distribution?

    python bench/science_draws.py [--work .cache/peers] [--seed 3] [--python PYTHON]

The original draws in an environment of its own, made on the first run (pinned).  What is drawn is
compared by two-sample Kolmogorov-Smirnov tests, each input and label within its class, split and
stratum, and by chi-square tests of the classes and strata.  Exits 1 where the smallest p times the
number of tests is below 0.01.

*Covered*: inputs, labels, classes, the division of poses into train and test.  *Not covered*:
dependence between inputs beyond means and ranges of curves; the rows that the original adds to empty
strata, of which there are none at these sizes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from contest import SOURCE
from intent_peers_apart import environment
from science_peers import PEER, asked_of

sys.path.insert(0, str(SOURCE))

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp

from assay.families.science.domains.classic import dose, ik, rf
from assay.families.science.domains.drawn import Drawn, generator, rounded

CURVES, FILTERS, POSES = 40_000, 1_024, 50_000
LEVEL = 0.01

Tests = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--python", type=Path, help="of an environment that has the peer already")
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    work = given.work.resolve()
    python = given.python or environment(PEER, work, family="science").python
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"science-draws-{given.seed}.npz"
    sizes = {"curves": CURVES, "filters": FILTERS, "poses": POSES}
    asked_of(python, {"do": "draw", "seed": given.seed, "path": str(path), **sizes})
    theirs = dict(np.load(path))
    found = {
        "dose": doses(theirs, given.seed),
        "rf": responses(theirs, given.seed),
        "ik": poses(theirs, given.seed),
    }
    print("| domain | tests | p below 0.05 | smallest p | of |\n|---|---|---|---|---|")
    for domain, tests in found.items():
        name = min(tests, key=tests.__getitem__)
        low = sum(p < 0.05 for p in tests.values())
        print(f"| {domain} | {len(tests)} | {low} | {tests[name]:.2g} | {name} |")
    many = sum(map(len, found.values()))
    if min(min(tests.values()) for tests in found.values()) * many < LEVEL:
        sys.exit("they differ")


def doses(theirs: dict[str, Any], seed: int) -> Tests:
    """Compare curves of each class: every response, the mean, the range, the IC50."""
    drawn = dose.draw(dose.ClassicCurves(), CURVES, generator(seed, "train"))
    classes = np.array([dose.CLASSES.index(reason) for reason in drawn.reasons])
    x, y = theirs["dose_x"], theirs["dose_y"]
    other = y[:, 1].astype(int)
    assert np.allclose(drawn.x[0, ::2], x[0, ::2], atol=1e-6), "the grids differ"
    found = {"classes": alike(classes, other)}
    for number, name in enumerate(("below", "in range", "above")):
        mine, its = drawn.x[classes == number, 1::2], x[other == number, 1::2]
        for at in range(mine.shape[1]):
            found[f"{name}, response {at}"] = same(mine[:, at], its[:, at])
        found[f"{name}, mean"] = same(mine.mean(axis=1), its.mean(axis=1))
        found[f"{name}, range"] = same(np.ptp(mine, axis=1), np.ptp(its, axis=1))
        found[f"{name}, IC50"] = same(drawn.y[classes == number, 0], y[other == number, 0])
    return found


def responses(theirs: dict[str, Any], seed: int) -> Tests:
    """Compare filters of train and of test: frequencies, parameters, responses at a few places."""
    found = {}
    filters = rf.ClassicFilters()
    for split, most in (("train", filters.quality[1]), ("test", filters.quality_test)):
        drawn = rf.draw(filters, FILTERS, generator(seed, split), most=most)
        x, y = theirs[f"rf_{split}_x"], theirs[f"rf_{split}_y"]
        found[f"{split}, frequency"] = same(drawn.x[:, 0], x[:, 0])
        for at, name in ((1, "resonance"), (2, "quality")):
            found[f"{split}, {name}"] = same(
                drawn.x[:: filters.points, at], x[:: filters.points, at]
            )
        for place in (0, 20, 40, 63):  # one response of each filter: those of a filter are related
            for part, name in ((0, "real"), (1, "imaginary")):
                found[f"{split}, {name} {place}"] = same(
                    drawn.y[place :: filters.points, part], y[place :: filters.points, part]
                )
    return found


def poses(theirs: dict[str, Any], seed: int) -> Tests:
    """Compare rows of train and of test: inputs, and within each stratum the labels.

    The original's inputs are rounded as ours are, and its labels computed from those: that moves
    none by more than 0.002.
    """
    arm = ik.ClassicArm()
    parts = ik.divided(ik.draw(arm, POSES, generator(seed, "train")), 4, 1)
    found = {}
    for name, drawn in zip(("train", "test"), parts, strict=True):
        rows = theirs[f"ik_{name}"]
        x = rounded(rows[:, :4])
        y = ik.damped_steps(x[:, :2], x[:, 2:], arm.damping)
        assert np.abs(y - rows[:, 4:6]).max() < 0.002, "the labels differ"
        mine = stratum_of(drawn)
        its = np.searchsorted(ik.EDGES[1:-1], np.abs(rows[:, 6]), side="left")
        found[f"{name}, strata"] = alike(mine, its)
        for at, what in enumerate(("first angle", "second angle", "step x", "step y")):
            found[f"{name}, {what}"] = same(drawn.x[:, at], x[:, at])
        for stratum in range(len(ik.STRATA)):
            here, there = mine == stratum, its == stratum
            found[f"{name}, {stratum}, second angle"] = same(drawn.x[here, 1], x[there, 1])
            for joint in (0, 1):
                found[f"{name}, {stratum}, joint {joint}"] = same(
                    drawn.y[here, joint], y[there, joint]
                )
    return found


def stratum_of(drawn: Drawn) -> Any:
    return np.array([next(i for i, s in enumerate(ik.STRATA) if s in tags) for tags in drawn.tags])


def same(one: Any, other: Any) -> float:
    return float(ks_2samp(one, other).pvalue)


def alike(one: Any, other: Any) -> float:
    return float(chi2_contingency([np.bincount(one), np.bincount(other)]).pvalue)


if __name__ == "__main__":
    main()
