"""What is measured of an arm's steps: where its tip goes, overall and by how nearly singular it is."""

from __future__ import annotations

from itertools import pairwise

from assay import Better, Metric, Ratio

from .metrics import (
    ANSWERED,
    DECLINE,
    OUTCOMES,
    bottom_cost,
    charged_error,
    macro_f1,
    mean_error,
    withheld_rate,
)
from .strata import within

SINGULAR = "singular"
LIMIT = 0.1
"""Determinant below which there is no step: the joints would turn twenty times as far as the tip moves."""
MOST = 1.0
"""What a step that is not given is charged: an arm that stands still misses by its whole move."""

EDGES = (0.2, 1.0, 2.0, 4.0)
"""Where the strata of the determinant meet, in limits; the first two strata hold no step."""
STRATA = tuple(f"det_b{k}" for k in range(len(EDGES) + 1))
STEPPED = STRATA[EDGES.index(1.0) + 1 :]
"""The strata with a step to be given."""

sign_consistency = Metric(
    name="sign_consistency",
    says="joints that turn the right way, of the joints of the steps given",
    better=Better.HIGHER,
    form=Ratio(
        numerator=lambda c: c["check:signs"] * (c["correct"] + c["wrong"]),
        denominator=lambda c: c["correct"] + c["wrong"],
    ),
    columns=("check:signs", *ANSWERED[:2]),
    bounds=(0.0, 1.0),
)


def strata_words(limit: float = LIMIT) -> dict[str, str]:
    """Return what each stratum holds, in determinants of the Jacobian.

    >>> strata_words()["det_b2"]
    '|det J| 0.1 to 0.2'
    """
    shares = [f"{limit * edge:g}" for edge in EDGES]
    words = (
        f"below {shares[0]}",
        *(f"{a} to {b}" for a, b in pairwise(shares)),
        f"{shares[-1]} and more",
    )
    return {tag: f"|det J| {said}" for tag, said in zip(STRATA, words, strict=True)}


def ik_metrics(limit: float = LIMIT, decline_cost: float = DECLINE) -> tuple[Metric, ...]:
    """Return what is measured of an arm's steps; the first is the headline.

    >>> [metric.name for metric in ik_metrics()][0]
    'accuracy'
    """
    where = strata_words(limit)
    charged = charged_error(
        "tip_error",
        most=MOST,
        says=f"mean miss of the tip over all steps there are; {MOST:g} for one not given",
        unit="moves",
    )
    return (
        *OUTCOMES.values(),
        macro_f1((SINGULAR,)),
        withheld_rate,
        mean_error(
            "tip_error",
            says="mean miss of the tip, in lengths of its move, of the steps given",
            unit="moves",
        ),
        charged,
        mean_error(
            "squared_error",
            says="mean squared error of the joints, of the steps given",
            unit="rad2",
        ),
        sign_consistency,
        bottom_cost(decline_cost),
        *(within(OUTCOMES["accuracy"], tag, where=where[tag]) for tag in STRATA),
        *(within(charged, tag, where=where[tag]) for tag in STEPPED),
    )
