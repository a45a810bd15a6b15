"""Every key of a plan, and what may stand under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from ..core.claim import Relation
from ..core.metric import Over
from .scalars import Name, Seed, one_folder_each


class Strict(BaseModel):
    """A part of a plan.  Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TaskRef(Strict):
    """One question set."""

    use: str
    """The task's entry point, ``intent.defi``."""

    name: Name = ""
    """The name on every table; defaults to ``use``."""

    options: dict[str, JsonValue] = {}
    limit: int | None = Field(default=None, ge=1)
    """Ask every system at most this many test samples: whole groups, stratified, seeded."""

    attempts: int = Field(default=1, ge=1, le=100)
    """Ask every system that draws each test question so often."""


class Utility(Strict):
    """What a question is worth by what becomes of it."""

    right: float = 1.0
    wrong: float
    declined: float = 0.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.right > self.declined > self.wrong:
            raise ValueError("there is a threshold to choose only where right > declined > wrong")
        return self


class Abstain(Strict):
    """Decline below a confidence that is chosen on calibration records."""

    max_risk: float | None = Field(default=None, gt=0, lt=1)
    """At most this share of the answers may be wrong, with 95 % confidence."""

    delta: float = Field(default=0.05, gt=0, lt=0.5)
    """One minus that confidence."""

    coverage: float | None = Field(default=None, gt=0, lt=1)
    """Answer this share of the questions.  Tuned, no guarantee."""

    utility: Utility | None = None
    """Answer where it pays.  Tuned, no guarantee."""

    metric: str | None = None
    """Answer where this metric of the task is best.  Tuned, no guarantee."""

    per: Literal["all", "class"] = "all"
    """One threshold for every answer, or one for each class."""

    @model_validator(mode="after")
    def _one_aim(self) -> Self:
        aims = (self.max_risk, self.coverage, self.utility, self.metric)
        if sum(aim is not None for aim in aims) != 1:
            raise ValueError("give exactly one of max_risk, coverage, utility and metric")
        if self.metric is not None and self.per == "class":
            raise ValueError("`metric` is of all answers together: leave `per` out")
        if self.max_risk is None and "delta" in self.model_fields_set:
            raise ValueError("delta goes with max_risk; nothing else is guaranteed")
        return self


class SystemRef(Strict):
    """One thing under test."""

    name: Name
    use: str = ""
    """The recipe's entry point, ``intent.mapper``."""

    of: str | None = None
    """Another system, whose replies it has, too, above a threshold of its own."""

    options: dict[str, JsonValue] = {}
    abstain: Abstain | None = None
    limit: int | None = Field(default=None, ge=1)
    """As the task's limit, for this system only.  Claims pair on the common samples."""

    origin: Literal["measured", "reported", "simulated"] = "measured"
    """``reported`` is what `assay import` writes; such a system cannot be asked."""

    @model_validator(mode="after")
    def _use_or_of(self) -> Self:
        if bool(self.use) == (self.of is not None):
            raise ValueError("say what it is: `use` a recipe, or `of` another system of the plan")
        if self.of is not None and self.abstain is None:
            raise ValueError("`of` is another threshold for the same replies: give it `abstain`")
        if self.of is not None and {"options", "limit", "origin"} & self.model_fields_set:
            raise ValueError("`of` has the options and the limit of the system that it names")
        return self


class ClaimRef(Strict):
    """One sentence to be decided."""

    id: Name
    says: str
    task: str = ""
    """May be left out in a plan with one task."""

    system: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    within: float | None = Field(default=None, gt=0)
    """As good as the same as ``against``: at most this much apart either way; for a metric
    measured on a ratio scale, at most by this factor."""

    against: str | None = None
    over: list[Literal["samples", "seeds"]] = ["samples"]
    """What the sentence generalises to.  Empty: exactly these records."""

    headline: bool = False
    """What the plan is about: the finding says when ``against`` is not the best rival."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if sum(bound is not None for bound in (self.at_least, self.at_most, self.within)) != 1:
            raise ValueError("give exactly one of at_least, at_most and within")
        if self.against is None and self.within is not None:
            raise ValueError("`within` says how far two systems are apart: name one in `against`")
        if self.against is None and self.headline:
            raise ValueError("a headline claim stands against a rival: name it in `against`")
        return self

    @property
    def relation(self) -> Relation:
        """Which of the three bounds is given."""
        if self.within is not None:
            return Relation.WITHIN
        return Relation.AT_MOST if self.at_least is None else Relation.AT_LEAST

    @property
    def bound(self) -> float:
        """The bound that is given."""
        bound = next(b for b in (self.at_least, self.at_most, self.within) if b is not None)
        return float(bound)

    @property
    def generalises(self) -> frozenset[Over]:
        """``over`` as a set."""
        return frozenset(Over(word) for word in self.over)


class PersonRef(Strict):
    """Somebody who is paid to answer what no system has."""

    usd: float = Field(ge=0)
    """Dollars per question: an assumption, printed beside every number that uses it."""

    right: float = Field(default=1.0, ge=0, le=1)
    """Share of questions that the person gets right: an assumption too."""


class CascadeRef(Strict):
    """Systems asked in turn, each handing on what it is unsure of; all of one task's records."""

    order: list[str] = Field(min_length=1, max_length=4)
    """Systems, cheapest first.  Each of them is asked the calibration questions too."""

    person: PersonRef | None = None
    """Who is asked last, if the last system may decline."""

    margin: float | None = Field(default=None, ge=0)
    """The cheapest policy within this of the most accurate one, on calibration, is picked; `null`:
    the margin of `ship`."""

    @model_validator(mode="after")
    def _two_at_least(self) -> Self:
        if len(self.order) + (self.person is not None) < 2:
            raise ValueError("a cascade needs two to ask: two systems, or one and a person")
        if len(set(self.order)) < len(self.order):
            raise ValueError("a system stands twice in `order`")
        if len(self.order) - (self.person is None) > 3:
            raise ValueError("at most three systems can hand on")
        return self


class Timing(Strict):
    """The serial, exclusive pass that measures latency and cost."""

    processes: int = Field(default=3, ge=0, le=20)
    """Fresh processes per system; ``0``: no pass, and neither latency nor cost is measured."""

    blocks: int = Field(default=7, ge=1, le=200)
    """Time blocks in each process; systems are interleaved in each block."""

    questions: int = Field(default=3, ge=1, le=1000)
    """Questions to each system in each block, one at a time."""


class Ship(Strict):
    """How the decision picks a system."""

    metric: str = "accuracy"
    margin: float = Field(default=0.01, ge=0)
    """Every system shown to be at most this much behind the best one is good enough ..."""

    cheapest: str = "usd_per_1k"
    """... and of those the one with the least of this is shipped."""


class Limits(Strict):
    """When a system has had its chance."""

    reply_s: float = Field(default=120.0, gt=0)
    """A question that takes longer has failed (``too_slow``)."""

    build_s: float = Field(default=3600.0, gt=0)
    check_s: float = Field(default=3600.0, gt=0)
    """A check that takes longer is a crash of ours (``check_too_slow``), and asked again."""

    deaths: int = Field(default=5, ge=0)
    """After so many ends of a system's process, its remaining questions have failed (``died``)."""

    sandbox: Literal["required", "none"] = "required"
    """``none``: programs that systems write run as you where no sandbox works."""


class Plan(Strict):
    """Tasks, systems, claims."""

    name: Name
    says: str = ""
    seeds: list[Seed] = Field(default=[0], min_length=1, max_length=1000)
    prices: str = "laptop"
    tasks: list[TaskRef] = Field(min_length=1)
    systems: list[SystemRef] = Field(min_length=1)
    fronts: list[Annotated[list[str], Field(min_length=1)]] = []
    claims: list[ClaimRef] = []
    correction: Literal["holm", "bonferroni"] = "holm"
    """How the claims share the chance of a wrong word."""

    stop: Literal["when_decided"] | None = None
    """Ask group by group, and no further once every claim is decided."""

    cascades: list[CascadeRef] = []
    timing: Timing = Timing()
    ship: Ship = Ship()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _no_name_twice(self) -> Self:
        for what, names in (
            ("task", [t.name or t.use for t in self.tasks]),
            ("system", [s.name for s in self.systems]),
            ("claim", [c.id for c in self.claims]),
            ("seed", self.seeds),
        ):
            if twice := [name for name, times in Counter(names).items() if times > 1]:
                raise ValueError(f"two {what}s are called {twice[0]!r}")
            if what in {"task", "system"}:
                one_folder_each(what, [str(name) for name in names])
        return self


def keys_at(place: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand at a place of a plan."""
    models: dict[str, type[Strict]] = {
        "tasks": TaskRef,
        "systems": SystemRef,
        "claims": ClaimRef,
        "cascades": CascadeRef,
        "person": PersonRef,
        "timing": Timing,
        "ship": Ship,
        "limits": Limits,
        "abstain": Abstain,
        "utility": Utility,
    }
    words = [p for p in place if isinstance(p, str)]
    return list((models[words[-1]] if words and words[-1] in models else Plan).model_fields)
