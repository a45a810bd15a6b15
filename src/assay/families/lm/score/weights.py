"""What each category counts: the documented weights, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from assay.documents import read_yaml
from assay.pages import wrong_option

from .members import DOCUMENTED

_HINT = f"write a category and a number, as reasoning=30: {', '.join(DOCUMENTED)}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reasoning: float = Field(DOCUMENTED["reasoning"], ge=0)
    coding: float = Field(DOCUMENTED["coding"], ge=0)
    math: float = Field(DOCUMENTED["math"], ge=0)
    language: float = Field(DOCUMENTED["language"], ge=0)
    edge: float = Field(DOCUMENTED["edge"], ge=0)
    safety: float = Field(DOCUMENTED["safety"], ge=0)


def read_weights(given: Sequence[str]) -> Mapping[str, float]:
    """Return the weights of all six categories: those given, and else the documented ones.

    Each of ``given`` is a YAML file of categories and numbers, or ``category=number``, maybe several with
    commas; what comes later counts.  Only their ratios matter; a category of weight 0 is not needed.

    Raises ``PlanError`` A106 for what is no weight, A100 to A105 for a file that is none.

    >>> read_weights(["edge=0,safety=0"])["edge"]
    0.0
    """
    found = dict(DOCUMENTED)
    for text in given:
        if "=" in text:
            found |= dict(_pair(one) for one in text.split(","))
        elif Path(text).suffix not in {".yaml", ".yml"}:
            raise wrong_option("--weights", f"{text!r} is no weight, and no .yaml file", _HINT)
        else:
            found |= _read(Path(text))
    if not sum(found.values()):
        raise wrong_option("--weights", "all weights are 0", "give one category a weight")
    return found


def _pair(text: str) -> tuple[str, float]:
    name, _, said = text.partition("=")
    if name.strip() not in DOCUMENTED:
        raise wrong_option("--weights", f"there is no category {name.strip()!r}", _HINT)
    try:
        value = float(said)
    except ValueError:
        raise wrong_option("--weights", f"{said!r} is no number", _HINT) from None
    if not isfinite(value) or value < 0:
        raise wrong_option("--weights", f"{said} is no weight", "give 0 or more")
    return name.strip(), value


def _read(path: Path) -> dict[str, float]:
    begins = "begin with a category, as `reasoning: 30`"
    read = read_yaml(path, _File, what="weights file", begins=begins, page="docs/families/lm.md")
    values: dict[str, float] = read.value.model_dump()
    for name, value in values.items():
        if not isfinite(value):
            raise wrong_option("--weights", f"{value} is no weight of {name}", "give 0 or more")
    return values
