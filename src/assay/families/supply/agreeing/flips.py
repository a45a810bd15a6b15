"""Flips: answers on a team's own task that are right from a source and wrong from what was made of it.

*Covered*: both are asked the same questions by the same recipe, in one sealed run; a passport beside
either file is left out of it, so that a file that was refused can be asked what that costs.
*Not covered*: what the task does not ask.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assay
from assay import Estimate, Outcome, PlanError, Run, load_plan
from assay.estimates import share
from assay.kept import cache_folder
from assay.plans import digest_of_plan

from ..passport import Number
from .models import Model

if TYPE_CHECKING:
    from assay.engine.plan import LoadedPlan
    from assay.engine.teller import Teller

SOURCE, CANDIDATE = "source", "candidate"
_RIGHT = frozenset({Outcome.CORRECT, Outcome.DECLINED})
_PER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A plan with the task, and where its run goes."""

    plan: Path
    below: Path = Path("runs")
    teller: Teller | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What became of the answers."""

    task: str
    version: str
    plan: str
    use: str
    options: dict[str, Any]
    run: Path
    outcomes: str
    """What names the outcomes of both, question by question: 64 hex digits."""

    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A question that both were asked."""

    sample: str
    group: str
    source: Outcome
    candidate: Outcome

    @property
    def observed(self) -> bool:
        """Whether both were heard: a crash is ours, and says nothing of either."""
        return Outcome.CRASHED not in (self.source, self.candidate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A plan that was looked at, before hours are spent."""

    ask: Ask
    loaded: LoadedPlan
    template: dict[str, Any]
    """The system of the plan that says how a model is asked."""

    def turned(self, candidate: Model, source: Model) -> Turned:
        """Ask both, and return what became of the answers.

        The run is named by all that decides it: it is resumed, and asked once.  Raises ``PlanError`` A104
        for a task that has nothing right or wrong; what ``assay.run`` raises.
        """
        plan = self.plan_of({SOURCE: source, CANDIDATE: candidate})
        name = digest_of_plan(plan).removeprefix("sha256:")[:8]
        run = self.ask.below / f"flips-{candidate.path.name}-{name}"
        made = assay.run(plan, out=run, teller=self.ask.teller)
        pairs = _pairs(made)
        if all(pair.source is Outcome.SCORED for pair in pairs if pair.observed):
            what = "nothing is right or wrong on its task"
            raise _unfit(self.loaded, what, "take a task with answers")
        [(task, facts)] = made.manifest.tasks.items()
        lines = "".join(f"{p.sample}\t{p.source}\t{p.candidate}\n" for p in pairs)
        options, counted = self.template["options"], count(pairs)
        return Turned(
            task=task,
            version=facts.version,
            plan=self.loaded.plan.name,
            use=self.template["use"],
            options={key: value for key, value in options.items() if key != "model"},
            run=run,
            outcomes=sha256(lines.encode()).hexdigest(),
            numbers=(*counted, _loss(made, counted)),
        )

    def plan_of(self, models: Mapping[str, Model]) -> LoadedPlan:
        """Return the plan with these models for its systems, one seed, and nothing to decide."""
        plan, template = self.loaded.plan, self.template
        systems = [
            template
            | {"name": name, "options": template["options"] | {"model": str(_asked_at(model))}}
            for name, model in models.items()
        ]
        given = [name for name in ("claims", "fronts", "cascades") if getattr(plan, name)]
        overrides = (
            f"systems={json.dumps(systems)}",
            f"seeds={json.dumps(plan.seeds[:1])}",
            "timing.processes=0",
            *(f"{name}=[]" for name in given),
            *(["stop=null"] if plan.stop else []),
        )
        return load_plan(self.ask.plan, overrides)


def ready(ask: Ask, *, candidate: Model, source: Model) -> Ready:
    """Read the plan whose task two models are to be asked, by the recipe of its system that has a model.

    The plan has one task, and one system with an option ``model``; of several, the one whose model is
    the source or the candidate.  Its claims and other systems are left out.

    Raises ``PlanError`` A104 for a plan with several tasks or without such a system, and what
    ``load_plan`` and ``assay plan`` raise.
    """
    loaded = load_plan(ask.plan)
    if len(loaded.plan.tasks) > 1:
        raise _unfit(loaded, "the plan has several tasks", "keep the one that the model is for")
    found = Ready(ask=ask, loaded=loaded, template=_template(loaded, candidate, source))
    digest_of_plan(found.plan_of({SOURCE: source}))  # every name in it is there
    return found


def count(pairs: Sequence[Pair]) -> tuple[Number, ...]:
    """Return shares of right answers, and how many of 1,000 answers turned, with intervals over groups.

    A pair of which one was not observed is left out and counted: at most none.

    >>> right, wrong = Outcome.CORRECT, Outcome.WRONG
    >>> pairs = [Pair(sample=str(n), group=str(n), source=right, candidate=right) for n in range(38)]
    >>> pairs += [Pair(sample="x", group="x", source=right, candidate=wrong),
    ...           Pair(sample="y", group="y", source=wrong, candidate=right)]
    >>> for number in count(pairs):
    ...     print(number)
    accuracy_source 0.975 [0.8684, 0.9994] (40 answers)
    accuracy 0.975 [0.8684, 0.9994] (40 answers)
    flips_per_1000 50 [6.114, 169.2] (40 answers)
    lost_per_1000 25 [0.6327, 131.6] (40 answers)
    won_per_1000 25 [0.6327, 131.6] (40 answers)
    """
    seen = [pair for pair in pairs if pair.observed]
    both = [(pair.source in _RIGHT, pair.candidate in _RIGHT) for pair in seen]
    groups = [pair.group for pair in seen]
    counted = {
        "accuracy_source": [before for before, _ in both],
        "accuracy": [after for _, after in both],
        "flips_per_1000": [before != after for before, after in both],
        "lost_per_1000": [before and not after for before, after in both],
        "won_per_1000": [after and not before for before, after in both],
    }
    numbers = [
        _number(name, sum(hits) / max(len(hits), 1), share(name, hits, groups=groups))
        for name, hits in counted.items()
    ]
    if len(seen) < len(pairs):
        lost = len(pairs) - len(seen)
        numbers.append(Number(name="not_observed", value=lost, n=len(pairs), of="answers", limit=0))
    return tuple(numbers)


def _loss(run: Run, counted: Sequence[Number]) -> Number:
    """Return the source's accuracy less the candidate's, with the interval of pairs."""
    [case] = run.results.cases.values()
    of = {number.name: number for number in counted}
    found = Estimate(metric="accuracy", value=None, low=None, high=None, n=of["accuracy"].n)
    if "accuracy" in case.metrics:  # of a task with other metrics alone nothing is promised
        found = case.compare(SOURCE, CANDIDATE, "accuracy")
    lost = of["accuracy_source"].value - of["accuracy"].value
    return _number("accuracy_loss", lost, found, least=-1.0)


def _number(name: str, value: float, found: Estimate, *, least: float = 0.0) -> Number:
    per = _PER if name.endswith("_per_1000") else 1
    # Where nothing can be said of other questions, nothing is promised: anything may be.
    low = least if found.low is None else found.low
    high = 1.0 if found.high is None else found.high
    return Number(
        name=name,
        value=per * value,
        n=found.n,
        of="answers",
        relation="at_least" if name in ("accuracy", "accuracy_source") else "at_most",
        interval=(per * low, per * high),
    )


def _pairs(run: Run) -> list[Pair]:
    ours = {
        (sample.id, record.attempt): record.verdict.outcome
        for sample, record in run.read(CANDIDATE)
    }
    pairs = [
        Pair(
            sample=f"{sample.id} {record.attempt}" if record.attempt else sample.id,
            group=sample.cluster,
            source=record.verdict.outcome,
            candidate=ours[sample.id, record.attempt],
        )
        for sample, record in run.read(SOURCE)
    ]
    return sorted(pairs, key=lambda pair: pair.sample)


def _template(loaded: LoadedPlan, candidate: Model, source: Model) -> dict[str, Any]:
    """Return the system of a plan that says how a model is asked."""
    given = loaded.document.value["systems"]
    asked = [one for one in given if isinstance(one.get("options", {}).get("model"), str)]
    if len(asked) > 1:
        base = loaded.path.resolve().parent
        meant = {model.path.resolve() for model in (candidate, source)}
        asked = [
            one for one in asked if (base / one["options"]["model"]).resolve() in meant
        ] or asked
    if len(asked) == 1:
        return dict(asked[0])
    names = ", ".join(str(one["name"]) for one in asked)
    what = f"several systems have a model: {names}" if asked else "no system has an option `model`"
    hint = (
        "keep one of them, or give one the model that is compared"
        if asked
        else "add {name: model, use: lm.transformers, options: {model: any}}"
    )
    raise _unfit(loaded, what, hint)


def _asked_at(model: Model) -> Path:
    """Return where a model is asked: a link to its file beside which there is no passport."""
    if model.format == "safetensors":
        return model.folder().resolve()
    folder = cache_folder().resolve() / "asked" / model.sha256[:32]
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / model.path.name
    new = folder / f".{secrets.token_hex(4)}"
    new.symlink_to(model.path.resolve())
    os.replace(new, link)  # noqa: PTH105  (atomic, over a link that is there)
    return link


def _unfit(loaded: LoadedPlan, what: str, hint: str) -> PlanError:
    return PlanError(what, where=str(loaded.path), hint=hint, code="A104")
