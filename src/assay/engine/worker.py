"""The process in which a system lives: ``python -m assay.engine.worker``, driven through pipes."""

from __future__ import annotations

import gc
import math
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from ..core.errors import AssayError, PluginError
from ..core.reply import Answer, Bottom, Failed, Reply, Said
from ..core.sample import Json
from ..core.system import BuildsTogether, Built, Recipe
from ..store.samples import read_samples
from .plugins import make_recipe
from .wire import (
    Ask,
    Job,
    Message,
    decode_ask,
    decode_job,
    encode,
    pack_artifact,
    pack_error,
    pack_reply,
)


def main() -> None:
    """Build the systems of one job, then answer until the engine closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a system prints must not look like a reply
    try:
        job = decode_job(sys.stdin.buffer.readline())
        built = _build(job)
        _send(out, Message(built=_facts(built)))
        for line in sys.stdin.buffer:
            _answer(out, built, decode_ask(line))
    except AssayError as error:
        _send(out, Message(error=pack_error(error)))
    except BrokenPipeError:
        os._exit(0)  # the engine is gone; nobody is left to tell


def _build(job: Job) -> Mapping[int, Built]:
    recipe: Recipe = make_recipe(job.use, job.options, where=job.use, base=Path(job.base))
    train, tune = read_samples(Path(job.train)), read_samples(Path(job.tune))
    workdir = Path(job.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    if len(job.seeds) > 1 and isinstance(recipe, BuildsTogether):
        made = recipe.build_all(train, tune, seeds=job.seeds, workdir=workdir)
        share = (time.perf_counter() - start) / len(job.seeds)
        return {seed: _timed(made[seed], share) for seed in job.seeds}
    found = {}
    for seed in job.seeds:
        start = time.perf_counter()
        one = recipe.build(train, tune, seed=seed, workdir=workdir / str(seed))
        found[seed] = _timed(one, time.perf_counter() - start)
    gc.collect()
    return found


def _timed(built: Built, seconds: float) -> Built:
    if built.usage.busy_s is not None:
        return built
    return replace(built, usage=replace(built.usage, busy_s=seconds))


def _facts(built: Mapping[int, Built]) -> dict[str, object]:
    return {
        str(seed): {
            "build_s": one.usage.busy_s,
            "notes": dict(one.notes),
            "made": [pack_artifact(a) for a in one.artifacts],
            "stateful": bool(getattr(one.system, "stateful", False)),
        }
        for seed, one in built.items()
    }


def _answer(out: BinaryIO, built: Mapping[int, Built], ask: Ask) -> None:
    system = built[ask.seed].system
    questions = ask.unpack()
    before, cpu = time.perf_counter(), time.process_time()
    try:
        replies: Iterable[Reply] = system.answer(questions)
        for reply in replies:
            now = time.perf_counter()
            if not isinstance(reply, Reply):
                raise PluginError(
                    f"a system yielded {type(reply).__name__}, not a Reply",
                    hint="yield Reply(question.id, Answer(...))",
                    code="A402",
                )
            usage = reply.usage
            if usage.busy_s is None:
                usage = replace(usage, busy_s=now - before)
            if usage.latency_s is None and len(questions) == 1:
                usage = replace(usage, latency_s=now - before)
            said = _sound(reply.said)
            _send(out, Message(reply=pack_reply(replace(reply, said=said), usage)))
            before = now
    except (OSError, MemoryError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        # The machine said no: the engine records a crash, which says nothing about the system.
        _send(out, Message(crash=f"{type(error).__name__}: {error}"))
        return
    _send(out, Message(done=True, built={"cpu_s": time.process_time() - cpu}))


def _sound(said: Said) -> Said:
    """Return what was said, or the failure that it really is."""
    match said:
        case Answer(value, confidence, scores):
            numbers = [confidence] if confidence is not None else []
            numbers += list(scores.values())
            if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
                return Failed("non_finite", "a confidence or a score")
            if confidence is not None and not 0.0 <= confidence <= 1.0:
                return Failed("bad_confidence", f"{confidence!r} is not in [0, 1]")
            return _sound_value(value) or said
        case Bottom(_, Answer(value)):
            return _sound_value(value) or said
        case _:
            return said


def _sound_value(value: Json) -> Failed | None:
    try:
        text = msgspec.json.encode(value)
        if b"null" in text and not _finite(value):
            return Failed("non_finite", "the value")
        msgspec.json.decode(text)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        return Failed("not_json", str(error)[:200])
    return None


def _finite(value: Json) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(_finite(v) for v in value)
        case dict():
            return all(_finite(v) for v in value.values())
        case _:
            return True


def _send(out: BinaryIO, message: Message) -> None:
    out.write(encode(message) + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
