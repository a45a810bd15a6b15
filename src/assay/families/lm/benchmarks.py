"""The suite ``lm``: a model that a package carries is loaded, writes, and weighs continuations."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from assay import Answer, Question
from assay.benchmarks import Benchmark, Suite, Work

Json: TypeAlias = Any
"""What a question holds."""

MODEL = "smollm2-135m-instruct"
TOKENS = 16
CONTEXT = (
    "The committee met on Tuesday and talked about the harvest, the roads and the school. " * 8
)
CHOICES = (" It rained.", " They agreed.", " Nobody came.", " The mayor spoke.")


def lm() -> Suite:
    """Return the suite."""
    return Suite(
        version="1",
        says=f"{MODEL} in llama.cpp, one thread",
        benchmarks=(
            Benchmark(
                name=f"write-{TOKENS}",
                says=f"a prompt read, at most {TOKENS} tokens written",
                n=TOKENS,
                make=_write,
            ),
            Benchmark(
                name="loglikelihood-4",
                says="log-likelihoods of four continuations of a text of 130 tokens, nothing kept of the last time",
                n=len(CHOICES),
                make=_weigh,
            ),
        ),
    )


def _asked(given: Json) -> Work:
    from .prompted.gguf_file import Gguf

    recipe = Gguf(model=MODEL, max_tokens=TOKENS, prefix="apart")
    with TemporaryDirectory() as workdir:
        system = recipe.build([], [], seed=0, workdir=Path(workdir)).system
    question = Question(id="perf", input=given)

    def work() -> None:
        [reply] = system.answer([question])
        match reply.said:
            case Answer():
                return
            case other:
                raise AssertionError(other)

    return work


def _write(_folder: Path) -> Work:
    return _asked({"prompt": "Say what a harvest is."})


def _weigh(_folder: Path) -> Work:
    return _asked({"contexts": [CONTEXT], "continuations": list(CHOICES)})
