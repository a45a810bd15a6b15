"""The plan: the only configuration there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from ..core.errors import PlanError
from ..core.metric import Over
from ..store.rundir import NAME
from .document import Document, KeyPath, read_document
from .overrides import nearest, override


def _name(value: Any) -> Any:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("must be letters, digits, dot, dash, underscore, at most 80 of them")
    return value


Name = Annotated[str, BeforeValidator(_name)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator of random numbers takes."""


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


class Abstain(Strict):
    """Decline below a confidence that is chosen on calibration records."""

    max_risk: float = Field(gt=0, lt=1)
    """At most this share of the answers may be wrong, with 95 % confidence."""

    delta: float = Field(default=0.05, gt=0, lt=0.5)
    """One minus that confidence."""


class SystemRef(Strict):
    """One thing under test."""

    name: Name
    use: str
    """The recipe's entry point, ``intent.mapper``."""

    options: dict[str, JsonValue] = {}
    abstain: Abstain | None = None
    limit: int | None = Field(default=None, ge=1)
    """As the task's limit, for this system only.  Claims pair on the common samples."""

    origin: Literal["measured", "simulated"] = "measured"


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
    against: str | None = None
    over: list[Literal["samples", "seeds"]] = ["samples"]
    """What the sentence generalises to.  Empty: exactly these records."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self

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

    processes: int = Field(default=3, ge=1, le=20)
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
    deaths: int = Field(default=5, ge=0)
    """After so many ends of a system's process, its remaining questions have failed (``died``)."""


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
            twice = [n for i, n in enumerate(names) if n in names[:i]]
            if twice:
                raise ValueError(f"two {what}s are called {twice[0]!r}")
        return self


class LoadedPlan(BaseModel):
    """A plan, the text that it was read from, and how to point into it."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    plan: Plan
    text: str
    path: Path
    overrides: tuple[str, ...] = ()
    document: Document

    def where(self, *place: str | int) -> str:
        """Return ``file:line`` of a key."""
        return self.document.where(place)


def load_plan(path: Path | str, overrides: tuple[str, ...] = ()) -> LoadedPlan:
    """Read a plan and check its form; ``assay plan`` also resolves every name.

    ``overrides`` are ``key=value`` words whose value is YAML: ``seeds=[0]``, ``timing.blocks=2``,
    ``systems.mapper.limit=100`` (a list member is named by its ``name``, ``id`` or ``use``).

    Raises ``PlanError`` with the line and the nearest name: A100 unreadable, A101 unknown key,
    A102 wrong type or value, A105 too large or too clever.

    >>> load_plan("plans/nowhere.yaml")
    Traceback (most recent call last):
    assay.core.errors.PlanError: A100 the plan cannot be read: No such file or directory
      at: plans/nowhere.yaml
      try: check the path; `assay init` writes a plan to begin with
    """
    document = read_document(Path(path))
    for word in overrides:
        override(document, word)
    if not isinstance(document.value, dict):
        raise PlanError(
            "a plan is a mapping of keys to values",
            where=f"{path}:1",
            hint="begin with `name: ...`",
            code="A102",
        )
    try:
        plan = Plan.model_validate(document.value)
    except ValidationError as error:
        raise _explain(error, document) from None
    return LoadedPlan(
        plan=plan,
        text=document.text,
        path=Path(path),
        overrides=overrides,
        document=document,
    )


def _explain(error: ValidationError, document: Document) -> PlanError:
    wrong = error.errors()
    # A misspelt key is also a missing one; the spelling is what there is to mend.
    first = next((e for e in wrong if e["type"] == "extra_forbidden"), wrong[0])
    loc, unknown = first["loc"], first["type"] == "extra_forbidden"
    # Among the keys stand pydantic's names of types; an unknown key may look like one.
    place: KeyPath = tuple(p for p in loc if "[" not in str(p) or (unknown and p == loc[-1]))
    shown = ".".join(str(p) for p in place) or "the plan"
    if unknown:
        known = _keys_at(place[:-1])
        return PlanError(
            f"unknown key {place[-1]!r} in {'.'.join(map(str, place[:-1])) or 'the plan'}",
            where=document.where(place),
            hint=nearest(str(place[-1]), known),
            code="A101",
        )
    message = first["msg"].removeprefix("Value error, ")
    return PlanError(
        f"{shown}: {message[0].lower()}{message[1:]}",
        where=document.where(place),
        hint="see docs/plan.md for every key and its type",
        code="A102" if first["type"] != "missing" else "A100",
    )


def _keys_at(place: KeyPath) -> list[str]:
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
    }
    words = [p for p in place if isinstance(p, str)]
    return list((models[words[-1]] if words and words[-1] in models else Plan).model_fields)


def effective_text(loaded: LoadedPlan) -> str:
    """Return the plan with its overrides, as YAML that ``load_plan`` reads back."""
    dumped = loaded.plan.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(dumped, sort_keys=False, allow_unicode=True)


__all__ = ["LoadedPlan", "Plan", "effective_text", "load_plan", "nearest"]
