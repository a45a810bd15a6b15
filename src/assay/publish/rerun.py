"""Ask the systems of a sealed run some of its questions again, and compare what they decide.

*Covered*: answers that no system of this digest gives; a machine on which it decides otherwise.
*Not covered*: systems that keep state between questions; a plugin that changed under its version.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import AssayError
from ..core.metric import Origin
from ..core.record import Cell
from ..core.reply import Answer, Said
from ..core.sample import Question, Sample
from ..core.system import Loads
from ..engine.asking import SystemEnded, Unobserved, Worker
from ..engine.loops import run_to_end
from ..engine.plugins import make_recipe
from ..engine.timing import decided
from ..engine.wire import Job
from ..store.decisions import digest_of_line
from ..store.journal import first_tries, read_lines
from ..store.line import Line
from ..store.samples import write_samples
from .originals import originals
from .setups import AS_RECORDED, OF_ALL, Setup, at_once, has_option, made_of

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

    samples: tuple[str, ...] = ()
    """Ids of everything that was asked."""

    moved: Mapping[str, float] = field(default_factory=dict)
    """The most that a score changed by, where it was given both times; of scores that are numbered
    (``ll:0``, ``ll:1``) under the name before the colon."""

    setup: Setup = AS_RECORDED
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
    tasks: Sequence[str] | None = None,
    systems: Sequence[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Again]:
    """Ask every measured system under test ``count`` random questions of each task again.

    Each is built anew, with one of its seeds, drawn at random.  ``draw`` is the source of
    randomness; without it nobody can know beforehand which questions come.  The same questions are
    put in every one of ``setups``, by a system that is built anew for each.  Without ``tasks`` and
    ``systems``, all of them.  ``tell`` hears what is asked next.
    """
    draw = draw or random.SystemRandom()
    among = sorted(run.manifest.systems if systems is None else systems)
    named = dict.fromkeys(run.manifest.tasks if tasks is None else tasks, among)
    return run_to_end(_ask_all(run, count, draw, setups or (AS_RECORDED,), named, tell))


async def _ask_all(
    run: Run,
    count: int,
    draw: random.Random,
    setups: Sequence[Setup],
    named: Mapping[str, Sequence[str]],
    tell: Callable[[str], None] | None,
) -> list[Again]:
    found = []
    for task, systems in named.items():
        content, missing = _content(run, task)
        for name in systems:
            facts = run.manifest.systems[name]
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
            said = _said_first(run, task, name, seed)
            samples = [s for s in content["test"] if s.id in said]
            drawn = {**content, "test": draw.sample(samples, min(count, len(samples)))}
            for setup in setups:
                if setup.threads > 1 and not has_option(facts.use, "threads"):
                    continue  # the numerical libraries alone decide, and most recipes use none
                again = Again(task=task, system=name, setup=setup)
                if why_not := _cannot_be_so(run, facts, setup):
                    found.append(replace(again, why_not=why_not))
                    continue
                if tell is not None:
                    tell(f"asking {name} {len(drawn['test']):,} questions of {task}: {setup.says}")
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
    said: Mapping[str, Line],
    content: Mapping[str, Sequence[Sample]],
    *,
    seed: int,
) -> Again:
    drawn = content["test"]
    facts = run.manifest.systems[again.system]
    use, options = made_of(facts, again.setup)
    with tempfile.TemporaryDirectory(prefix="assay-again-") as folder:
        lent = {split: Path(folder) / f"{split}.jsonl" for split in ("train", "tune")}
        for split, path in lent.items():
            write_samples(path, content[split])
        job = Job(
            use=use,
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
    digests = {name: decided(reply) for name, reply in now.items()}
    differ = tuple(s.id for s in drawn if digests.get(s.id) != digest_of_line(said[s.id]))
    return replace(
        again,
        asked=len(drawn),
        same=len(drawn) - len(differ),
        differ=differ,
        samples=tuple(s.id for s in drawn),
        moved=_moved([(said[s.id], now[s.id]) for s in drawn if s.id in now]),
    )


def _moved(pairs: Sequence[tuple[Line, Said]]) -> Mapping[str, float]:
    """Return the most that each kind of score changed by."""
    found: dict[str, float] = {}
    for line, reply in pairs:
        if not isinstance(reply, Answer):
            continue
        for name, before in line.decided.scores.items():
            if (now := reply.scores.get(name)) is not None:
                kind = name.partition(":")[0]
                found[kind] = max(found.get(kind, 0.0), abs(float(now) - before))
    return found


def _said_first(run: Run, task: str, system: str, seed: int) -> dict[str, Line]:
    cell = Cell(task=task, system=system, seed=seed, split="test")
    return {line.decided.sample: line for line in first_tries(read_lines(run.dir.journal(cell)))}


def decided_first(run: Run, task: str, system: str, seed: int) -> dict[str, str]:
    """Return a digest of what a system decided, by test sample."""
    said = _said_first(run, task, system, seed)
    return {name: digest_of_line(line) for name, line in said.items()}


def _cannot_be_so(run: Run, facts: SystemFacts, setup: Setup) -> str:
    """Return why a system cannot be asked in this way; empty when it can."""
    if not setup.axis:
        return ""
    if setup.axis not in (*OF_ALL, "use") and not has_option(facts.use, setup.axis):
        return f"{facts.use} has no option {setup.axis}"
    try:
        use, options = made_of(facts, setup)
        recipe = make_recipe(use, options, where=f"--vary {setup.says}", base=run.plan_folder)
        files = recipe.loads() if isinstance(recipe, Loads) else ()
    except AssayError as error:
        return _words(error)
    if use != facts.use and not {f.digest for f in facts.files} & {f.digest for f in files}:
        return f"{use} does not load the files of {facts.use}"
    return ""


async def ask_as(
    run: Run, job: Job, questions: Sequence[Question], setup: Setup, *, folder: Path
) -> dict[str, Said] | None:
    """Return what was said by question; None for a system that depends on its past.

    Raises ``SystemEnded`` or ``Unobserved`` as ``Worker.start`` and ``Worker.ask`` do.
    """
    limits = run.loaded.plan.limits
    size = at_once(job.use, setup) or max(len(questions), 1)
    threads = int(setup.value) if setup.axis == "threads" else setup.threads
    worker = await Worker.start(
        job,
        folder / "again.log",
        within=limits.build_s,
        threads=None if (threads, setup.axis) == (1, "") else threads,
    )
    try:
        [seed] = job.seeds
        if worker.facts[str(seed)]["stateful"]:
            return None
        said: dict[str, Said] = {}
        for start in range(0, len(questions), size):
            replies = worker.ask(seed, questions[start : start + size], each=limits.reply_s)
            async for reply in replies:
                said[reply.question] = reply.said
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
