"""Teach a stack of networks of one shape at once: one matrix product for all of them.

Networks differ in their seeds and in what is tuned (rate, decay).  Their parameters are the rows of
one matrix; each has batches, a start and a best epoch of its own, so that a network learns the same
in a stack and alone.  Adam (Kingma & Ba, 2015) with decoupled decay (Loshchilov & Hutter, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..extras import extra
from .forward import Precision, forward, taken
from .head import Batch, Head, Tensor, best_gate, own_gate
from .rows import Rows, Scale
from .shape import Arrays, Part, Said, Shape, begin

BETA, BETA_SQUARE, TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One network of a stack."""

    seed: int
    rate: float
    decay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How long networks learn."""

    epochs: int
    batch: int
    warmup: float = 0.05
    """Share of the steps in which the rate grows; afterwards it falls as a cosine to a hundredth."""

    best: bool = True
    """Whether each network ends as it was after its best epoch on tune rows, or after the last."""

    gate: Literal["tuned", "own"] = "tuned"
    """How tune rows are declined: below the threshold that is best for them, or by the head's rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Everything that a stack learns from."""

    shape: Shape
    head: Head
    train: Rows
    tune: Rows
    scale: Scale
    course: Course
    device: str = "cpu"
    precision: Precision = "float32"
    only: frozenset[str] = frozenset()
    """Names of the parameters that learn; empty: all of them."""

    held: Rows | None = None
    """Rows that nothing is taught by or chosen on, for what is learnt of a network that is done."""

    @property
    def parts(self) -> list[Part]:
        """Every array of parameters of one network."""
        hidden = self.shape.hidden[-1] if self.shape.hidden else self.shape.inputs
        return [*self.shape.parts(), *self.head.parts(hidden)]


@dataclass(slots=True)
class State:
    """How far a stack has come; arrays of float32, one row per network."""

    epoch: int
    weights: NDArray[np.float32]
    mean: NDArray[np.float32]
    square: NDArray[np.float32]
    best: NDArray[np.float32]
    best_score: NDArray[np.float64]
    best_epoch: NDArray[np.int64]
    log: list[dict[str, Any]] = field(default_factory=list)
    """A line per epoch: mean loss and tune score of each network."""

    cpu_s: float = 0.0
    """What its epochs cost, those of processes that were stopped among them."""


def first_state(lesson: Lesson, members: Sequence[Member]) -> State:
    """Return a stack before its first step."""
    parts = lesson.parts
    rows = [
        np.concatenate([begun[part.name].ravel() for part in parts])
        for begun in (begin(parts, member.seed) for member in members)
    ]
    weights = np.stack(rows).astype(np.float32)
    return State(
        epoch=0,
        weights=weights,
        mean=np.zeros_like(weights),
        square=np.zeros_like(weights),
        best=weights.copy(),
        best_score=np.full(len(members), np.inf),
        best_epoch=np.zeros(len(members), dtype=np.int64),
    )


class Stack:
    """A stack that is being taught; ``epoch`` after ``epoch``, until ``done``."""

    def __init__(
        self, lesson: Lesson, members: Sequence[Member], state: State | None = None
    ) -> None:
        """Put a stack where a state left it, or at its start."""
        self.torch = extra("torch")
        # One thread: sums are then made in one order, whatever else the machine does.
        self.torch.set_num_threads(1)
        self.lesson, self.members = lesson, tuple(members)
        self.state = first_state(lesson, members) if state is None else state
        self.sizes = [part.size for part in lesson.parts]
        torch, device = self.torch, lesson.device
        self.flat = torch.tensor(self.state.weights, device=device, requires_grad=True)
        self.mean = torch.tensor(self.state.mean, device=device)
        self.square = torch.tensor(self.state.square, device=device)
        scale, train = lesson.scale, lesson.train
        as_float = {"dtype": torch.float32, "device": device}
        self.x = torch.tensor(scale.inward(train.x), **as_float)
        self.y = torch.tensor(np.nan_to_num(scale.wanted(train.y)), **as_float)
        self.there = torch.tensor(train.there.astype(np.float32), **as_float)
        self.kind = torch.tensor(train.kind, device=device)
        self.optimizer = self._optimizer()
        learns = [
            torch.full((part.size,), float(not lesson.only or part.name in lesson.only))
            for part in lesson.parts
        ]
        self.learns = torch.cat(learns).to(device) if lesson.only else None
        self.tune_x = scale.inward(lesson.tune.x)
        self.tune_y = scale.wanted(lesson.tune.y)

    def begin_from(self, weights: NDArray[np.float32]) -> None:
        """Begin with these weights, one row per network."""
        self.state.weights = self.state.best = weights.astype(np.float32)
        with self.torch.no_grad():
            self.flat.copy_(self.torch.tensor(self.state.weights))

    @property
    def done(self) -> bool:
        """Whether every epoch is over."""
        return self.state.epoch >= self.lesson.course.epochs

    @property
    def steps(self) -> int:
        """Steps of one epoch; what does not fill a batch waits for another shuffle."""
        return max(1, len(self.lesson.train.x) // self.lesson.course.batch)

    def epoch(self) -> None:
        """Teach one epoch, and see how each network does on the tune rows."""
        torch, course, state = self.torch, self.lesson.course, self.state
        order = torch.tensor(self._order(state.epoch), device=self.lesson.device)
        total = torch.zeros(len(self.members), device=self.lesson.device)
        for step in range(self.steps):
            rows = order[:, step * course.batch : (step + 1) * course.batch]
            total += self._step(rows, state.epoch * self.steps + step)
        state.epoch += 1
        state.weights = self.flat.detach().cpu().numpy().copy()
        state.mean, state.square = self.mean.cpu().numpy(), self.square.cpu().numpy()
        scores = np.array([self._score(row) for row in state.weights])
        better = scores < state.best_score if course.best else np.ones(len(scores), dtype=np.bool_)
        state.best[better], state.best_score[better] = state.weights[better], scores[better]
        state.best_epoch[better] = state.epoch
        losses = (total / self.steps).cpu().numpy().astype(float)
        state.log.append(
            {"epoch": state.epoch, "loss": losses.tolist(), "score": scores.astype(float).tolist()}
        )

    def _order(self, epoch: int) -> NDArray[np.int64]:
        n = len(self.lesson.train.x)
        return np.stack(
            [
                np.random.Generator(np.random.PCG64([m.seed, _SHUFFLE, epoch])).permutation(n)
                for m in self.members
            ]
        )

    def _step(self, rows: Tensor, step: int) -> Tensor:
        torch = self.torch
        named = self._named(self.flat)
        lesson = self.lesson
        x, y, there, kind = (taken(of, rows) for of in (self.x, self.y, self.there, self.kind))
        out, hidden = forward(torch, lesson.shape, x, named, lesson.precision)
        batch = Batch(y=y, there=there, kind=kind)
        loss = lesson.head.loss(out, hidden, named, batch)
        (gradient,) = torch.autograd.grad(loss.sum(), self.flat)
        with torch.no_grad():
            self._adam(gradient, step)
        return loss.detach()

    def _named(self, flat: Tensor) -> dict[str, Tensor]:
        # One split, whose gradient is one concatenation: slices would each cost a whole matrix.
        pieces = flat.split(self.sizes, dim=1)
        return {
            part.name: piece.reshape(len(self.members), *part.shape)
            for part, piece in zip(self.lesson.parts, pieces, strict=True)
        }

    def _optimizer(self) -> Any:
        """Return the fused AdamW of torch, networks of one rate in one group: one pass over memory instead of eight."""
        torch, done = self.torch, self.state.epoch * self.steps
        rows = (
            self.flat.detach()
        )  # views: what is changed in them is changed in all networks' matrix
        made = torch.optim.AdamW(
            [
                {
                    "params": [
                        rows[i] for i, m in enumerate(self.members) if (m.rate, m.decay) == how
                    ],
                    "lr": how[0],
                    "weight_decay": how[1],
                    "rate": how[0],
                }
                for how in dict.fromkeys((m.rate, m.decay) for m in self.members)
            ],
            betas=(BETA, BETA_SQUARE),
            eps=TINY,
            fused=True,
        )
        place = {row.data_ptr(): i for i, row in enumerate(rows)}
        self.learners = [
            (row, place[row.data_ptr()]) for group in made.param_groups for row in group["params"]
        ]
        for row, i in self.learners:
            made.state[row] = {
                "step": torch.tensor(float(done), device=rows.device),
                "exp_avg": self.mean[i],
                "exp_avg_sq": self.square[i],
            }
        return made

    def _adam(self, gradient: Tensor, step: int) -> None:
        course = self.lesson.course
        now = pace(step, self.steps * course.epochs, course.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * now
        for row, i in self.learners:
            row.grad = gradient[i]
        if self.learns is None:
            self.optimizer.step()
            return
        before = self.flat.detach().clone()
        self.optimizer.step()
        # Neither the gradient nor the decay of what does not learn may move it.
        self.flat.copy_(self.torch.where(self.learns > 0, self.flat, before))

    def _score(self, row: NDArray[np.float32]) -> float:
        weights = named(self.lesson.parts, row)
        said = self.lesson.shape.say(self.tune_x, weights)
        read = self.lesson.head.read(said, weights)
        if self.lesson.course.gate == "own":
            return own_gate(read, self.lesson.tune, self.tune_y)
        return best_gate(read, self.lesson.tune, self.tune_y).score


def pace(step: int, steps: int, warmup: float) -> float:
    """Return the factor of the rate at a step.

    >>> [round(pace(step, 100, 0.1), 3) for step in (0, 9, 55, 99)]
    [0.1, 1.0, 0.505, 0.01]
    """
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return float(0.01 + 0.99 * 0.5 * (1.0 + np.cos(np.pi * done)))


def named(parts: Sequence[Part], row: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return one network's parameters by name, as float64."""
    found: dict[str, NDArray[np.float64]] = {}
    at = 0
    for part in parts:
        found[part.name] = row[at : at + part.size].reshape(part.shape).astype(np.float64)
        at += part.size
    return found


def spoken(lesson: Lesson, weights: Arrays, x: NDArray[np.float64]) -> Said:
    """Return what one network says of features as they are seen."""
    return lesson.shape.say(lesson.scale.inward(x), weights)


_SHUFFLE = 202
