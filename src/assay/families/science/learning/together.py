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
from .forward import Precision, Room, backward, forward, passed_through, taken
from .head import Batch, Head, Tensor, best_gate, own_gate
from .pace import pace
from .rows import VALUE, Rows, Scale
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
        self.flat = torch.tensor(self.state.weights, device=device)
        self.gradient = torch.zeros_like(self.flat)
        self.room = Room()
        self.mean = torch.tensor(self.state.mean, device=device)
        self.square = torch.tensor(self.state.square, device=device)
        scale, train = lesson.scale, lesson.train
        as_float = {"dtype": torch.float32, "device": device}
        self.x = torch.tensor(scale.inward(train.x), **as_float)
        if lesson.precision == "bfloat16":
            self.x = self.x.bfloat16()
        self.y = torch.tensor(np.nan_to_num(scale.wanted(train.y)), **as_float)
        self.kind = torch.tensor(train.kind, device=device)
        self.weights, self.errors = self._named(self.flat), self._named(self.gradient)
        # Of these the gradient is torch's; of the trunk it is written by hand.
        own = {part.name for part in lesson.parts} - {part.name for part in lesson.shape.parts()}
        self.own = {name: self.weights[name].detach().requires_grad_() for name in sorted(own)}
        self.groups, self.adamw = self._groups(), extra("torch.optim.adamw").adamw
        learns = [
            torch.full((part.size,), not lesson.only or part.name in lesson.only)
            for part in lesson.parts
        ]
        self.learns = torch.cat(learns).to(device)
        self.tune_x = torch.tensor(scale.inward(lesson.tune.x), **as_float).unsqueeze(0)
        self.tune_y = scale.wanted(lesson.tune.y)

    def begin_from(self, weights: NDArray[np.float32]) -> None:
        """Begin with these weights, one row per network."""
        self.state.weights = self.state.best = weights.astype(np.float32)
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
        state.weights = self.flat.cpu().numpy().copy()
        state.mean, state.square = self.mean.cpu().numpy(), self.square.cpu().numpy()
        scores = np.array([self._score(i) for i in range(len(self.members))])
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
        torch, lesson = self.torch, self.lesson
        x, y, kind = (taken(of, rows) for of in (self.x, self.y, self.kind))
        weights = self.weights
        if lesson.precision == "bfloat16":
            # Each in memory of its own: products read those faster than pieces of the matrix.
            weights = {
                name: self.room.of(name, x, *weight.shape).copy_(weight)
                for name, weight in weights.items()
            }
        passed = passed_through(torch, lesson.shape, x, weights, self.room)
        out = passed.out.float().requires_grad_()
        # The same memory, and no leaf of the next step's graph.
        hidden = passed.seen[-1].detach().requires_grad_()
        batch = Batch(y=y, there=(kind == VALUE).float(), kind=kind)
        loss = lesson.head.loss(out.transpose(1, 2), hidden, self.own, batch)
        errors = torch.autograd.grad(
            loss.sum(), [out, hidden, *self.own.values()], allow_unused=True
        )
        with torch.no_grad():
            of_out, of_hidden = (e if e is None else e.to(passed.out.dtype) for e in errors[:2])
            backward(
                torch, lesson.shape, passed, weights, (of_out, of_hidden), self.errors, self.room
            )
            for name, error in zip(self.own, errors[2:], strict=True):
                if error is not None:
                    self.errors[name].copy_(error)
            self._adam(step)
        return loss.detach()

    def _named(self, flat: Tensor) -> dict[str, Tensor]:
        pieces = flat.split(self.sizes, dim=1)
        return {
            part.name: piece.reshape(len(self.members), *part.shape)
            for part, piece in zip(self.lesson.parts, pieces, strict=True)
        }

    def _adam(self, step: int) -> None:
        """Take torch's fused step, networks of one rate at once: one pass over memory instead of eight."""
        course = self.lesson.course
        now = pace(step, self.steps * course.epochs, course.warmup)
        before = self.flat.clone() if self.lesson.only else None
        for (rate, decay), rows in self.groups.items():
            self.adamw(
                *rows,
                fused=True,
                amsgrad=False,
                maximize=False,
                lr=rate * now,
                beta1=BETA,
                beta2=BETA_SQUARE,
                weight_decay=decay,
                eps=TINY,
            )
        if before is not None:
            # Neither the gradient nor the decay of what does not learn may move it.
            self.flat.copy_(self.torch.where(self.learns, self.flat, before))

    def _groups(self) -> dict[tuple[float, float], list[list[Tensor]]]:
        """Return rows of weights, gradient, moments, (none) and steps, of networks with one rate and decay."""
        done = float(self.state.epoch * self.steps)
        found: dict[tuple[float, float], list[list[Tensor]]] = {}
        for i, member in enumerate(self.members):
            rows = found.setdefault((member.rate, member.decay), [[], [], [], [], [], []])
            # Rows are views: what is changed in one is changed in the matrix of all networks.
            matrices = (self.flat, self.gradient, self.mean, self.square)
            for kept, matrix in zip(rows[:4], matrices, strict=True):
                kept.append(matrix[i])
            rows[-1].append(self.torch.tensor(done, device=self.lesson.device))
        return found

    def said(self, place: int, x: Tensor) -> Said:
        """Return what one network says of rows, shape [1, rows, inputs], in float32 as it learns."""
        mine = slice(place, place + 1)
        told = {name: weight[mine] for name, weight in self.weights.items()}
        out, hidden = forward(self.torch, self.lesson.shape, x, told, self.room)
        return Said(out=out[0].double().cpu().numpy(), hidden=hidden[0].cpu().numpy())

    def _score(self, place: int) -> float:
        """Return what one network's answers to tune rows cost."""
        own = {name: part[place].detach().double().cpu().numpy() for name, part in self.own.items()}
        read = self.lesson.head.read(self.said(place, self.tune_x), own)
        if self.lesson.course.gate == "own":
            return own_gate(read, self.lesson.tune, self.tune_y)
        return best_gate(read, self.lesson.tune, self.tune_y).score


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
