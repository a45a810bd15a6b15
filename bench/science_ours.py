"""Assay's side of bench/science_peers.py: sixteen networks of the same sizes, all seeds of each in one stack.

Each counterpart has the trunk, the activation and the losses of its original; `Rational+eps` declines by its gate,
where the original compares its value with limits.  Features and values have mean 0 and deviation 1 here, raw
there: for the angle alone, which that changes most, values are raw and weights begin as torch's do.  Trunks of
203,000 parameters learn with bfloat16 products where that is asked for, as `precision: bfloat16` of a plan has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assay.families.science.domains.classic.dose import ClassicCurves, draw
from assay.families.science.domains.drawn import generator, samples_of
from assay.families.science.learning.head import Head, Read
from assay.families.science.learning.projective import Projective, Taus, Weights
from assay.families.science.learning.rows import Rows, Scale, rows_of
from assay.families.science.learning.shape import Part, Shape
from assay.families.science.learning.together import Course, Lesson, Member, Stack, named
from assay.families.science.learning.two_heads import TwoHeads

SMALL, WIDE = (64, 64), (256, 256, 256, 256)
LOSSES = {"separation": 1.0, "sign": 1.0, "direction": 1.0}
TAUS = Taus(infer=0.025, train=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The counterpart of one of the peer's models."""

    head: Head
    hidden: tuple[int, ...] = SMALL
    activation: str = "relu"
    raw: bool = False
    """Values as they are, and a start near an angle of zero.

    Scaled values lie around a quarter turn, raw ones (-8.8 to -5.2) at 0.11 to 0.19 radians from one end, where every
    seed of both sides soon calls all but the other end in range: macro-F1 0.57.  Scaled, that takes 30 epochs.
    """


class Small(Shape):
    """A trunk that begins as torch's linear layers do, all weights below 1/sqrt(fan-in)."""

    def parts(self) -> Iterator[Part]:
        """Yield the same arrays, with a smaller spread."""
        for part in Shape.parts(self):
            fan_in = part.shape[0]
            yield replace(part, spread=(3 * fan_in) ** -0.5 if part.spread else 0.0)


def published(*, raw: bool = False, **changed: Any) -> Ours:
    """Return the published head with some parts changed."""
    given = {"fit": "published", "shock": 0.01, "detach": True, "taus": TAUS, "weights": without()}
    return Ours(head=Projective(width=1, reasons=2, **{**given, **changed}), raw=raw)


def without(**weights: float) -> Weights:
    """Return the losses with some at another weight."""
    return Weights(**{**LOSSES, **weights})


def two(**more: Any) -> Ours:
    """Return two heads on a wide trunk."""
    return Ours(head=TwoHeads(width=1, reasons=2), hidden=WIDE, activation="silu", **more)


SCM = "ZeroProofML_SCM"
FREE: Mapping[str, Any] = {"detach": False}
MODELS: Mapping[str, Ours] = {
    "ClampedMLP": two(),
    "TwoStage": two(),
    "Rational+eps": published(shock=1.0, epsilon=1e-3, weights=without(fit=0.0, decoded=1.0)),
    SCM: published(),
    f"{SCM}_NoShock": published(shock=1.0),
    f"{SCM}_NoDetachRenorm_AuxCE": published(**FREE),
    f"{SCM}_NoDetachRenorm_DirHead": published(
        **FREE, direction="joint", weights=without(sign=0.0)
    ),
    f"{SCM}_NoDetachRenorm_DirHead_DetachBackbone": published(
        **FREE, direction="detached", weights=without(sign=0.0)
    ),
    f"{SCM}_NoDetachRenorm_DirHead_AuxCE": published(
        **FREE, direction="joint", weights=without(sign=0.0)
    ),
    f"{SCM}_NoSign": published(weights=without(sign=0.0)),
    f"{SCM}_NoMargin": published(weights=without(separation=0.0)),
    f"{SCM}_NoDetachScale": published(fit="implicit"),
    f"{SCM}_QAnchorOnes": published(anchored=True, shock=1.0),
    f"{SCM}_NoDetachRenorm": published(**FREE),
    f"{SCM}_NoDetachRenorm_Angular": published(**FREE, form="angle", raw=True),
    f"{SCM}_DecodedMSE": published(weights=without(fit=0.0, decoded=1.0)),
}


def train(asked: Any, seeds: Sequence[int], *, precision: str) -> list[dict[str, Any]]:
    """Teach every model, the networks of all seeds together; return what each seed cost and scored."""
    _warm()
    cpu, wall = time.process_time(), time.perf_counter()
    splits = {"train": asked.train, "tune": asked.validation, "test": asked.test}
    rows = {
        split: rows_of(samples_of(draw(ClassicCurves(), n, generator(1, split)), split))
        for split, n in splits.items()
    }
    scale = Scale.of(rows["train"])
    found: list[dict[str, Any]] = [{"models": {}} for _ in seeds]
    for name in asked.models or MODELS:
        for place, row in enumerate(_taught(MODELS[name], rows, scale, asked, seeds, precision)):
            found[place]["models"][name] = row
    spent = {
        "cpu_s": (time.process_time() - cpu) / len(seeds),
        "wall_s": (time.perf_counter() - wall) / len(seeds),
    }
    return [one | spent for one in found]


def _taught(
    model: Ours,
    rows: Mapping[str, Rows],
    scale: Scale,
    asked: Any,
    seeds: Sequence[int],
    precision: str,
) -> list[dict[str, Any]]:
    start = time.process_time()
    if model.raw:
        scale = replace(scale, y_mean=np.zeros(1), y_sd=np.ones(1))
    lesson = Lesson(
        shape=(Small if model.raw else Shape)(
            inputs=rows["train"].x.shape[1],
            hidden=model.hidden,
            outputs=model.head.outputs,
            activation=model.activation,
        ),
        head=model.head,
        train=rows["train"],
        tune=rows["tune"],
        scale=scale,
        course=Course(
            epochs=asked.epochs, batch=asked.batch_size, best=asked.restore_best, gate="own"
        ),
        precision=precision if model.hidden == WIDE else "float32",
    )
    stack = Stack(lesson, [Member(seed=seed, rate=asked.rate) for seed in seeds])
    while not stack.done:
        stack.epoch()
    spent = (time.process_time() - start) / len(seeds)
    stack.begin_from(stack.state.best)
    test, made = rows["test"], []
    x = stack.tune_x.new_tensor(scale.inward(test.x)).unsqueeze(0)
    for place, weights in enumerate(stack.state.best):
        # In float32, as the peer reads its own.
        read = lesson.head.read(stack.said(place, x), named(lesson.parts, weights))
        made.append(
            {
                "parameters": sum(part.size for part in lesson.parts),
                "cpu_s": spent,
                "steps": stack.steps * asked.epochs,
                **_scores(read, test, scale),
            }
        )
    return made


def _scores(read: Read, test: Rows, scale: Scale) -> dict[str, float | None]:
    said = np.where(read.declines | read.fault, np.maximum(read.reason, 0), 0)
    f1 = [
        2
        * ((said == c) & (test.kind == c)).sum()
        / max(1, (said == c).sum() + (test.kind == c).sum())
        for c in range(3)
    ]
    given = test.there & (said == 0) & ~read.fault
    error = np.abs(scale.outward(read.value) - test.y)[given]
    return {
        "macro_f1": float(np.mean(f1)),
        "finite_mae": float(error.mean()) if given.any() else None,
        "false_in_range_rate_on_censored": float((said[~test.there] == 0).mean()),
        "false_censored_rate_on_in_range": float((said[test.there] != 0).mean()),
    }


def _warm() -> None:
    """Take one step of a small stack: what torch loads at its first is nobody's seconds."""
    rows = rows_of(samples_of(draw(ClassicCurves(), 64, generator(1, "train")), "train"))
    model = MODELS[SCM]
    shape = Shape(inputs=rows.x.shape[1], hidden=SMALL, outputs=model.head.outputs)
    for precision in ("float32", "bfloat16"):
        lesson = Lesson(
            shape=shape, head=model.head, train=rows, tune=rows, scale=Scale.of(rows),
            course=Course(epochs=1, batch=64), precision=precision,
        )  # fmt: skip
        Stack(lesson, [Member(seed=0, rate=1e-3)]).epoch()
