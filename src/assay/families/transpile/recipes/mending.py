"""``transpile.repair``, ``retry``, ``warm`` and ``escalate``: systems that ask again while an answer does not pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from assay import Artifact, Built, Needs, PlanError, Recipe, Sample, Usage
from assay.recipes import Inner, draws, loads

from ..rust.toolchain import toolchain
from ..rust.verify import Workbench
from .loop import Loop, Step

COMPILER_MB = 2048
"""Memory that a build may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending(ABC):
    """A recipe whose system asks others again while a compiler or the public tests object.

    An answer stands when it compiles and passes the question's public tests; without such tests, when it
    compiles.  After the last turn the answer is handed over as it is.  Earlier turns are kept beside it,
    and the bill is that of all turns, the compiler's time included.

    Raises ``PluginError`` A401 without a compiler, ``AssayError`` A500 without a sandbox; what the inner
    recipes raise.
    """

    timeout: float = 20.0
    """Seconds for each build, and again for the tests."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout < 1e6:
            raise _wrong("timeout", f"timeout is {self.timeout:g}", "give seconds above 0")
        self._check()

    @property
    def seeded(self) -> bool:
        """Whether a seed can change any of the systems that are asked."""
        return any(recipe.seeded for recipe in self._recipes)

    @property
    def draws(self) -> bool:
        """Whether any of them draws when it answers."""
        return any(map(draws, self._recipes))

    @property
    def needs(self) -> Needs:
        """What the inner systems need together, and the compiler."""
        inner = [recipe.needs for recipe in self._recipes]
        return Needs(
            cpus=max(each.cpus for each in inner),
            gpu=any(each.gpu for each in inner),
            memory_mb=COMPILER_MB + sum(each.memory_mb for each in inner),
            exclusive=any(each.exclusive for each in inner),
        )

    def loads(self) -> tuple[Artifact, ...]:
        """Return the files of the inner systems; a compiler must be there, too."""
        toolchain()
        found = [artifact for recipe in self._recipes for artifact in loads(recipe)]
        return tuple({artifact.digest: artifact for artifact in found}.values())

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the loop over the finished inner systems."""
        started = perf_counter()
        bench = Workbench.of(self.timeout)
        built = [
            recipe.build(train, tune, seed=seed, workdir=workdir / f"inner-{n}")
            for n, recipe in enumerate(self._recipes)
        ]
        steps = tuple(Step(system=built[which].system, shown=shown) for which, shown in self._turns)
        return Built(
            system=Loop(steps=steps, bench=bench),
            usage=Usage(busy_s=perf_counter() - started),
            artifacts=tuple(artifact for each in built for artifact in each.artifacts),
        )

    @property
    @abstractmethod
    def _recipes(self) -> tuple[Recipe, ...]:
        """The inner recipes, each once."""

    @property
    @abstractmethod
    def _turns(self) -> tuple[tuple[int, bool], ...]:
        """Which inner system each turn asks, and whether it is shown the turns before."""

    @abstractmethod
    def _check(self) -> None:
        """Raise ``PlanError`` for options of its own that make no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair(Mending):
    """The recipe of ``transpile.repair``: one system is shown what the compiler or a test said.

    Method: self-repair (Olausson et al., 2023, arXiv:2306.09896), with the compiler in place of a critic.

    >>> Repair(ask=Inner(use="transpile.rules"), turns=2).seeded
    False
    """

    ask: Inner
    turns: int = 3
    """Turns in all, the first one included."""

    @property
    def _recipes(self) -> tuple[Recipe, ...]:
        return (self.ask.make(),)

    @property
    def _turns(self) -> tuple[tuple[int, bool], ...]:
        return ((0, True),) * self.turns

    def _check(self) -> None:
        _require_turns(self.turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Mending):
    """The recipe of ``transpile.retry``: one system draws again, and is told nothing.

    Raises ``PlanError`` A104 for a system that does not draw: it would say the same.

    >>> Retry(ask=Inner(use="control.random")).draws
    True
    """

    ask: Inner
    turns: int = 3
    """Draws, at most."""

    @property
    def _recipes(self) -> tuple[Recipe, ...]:
        return (self.ask.make(),)

    @property
    def _turns(self) -> tuple[tuple[int, bool], ...]:
        return ((0, False),) * self.turns

    def _check(self) -> None:
        _require_turns(self.turns)
        if not draws(self.ask.make()):
            raise PlanError(
                f"{self.ask.use} does not draw: asked again, it says the same",
                where="options.ask",
                hint="give it a temperature above 0, or use transpile.repair or transpile.warm",
                code="A104",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm(Mending):
    """The recipe of ``transpile.warm``: one system is asked again at rising temperatures.

    Raises ``PlanError`` A102 for fewer than two temperatures, or what is none; A101 where the inner recipe has
    no option ``temperature``.
    """

    ask: Inner
    temperatures: tuple[float, ...] = (0.0, 0.4, 0.8)
    """One per turn; each takes the place of the inner option ``temperature``."""

    @property
    def _recipes(self) -> tuple[Recipe, ...]:
        return tuple(
            replace(self.ask, options={**self.ask.options, "temperature": degree}).make()
            for degree in self.temperatures
        )

    @property
    def _turns(self) -> tuple[tuple[int, bool], ...]:
        return tuple((n, False) for n in range(len(self.temperatures)))

    def _check(self) -> None:
        given = self.temperatures
        if len(given) < 2 or any(a >= b for a, b in pairwise(given)):
            what = f"temperatures are {list(given)}, which do not rise"
            raise _wrong("temperatures", what, "give at least two, each above the one before")
        self._recipes  # noqa: B018  (an inner recipe without a temperature says so now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate(Mending):
    """The recipe of ``transpile.escalate``: what one system cannot do is handed on to the next.

    >>> Escalate(ask=(Inner(use="transpile.rules"), Inner(use="control.silent"))).seeded
    False
    """

    ask: tuple[Inner, ...]
    """Cheapest first."""

    shown: bool = False
    """Whether the next system sees the answers before it, and what was wrong with them."""

    @property
    def _recipes(self) -> tuple[Recipe, ...]:
        return tuple(inner.make() for inner in self.ask)

    @property
    def _turns(self) -> tuple[tuple[int, bool], ...]:
        return tuple((n, self.shown) for n in range(len(self.ask)))

    def _check(self) -> None:
        if len(self.ask) < 2:
            raise _wrong("ask", f"ask names {len(self.ask)} system", "name at least two")


def _require_turns(turns: int) -> None:
    if not 1 <= turns <= 20:
        raise _wrong("turns", f"turns is {turns}", "give 1 to 20")


def _wrong(option: str, what: str, hint: str) -> PlanError:
    return PlanError(what, where=f"options.{option}", hint=hint, code="A102")
