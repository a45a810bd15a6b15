"""Ask the systems of a sealed run some of its questions again, and compare what they decide.

*Covered*: answers that no system of this digest gives; a machine on which it decides otherwise.
*Not covered*: systems that keep state between questions; a plugin that changed under its version.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import AssayError
from ..core.metric import Origin
from ..core.record import Cell
from ..core.sample import Question, Sample
from ..core.system import Loads
from ..engine.asking import SystemEnded, Unobserved, Worker
from ..engine.plugins import load, make_recipe
from ..engine.timing import decided
from ..engine.wire import Job
from ..store.decisions import digest_of_line
from ..store.journal import first_tries, read_lines
from ..store.samples import write_samples
from .originals import originals

if TYPE_CHECKING:
    from ..store.manifest import SystemFacts
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How questions are put: what a system must not depend on."""

    batch: int | None = None
    """Questions given at once; None: all of them."""

    threads: int = 1
    """Threads of the numerical libraries, and of a recipe that has the option ``threads``."""

    @property
    def says(self) -> str:
        """Return it in words."""
        given = "all at once" if self.batch is None else f"{self.batch} at once"
        return f"{given}, {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What asking one system again came to."""

    task: str
    system: str
    asked: int = 0
    same: int = 0
    differ: tuple[str, ...] = ()
    """Ids of samples on which it decided otherwise."""

    samples: tuple[str, ...] = ()
    """Ids of everything that was asked."""

    setup: Setup = Setup()
    why_not: str = ""
    """Why it could not be asked; empty when it was."""

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the records.  What cannot be asked again is no proof."""
        return not self.why_not and not self.differ


def ask_again(
    run: Run,
    count: int,
    *,
    draw: random.Random | None = None,
    setups: Sequence[Setup] | None = None,
) -> list[Again]:
    """Ask every measured system under test ``count`` random questions of each task again.

    Each is built anew, with one of its seeds, drawn at random.  ``draw`` is the source of
    randomness; without it nobody can know beforehand which questions come.  The same questions are
    put in every one of ``setups``, by a system that is built anew for each.
    """
    draw = draw or random.SystemRandom()
    return asyncio.run(_ask_all(run, count, draw, setups or (Setup(),)))


async def _ask_all(
    run: Run, count: int, draw: random.Random, setups: Sequence[Setup]
) -> list[Again]:
    found = []
    for task in run.manifest.tasks:
        content, missing = _content(run, task)
        for name, facts in sorted(run.manifest.systems.items()):
            if facts.control or facts.of is not None or facts.origin is Origin.SIMULATED:
                continue
            if facts.origin is Origin.REPORTED:
                why = "it is reported: another tool asked it, and its log is all there is"
                found.append(Again(task=task, system=name, why_not=why))
                continue
            if changed := _changed_files(run, facts):
                found.append(Again(task=task, system=name, why_not=changed))
                continue
            if missing:
                found.append(Again(task=task, system=name, why_not=missing))
                continue
            seed = draw.choice(facts.seeds)
            said = decided_first(run, task, name, seed)
            samples = [s for s in content["test"] if s.id in said]
            drawn = {**content, "test": draw.sample(samples, min(count, len(samples)))}
            for setup in setups:
                if setup.threads > 1 and not _has_threads(facts.use):
                    continue  # the numerical libraries alone decide, and most recipes use none
                again = Again(task=task, system=name, setup=setup)
                found.append(await _ask_one(run, again, said, drawn, seed=seed))
    return found


def _content(run: Run, task: str) -> tuple[Mapping[str, Sequence[Sample]], str]:
    """Return the samples with their content, or why they cannot be had."""
    try:
        return originals(run, task), ""
    except AssayError as error:
        return {}, f"its samples cannot be had: {_words(error)}"


def _words(error: AssayError) -> str:
    return f"{error.code} {error.what}" + (f"; try: {error.hint}" if error.hint else "")


async def _ask_one(
    run: Run,
    again: Again,
    said: Mapping[str, str],
    content: Mapping[str, Sequence[Sample]],
    *,
    seed: int,
) -> Again:
    drawn = content["test"]
    facts = run.manifest.systems[again.system]
    options = dict(facts.options)
    if _has_threads(facts.use) and again.setup.threads > 1:
        options["threads"] = again.setup.threads
    with tempfile.TemporaryDirectory(prefix="assay-again-") as folder:
        lent = {split: Path(folder) / f"{split}.jsonl" for split in ("train", "tune")}
        for split, path in lent.items():
            write_samples(path, content[split])
        job = Job(
            use=facts.use,
            options=options,
            base=str(run.plan_folder),
            train=str(lent["train"]),
            tune=str(lent["tune"]),
            workdir=str(Path(folder) / "work"),
            seeds=[seed],
        )
        questions = [s.question(seed=seed) for s in drawn]
        try:
            now = await ask_as(run, job, questions, again.setup, folder=Path(folder))
        except (SystemEnded, Unobserved) as end:
            return replace(again, why_not=f"it ended: {end}")
    if now is None:
        return replace(again, why_not="it keeps state between questions")
    differ = tuple(s.id for s in drawn if now.get(s.id) != said[s.id])
    return replace(
        again,
        asked=len(drawn),
        same=len(drawn) - len(differ),
        differ=differ,
        samples=tuple(s.id for s in drawn),
    )


def decided_first(run: Run, task: str, system: str, seed: int) -> dict[str, str]:
    """Return a digest of what a system decided, by test sample."""
    cell = Cell(task=task, system=system, seed=seed, split="test")
    lines = first_tries(read_lines(run.dir.journal(cell)))
    return {line.decided.sample: digest_of_line(line) for line in lines}


def _has_threads(use: str) -> bool:
    """Whether a recipe says how many threads it uses."""
    return "threads" in inspect.signature(load("assay.recipes", use)).parameters


async def ask_as(
    run: Run, job: Job, questions: Sequence[Question], setup: Setup, *, folder: Path
) -> dict[str, str] | None:
    """Return what was decided by question; None for a system that depends on its past.

    Raises ``SystemEnded`` or ``Unobserved`` as ``Worker.start`` and ``Worker.ask`` do.
    """
    limits = run.loaded.plan.limits
    size = setup.batch or max(len(questions), 1)
    worker = await Worker.start(
        job, folder / "again.log", within=limits.build_s, threads=setup.threads
    )
    try:
        [seed] = job.seeds
        if worker.facts[str(seed)]["stateful"]:
            return None
        said = {}
        for start in range(0, len(questions), size):
            replies = worker.ask(seed, questions[start : start + size], each=limits.reply_s)
            async for reply in replies:
                said[reply.question] = decided(reply.said)
        return said
    finally:
        await worker.stop()


def _changed_files(run: Run, facts: SystemFacts) -> str:
    """Return why today's recipe is not the one that ran; empty when it is."""
    try:
        recipe = make_recipe(
            facts.use, facts.options, where=str(run.dir.manifest), base=run.plan_folder
        )
        files = recipe.loads() if isinstance(recipe, Loads) else ()
    except AssayError as error:
        return f"cannot be built here: {_words(error)}"
    before, now = sorted(f.digest for f in facts.files), sorted(f.digest for f in files)
    return "" if before == now else "its model files are not those that ran"
