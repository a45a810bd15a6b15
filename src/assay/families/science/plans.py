"""The plans that this family publishes: three domains, three modes, any seeds.

A mode is a plan like any other; `plans/{dose,rf,ik}.yaml` are those of the mode ``paper``, and a
test holds them to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .published import DOMAINS, OWN, POINTS, Domain
from .stated import contest, direction, learning

Mode: TypeAlias = Literal["smoke", "paper", "frozen-dirhead"]
MODES: tuple[Mode, ...] = ("smoke", "paper", "frozen-dirhead")
SEEDS: Mapping[str, int] = {"smoke": 2, "paper": 10, "frozen-dirhead": 10}
"""How many seeds a mode has where nobody says."""


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
        "systems": _systems(domain, asked),
        "fronts": [
            ["accuracy", "usd_per_1k"],
            ["coverage", "invention_rate"],
            ["accuracy", "invention_rate"],
        ],
        "claims": _claims(domain, asked),
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
        return {"name": name, "use": use, "options": options, "abstain": dict(OWN)}

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
        {"name": "decline", "use": "science.constant", "options": {"say": "decline"}},
        *({"name": name, "use": use} for name, use in domain.formulas.items()),
        # It knows how the task was made: a ceiling, not a system that anybody could ship.
        {"name": "oracle", "use": domain.oracle, "origin": "simulated"},
    ]
    two_heads = network("two-heads", "science.two_heads")
    projective = network("projective", "science.projective", **domain.best)
    if asked.mode == "frozen-dirhead":
        named = [
            network(f"projective-{how}", "science.projective", direction=how)
            for how in ("joint", "detached", "frozen")
        ]
        return [*known, two_heads, projective, *named, *points("projective-frozen")]
    if smoke:
        return [*known, two_heads, projective]
    return [
        *known,
        {"name": "zero", "use": "science.constant", "options": {"say": "zero"}},
        {
            "name": "trees",
            "use": "science.trees",
            "options": {"tries": 3, "gate": "never"},
            "abstain": dict(OWN),
        },
        two_heads,
        network("softmax", "science.softmax"),
        network("ensemble", "science.ensemble"),
        network("conformal", "science.conformal"),
        projective,
        *(
            network(name, "science.projective", **{**domain.best, **options})
            for name, options in domain.ablations.items()
        ),
        *points("two-heads"),
        *points("projective"),
    ]


def _claims(domain: Domain, asked: Asked) -> list[dict[str, Any]]:
    # Two seeds say next to nothing of others: a smoke run speaks of the networks that it has.
    many = len(asked.seeds) > 1 and asked.mode != "smoke"
    over = ["samples", "seeds"] if many else ["samples"]
    more = {"smoke": [], "paper": contest(domain, over), "frozen-dirhead": direction(over)}
    return [*learning(domain, over), *more[asked.mode]]
