"""Pick a policy on calibration records, and say on test records what it gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.metric import Estimate, Over
from ..core.policy import Policy, Stage
from ..stats import clusters
from .chain import Chain, chain_of
from .infer import summarise
from .spend import Spend
from .table import Table

SAMPLES = frozenset({Over.SAMPLES})
UNIT = (0.0, 1.0)


def gain_over(policy: Policy, alone: str, chain: Chain) -> Estimate:
    """Compare a policy with one of its systems alone, on the same questions."""
    first = chain.tables[0]
    at = [stage.system for stage in policy.stages].index(alone)
    one = Chain(chain.tables[at : at + 1]).terms(Policy(stages=(Stage(system=alone),)))
    right, seen, _ = chain.terms(policy)
    both = seen * one[1]
    asked = both.sum(axis=0)
    found = clusters.paired(
        ((right * both).sum(axis=0), asked),
        ((one[0] * both).sum(axis=0), asked),
        groups=first.codes,
        bounds=UNIT,
    )
    return summarise(
        "accuracy",
        found,
        n=len(first.samples),
        n_groups=first.n_groups,
        n_seeds=len(first.seeds),
        over=SAMPLES,
    )


def pick_on(
    policies: Sequence[Policy],
    calibration: Mapping[str, Table],
    order: Sequence[str],
    seeds: tuple[int, ...],
    cost: Spend,
    margin: float,
) -> tuple[int | None, str]:
    """Return the cheapest policy within ``margin`` of the most accurate one, and how it was picked."""
    missing = [name for name in order if name not in calibration]
    if missing:
        return None, (
            f"none is picked: {', '.join(missing)} was asked no calibration questions, and picking "
            "on test records would flatter the pick"
        )
    chain = chain_of([calibration[name] for name in order], seeds)
    scores, prices = [], []
    for policy in policies:
        right, seen, asked = chain.terms(policy)
        scores.append(float(right.sum() / seen.sum()) if seen.sum() else 0.0)
        shares = np.array([[float((a * seen).sum() / seen.sum()) if seen.sum() else 0.0
                            for a in asked]])  # fmt: skip
        if cost.known:
            means = [float(c.mean()) for c in cost.usd] + [cost.person_usd]
            prices.append(float(sum(s * m for s, m in zip(shares[0], means, strict=False))))
        else:
            prices.append(float(shares[0, 1:].sum()))
    best = max(scores)
    good = [i for i, score in enumerate(scores) if score >= best - margin]
    chosen = min(good, key=lambda i: (prices[i], -scores[i], i))
    what = "cheapest" if cost.known else "one that escalates least"
    return chosen, (
        f"picked on calibration records: the {what} within {margin:g} of the most accurate one "
        f"({scores[chosen]:.3f} right there; best {best:.3f})"
    )
