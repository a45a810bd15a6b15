"""One number that somebody asks of a run, with the names in the question checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..analysis.case import Case
from ..analysis.slices import among
from ..core.errors import PlanError
from ..core.metric import Estimate, Over
from ..engine.spelling import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A number of a system, or of two: their difference, or ratio, on the samples that both were asked."""

    metric: str
    system: str
    against: str | None = None
    over: str | Iterable[str] = ("samples",)
    tag: str | None = None
    confidence: float = 0.95


def answer(asked: Asked, case: Case, *, where: str) -> Estimate:
    """Estimate what is asked.

    Raises ``PlanError`` A103 for a name that is not there, A104 for a system against itself, and
    ``DataError`` A202 for a confidence that is not between 0 and 1.
    """
    systems = (asked.system,) if asked.against is None else (asked.system, asked.against)
    for name in systems:
        require_system(name, case.tables, where=where)
    if asked.against == asked.system:
        what = f"{asked.system!r} cannot stand against itself"
        raise PlanError(what, where=where, hint="name another system", code="A104")
    over = frozenset(map(_over, [asked.over] if isinstance(asked.over, str) else asked.over))
    case = case if asked.tag is None else among(case, asked.tag)
    if asked.against is not None:
        return case.compare(
            asked.system, asked.against, asked.metric, over=over, confidence=asked.confidence
        )
    if asked.confidence == 0.95:
        return case.estimate(asked.system, asked.metric, over=over)
    found = case.inference(asked.system, asked.metric, over=over)
    return case.summary(asked.metric, found, systems, over, asked.confidence)


def require_system(name: str, known: Iterable[str], *, where: str) -> None:
    """Raise ``PlanError`` A103 unless a system has that name."""
    names = list(known)
    if name not in names:
        what = f"no system is called {name!r}"
        raise PlanError(what, where=where, hint=nearest(name, names), code="A103")


def _over(word: str) -> Over:
    try:
        return Over(word)
    except ValueError:
        what = f"a number speaks of other samples or other seeds, not of {word!r}"
        raise PlanError(
            what, hint='over=["samples", "seeds"], or one of them', code="A103"
        ) from None
