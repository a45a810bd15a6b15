"""The process in which a system lives: ``python -m assay.engine.worker ENGINE``, driven by pipes."""

from __future__ import annotations

import gc
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ..core.errors import AssayError, PluginError
from ..core.system import BuildsTogether, Built, Recipe
from ..store.machine import peak_bytes
from ..store.samples import read_samples
from .plugins import make_recipe
from .sound import sound
from .wire import (
    Ask,
    Costs,
    Facts,
    Job,
    Message,
    decode_ask,
    decode_job,
    encode,
    pack_artifact,
    pack_error,
    pack_reply,
)

WATCH_S = 1.0
APART = "answers beside other requests"


def main() -> None:
    """Build the systems of one job, then answer until the engine closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    threading.excepthook = _end_as_main
    threading.Thread(target=_outlive_nobody, args=(int(sys.argv[1]),), daemon=True).start()
    out, asked = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)  # whatever a system prints must not look like a reply
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # and what it reads must not be a question
    try:
        job = decode_job(asked.readline())
        try:
            built = _build(job)
        except (OSError, MemoryError) as error:
            _send(out, _crash(error))
            return
        desk = Desk(out, built)
        desk.send(Message(built=_facts(built)))
        for line in asked:
            desk.take(decode_ask(line))
        _end_all()  # the engine is done, or gone
    except AssayError as error:
        _send(out, Message(error=pack_error(error)))
    except BrokenPipeError:
        _end_all()  # the engine is gone


def _outlive_nobody(engine: int) -> None:
    """End this process and its children soon after the engine, also while a system hangs."""
    while os.getppid() == engine:
        time.sleep(WATCH_S)
    _end_all()


def _end_as_main(what: threading.ExceptHookArgs) -> None:
    """End the process where a system raises something: in a thread of ours it ends it no less than in the main one."""
    threading.__excepthook__(what)
    if what.thread is not None and what.thread.name == APART:
        sys.stderr.flush()
        os._exit(1)


def _end_all() -> None:
    """End this process with everything that it started: nobody is left to tell."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


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


def _facts(built: Mapping[int, Built]) -> dict[str, Facts]:
    return {
        str(seed): Facts(
            build_s=one.usage.busy_s,
            notes={name: _note(name, note) for name, note in one.notes.items()},
            made=[pack_artifact(a) for a in one.artifacts],
            stateful=bool(getattr(one.system, "stateful", False)),
            in_flight=_in_flight(one),
        )
        for seed, one in built.items()
    }


def _note(name: str, note: object) -> float | int | str:
    if isinstance(note, float) and math.isfinite(note):
        return float(note)
    if isinstance(note, int | str):
        return note
    raise PluginError(
        f"the note {name!r} of a build is {note!r}",
        hint="a note is a finite number or a text; leave it out where there is none",
        code="A402",
    )


def _in_flight(built: Built) -> int:
    """Return how many questions a system works on at a time: 1 unless it says more."""
    said = getattr(built.system, "in_flight", 1)
    if isinstance(said, int) and said >= 1:
        return said
    raise PluginError(
        f"a system's in_flight is {said!r}",
        hint="it is the number of questions that it works on at a time, 1 or more",
        code="A402",
    )


@dataclass(slots=True)
class Desk:
    """Puts requests to systems, and sends what they say.

    A system that works on several questions at a time is given the next request while the last one has
    questions left: there is no lull where one ends.  Any other is given them one after the other.
    """

    out: BinaryIO
    built: Mapping[int, Built]
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: int = 0
    """Requests under way."""

    since: float = 0.0
    """When the last reply came, or the first request began: what comes next took so long at most."""

    def take(self, ask: Ask) -> None:
        """Answer a request, or begin to."""
        if _in_flight(self.built[ask.seed]) == 1:
            self.answer(ask)
        else:
            threading.Thread(target=self._apart, args=(ask,), name=APART, daemon=True).start()

    def _apart(self, ask: Ask) -> None:
        try:
            self.answer(ask)
        except AssayError as error:
            self.send(Message(error=pack_error(error)))
        except BrokenPipeError:
            _end_all()  # the engine is gone

    def answer(self, ask: Ask) -> None:
        """Answer a request."""
        system = self.built[ask.seed].system
        questions = ask.unpack()
        cpu = time.process_time()
        with self.lock:
            self.open += 1
            if self.open == 1:
                self.since = time.perf_counter()
        try:
            for said in system.answer(questions):
                reply = sound(said)
                usage = reply.usage
                with self.lock:
                    now = time.perf_counter()
                    before, self.since = self.since, now
                    if usage.busy_s is None:
                        usage = replace(usage, busy_s=now - before)
                    if usage.latency_s is None and len(questions) == 1:
                        usage = replace(usage, latency_s=now - before)
                self.send(Message(reply=pack_reply(reply, usage), number=ask.number))
        except BrokenPipeError:
            raise
        except (OSError, MemoryError) as error:
            self.send(_crash(error, ask.number))
            return
        finally:
            with self.lock:
                self.open -= 1
        spent = Costs(time.process_time() - cpu, peak_bytes())
        self.send(Message(done=spent, number=ask.number))

    def send(self, message: Message) -> None:
        """Send a line, whole."""
        with self.lock:
            _send(self.out, message)


def _crash(error: OSError | MemoryError, number: int = 0) -> Message:
    # The machine said no: the engine records a crash, which says nothing about the system.
    return Message(crash=f"{type(error).__name__}: {error}", number=number)


def _send(out: BinaryIO, message: Message) -> None:
    out.write(encode(message) + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
