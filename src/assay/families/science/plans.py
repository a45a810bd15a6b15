"""The plans that this family publishes: three domains, three modes, any seeds.

A mode is a plan like any other; `plans/{dose,rf,ik}.yaml` are those of the mode ``paper``, and a
test holds them to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Mode: TypeAlias = Literal["smoke", "paper", "frozen-dirhead"]
MODES: tuple[Mode, ...] = ("smoke", "paper", "frozen-dirhead")
SEEDS: Mapping[str, int] = {"smoke": 2, "paper": 10, "frozen-dirhead": 10}
"""How many seeds a mode has where nobody says."""

POINTS: Mapping[str, Mapping[str, Any]] = {
    "safety-first": {"max_risk": 0.1},
    "accuracy-first": {"utility": {"right": 1.0, "wrong": -0.25, "declined": 0.0}},
}
"""Operating points beside *balanced*, at which a wrong value costs what a right one is worth, and which is
the one that every network has."""

BALANCED: Mapping[str, Any] = {"utility": {"right": 1.0, "wrong": -1.0, "declined": 0.0}}
PUBLISHED: Mapping[str, Any] = {
    "fit": "implicit",
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
    """By so much more than a trivial answer a network of the mode ``smoke`` has to be right."""

    directed: bool = False
    """Whether there is more than one reason for no value."""

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
        learn={"epochs": 30},
        smoke={"epochs": 8},
        sizes={"train": 4000, "tune": 400, "calibration": 400, "test": 400},
        least=0.2,
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
        learn={"epochs": 60, "values": "arsinh", "activation": "silu"},
        smoke={"epochs": 12},
        sizes={"train": 250, "tune": 30, "calibration": 60, "test": 60},
        least=0.05,
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
        learn={"epochs": 100, "hidden": [128, 128], "activation": "silu"},
        smoke={"epochs": 25, "hidden": [64, 64]},
        sizes={"train": 2500, "tune": 250, "calibration": 250, "test": 250},
        least=0.05,
        ablations=_ABLATIONS,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a plan is made for."""

    domain: str
    mode: Mode
    seeds: Sequence[int]
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What the plan is called: the domain, and the mode where it is not the published one."""
        return self.domain if self.mode == "paper" else f"{self.domain}-{self.mode}"


def plan_of(asked: Asked) -> dict[str, Any]:
    """Return the plan of a domain in a mode.

    >>> plan_of(Asked(domain="ik", mode="smoke", seeds=[0, 1]))["name"]
    'ik-smoke'
    """
    domain = DOMAINS[asked.domain]
    smoke = asked.mode == "smoke"
    task: dict[str, Any] = {"use": domain.task}
    if smoke:
        task["options"] = dict(domain.sizes)
    return {
        "name": asked.name,
        "says": domain.says,
        "seeds": list(asked.seeds),
        "tasks": [task],
        "systems": list(_systems(domain, asked)),
        "fronts": [
            ["accuracy", "usd_per_1k"],
            ["coverage", "invention_rate"],
            ["accuracy", "invention_rate"],
        ],
        "claims": list(_claims(domain, asked)),
        "ship": {"metric": "accuracy", "margin": 0.01},
        "timing": {"processes": 1, "blocks": 2, "questions": 2}
        if smoke
        else {"processes": 3, "blocks": 7, "questions": 3},
    }


def _systems(domain: Domain, asked: Asked) -> list[dict[str, Any]]:
    smoke = asked.mode == "smoke"
    learn = {**domain.learn, **(domain.smoke if smoke else {})}
    if not smoke:
        learn["tries"] = 3
    if asked.device != "cpu":
        learn["device"] = asked.device

    def network(name: str, use: str, **more: Any) -> dict[str, Any]:
        options = {**learn, "gate": "never", **more}
        return {"name": name, "use": use, "options": options, "abstain": dict(BALANCED)}

    def points(of: str) -> list[dict[str, Any]]:
        found = [
            {"name": f"{of}-{point}", "of": of, "abstain": dict(rule)}
            for point, rule in POINTS.items()
        ]
        if domain.directed:
            aware = {"metric": "macro_f1"}
            found.append({"name": f"{of}-direction-aware", "of": of, "abstain": aware})
        return found

    known: list[dict[str, Any]] = [
        {"name": "median", "use": "science.constant"},
        *({"name": name, "use": use} for name, use in domain.formulas.items()),
        {"name": "oracle", "use": domain.oracle},
    ]
    two_heads = network("two-heads", "science.two_heads")
    projective = network("projective", "science.projective")
    if asked.mode == "frozen-dirhead":
        named = [
            network(f"projective-{how}", "science.projective", direction=how)
            for how in ("joint", "detached", "frozen")
        ]
        return [*known, two_heads, projective, *named, *points("projective-frozen")]
    if smoke:
        published = network("projective-published", "science.projective", **PUBLISHED)
        return [*known, two_heads, projective, published]
    return [
        *known,
        {"name": "zero", "use": "science.constant", "options": {"say": "zero"}},
        {
            "name": "trees",
            "use": "science.trees",
            "options": {"tries": 3, "gate": "never"},
            "abstain": dict(BALANCED),
        },
        two_heads,
        network("softmax", "science.softmax"),
        network("ensemble", "science.ensemble"),
        network("conformal", "science.conformal"),
        projective,
        *(
            network(name, "science.projective", **options)
            for name, options in domain.ablations.items()
        ),
        *points("two-heads"),
        *points("projective"),
    ]


def _claims(domain: Domain, asked: Asked) -> list[dict[str, Any]]:
    over = ["samples", "seeds"] if len(asked.seeds) > 1 else ["samples"]
    found: list[dict[str, Any]] = [
        {
            "id": f"{system}-learns",
            "says": f"{system} is right clearly more often than the same value for every row",
            "system": system,
            "against": "median",
            "metric": "accuracy",
            "at_least": domain.least,
            "over": over,
        }
        for system in ("two-heads", "projective")
    ]
    if asked.mode == "smoke":
        return found
    if asked.mode == "frozen-dirhead":
        return [*found, *_of_direction(over)]
    rivals = ("two-heads", "softmax", "ensemble", "trees")
    found += [
        {
            "id": f"bottom-beats-{rival}",
            "says": f"A rational head with a bottom is right more often than {rival}",
            "system": "projective",
            "against": rival,
            "metric": "accuracy",
            "at_least": 0.0,
            "over": over,
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
            "over": over,
        },
        {
            "id": "published-loses",
            "says": "The head as it was published is at least five points behind the one whose loss knows both sides",
            "system": "projective",
            "against": "projective-published",
            "metric": "accuracy",
            "at_least": 0.05,
            "over": over,
        },
        {
            "id": "near-the-ceiling",
            "says": "Two heads are at most two points below what can be known at all",
            "system": "two-heads",
            "against": "oracle",
            "metric": "accuracy",
            "at_least": -0.02,
            "over": over,
        },
        {
            "id": "gate-fires",
            "says": "The gate of the rational head declines one row in fifty at least",
            "system": "projective",
            "metric": "coverage",
            "at_most": 0.98,
            "over": over,
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
                "over": over,
            }
        )
        found.append(
            {
                "id": f"{system}-accuracy",
                "says": f"At its accuracy-first point {system} withholds at most one in ten of the values that are there",
                "system": f"{system}-accuracy-first",
                "metric": "withheld_rate",
                "at_most": 0.1,
                "over": over,
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
                    "over": over,
                }
            )
    return found


def _of_direction(over: Sequence[str]) -> list[dict[str, Any]]:
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
