"""How often the formulas and the ceiling are right on science.ik, by noise and tolerance.

python bench/science_arms.py [--test POSES]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from assay import Answer, Bottom
from assay.core.verdict import judge, needs_check
from assay.estimates import share, spell
from assay.families.science.domains.ik import ik
from assay.families.science.recipes.arm import DampedLeastSquares, JacobianInverse
from assay.families.science.recipes.arm_oracle import ArmOracle

TASKS = [(0.03, 0.2), (0.01, 0.2), (0.05, 0.2), (0.03, 0.1), (0.03, 0.3)]
DAMPINGS = (0.003, 0.01, 0.03, 0.1)


def outcomes(task, recipe):
    """Return the outcome of each test sample, and what it is not independent of."""
    system = recipe.build(task.samples("train"), (), seed=0, workdir=Path()).system
    samples = task.samples("test")
    replies = {r.question: r for r in system.answer([s.question() for s in samples])}
    asked = [(s, replies[s.id]) for s in samples if needs_check(s.target, replies[s.id].said)]
    checks = dict(zip([s.id for s, _ in asked], task.verifier.check(asked), strict=True))
    found = [judge(s.target, replies[s.id].said, checks.get(s.id)).outcome for s in samples]
    return np.array(found), [s.group for s in samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", type=int, default=2_000)
    poses = parser.parse_args().test
    for noise, tolerance in TASKS:
        task = ik(train=1, tune=1, calibration=1, test=poses, noise=noise, tolerance=tolerance)
        targets = [s.target for s in task.samples("test")]
        none = np.mean([isinstance(t, Bottom) for t in targets])
        size = np.median([np.hypot(*t.value) for t in targets if isinstance(t, Answer)])
        print(
            f"noise {noise:g}, tolerance {tolerance:g}: none for {none:.3f}; median step {size:.2f}"
        )
        recipes = [DampedLeastSquares(damping=one) for one in DAMPINGS]
        recipes += [JacobianInverse(noise=noise), ArmOracle(noise=noise, tolerance=tolerance)]
        for recipe in recipes:
            found, groups = outcomes(task, recipe)
            right = np.isin(found, ("correct", "declined"))
            given = np.isin(found, ("correct", "wrong", "invented"))
            name = f"{type(recipe).__name__} {getattr(recipe, 'damping', '')}"
            print(
                f"  {name:26}",
                spell(share("right", right, groups=groups)),
                f" answered {given.mean():.3f}  of those with none {(found == 'invented').mean() / none:.3f}",
            )


if __name__ == "__main__":
    main()
