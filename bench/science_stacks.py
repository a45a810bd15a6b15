"""Whether networks of equal capacity and different heads should learn in one stack: CPU ms a step and network.

    python bench/science_stacks.py [--seeds 10] [--models 14] [--batches 64 128 256 512] [--activation relu]

*apart* is what assay does: one stack for each model, of all its seeds and tries.  *joined*: the hidden layers of all
models are one product, their last layers and losses one each.  *alike*: as many networks of one head in one stack, which
is the least that heads written for all models at once could cost.  Models, rows and steps are the same.

*Not covered*: anything but a step (batches are drawn beforehand), a GPU, several threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from contest import load
from science_ours import MODELS, SCM, SMALL

from assay.families.science.domains.classic.dose import ClassicCurves, draw
from assay.families.science.domains.drawn import generator, samples_of
from assay.families.science.learning.head import Batch
from assay.families.science.learning.rows import Rows, Scale, rows_of
from assay.families.science.learning.shape import Part, Shape, begin

NARROW = tuple(name for name, model in MODELS.items() if model.hidden == SMALL)
ROWS, STEPS, TIMES = 10_000, 4096, 3
INPUTS = 20


@dataclass(slots=True)
class Joined:
    """Several models under some seeds, whose hidden layers are one product."""

    torch: Any
    names: Sequence[str]
    seeds: range
    activation: str
    trunk: list[Part] = field(init=False)
    own: list[list[Part]] = field(init=False)
    flats: list[Any] = field(init=False)
    optimizer: Any = field(init=False)

    def __post_init__(self) -> None:
        """Draw the first weights."""
        heads = [MODELS[name].head for name in self.names]
        shapes = [Shape(inputs=INPUTS, hidden=SMALL, outputs=head.outputs) for head in heads]
        self.trunk = [part for part in shapes[0].parts() if part.name not in ("wo", "bo")]
        hidden, flats, self.own = [], [], []
        for head, shape in zip(heads, shapes, strict=True):
            parts = [*shape.parts(), *head.parts(SMALL[-1])]
            begun = [begin(parts, seed) for seed in self.seeds]
            own = [part for part in parts if part not in self.trunk]
            hidden += [_flat(one, self.trunk) for one in begun]
            flats.append(np.stack([_flat(one, own) for one in begun]))
            self.own.append(own)
        self.flats = [
            self.torch.tensor(one, dtype=self.torch.float32, requires_grad=True)
            for one in (np.stack(hidden), *flats)
        ]
        self.optimizer = self.torch.optim.AdamW(self.flats, lr=1e-3, weight_decay=0.0, fused=True)

    def step(self, x: Any, batch: Batch) -> None:
        """Take one step; every array has one row of rows for each network."""
        torch, count = self.torch, len(self.seeds)
        act = torch.relu if self.activation == "relu" else torch.nn.functional.silu
        shared = _named(self.flats[0], self.trunk)
        last = x
        for i in range(len(SMALL)):
            last = act(torch.baddbmm(shared[f"b{i}"], last, shared[f"w{i}"]))
        total = 0.0
        for k, (name, flat) in enumerate(zip(self.names, self.flats[1:], strict=True)):
            here = slice(k * count, (k + 1) * count)
            mine = _named(flat, self.own[k])
            out = torch.baddbmm(mine["bo"], last[here], mine["wo"])
            seen = Batch(y=batch.y[here], there=batch.there[here], kind=batch.kind[here])
            total = total + MODELS[name].head.loss(out, last[here], mine, seen).sum()
        for flat, gradient in zip(self.flats, torch.autograd.grad(total, self.flats), strict=True):
            flat.grad = gradient
        self.optimizer.step()


def _flat(begun: dict[str, Any], parts: Sequence[Part]) -> Any:
    return np.concatenate([begun[part.name].ravel() for part in parts])


def _named(flat: Any, parts: Sequence[Part]) -> dict[str, Any]:
    pieces = flat.split([part.size for part in parts], dim=1)
    return {p.name: x.reshape(len(flat), *p.shape) for p, x in zip(parts, pieces, strict=True)}


def spent(torch: Any, stacks: Sequence[Joined], rows: Rows, batch: int) -> float:
    """Return the CPU milliseconds of a step of one network."""
    scale = Scale.of(rows)
    x, y = (torch.tensor(a, dtype=torch.float32) for a in (scale.inward(rows.x), rows.y))
    there, kind = torch.tensor(rows.there.astype(np.float32)), torch.tensor(rows.kind)
    y, steps, cost, networks = torch.nan_to_num(y), max(8, STEPS // batch), 0.0, 0
    for stack in stacks:
        size = len(stack.names) * len(stack.seeds)
        networks += size
        for step in range(-2, steps):
            if step == 0:
                start = time.process_time()
            at = torch.randint(len(x), (size * batch,))

            def taken(of: Any, at: Any = at, size: int = size) -> Any:
                return of[at].reshape(size, batch, *of.shape[1:])

            stack.step(taken(x), Batch(y=taken(y), there=taken(there), kind=taken(kind)))
        cost += time.process_time() - start
    return 1000 * cost / steps / networks


def main() -> None:
    """Print a table: batches by ways, the least of three times each, and what joining saves."""
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="networks of each model")
    parser.add_argument("--models", type=int, default=len(NARROW), help="at most 14")
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--activation", choices=("relu", "silu"), default="relu")
    asked = parser.parse_args()
    names, seeds = NARROW[: asked.models], range(asked.seeds)
    rows = rows_of(samples_of(draw(ClassicCurves(), ROWS, generator(1, "train")), "train"))
    print(f"{len(names)} models x {asked.seeds} networks, load average {load()}\n")
    print("| batch | apart | joined | alike | joining saves |\n|---|---:|---:|---:|---:|")
    for batch in asked.batches:
        ways: dict[str, list[float]] = {"apart": [], "joined": [], "alike": []}
        for _ in range(TIMES):
            for way, kept in ways.items():
                if way == "apart":
                    stacks = [Joined(torch, [name], seeds, asked.activation) for name in names]
                elif way == "joined":
                    stacks = [Joined(torch, names, seeds, asked.activation)]
                else:
                    stacks = [
                        Joined(torch, [SCM], range(len(names) * len(seeds)), asked.activation)
                    ]
                kept.append(spent(torch, stacks, rows, batch))
        apart, joined, alike = (min(kept) for kept in ways.values())
        print(f"| {batch} | {apart:.3f} | {joined:.3f} | {alike:.3f} | {1 - joined / apart:.0%} |")


if __name__ == "__main__":
    main()
