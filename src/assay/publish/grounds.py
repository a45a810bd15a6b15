"""What a decision rests on: how sure it is, what it saves, and what would change it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from ..analysis.decision import Beside, Change, Remedy
from ..core.claim import Status
from ..core.metric import Contrast, Estimate, Origin
from .results import Results
from .words import Scale, label, scale_of, seconds, spell, value_and_ends

PLAN = "PLAN.yaml"
RUN = "RUN"
"""What stands for a run's folder in what is written into the run: it may be read from anywhere."""

FAR = 1000
"""Times the samples that were asked: nobody will ask so many."""


def alike(results: Results) -> tuple[tuple[str, ...], ...]:
    """Return the tasks, those together on which nothing is shipped for one and the same reason."""
    found: dict[object, list[str]] = {}
    for task, decision in results.decisions.items():
        same = decision.system is None and (decision.why, commands(results, task))
        found.setdefault(same or task, []).append(task)
    return tuple(tuple(tasks) for tasks in found.values())


def sure_of(results: Results, tasks: Sequence[str]) -> tuple[str, ...]:
    """Return how sure decisions that are alike are; of several, each sentence begins with its task."""
    if len(tasks) == 1:
        return sure(results, tasks[0])
    return tuple(f"{task}: {line}" for task in tasks for line in sure(results, task))


def sure(results: Results, task: str) -> tuple[str, ...]:
    """Return how sure the decision is, in short sentences with intervals."""
    d = results.decisions[task]
    case = results.cases[task]
    ratio = d.metric != "" and case.contrast(d.metric) is Contrast.RATIO
    if d.system is None or d.best is None:
        if d.control is None:
            return ()
        beside = _beside(d.control, "a control", ratio=ratio)
        beside = f"The best of them b{beside[1:]}"
        return tuple(said for said in (beside, _claims(results, task)) if said)
    unit = case.metrics[d.metric].bounds == (0.0, 1.0) if d.metric in case.metrics else False
    scale = Scale.PERCENT if unit else scale_of(d.metric)
    said = [
        f"{_capital(label(d.metric))}: {value_and_ends(d.best, scale)}, of {_rests_on(d.best)}."
    ]
    said += [_beside(d.control, "the best control", ratio=ratio)] if d.control else []
    said += [_beside(d.rival, "the best other system", ratio=ratio)] if d.rival else []
    said += [tally] if (tally := _claims(results, task)) else []
    if len(d.eligible) + (d.rival is not None) > 1:
        measured = len(case.rivals)
        said.append(
            f"It was picked among {measured} on these same questions: expect a little less of it "
            "on new ones."
        )
    if uses := results.manifest.earlier_uses.get(task, 0):
        plans = "1 other plan" if uses == 1 else f"{uses} other plans"
        said.append(f"These questions were used by {plans} before: adaptive reuse.")
    return tuple(said)


def saves(results: Results, task: str) -> str:
    """Return what shipping it saves, with its interval; empty where no cost was measured."""
    d, case = results.decisions[task], results.cases[task]
    cost = results.loaded.plan.ship.cheapest
    own = None if d.system is None else case.estimate(d.system, cost).value
    if d.system is None or own is None:
        return ""
    scale = scale_of(cost)
    if d.cheaper_than is None or d.times_cheaper is None:
        return f"Nothing: no other system that was measured is above it in {label(cost)}."
    other = case.estimate(d.cheaper_than, cost).value
    times = value_and_ends(d.times_cheaper, Scale.TIMES)
    if other is None:
        return f"{d.cheaper_than} has {times} its {label(cost)}."
    gap = seconds(other - own) if scale is Scale.SECONDS else spell(other - own, scale)
    if cost.endswith("usd_per_1k"):
        said = "as reported, " if cost.startswith("reported") else ""
        than = f"{d.cheaper_than}, which costs {times} as much"
        return f"{_capital(said)}{gap} per 1,000 questions against {than}."
    if scale is Scale.SECONDS:
        than = f"{d.cheaper_than}, which takes {times} as long"
        return f"{gap} a question ({label(cost)}) against {than}."
    return f"{gap} of {label(cost)} against {d.cheaper_than}, which has {times} as much."


def commands(results: Results, task: str, run: str = RUN) -> tuple[tuple[str, str], ...]:
    """Return what would change the decision, each with a command that would tell.

    ``run`` is the run's folder, as a command from here has to name it.
    """
    found: list[tuple[str, str]] = []
    for change in results.decisions[task].would_change:
        match change.remedy:
            case Remedy.SAMPLES:
                found.append(_samples(results, task, change))
            case Remedy.MARGIN:
                found.append(_margin(results, change))
            case Remedy.RISK:
                found.append((change.says, _risk(results, change.system)))
            case Remedy.ANOTHER:
                found += _another(results, task, run)
    return tuple(found)


def _samples(results: Results, task: str, change: Change) -> tuple[str, str]:
    asked = len(results.samples[task])
    if change.amount is not None and change.amount > FAR * asked:
        return f"{change.says}: out of reach with {asked:,}, so claim a bound further away", ""
    return change.says, _more(results, task, change)


def _with_margin(results: Results, margin: float) -> str:
    """Return the command that decides with another margin; what was imported is imported again."""
    if all(s.origin is Origin.REPORTED or s.control for s in results.manifest.systems.values()):
        return f"assay import FORMAT LOG --plan FILE  # FILE: ship: {{margin: {margin:g}}}"
    return f"assay run {PLAN} --set ship.margin={margin:g}"


def _margin(results: Results, change: Change) -> tuple[str, str]:
    if change.amount is None:
        return change.says, ""
    # Rounded up: the margin has to hold the interval's end.
    margin = math.ceil(change.amount * 1000 + 1e-9) / 1000
    says = f"{change.says}; with a margin of {margin:g} it would be good enough"
    return says, _with_margin(results, margin)


def _risk(results: Results, system: str) -> str:
    looser = min(0.99, 2 * (results.manifest.systems[system].max_risk or 0.05))
    value = shlex.quote(f"systems.{system}.abstain.max_risk={looser:g}")
    return f"assay run {PLAN} --set {value}"


def _another(results: Results, task: str, run: str) -> list[tuple[str, str]]:
    """Return the assumptions that are nobody's to measure, each with the line that changes it."""
    ship, system = results.loaded.plan.ship, results.decisions[task].system
    found: list[tuple[str, str]] = []
    case = results.cases[task]
    priced = any(case.estimate(s, "usd_per_1k").value is not None for s in case.rivals)
    if results.stopping is None and priced:  # fronts hold for one look only
        found.append(("other prices", f"assay front {shlex.quote(run)} --prices FILE"))
    command = _with_margin(results, 2 * ship.margin or 0.01)
    found.append((f"another margin than {ship.margin:g}", command))
    if system and (risk := results.manifest.systems[system].max_risk):
        found.append((f"another max_risk of {system} than {risk:g}", _risk(results, system)))
    return found


def _more(results: Results, task: str, change: Change) -> str:
    """Return how to ask more; empty where every test sample of the task has been asked."""
    plan = results.loaded.plan
    limits = [t.limit for t in plan.tasks if (t.name or t.use) == task and t.limit]
    limits += [s.limit for s in plan.systems if s.name == change.system and s.limit]
    if not limits or change.amount is None:
        return ""
    return f"assay run {PLAN} --limit {min(limits) + round(change.amount)}"


def _beside(beside: Beside, who: str, *, ratio: bool) -> str:
    scale = Scale.TIMES if ratio else Scale.CHANGE
    shown = "shown to be better" if beside.shown else "not shown to be better"
    return f"Beside {beside.system}, {who}: {value_and_ends(beside.difference, scale)}, {shown}."


def _claims(results: Results, task: str) -> str:
    made = [f for f in results.findings if f.claim.task == task]
    if not made:
        return ""
    parts = []
    for status in Status:
        ids = [f.claim.id for f in made if f.status is status]
        if ids:
            parts.append(f"{len(ids)} {status.value} ({', '.join(ids)})")
    return f"Claims of the plan: {', '.join(parts)}."


def _rests_on(estimate: Estimate) -> str:
    groups = f" in {estimate.n_groups:,} groups" if estimate.n_groups < estimate.n else ""
    seeds = f", {estimate.n_seeds} seeds" if estimate.n_seeds > 1 else ""
    return f"{estimate.n:,} questions{groups}{seeds}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
