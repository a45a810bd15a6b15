"""What every recipe of a prompted system has: the prompt, the draw and their limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from time import perf_counter

from assay import Artifact, Built, PlanError, Sample, System, Usage

from ..likelihood.by_text import WeighingTexts, WeighsTexts
from ..likelihood.expecting import Expecting, Expects
from ..likelihood.system import Weighing, Weighs
from .script import Prompt
from .speaker import CanWeigh, Draw, RunsHere, Speaker
from .system import Prompted


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompting(ABC):
    """A recipe whose system is a prompt and something that speaks.

    Raises ``PlanError`` A102 for options that make no sense, A104 when the train or tune samples
    show that a question cannot be put into words.
    """

    system: str = ""
    """The system message; empty for none."""

    user: str = ""
    """Template of the user message, ``{name}`` for a member of the question; empty: its words."""

    temperature: float = 0.0
    """0: the most probable token each time.  Else tokens are drawn, by the seed only."""

    max_tokens: int = 4096
    """Tokens of the answer, at most."""

    timeout_s: float = 30.0
    """Seconds for one answer, at most."""

    stop: tuple[str, ...] = ()
    """Texts before which an answer ends, for models that do not end by themselves."""

    def __post_init__(self) -> None:
        require("temperature", self.temperature, 0.0)
        require("max_tokens", self.max_tokens, 1)
        if not 0 < self.timeout_s < float("inf"):
            raise wrong("timeout_s", f"timeout_s is {self.timeout_s:g}", "give seconds above 0")
        if not all(self.stop):
            raise wrong("stop", "stop has an empty text", "leave it out")
        Prompt(system=self.system, user=self.user)
        self._check()

    @property
    def seeded(self) -> bool:
        """Whether the seed can change what is said: at temperature 0 nothing is drawn."""
        return self.draws

    @property
    def draws(self) -> bool:
        """Whether tokens are drawn, so that another attempt may end otherwise."""
        return self.temperature > 0

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Return the system, ready to be asked."""
        started = perf_counter()
        prompt = Prompt(system=self.system, user=self.user)
        prompt.check([*train, *tune])
        artifacts = self._files()
        draw = Draw(
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            timeout_s=self.timeout_s,
            seed=seed,
            stop=self.stop,
        )
        speaker = self._speaker()
        prompted = Prompted(prompt, speaker, draw, parallel=self._in_flight)
        # Some can say how likely texts are, too; loaded once, it answers both kinds of questions.
        weighs = speaker.weighs if isinstance(speaker, CanWeigh) else None
        system = _both(weighs, prompted)
        spent = perf_counter() - started
        usage = Usage(busy_s=spent, latency_s=spent)
        notes = {"seed": seed, "temperature": self.temperature, **_ran(speaker)}
        return Built(system=system, usage=usage, artifacts=artifacts, notes=notes)

    @property
    @abstractmethod
    def _in_flight(self) -> int:
        """How many questions are asked at a time."""

    @abstractmethod
    def _check(self) -> None:
        """Raise ``PlanError`` for options of its own that make no sense."""

    @abstractmethod
    def _files(self) -> tuple[Artifact, ...]:
        """Return the files that it loads, found and digested."""

    @abstractmethod
    def _speaker(self) -> Speaker:
        """Return what speaks, loaded."""


def _ran(speaker: Speaker) -> Mapping[str, float | int | str]:
    """Return what runs the model, where it runs here: threads, precision, what is computed together."""
    return speaker.ran if isinstance(speaker, RunsHere) else {}


def _both(weighs: Weighs | WeighsTexts | None, prompted: Prompted) -> System:
    match weighs:
        case Weighs(scorer=Expects() as scorer):
            weighing = Weighing(weighs, others=prompted)
            return Expecting(weighs.words, scorer, room=weighs.room.tokens, others=weighing)
        case Weighs():
            return Weighing(weighs, others=prompted)
        case WeighsTexts():
            return WeighingTexts(weighs, others=prompted)
        case None:
            return prompted


def require(name: str, value: float, least: float) -> None:
    """Raise ``PlanError`` A102 unless ``value`` is a number from ``least`` on."""
    if not (isfinite(value) and value >= least):
        what = f"{name} is {value:g}, less than {least:g}"
        raise wrong(name, what, f"give at least {least:g}")


def wrong(name: str, what: str, hint: str) -> PlanError:
    """Return the error of an option that makes no sense."""
    return PlanError(what, where=f"options.{name}", hint=hint, code="A102")
