"""``science.projective``: a rational head that declines where its denominator is near zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from assay import PlanError

from ..learning.head import Head
from ..learning.kept import Network
from ..learning.projective import Fit, Form, Projective, Taus, Weights
from ..learning.rows import Rows
from ..learning.shape import Part, begin
from ..learning.teaching import Search, teach
from ..learning.together import Lesson
from .learner import Learner, Reads

Named = Literal["none", "sign", "joint", "detached", "frozen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rational(Learner):
    """The recipe ``science.projective``: the value is P / Q, and there is none where |Q| < ``tau``.

    Its options are the parts of the published head; each can be taken away.
    """

    form: Form = "rational"
    """``rational``: polynomials of two numbers; ``angle``: (cos, sin) of one."""

    direction: Named = "sign"
    """How a reason is named: ``sign`` of P; a linear head taught ``joint`` with the trunk, ``detached``
    from it, or ``frozen``: afterwards, on a trunk that learns no more."""

    anchored: bool = False
    shock: float = 1.0
    detach: bool = False
    epsilon: float = 0.0
    tau: float = 0.025
    fit: Fit = "oriented"
    weight: float = 1.0
    decoded: float = 0.0
    margin: float = 0.0
    separation: float = 0.0
    sign: float = 0.0
    coverage: float = 0.0
    made_by: ClassVar[str] = "science.projective"

    def __post_init__(self) -> None:
        """Raise ``PlanError`` A102 for options that no head can have."""
        Learner.__post_init__(self)
        weights = (
            self.weight,
            self.decoded,
            self.margin,
            self.separation,
            self.sign,
            self.coverage,
        )
        if not (0 < self.tau < 1) or min(*weights, self.epsilon) < 0 or not (0 < self.shock <= 1):
            raise PlanError(
                f"{self.made_by}: tau and shock are shares above 0, weights and epsilon 0 or more",
                hint="look at the options of science.projective in docs/families/science.md",
                code="A102",
            )
        if self.weight == 0 and self.decoded == 0:
            raise PlanError(
                f"{self.made_by}: nothing teaches the value",
                hint="give `weight` or `decoded` more than 0",
                code="A104",
            )

    def head(self, rows: Rows) -> Head:
        """Return the head; the direction of a frozen one is taught later."""
        width = rows.y.shape[1]
        if self.form == "angle" and width != 1:
            raise PlanError(
                f"{self.made_by}: an angle is one number, and a value here has {width}",
                hint="leave `form: angle` out",
                code="A104",
            )
        return Projective(
            width=width,
            reasons=len(rows.reasons),
            form=self.form,
            direction="detached" if self.direction == "frozen" else self.direction,
            anchored=self.anchored,
            shock=self.shock,
            detach=self.detach,
            fit=self.fit,
            epsilon=self.epsilon,
            taus=Taus.around(self.tau),
            weights=Weights(
                fit=self.weight,
                decoded=self.decoded,
                margin=self.margin,
                separation=self.separation,
                sign=self.sign,
                coverage=self.coverage,
            ),
        )

    def taught(
        self, lesson: Lesson, folders: Mapping[int, Path], workdir: Path
    ) -> dict[int, Network]:
        """Return the network of each seed; of a frozen direction, after a second course."""
        if self.direction != "frozen":
            return Learner.taught(self, lesson, folders, workdir)
        head = lesson.head
        assert isinstance(head, Projective)
        base = replace(lesson, head=replace(head, direction="none"))
        below = {seed: folder / "trunk" for seed, folder in folders.items()}
        trunks = Learner.taught(self, base, below, workdir / "trunk")
        own = [part for part in lesson.parts if part.name in DIRECTION]
        starts = {seed: _with(trunk.weights, own, seed) for seed, trunk in trunks.items()}
        made = teach(
            replace(lesson, only=frozenset(DIRECTION)),
            Search(rate=self.rate, decay=0.0, tries=1),
            folders,
            workdir=workdir,
            starts=starts,
        )
        return {seed: _whole(network, trunks[seed]) for seed, network in made.items()}

    def noted(self, read: Reads, lesson: Lesson) -> Mapping[str, float]:
        """Return the share of tune rows in the gap: |Q| not below ``tau``, but below twice that."""
        sure = read(lesson.scale.inward(lesson.tune.x)).confidence
        taus = Taus.around(self.tau)
        return {"gap_rate": round(float(((sure >= taus.infer) & (sure < taus.train)).mean()), 6)}


def _whole(network: Network, trunk: Network) -> Network:
    """Return a network that cost what its trunk did, too."""
    cost = float(network.spent.get("cpu_s", 0.0)) + float(trunk.spent.get("cpu_s", 0.0))
    return replace(network, spent={**network.spent, "cpu_s": cost})


def _with(weights: NDArray[np.float32], own: list[Part], seed: int) -> NDArray[np.float32]:
    """Return a trunk with a direction that has learnt nothing yet."""
    begun = begin(own, seed)
    return np.concatenate([weights, *(begun[part.name].ravel() for part in own)]).astype(np.float32)


DIRECTION = ("wd", "bd")
