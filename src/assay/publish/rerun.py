"""Ask the systems of a sealed run some of its questions again, and compare what they decide.

*Covered*: answers that no system of this digest gives; a machine on which it decides otherwise.
*Not covered*: systems that keep state between questions; a plugin that changed under its version.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import AssayError
from ..core.metric import Origin
from ..core.record import Cell
from ..core.sample import Question
from ..core.system import Loads
from ..engine.asking import SystemEnded, Unobserved, Worker
from ..engine.plugins import make_recipe
from ..engine.timing import decided
from ..engine.wire import Job
from ..store.journal import read_lines, said_digest
from ..store.samples import read_samples

if TYPE_CHECKING:
    from ..store.manifest import SystemFacts
    from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What asking one system again came to."""

    task: str
    system: str
    asked: int = 0
    same: int = 0
    differ: tuple[str, ...] = ()
    """Ids of samples on which it decided otherwise."""

    why_not: str = ""
    """Why it could not be asked; empty when it was."""

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the records.  What cannot be asked again is no proof."""
        return not self.why_not and not self.differ


def ask_again(run: Run, count: int, *, draw: random.Random | None = None) -> list[Again]:
    """Ask every measured system under test ``count`` random questions of each task again.

    Each is built anew, with one of its seeds, drawn at random.  ``draw`` is the source of
    randomness; without it nobody can know beforehand which questions come.
    """
    draw = draw or random.SystemRandom()
    return asyncio.run(_ask_all(run, count, draw))


async def _ask_all(run: Run, count: int, draw: random.Random) -> list[Again]:
    found = []
    for task in run.manifest.tasks:
        for name, facts in sorted(run.manifest.systems.items()):
            if facts.control or facts.origin is not Origin.MEASURED:
                continue
            found.append(await _ask_one(run, task, name, facts, count=count, draw=draw))
    return found


async def _ask_one(
    run: Run, task: str, name: str, facts: SystemFacts, *, count: int, draw: random.Random
) -> Again:
    if changed := _changed_files(run, facts):
        return Again(task=task, system=name, why_not=changed)
    seed = draw.choice(facts.seeds)
    said = {
        line.decided.sample: said_digest(line.decided.kind, line.decided.value, line.decided.reason)
        for line in read_lines(
            run.dir.journal(Cell(task=task, system=name, seed=seed, split="test"))
        )
    }
    samples = [s for s in read_samples(run.dir.samples(task, "test")) if s.id in said]
    drawn = draw.sample(samples, min(count, len(samples)))
    with tempfile.TemporaryDirectory(prefix="assay-again-") as folder:
        job = Job(
            use=facts.use,
            options=dict(facts.options),
            base=str(run.plan_folder),
            train=str(run.dir.samples(task, "train").resolve()),
            tune=str(run.dir.samples(task, "tune").resolve()),
            workdir=folder,
            seeds=[seed],
        )
        try:
            now = await _ask(run, job, [s.question(seed=seed) for s in drawn], Path(folder))
        except (SystemEnded, Unobserved) as end:
            return Again(task=task, system=name, why_not=f"it ended: {end}")
    if now is None:
        return Again(task=task, system=name, why_not="it keeps state between questions")
    differ = tuple(s.id for s in drawn if now.get(s.id) != said[s.id])
    return Again(
        task=task, system=name, asked=len(drawn), same=len(drawn) - len(differ), differ=differ
    )


async def _ask(
    run: Run, job: Job, questions: Sequence[Question], folder: Path
) -> dict[str, str] | None:
    """Return what was decided by question; None for a system that depends on its past."""
    limits = run.loaded.plan.limits
    worker = await Worker.start(job, folder / "again.log", within=limits.build_s)
    try:
        [seed] = job.seeds
        if worker.facts[str(seed)]["stateful"]:
            return None
        replies = worker.ask(seed, questions, each=limits.reply_s)
        return {reply.question: decided(reply.said) async for reply in replies}
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
        hint = f"; try: {error.hint}" if error.hint else ""
        return f"cannot be built here: {error.code} {error.what}{hint}"
    before, now = sorted(f.digest for f in facts.files), sorted(f.digest for f in files)
    return "" if before == now else "its model files are not those that ran"
