"""One line for each precision of a model: what it takes, and what it answers otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assay import Estimate, PlanError, Run
from assay.pages import wrong_option

from .flips import Flips, Pair, count, pairs
from .measured import Edge, Rate, find

RUNTIMES = {"lm.transformers": "transformers", "lm.gguf": "llama.cpp"}
"""What runs the models of a recipe, in the words of ``assay lm edge``."""

OF_PRECISION = frozenset(
    {"model", "dtype", "encoding", "threads", "batch", "prefix", "device", "context", "timeout_s"}
)
"""Options in which the same model may differ between systems; any other one asks another question."""

KL, KL_P99, TOP1 = "kl_mean", "kl_p99", "top1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTask:
    """One system on one task."""

    metric: str
    score: Estimate
    difference: Estimate | None
    """To the reference, on the same questions; None for the reference itself."""

    flips: Flips | None
    """None for the reference, and where nothing is right or wrong."""

    latency: Estimate
    """Mean seconds a question, one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One precision of the model."""

    system: str
    runs: str
    """Runtime and precision: ``llama.cpp``, ``transformers float32``."""

    files: tuple[str, ...]
    """Digests of what it loads."""

    size: int
    """Bytes on disk of what the plan names."""

    peak_bytes: int | None
    prompt: Rate | None
    decode: Rate | None
    kl: Mapping[str, Estimate]
    """By metric: ``kl_mean``, ``kl_p99``, ``top1``; empty where no task measures them."""

    flips: Flips | None
    """Over all tasks in which answers are right or wrong."""

    tasks: Mapping[str, OnTask]
    lacks: tuple[str, ...] = ()
    """What is blank, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """Everything that is said of a run."""

    reference: str
    lines: tuple[Line, ...]
    tasks: tuple[str, ...]
    """Those in which systems answer: not the ones that compare predictions."""

    says: tuple[str, ...] = field(default=())
    """What the numbers have to be read with."""


ASSUMED = "That these are one model is taken from whoever wrote the plan: no task compares what they expect next."


def quantised(run: Run, *, reference: str | None = None, edges: Sequence[Edge] = ()) -> Quantised:
    """Compare every ``lm`` system of a run with a reference, the plan's first one where none is named.

    Raises ``PlanError`` A103 for a name that is none of them, A104 for a run with fewer than two of them,
    A106 for an edge file whose models are none of theirs.
    """
    named = [s.name for s in run.loaded.plan.systems]
    facts = run.manifest.systems
    systems = [n for n in named if facts[n].use in RUNTIMES and facts[n].of is None]
    if len(systems) < 2:
        raise PlanError(
            f"{len(systems)} of its systems are models of this family on this machine",
            where=str(run.path),
            hint="give a run in which the same model stands at two precisions or more",
            code="A104",
        )
    reference = systems[0] if reference is None else reference
    if reference not in systems:
        raise PlanError(
            f"no model of this run is called {reference!r}",
            where="--reference",
            hint=f"there are: {', '.join(systems)}",
            code="A103",
        )
    by_system = {name: _edge_of(run, name, edges) for name in systems}
    if edges and not any(by_system.values()):
        raise wrong_option(
            "--edge",
            "none of the models that it measured is a system of this run",
            "measure the very files, in the same runtime and dtype",
        )
    tasks = [t for t, case in run.results.cases.items() if KL not in case.metrics]
    compared = [t for t in run.results.cases if t not in tasks]
    order = [reference, *(name for name in systems if name != reference)]
    return Quantised(
        reference=reference,
        lines=tuple(_line(run, n, reference, by_system[n], (tasks, compared)) for n in order),
        tasks=tuple(tasks),
        says=(
            *(f"KL and top-1: {c}." for t in compared for c in run.manifest.tasks[t].caveats),
            *dict.fromkeys(f"Speed and memory: {e.says}." for e in by_system.values() if e),
            *unlike(run, systems, reference),
            *(() if compared else (ASSUMED,)),
        ),
    )


def _line(
    run: Run,
    system: str,
    reference: str,
    edge: Edge | None,
    named: tuple[Sequence[str], Sequence[str]],
) -> Line:
    tasks, compared = named
    facts = run.manifest.systems[system]
    lacks: list[str] = []
    found: list[Pair] = []
    on: dict[str, OnTask] = {}
    for task in tasks:
        here = [] if system == reference else pairs(run, system, reference, task)
        found += here
        on[task] = _on_task(run, task, (system, reference), here)
    kl = {n: _estimate(run, n, system, t) for t in compared[:1] for n in (KL, KL_P99, TOP1)}
    if not kl:
        lacks.append("KL and top-1: no task of the plan measures them; add supply.agreement")
    if system != reference and not found:
        lacks.append("flips: nothing is right or wrong in its tasks")
    peak = edge.peak_bytes if edge else _peak(run, system, tasks)
    if peak is None:
        lacks.append("memory: the plan has no timing pass, and no --edge file has these files")
    if edge is None:
        lacks.append("tokens/s: give --edge with what `assay lm edge` wrote of these files")
    elif edge.why:
        lacks.append(f"tokens/s: {edge.why}")
    return Line(
        system=system,
        runs=" ".join(filter(None, (RUNTIMES[facts.use], _dtype(run, system)))),
        files=tuple(sorted(file.digest for file in facts.files)),
        size=sum(file.size for file in facts.files if not file.parents),
        peak_bytes=peak,
        prompt=edge.prompt if edge else None,
        decode=edge.decode if edge else None,
        kl=kl,
        flips=count(found) if found else None,
        tasks=on,
        lacks=tuple(lacks),
    )


def _on_task(run: Run, task: str, both: tuple[str, str], here: Sequence[Pair]) -> OnTask:
    system, reference = both
    case = run.results.cases[task]
    metric = case.headline.name
    return OnTask(
        metric=metric,
        score=_estimate(run, metric, system, task),
        difference=None if system == reference else case.compare(system, reference, metric),
        flips=count(here) if here else None,
        latency=_estimate(run, "latency_mean", system, task),
    )


def _estimate(run: Run, metric: str, system: str, task: str) -> Estimate:
    """Return a metric over questions of this kind; where they are too few to say, of exactly these."""
    found = run.estimate(metric, system, task=task)
    return found if found.value is not None else run.estimate(metric, system, task=task, over=())


def _dtype(run: Run, system: str) -> str | None:
    facts = run.manifest.systems[system]
    if facts.use != "lm.transformers":
        return None
    return str(facts.options.get("dtype", "float32"))


def _edge_of(run: Run, system: str, edges: Sequence[Edge]) -> Edge | None:
    facts = run.manifest.systems[system]
    digests = frozenset(file.digest for file in facts.files)
    return find(edges, digests=digests, runtime=RUNTIMES[facts.use], dtype=_dtype(run, system))


def _peak(run: Run, system: str, tasks: Sequence[str]) -> int | None:
    """Return the most memory that a process of the system held in the timing pass of these tasks.

    Telling how likely every token is, as divergence needs it, takes memory that nobody else needs.
    """
    timed = [run.results.cases[task].timed.get(system) for task in tasks]
    held = [one.peak_bytes for one in timed if one is not None and one.peak_bytes is not None]
    return max(held, default=None)


def unlike(run: Run, systems: Sequence[str], reference: str) -> list[str]:
    """Return in which systems a question is put otherwise than to the reference."""
    asked = {
        name: {k: v for k, v in run.manifest.systems[name].options.items() if k not in OF_PRECISION}
        for name in systems
    }
    said = []
    for name in systems:
        ours, theirs = asked[name], asked[reference]
        apart = sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
        if apart:
            said.append(
                f"{name} is not asked as {reference} is: {', '.join(apart)} differ, so that flips are not of "
                "precision alone."
            )
    return said
