"""How systems are asked again: what is set otherwise than in the plan."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..engine.plugins import load

if TYPE_CHECKING:
    from ..store.manifest import SystemFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How questions are put: what a system must not depend on."""

    batch: int | None = None
    """Questions given at once; None: all of them."""

    threads: int = 1
    """Threads of the numerical libraries, and of a recipe that has the option ``threads``."""

    axis: str = ""
    """What is varied instead: ``batch`` (the recipe's own, else questions at once), ``at_once``,
    ``threads``, ``use`` (another recipe that loads the same files), or an option of the recipe."""

    value: Any = None
    """What ``axis`` is set to."""

    @property
    def says(self) -> str:
        """Return it in words."""
        if self.axis:
            return f"{self.axis}={self.value}"
        given = "all at once" if self.batch is None else f"{self.batch} at once"
        return f"{given}, {self.threads} thread{'s' if self.threads > 1 else ''}"


AS_RECORDED = Setup()
"""All questions at once, as the plan has it."""

OF_ALL = ("at_once", "batch", "threads")
"""What can be varied whatever the recipe is."""


def has_option(use: str, name: str) -> bool:
    """Whether a recipe has an option, as one that says how many ``threads`` it uses."""
    return name in inspect.signature(load("assay.recipes", use)).parameters


def made_of(facts: SystemFacts, setup: Setup) -> tuple[str, dict[str, Any]]:
    """Return the recipe that is asked, and its options."""
    if setup.axis == "use":
        use = str(setup.value)
        return use, {name: v for name, v in facts.options.items() if has_option(use, name)}
    options = dict(facts.options)
    if setup.threads > 1:
        options["threads"] = setup.threads
    if setup.axis and has_option(facts.use, setup.axis):
        options[setup.axis] = setup.value
    return facts.use, options


def at_once(use: str, setup: Setup) -> int | None:
    """Return how many questions are given at once; None for all of them."""
    if setup.axis == "at_once" or (setup.axis == "batch" and not has_option(use, "batch")):
        return int(setup.value)
    return setup.batch
