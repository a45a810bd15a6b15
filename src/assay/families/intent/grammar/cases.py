"""A domain's own examples: requests with their steps, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import model_validator

from assay import DataError

from ..strict import Strict, read_strict
from .parts import Domain

Steps = list[dict[str, str | dict[str, str]]]


class _Case(Strict):
    says: str
    steps: tuple[dict[str, dict[str, str]], ...] = ()
    none: str = ""

    @model_validator(mode="after")
    def _has_one_of_both(self) -> Self:
        if bool(self.steps) == bool(self.none) or any(len(step) != 1 for step in self.steps):
            raise ValueError("give `steps`, each of one action, or the reason in `none`")
        return self


class _Cases(Strict):
    cases: tuple[_Case, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and what reading it must come to."""

    says: str
    steps: Steps
    """As ``reading.as_json`` writes them; empty where nothing is done."""

    reason: str
    """Why nothing is done; empty where something is."""


def load_cases(domain: Domain) -> tuple[Case, ...]:
    """Return the cases of a domain (``cases.yaml`` in its folder; none without that file).

    Raises ``DataError`` A200 with the line for a wrong file, and for an action or a role that the
    domain does not have.

    >>> from .domain import load_domain
    >>> load_cases(load_domain("defi"))[0].says
    'swap 2 ETH for USDC'
    """
    file = domain.file("cases.yaml")
    if not file.is_file():
        return ()
    cases = read_strict(file, _Cases).cases
    for case in cases:
        for step in case.steps:
            _check(step, domain, where=f"{file}: {case.says!r}")
    return tuple(
        Case(
            case.says,
            [{"action": a, "slots": dict(s)} for step in case.steps for a, s in step.items()],
            case.none,
        )
        for case in cases
    )


def _check(step: Mapping[str, Mapping[str, str]], domain: Domain, *, where: str) -> None:
    for action, slots in step.items():
        if action not in domain.actions:
            raise DataError(
                f"there is no action {action!r}",
                where=where,
                hint=f"the domain has {', '.join(domain.actions)}",
            )
        for role in slots:
            if role not in domain.actions[action].roles:
                raise DataError(
                    f"{action} has no role {role!r}",
                    where=where,
                    hint=f"it has {', '.join(domain.actions[action].roles)}",
                )
