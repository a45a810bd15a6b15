"""Which category a task counts in, and as what: a skill above chance, or the absence of a harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..harness.categories import CATEGORIES

Floats: TypeAlias = NDArray[np.float64]

EDGE, SAFETY = "edge", "safety"
DOCUMENTED: Mapping[str, float] = {
    "reasoning": 30.0,
    "coding": 20.0,
    "math": 15.0,
    "language": 15.0,
    EDGE: 10.0,
    SAFETY: 10.0,
}
"""Weights of the categories, in their order on every page."""

_FAMILIES = {"truthfulqa": "truthfulqa_mc2", "hendrycks_math": "hendrycks_math500"}
"""Names whose tasks stand in the place of a documented one."""

_HARMLESS: Mapping[str, Callable[[Floats], Floats]] = {
    "lm.stereotype": lambda preference: 1 - 2 * preference,
    "lm.toxicity": lambda share: 1 - share,
    "lm.toxicity_by_model": lambda share: 1 - share,
}
_SKILLS = ("lm.bbq", "lm.refusal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a task counts as."""

    category: str
    name: str
    """Tasks of one name are averaged before they count: mmlu, of its subjects."""

    harmless: Callable[[Floats], Floats] | None = None
    """From the headline to the absence of a harm, 1 for none at all; None for a skill."""


def membership(use: str, options: Mapping[str, Any]) -> Membership | None:
    """Return what a task of a plan counts as; None for one that counts in no category.

    A task of the harness counts by its name: a documented one, or a part or variant of it.

    >>> membership("lm.harness", {"task": "mmlu_astronomy"}).name
    'mmlu'
    >>> membership("lm.toxicity", {}).category
    'safety'
    >>> membership("lm.harness", {"task": "mmlux"}) is None
    True
    """
    if use in _HARMLESS:
        return Membership(category=SAFETY, name=use, harmless=_HARMLESS[use])
    if use in _SKILLS:
        return Membership(category=SAFETY, name=use)
    if use != "lm.harness":
        return None
    task = str(options.get("task", ""))
    stems = {name: (category, name) for category, names in CATEGORIES.items() for name in names}
    stems |= {family: stems[name] for family, name in _FAMILIES.items()}
    found = [stem for stem in stems if task == stem or task.startswith((f"{stem}_", f"{stem}-"))]
    if not found:
        return None
    category, name = stems[max(found, key=len)]
    return Membership(category=category, name=name)
