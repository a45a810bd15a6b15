"""The plan that a bench runs: the mapper under test, the rivals that always run, one task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import PlanError

BACKENDS = {"minilm": "intent.mapper", "tfidf": "intent.tfidf", "keywords": "intent.keywords"}
"""What may be under test, by the name that the command takes."""

RIVALS: Mapping[str, str] = {
    "majority": "intent.majority",
    "first-word": "intent.first_word",
    "keywords": "intent.keywords",
    "tfidf": "intent.tfidf",
    "knn": "intent.knn",
}
"""Who always runs beside it; a model that these match has shown nothing."""

WORTH = {"utility": {"right": 1, "wrong": -1, "declined": 0}}
"""Answer where more answers are right than wrong: so that calibration is asked, and nobody who has
a confidence is kept from using it.  Other thresholds are computed from the same answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is under test: a mapper that ``assay intent train`` wrote, or a backend to train here."""

    backend: str = "minilm"
    mapper: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a backend that is none."""
        if self.backend not in BACKENDS:
            raise PlanError(
                f"no backend is called {self.backend!r}",
                where="--backend",
                hint=f"name one of: {', '.join(BACKENDS)}",
                code="A103",
            )
        if self.mapper is not None and self.backend != "minilm":
            raise PlanError(
                f"a trained mapper is loaded as it is; --backend {self.backend} trains another",
                where="--backend",
                hint="give either --mapper or --backend",
                code="A104",
            )

    @property
    def name(self) -> str:
        """What its column is called."""
        return "mapper" if self.backend == "minilm" else self.backend

    @property
    def entry(self) -> dict[str, Any]:
        """The plan's entry."""
        entry: dict[str, Any] = {"name": self.name, "use": BACKENDS[self.backend]}
        if self.mapper is not None:
            entry["use"] = "intent.trained"
            entry["options"] = {"mapper": str(self.mapper.resolve())}
        return {**entry, "abstain": WORTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What is asked: a file of labelled prompts, or the DeFi requests that come with assay."""

    data: Path | None = None
    columns: Mapping[str, str | int] = field(default_factory=dict)
    """Options of ``intent.csv``: ``prompt``, ``label``, ``group``, ``split``, ``none``, ``leaks``, ``seed``."""

    size: int = 5000
    """Of the DeFi test."""

    @property
    def task(self) -> dict[str, Any]:
        """The plan's entry."""
        if self.data is None:
            return {"use": "intent.defi", "options": {"size": self.size}}
        return {
            "use": "intent.csv",
            "options": {"path": str(self.data.resolve()), **dict(self.columns)},
        }


def plan_text(subject: Subject, prompts: Prompts) -> str:
    """Return the plan as YAML (JSON is YAML): anybody can run it again with ``assay run``.

    >>> text = plan_text(Subject(), Prompts())
    >>> '"intent.mapper"' in text, '"intent.majority"' in text
    (True, True)
    """
    systems = [subject.entry]
    for name, use in RIVALS.items():
        # Keywords are those of the DeFi domain: on other labels they have nothing to say.
        if name != subject.name and (prompts.data is None or name != "keywords"):
            systems.append({"name": name, "use": use, "abstain": WORTH})
    rival = "first-word" if subject.name == "tfidf" else "tfidf"
    plan = {
        "name": f"bench-{subject.name}",
        "says": f"How good is the {subject.name} at mapping a prompt to an action?",
        "seeds": [0],
        "tasks": [prompts.task],
        "systems": systems,
        "fronts": [["accuracy", "usd_per_1k", "latency_p50"]],
        # 210 timed questions: 105 in blocks of five reach the 94.8th percentile at most.
        "timing": {"processes": 3, "blocks": 7, "questions": 10},
        "claims": [
            {
                "id": "beats-the-rival",
                "says": f"The {subject.name} is more accurate than {rival}, each where it pays to answer",
                "system": subject.name,
                "against": rival,
                "metric": "accuracy",
                "at_least": 0.0,
                "headline": True,
            }
        ],
    }
    return json.dumps(plan, indent=2, ensure_ascii=False) + "\n"
