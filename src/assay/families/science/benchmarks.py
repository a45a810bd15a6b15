"""The suite ``science``: signed common meadows, a projective layer forward and backward, gap thresholds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from assay.benchmarks import Benchmark, Suite, Work

ROWS, NETWORKS, BATCH, HIDDEN = 100_000, 11, 256, (64, 64)


def science() -> Suite:
    """Return the suite."""
    layer = f"{NETWORKS} networks of {HIDDEN[0]} x {HIDDEN[1]}, {BATCH} rows each"
    many = NETWORKS * BATCH
    return Suite(
        version="1",
        says="arithmetic in signed common meadows; a projective layer; thresholds of the gap",
        benchmarks=(
            Benchmark(
                name="elements-exact",
                says="a sum, product and quotient of fractions",
                n=3,
                make=_exact,
            ),
            Benchmark(
                name="elements-float",
                says="a sum, product and quotient of floats",
                n=3,
                make=_floats,
            ),
            Benchmark(
                name="masked-add",
                says=f"a sum of {ROWS:,} elements, masks apart",
                n=ROWS,
                make=_add,
            ),
            Benchmark(
                name="masked-divide",
                says=f"a quotient of {ROWS:,} elements, one denominator in a hundred is zero",
                n=ROWS,
                make=_divide,
            ),
            Benchmark(name="layer-forward", says=f"{layer}: what they say", n=many, make=_forward),
            Benchmark(
                name="layer-backward",
                says=f"{layer}: what they say, the projective loss, every gradient",
                n=many,
                make=_backward,
            ),
            Benchmark(
                name="guard-project",
                says=f"{ROWS:,} gradients through bottoms, projected",
                n=ROWS,
                make=_guarded,
            ),
            Benchmark(
                name="gap-read",
                says=f"P and Q of {ROWS:,} rows read, |Q| against tau",
                n=ROWS,
                make=_read,
            ),
            Benchmark(
                name="gap-threshold",
                says=f"the threshold that costs least on {ROWS:,} rows",
                n=ROWS,
                make=_threshold,
            ),
        ),
    )


def _exact(_folder: Path) -> Work:
    from .meadow.element import Element

    return _arithmetic(Element(Fraction(3, 7)), Element(Fraction(5, 11)))


def _floats(_folder: Path) -> Work:
    from .meadow.element import Element

    return _arithmetic(Element(0.3), Element(-2.5))


def _arithmetic(x: Any, y: Any) -> Work:
    return lambda: (x + y, x * y, x / y)


def _masked() -> tuple[Any, Any]:
    from .meadow.arrays import Masked

    rng = np.random.default_rng(0)
    below = rng.normal(size=ROWS)
    below[::100] = 0.0
    return Masked.finite(rng.normal(size=ROWS)), Masked.finite(below)


def _add(_folder: Path) -> Work:
    x, y = _masked()
    return lambda: x + y


def _divide(_folder: Path) -> Work:
    x, y = _masked()
    return lambda: x / y


def _head() -> Any:
    from .learning.projective import Projective, Weights

    weights = Weights(margin=0.1, separation=0.1, sign=0.1, coverage=0.1)
    return Projective(width=1, reasons=2, direction="sign", weights=weights)


def _layer() -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return torch, the shape, rows and weights of every network."""
    from .extras import extra
    from .learning.shape import Shape, begin

    torch, head = extra("torch"), _head()
    torch.set_num_threads(1)
    shape = Shape(inputs=8, hidden=HIDDEN, outputs=head.outputs)
    parts = [*shape.parts(), *head.parts(HIDDEN[-1])]
    drawn = [begin(parts, seed) for seed in range(NETWORKS)]
    weights = {
        part.name: torch.tensor(np.stack([each[part.name] for each in drawn]), dtype=torch.float32)
        for part in parts
    }
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(NETWORKS, BATCH, 8)), dtype=torch.float32)
    return torch, shape, x, weights


def _forward(_folder: Path) -> Work:
    from .learning.forward import forward

    torch, shape, x, weights = _layer()

    def work() -> object:
        with torch.no_grad():
            return forward(torch, shape, x, weights)

    return work


def _backward(_folder: Path) -> Work:
    from .learning.forward import Room, backward, passed_through
    from .learning.head import Batch

    torch, shape, x, weights = _layer()
    head = _head()
    trunk = {part.name for part in shape.parts()}
    own = {name: w.requires_grad_() for name, w in weights.items() if name not in trunk}
    gradient = {name: torch.zeros_like(w) for name, w in weights.items() if name in trunk}
    rng = np.random.default_rng(1)
    kind = torch.tensor(rng.integers(0, 3, (NETWORKS, BATCH)))
    y = torch.tensor(rng.normal(size=(NETWORKS, BATCH, 1)), dtype=torch.float32)
    batch, room = Batch(y=y, there=(kind == 0).float(), kind=kind), Room()

    def work() -> None:
        passed = passed_through(torch, shape, x, weights, room)
        out, hidden = passed.out.requires_grad_(), passed.seen[-1].detach().requires_grad_()
        loss = head.loss(out.transpose(1, 2), hidden, own, batch)
        found = torch.autograd.grad(loss.sum(), [out, hidden, *own.values()], allow_unused=True)
        with torch.no_grad():
            backward(torch, shape, passed, weights, (found[0], found[1]), gradient, room)

    return work


def _guarded(_folder: Path) -> Work:
    from .extras import require
    from .meadow.gradients import guard

    require("torch")
    torch, _, _, _ = _layer()
    values = torch.randn(ROWS, requires_grad=True)
    bottom = torch.arange(ROWS) % 100 == 0

    def work() -> object:
        made = guard(values, bottom, policy="project").sum()
        return torch.autograd.grad(made, values)

    return work


def _said() -> tuple[Any, Any]:
    from .learning.shape import Said, begin

    head, rng = _head(), np.random.default_rng(2)
    said = Said(
        out=rng.normal(size=(ROWS, head.outputs)), hidden=rng.normal(size=(ROWS, HIDDEN[-1]))
    )
    return said, begin(head.parts(HIDDEN[-1]), 0)


def _read(_folder: Path) -> Work:
    head = _head()
    said, weights = _said()
    return lambda: head.read(said, weights)


def _threshold(_folder: Path) -> Work:
    from .learning.head import best_gate
    from .learning.rows import Rows

    said, weights = _said()
    read = _head().read(said, weights)
    rng = np.random.default_rng(3)
    y, kind = rng.normal(size=(ROWS, 1)), rng.integers(0, 3, ROWS)
    y[kind > 0] = np.nan
    rows = Rows(x=np.zeros((ROWS, 1)), y=y, kind=kind, reasons=("above", "below"))
    return lambda: best_gate(read, rows, y)
