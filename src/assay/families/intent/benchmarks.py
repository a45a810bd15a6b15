"""The suite ``mapper``: ``intent.mapper`` learns, starts, and answers one prompt and many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay import Question
from assay.benchmarks import Benchmark, Suite, Work

BATCH = 64


def mapper() -> Suite:
    """Return the suite.  Its first process trains; the others load what it left."""
    return Suite(
        version="1",
        says="intent.mapper on the DeFi prompts that are shipped: MiniLM, one thread",
        benchmarks=(
            Benchmark(name="load", says="a trained mapper loaded", make=_load),
            Benchmark(name="one-prompt", says="one prompt answered", make=_one),
            Benchmark(
                name=f"batch-{BATCH}", says=f"{BATCH} prompts answered", n=BATCH, make=_batch
            ),
        ),
    )


def _trained(folder: Path) -> Any:
    from .encoders.files import find_encoder
    from .recipes.mapper import Mapper

    find_encoder("minilm")
    kept = folder / "mapper"
    if not kept.exists():
        from .tasks.defi import defi

        task, part = defi(size=20), folder / "mapper.part"
        part.mkdir(exist_ok=True)
        Mapper(bag=1.0).build(task.samples("train"), task.samples("tune"), seed=0, workdir=part)
        part.replace(kept)
    return Mapper.load(kept)


def _prompts() -> list[str]:
    from .tasks.defi import defi

    return [str(sample.input) for sample in defi(size=20).samples("calibration")]


def _load(folder: Path) -> Work:
    from .recipes.mapper import Mapper

    _trained(folder)
    return lambda: Mapper.load(folder / "mapper")


def _answers(folder: Path, texts: Sequence[str]) -> Work:
    system = _trained(folder).system
    asked = [Question(id=str(k), input=text) for k, text in enumerate(texts)]
    return lambda: list(system.answer(asked))


def _one(folder: Path) -> Work:
    return _answers(folder, _prompts()[:1])


def _batch(folder: Path) -> Work:
    return _answers(folder, _prompts()[:BATCH])
