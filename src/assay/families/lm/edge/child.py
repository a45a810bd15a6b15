"""The process that is measured: loads one model, and answers one prompt for each line it is given.

It is started as ``python -m assay.families.lm.edge.child`` with its job on the first line of standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import TextIO

from assay import AssayError

from .energy import Meter, find_meter
from .job import Job, Ready, Said, Timed
from .stamps import Runtime, answered

WARM_UP = 1
"""Whole answers that are not counted."""


def main() -> None:
    """Measure until standard input ends."""
    # What a library prints must not stand between the lines that are read.
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in serve(Job.model_validate_json(sys.stdin.readline()), sys.stdin):
        said.write(line.model_dump_json() + "\n")
        said.flush()


def serve(job: Job, asks: TextIO) -> Iterator[Said]:
    """Yield that the model is ready, then an answer for each line; a fault ends it."""
    try:
        _import(job)
        started = perf_counter()
        runtime = open_runtime(job)
        load_s = perf_counter() - started
        prompt = runtime.prompt(job.prompt)
        if (fault := runtime.fault(prompt)) is not None:
            yield Said(fault=fault)
            return
        for _ in range(WARM_UP):
            answered(runtime, prompt, job.generate)
        meter = find_meter()
        digest = sha256(",".join(map(str, prompt)).encode()).hexdigest()
        no_energy = meter if isinstance(meter, str) else None
        yield Said(ready=Ready(load_s=load_s, prompt_sha256=digest, no_energy=no_energy))
        for _ in asks:
            yield Said(timed=_timed(runtime, prompt, job.generate, meter))
    except AssayError as error:
        yield Said(fault=error.what)


def open_runtime(job: Job) -> Runtime:
    """Load the model of a job.  Raises what its runtime raises."""
    context = job.prompt + job.generate
    path = Path(job.path)
    match job.runtime:
        case "llama.cpp":
            from .llama_runtime import LlamaRuntime

            return LlamaRuntime(path, threads=job.threads, context=context)
        case "transformers":
            from .torch_runtime import TorchRuntime

            return TorchRuntime(path, threads=job.threads, dtype=job.dtype, context=context)


def _import(job: Job) -> None:
    """Import what the runtime is made of: the time that takes says nothing of the model."""
    match job.runtime:
        case "llama.cpp":
            import_module("xllamacpp")
        case "transformers":
            for part in ("torch", "transformers.models.auto", "transformers.generation"):
                import_module(part)
            if (code := _code_of(Path(job.path))) is not None:
                import_module(code)


def _code_of(folder: Path) -> str | None:
    """Return the module of transformers that holds a folder's kind of model; None where it has another name."""
    try:
        kind = str(json.loads((folder / "config.json").read_bytes())["model_type"])
    except (OSError, ValueError, KeyError, TypeError):  # loading says what is wrong
        return None
    name = kind.replace("-", "_")
    module = f"transformers.models.{name}.modeling_{name}"
    try:
        return module if name.isidentifier() and find_spec(module) else None
    except ModuleNotFoundError:
        return None


def _timed(runtime: Runtime, prompt: list[int], tokens: int, meter: Meter | str) -> Timed:
    before = None if isinstance(meter, str) else meter.read()
    busy = process_time()
    stamps = answered(runtime, prompt, tokens)
    busy = process_time() - busy
    joules = None
    if before is not None and not isinstance(meter, str):
        joules = meter.joules(before, meter.read())
    return Timed(
        stamps=[(seconds, count) for seconds, count in stamps],
        joules=joules,
        cpu_s=busy,
        peak_bytes=peak_bytes(),
    )


def peak_bytes() -> int | None:
    """Return the most memory that this process has had, as Linux counts it (VmHWM)."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


if __name__ == "__main__":
    main()
