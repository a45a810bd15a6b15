"""Where a try at a part runs: what it asks of a machine, and of which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from ...core.errors import PluginError
from ...core.system import Needs, Recipe
from ...core.verdict import Verifier
from .batch import Batch, Part
from .cluster import Machine
from .node import answer


def check_needs(verifier: Verifier) -> Needs | None:
    """Return what a verifier asks of the machine, if it says so; raise ``PluginError`` A402 for another thing."""
    needs = getattr(verifier, "needs", None)
    if needs is None or isinstance(needs, Needs):
        return needs
    raise PluginError(
        f"a verifier's needs are {needs!r}",
        hint="give it Needs(...), or leave it out",
        code="A402",
    )


def is_apart(recipe: Recipe, verifier: Verifier) -> bool:
    """Whether replies are checked in tasks of their own: so a check holds nothing that only asking needs."""
    return recipe.needs.gpu or check_needs(verifier) is not None


def needs_of(recipe: Recipe, batch: Batch, part: Part) -> Needs:
    """Return what the next try at a part asks of a machine."""
    if batch.step(part) == "check":
        return check_needs(batch.work.verifier) or Needs()
    return recipe.needs


def place(there: Iterable[Machine], needs: Needs, taken: Mapping[str, int]) -> str:
    """Return a machine for a check; ``taken`` counts those that are there already.

    It is one without a GPU: on the others a system may wait for the processor that a check would hold.
    Nothing where there is none, or the check wants a GPU itself: then Ray chooses.
    """
    fit = [m for m in there if not m.gpus and not needs.gpu and m.has(needs)]
    return min(fit, key=lambda m: (taken.get(m.id, 0) / m.cpus, m.id)).id if fit else ""


def remote(ray: Any, name: str, needs: Needs, where: str) -> Any:
    """Return what hands an order to the cluster, to the machine ``where`` while that is there."""
    near = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    return ray.remote(answer).options(
        num_cpus=needs.cpus,
        num_gpus=int(needs.gpu),
        memory=needs.memory_mb * 2**20,
        max_retries=0,  # tried again from here: only so is it known what was lost
        scheduling_strategy=near(node_id=where, soft=True) if where else "SPREAD",
        name=name,
    )
