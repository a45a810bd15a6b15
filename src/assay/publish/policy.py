"""A policy of a sweep, as the small file that a plan can run: ``use: policy``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..analysis.cascade import Option, Sweep
from ..core.metric import Estimate
from ..core.policy import Declines, Person
from ..engine.moving import moved_options
from ..engine.policy import SCHEMA, system_digest
from ..store.manifest import Manifest
from .words import Scale, percent, spell, value_and_ends

NUMBERS = ("accuracy", "escalated", "usd_per_1k", "latency_mean", "latency_p50", "latency_p95")
"""What is estimated of every policy."""


def policy_facts(sweep: Sweep, option: Option, manifest: Manifest) -> dict[str, Any]:
    """Return a policy as plain values; ``engine.policy`` reads them back."""
    person = option.policy.person
    return {
        "schema": SCHEMA,
        "says": policy_sentence(option),
        "run": manifest.run,
        "task": sweep.task,
        "stages": [
            {
                "system": stage.system,
                "use": manifest.systems[stage.system].use,
                "options": manifest.systems[stage.system].options,
                "digest": manifest.systems[stage.system].digest,
                "at_least": None if stage.at_least is None else _plain(stage.at_least),
            }
            for stage in option.policy.stages
        ],
        "person": None if person is None else {"usd": person.usd, "right": person.right},
        "declines": option.policy.declines.value,
        "expected": {name: _ends(getattr(option, name)) for name in NUMBERS},
    }


def policy_at(
    facts: Mapping[str, Any], manifest: Manifest, *, base: Path, to: Path
) -> dict[str, Any]:
    """Return a policy as a file in the folder ``to`` says it: the paths of its stages start there.

    ``base`` is where the plan lay.  Raises ``PlanError`` A104 for a path where nothing is.
    """
    stages = []
    for stage in facts["stages"]:
        name, use = stage["system"], stage["use"]
        options = moved_options(use, stage["options"], base=base, to=to, where=f"system {name}")
        digest = stage["digest"]
        if options != stage["options"]:
            digest = system_digest(use, options, manifest.systems[name].files)
        stages.append({**stage, "options": options, "digest": digest})
    return {**facts, "stages": stages}


def policy_sentence(option: Option) -> str:
    """Say what a policy does, in one sentence."""
    who = [stage.system for stage in option.policy.stages]
    parts = [f"ask {who[0]}"]
    told = [*who[1:], *(["a person"] if option.policy.person else [])]
    stand = option.policy.declines is Declines.STAND
    for name, share in zip(told, option.handed_on, strict=False):
        least = f"the {percent(share)} of its answers that it is least sure of" if share else ""
        least = "all of its answers" if share >= 1 else least
        also = "" if stand else "what it declines"
        given = " and ".join(part for part in (least, also) if part) or "only what fails"
        parts.append(f"give {given} to {name}")
    return ", then ".join(parts) + (f" ({person_note(p)})" if (p := option.policy.person) else "")


def gain_sentence(sweep: Sweep) -> str:
    """Say what the picked policy gains over the best of its systems alone; empty without a pick."""
    if sweep.gain is None:
        return ""
    if sweep.gain.value is None:
        return f"Against {sweep.best_alone} alone: not measured."
    change = value_and_ends(sweep.gain, Scale.CHANGE)
    said = f"Right against {sweep.best_alone} alone: {change}."
    picked = None if sweep.picked is None else sweep.options[sweep.picked]
    if picked is not None and picked.handed_on[0] >= 1 and picked.escalated.value == 1.0:
        first = sweep.order[0]
        said += (
            f" No answer of {first} stands: without it the same is said sooner, and for no more."
        )
    return said


def person_note(person: Person) -> str:
    """Say what is assumed of a person."""
    return f"assumed: {spell(person.usd, Scale.USD)} a question, right {percent(person.right)}"


def _plain(at_least: Mapping[int, float]) -> dict[str, float | None]:
    """Return thresholds by seed; null where every answer stands, 2 where none does."""
    return {
        str(seed): None if value == -math.inf else 2.0 if value == math.inf else value
        for seed, value in at_least.items()
    }


def _ends(estimate: Estimate) -> list[float | None]:
    return [
        None if x is None else float(f"{x:.6g}")
        for x in (estimate.value, estimate.low, estimate.high)
    ]
