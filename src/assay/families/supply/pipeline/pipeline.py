"""The whole way of a tier file's models: fetch, inspect, convert, gate, evaluate, front, evict.

Every stage that ends is kept in the folder's journal under the digest of what went in, so that the same
command goes on where it was stopped, and does again what has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay import Run

from ..keeping.cache import ModelCache
from .desk import Desk
from .evaluating import Evaluated, check_task, evaluate, evict
from .journal import Outcome, opened
from .making import Brought, make
from .tiers import TierFile, read_tiers

if TYPE_CHECKING:
    from assay.engine.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a pipeline goes about it."""

    out: Path
    cache: ModelCache
    limit: int | None = None
    """Prompts to each model."""

    offline: bool = False
    tell: Callable[[str], None] = lambda _: None
    teller: Teller | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of every model."""

    file: TierFile
    out: Path
    models: tuple[Brought, ...]
    evaluated: Evaluated | None = None
    evicted: tuple[Outcome, ...] = ()

    @property
    def stops(self) -> tuple[Outcome, ...]:
        """What was stopped on the way."""
        return tuple(stop for model in self.models for stop in model.stops)

    @property
    def missed(self) -> tuple[str, ...]:
        """Criteria that a model does not reach."""
        claims = self.evaluated.evaluate.facts["claims"] if self.evaluated else {}
        return tuple(claim for claim, status in claims.items() if status != "supported")

    def run(self) -> Run | None:
        """Return the sealed run; None where no model was accepted."""
        return Run.load(self.evaluated.run) if self.evaluated else None


def run_pipeline(path: Path, wanted: Wanted) -> Result:
    """Take every model of a tier file through all stages, and return what became of it.

    A model that is stopped (``HALT``, ``REFUSED``) stands in ``stops.log`` and at the head of the sealed
    plan; the others go on.  Raises ``PlanError`` for a tier file that cannot be followed, before anything
    is fetched; ``AssayError`` A401, A500, A501, A504 for what would stop every model.

    *Not to be trusted when* the criteria were chosen after a look at these numbers: they are then a
    guard against getting worse, and no evidence of quality.
    """
    read = read_tiers(path)
    check_task(read.value.validation, limit=wanted.limit, where=read.where("validation"))
    with opened(wanted.out / "journal.jsonl") as journal:
        desk = Desk(
            file=read.value,
            folder=path.parent.resolve(),
            out=wanted.out.resolve(),
            cache=wanted.cache,
            journal=journal,
            tell=wanted.tell,
            offline=wanted.offline,
        )
        models = tuple(make(desk, model) for model in read.value.models)
        evaluated = evaluate(desk, models, limit=wanted.limit, teller=wanted.teller)
        gone = [evict(desk, model, evaluated) for model in models] if evaluated else []
    return Result(
        file=read.value,
        out=desk.out,
        models=models,
        evaluated=evaluated,
        evicted=tuple(each for each in gone if each is not None),
    )
