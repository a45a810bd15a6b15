"""The claims that the published plans of this family state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from .published import Domain

Stated: TypeAlias = "dict[str, Any]"
"""A claim as a plan has it."""


def learning(domain: Domain, over: Sequence[str]) -> list[Stated]:
    """Return the claims that networks learn at all."""
    trivial = {"median": "giving the same value for every row", "decline": "declining every row"}
    return [
        {
            "id": f"{system}-beats-{name}",
            "says": f"{system} is right clearly more often than {what}",
            "system": system,
            "against": name,
            "metric": "accuracy",
            "at_least": domain.least,
            "over": list(over),
        }
        for system in ("two-heads", "projective")
        for name, what in trivial.items()
    ]


def contest(domain: Domain, over: Sequence[str]) -> list[Stated]:
    """Return the claims of the published plan: where a bottom helps, and where it does not."""
    rivals = ("two-heads", "softmax", "ensemble", "trees")
    found: list[Stated] = [
        {
            "id": f"bottom-beats-{rival}",
            "says": f"A rational head with a bottom is right more often than {rival}",
            "system": "projective",
            "against": rival,
            "metric": "accuracy",
            "at_least": 0.0,
            "over": list(over),
            "headline": rival == "two-heads",
        }
        for rival in rivals
    ]
    found += [
        {
            "id": "bottom-keeps-up",
            "says": "A rational head with a bottom is at most a point less often right than two heads",
            "system": "projective",
            "against": "two-heads",
            "metric": "accuracy",
            "at_least": -0.01,
            "over": list(over),
        },
        {
            "id": "published-loses",
            "says": "The head as it was published is at least five points behind the one whose loss knows both sides",
            "system": "projective",
            "against": "projective-published",
            "metric": "accuracy",
            "at_least": 0.05,
            "over": list(over),
        },
        {
            "id": "near-the-ceiling",
            "says": "Two heads are at most two points below what can be known at all",
            "system": "two-heads",
            "against": "oracle",
            "metric": "accuracy",
            "at_least": -0.02,
            "over": list(over),
        },
        {
            "id": "gate-fires",
            "says": "The gate of the rational head declines one row in fifty at least",
            "system": "projective",
            "metric": "coverage",
            "at_most": 0.98,
            "over": list(over),
        },
    ]
    for system in ("projective", "two-heads"):
        found.append(
            {
                "id": f"{system}-safety",
                "says": f"At its safety-first point {system} invents a value for at most one in twenty rows that have none",
                "system": f"{system}-safety-first",
                "metric": "invention_rate",
                "at_most": 0.05,
                "over": list(over),
            }
        )
        found.append(
            {
                "id": f"{system}-accuracy",
                "says": f"At its accuracy-first point {system} withholds at most one in ten of the values that are there",
                "system": f"{system}-accuracy-first",
                "metric": "withheld_rate",
                "at_most": 0.1,
                "over": list(over),
            }
        )
        found.append(
            {
                "id": f"{system}-balanced",
                "says": f"At its balanced point {system} is at most a point less often right than under its own name",
                "system": f"{system}-balanced",
                "against": system,
                "metric": "accuracy",
                "at_least": -0.01,
                "over": list(over),
            }
        )
        if domain.directed:
            found.append(
                {
                    "id": f"{system}-direction",
                    "says": f"At its direction-aware point {system} names the right side of 19 in 20 rows that it rightly declines",
                    "system": f"{system}-direction-aware",
                    "metric": "direction_accuracy",
                    "at_least": 0.95,
                    # Where no seed errs, few seeds cannot say how others would: it speaks of samples.
                    "over": ["samples"],
                }
            )
    return found


def direction(over: Sequence[str]) -> list[Stated]:
    """Return the claims on a direction that is learnt afterwards."""
    return [
        {
            "id": f"frozen-{rival}",
            "says": f"A direction that is learnt afterwards, on a frozen trunk, loses at most a point of macro-F1 to {rival}",
            "system": "projective-frozen",
            "against": rival,
            "metric": "macro_f1",
            "at_least": -0.01,
            "over": list(over),
        }
        for rival in ("projective", "projective-joint", "two-heads")
    ]
