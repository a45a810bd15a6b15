"""What the published plans of this family are made of: three domains, and how networks learn there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

POINTS: Mapping[str, Mapping[str, Any]] = {
    "safety-first": {"max_risk": 0.1},
    "accuracy-first": {"utility": {"right": 1.0, "wrong": -0.25, "declined": 0.0}},
    "balanced": {"utility": {"right": 1.0, "wrong": -1.0, "declined": -0.5}},
}
"""Operating points beside the one that every network has; *balanced* weighs a failure whole and a decline
half, as ``bottom_cost`` does."""

OWN: Mapping[str, Any] = {"utility": {"right": 1.0, "wrong": -1.0, "declined": 0.0}}
"""The threshold of every network under its own name: a wrong value costs what a right one is worth."""

PUBLISHED: Mapping[str, Any] = {
    "fit": "published",
    "detach": True,
    "shock": 0.01,
    "margin": 0.1,
    "separation": 1.0,
    "sign": 0.5,
}
"""The head as it was published: its cross product, a start near Q = 0, a renormalisation that has no
gradient, and its losses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What is asked, and who answers beside networks."""

    task: str
    says: str
    formulas: Mapping[str, str]
    """Systems that know the physics: name to recipe."""

    oracle: str
    headline: str
    learn: Mapping[str, Any]
    """Options of every network in the mode ``paper``."""

    smoke: Mapping[str, Any]
    """Those of the mode ``smoke`` that differ."""

    sizes: Mapping[str, int]
    """Groups of each split in the mode ``smoke``."""

    least: float
    """By so much more than a trivial reply to every row a network has to be right."""

    directed: bool = False
    """Whether there is more than one reason for no value."""

    best: Mapping[str, Any] = field(default_factory=dict)
    """Options of the rational head in its best form: the measure of its loss that is ahead on tune rows."""

    ablations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parts of the rational head that are taken away, or put back."""


_ABLATIONS: dict[str, dict[str, Any]] = {
    "projective-published": dict(PUBLISHED),
    "projective-chordal": {"fit": "chordal"},
    "projective-anchored": {"anchored": True},
    "projective-epsilon": {"decoded": 1.0, "weight": 0.0, "epsilon": 0.05, "separation": 1.0},
}

DOMAINS: Mapping[str, Domain] = {
    "dose": Domain(
        task="science.dose",
        says="Where does a rational head that declines near a zero denominator help, on censored doses?",
        formulas={"hill-fit": "science.hill_fit"},
        oracle="science.dose_oracle",
        headline="macro_f1",
        learn={"epochs": 30, "activation": "silu", "rate": 0.01},
        smoke={"epochs": 8},
        sizes={"train": 4000, "tune": 400, "calibration": 400, "test": 400},
        least=0.1,
        directed=True,
        ablations={
            **_ABLATIONS,
            "projective-angle": {"form": "angle"},
            "projective-joint": {"direction": "joint"},
            "projective-detached": {"direction": "detached"},
        },
    ),
    "rf": Domain(
        task="science.rf",
        says="Does a rational head learn a resonance, and decline at its pole, better than its rivals?",
        formulas={"formula": "science.resonator"},
        oracle="science.rf_oracle",
        headline="accuracy",
        learn={
            "epochs": 60,
            "values": "arsinh",
            "activation": "silu",
            "rate": 0.01,
            "batch": 128,
        },
        smoke={"epochs": 25},
        sizes={"train": 250, "tune": 40, "calibration": 60, "test": 60},
        least=0.1,
        ablations=_ABLATIONS,
    ),
    "ik": Domain(
        task="science.ik",
        says="Does a rational head step an arm near its singularity, and decline at it, better than its rivals?",
        formulas={
            "inverse": "science.jacobian_inverse",
            "damped": "science.damped_least_squares",
        },
        oracle="science.ik_oracle",
        headline="accuracy",
        learn={
            "epochs": 80,
            "activation": "silu",
            "rate": 0.01,
            "batch": 128,
        },
        smoke={"epochs": 50},
        sizes={"train": 4000, "tune": 250, "calibration": 250, "test": 250},
        least=0.1,
        # det J changes its sign, and Q with it: the loss must take (P, Q) and (-P, -Q) for the same.
        best={"fit": "chordal"},
        ablations={
            **{name: how for name, how in _ABLATIONS.items() if name != "projective-chordal"},
            "projective-oriented": {"fit": "oriented"},
        },
    ),
}
