"""What all recipes share whose systems are networks: options, teaching, all seeds at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Artifact, Built, DataError, Needs, PlanError, Sample, Usage

from ..domains.drawn import rounded
from ..extras import require
from ..learning.device import Device, class_of, device_of
from ..learning.forward import Precision
from ..learning.head import Head, Read, best_gate
from ..learning.kept import Network, artifact_of
from ..learning.rows import Rows, Scale, Values, rows_of
from ..learning.shape import Activation, Shape
from ..learning.teaching import Search, teach
from ..learning.together import Course, Lesson, named
from .answering import SAID_DIGITS, Reader

GateRule = Literal["tuned", "own", "never"]
Reads: TypeAlias = Callable[[NDArray[np.float64]], Read]
APART = 1_000_003
"""Between the seeds of networks that one system is made of: no two systems share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner(ABC):
    """Options of every network, and how it is taught; a recipe adds its head."""

    hidden: tuple[int, ...] = (64, 64)
    activation: Activation = "relu"
    epochs: int = 30
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.0
    tries: int = 1
    """Configurations of rate and decay that are taught; the best on tune rows is kept."""

    keep: Literal["best", "last"] = "best"
    """Which epoch: the best on tune rows, or the last."""

    values: Values = "plain"
    """How values are taught: as they are, or as ``arsinh`` of them, for relative errors."""

    gate: GateRule = "tuned"
    """When it declines: below the confidence that is best on tune rows, by its head's ``own`` rule, or
    never: a threshold of the plan then decides (``abstain``)."""

    precision: Precision = "float32"
    """``bfloat16`` products make wide networks learn in half the time, and alike on the whole; not bit for bit
    alike alone and together."""

    device: Device = "cpu"
    seeded: bool = True
    needs: Needs = Needs(memory_mb=800)

    made_by: ClassVar[str]

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no network can have."""
        wrong = [
            ("hidden", self.hidden, all(w >= 1 for w in self.hidden) and len(self.hidden) <= 8),
            ("epochs", self.epochs, self.epochs >= 1),
            ("batch", self.batch, self.batch >= 1),
            ("rate", self.rate, 0 < self.rate < 10),
            ("decay", self.decay, 0 <= self.decay < 10),
            ("tries", self.tries, 1 <= self.tries <= 200),
        ]
        for name, value, good in wrong:
            if not good:
                raise PlanError(
                    f"{self.made_by}.{name} is {value!r}",
                    hint="at most 8 widths; widths, epochs, batch and tries (up to 200) are 1 or more; "
                    "a rate is above 0 and below 10, a decay 0 or more and below 10",
                    code="A102",
                )
        if self.device == "cuda":
            object.__setattr__(self, "needs", replace(self.needs, gpu=True))

    @abstractmethod
    def head(self, rows: Rows) -> Head:
        """Return the head that these rows need."""

    def reader(self, lesson: Lesson, weights: Sequence[Mapping[str, NDArray[np.float64]]]) -> Reads:
        """Return how rows are read by the networks of one seed: as a rule there is one."""
        [mine] = weights

        def read(x: NDArray[np.float64]) -> Read:
            return lesson.head.read(lesson.shape.say(x, mine), mine)

        return read

    def noted(self, read: Reads, lesson: Lesson) -> Mapping[str, float]:
        """Return what a head has to say of the tune rows beside its score: as a rule nothing."""
        return {}

    @property
    def networks(self) -> int:
        """How many networks make one system."""
        return 1

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Teach one seed's network, or go on where an earlier process was stopped."""
        return self._built(train, tune, {seed: workdir}, workdir)[seed]

    def build_all(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seeds: Sequence[int],
        workdir: Path,
    ) -> Mapping[int, Built]:
        """Teach the networks of all seeds together: each learns what it would have learnt alone."""
        return self._built(train, tune, {s: workdir / str(s) for s in seeds}, workdir)

    def _built(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        folders: Mapping[int, Path],
        workdir: Path,
    ) -> dict[int, Built]:
        lesson = self.lesson(train, tune)
        members = {(seed, i): seed + i * APART for seed in folders for i in range(self.networks)}
        kept = {
            inner: folders[seed] if self.networks == 1 else folders[seed] / f"network-{i}"
            for (seed, i), inner in members.items()
        }
        taught = self.taught(lesson, kept, workdir)
        built = {}
        for seed in folders:
            mine = [taught[members[seed, i]] for i in range(self.networks)]
            files = tuple(
                artifact_of(kept[members[seed, i]], self.made_by) for i in range(self.networks)
            )
            built[seed] = self._one(lesson, mine, files)
        return built

    def lesson(self, train: Sequence[Sample], tune: Sequence[Sample]) -> Lesson:
        """Return what is learnt from.  Raises ``DataError`` A200 for rows that nobody can learn from."""
        require("torch", "safetensors")
        rows = rows_of(train)
        if not rows.there.any():
            raise DataError("no training sample has a value", hint="look at the task's options")
        if not tune:
            raise DataError("there is no tune sample", hint="networks choose their epoch on some")
        head = self.head(rows)
        return Lesson(
            shape=Shape(
                inputs=rows.x.shape[1],
                hidden=self.hidden,
                outputs=head.outputs,
                activation=self.activation,
            ),
            head=head,
            train=rows,
            tune=rows_of(tune, rows.reasons),
            scale=Scale.of(rows, self.values),
            course=Course(
                epochs=self.epochs,
                batch=min(self.batch, len(rows.x)),
                best=self.keep == "best",
                gate="own" if self.gate == "own" else "tuned",
            ),
            device=device_of(self.device),
            precision=self.precision,
        )

    def taught(
        self, lesson: Lesson, folders: Mapping[int, Path], workdir: Path
    ) -> dict[int, Network]:
        """Return the network of each seed."""
        search = Search(rate=self.rate, decay=self.decay, tries=self.tries)
        return teach(lesson, search, folders, workdir=workdir)

    def _one(
        self, lesson: Lesson, networks: Sequence[Network], files: tuple[Artifact, ...]
    ) -> Built:
        first = networks[0]
        parts = lesson.parts
        notes: dict[str, float | int | str] = {
            "parameters": sum(part.size for part in parts) * len(networks),
            "tune_score": round(float(np.mean([n.facts["score"] for n in networks])), 6),
            "epoch": first.facts["epoch"],
            "rate": round(first.facts["rate"], 8),
            "decay": first.facts["decay"],
            "tries": self.tries,
            "device": class_of(lesson.device),
            **first.spent,
        }
        read = steady(self.reader(lesson, [named(parts, n.weights) for n in networks]))
        notes.update(self.noted(read, lesson))
        if self.gate == "tuned":
            tune, scale = lesson.tune, lesson.scale
            found = best_gate(read(scale.inward(tune.x)), tune, scale.wanted(tune.y))
            notes["gate"] = round(found.threshold, 6)
            read = gated(read, found.threshold)
        elif self.gate == "never":
            read = gated(read, 0.0)
        reader = Reader(
            read=read,
            scale=lesson.scale,
            reasons=lesson.train.reasons,
        )
        cost = sum(float(n.spent.get("cpu_s", 0.0)) for n in networks)
        return Built(system=reader, usage=Usage(busy_s=cost), artifacts=files, notes=notes)


def steady(read: Reads) -> Reads:
    """Return a reader whose confidences are as they will be said.

    A threshold chosen between those does not tell apart what only the last bits of a product do.
    """

    def rounding(x: NDArray[np.float64]) -> Read:
        found = read(x)
        return replace(found, confidence=rounded(found.confidence, SAID_DIGITS))

    return rounding


def gated(read: Reads, threshold: float) -> Reads:
    """Return a reader that declines where it is less sure than this."""

    def declining(x: NDArray[np.float64]) -> Read:
        found = read(x)
        return replace(found, declines=found.confidence < threshold)

    return declining
