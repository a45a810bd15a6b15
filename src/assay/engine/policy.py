"""A policy that ``assay cascade`` wrote, as a system that a plan can name.

*Covered*: the policy's systems are the ones that its thresholds were chosen for, by digest of
recipe, options and files; a seed without a threshold is refused.  *Not covered*: training data
that has changed since; the digest of a task's samples stands in the run, not in the policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..core.artifact import Artifact
from ..core.errors import PlanError
from ..core.policy import Declines
from ..core.reply import Bottom, Reply, Usage
from ..core.sample import Question, Sample
from ..core.system import Built, Loads, Needs, Recipe, System
from ..store.canon import digest_value, parsed
from ..store.manifest import ArtifactFacts
from ..systems.cascade import Cascade, together
from .plugins import make_recipe

SCHEMA = "assay.policy/1"


class Strict(BaseModel):
    """A part of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StageDoc(Strict):
    """One system, and the confidence that its answers need."""

    system: str
    use: str
    options: dict[str, JsonValue] = {}
    digest: str
    at_least: dict[int, float | None] | None = None
    """By seed.  null: every answer of this seed stands."""


class PersonDoc(Strict):
    """Who is asked last, as assumed."""

    usd: float
    right: float


class PolicyDoc(Strict):
    """What stands in a policy file."""

    schema_: Literal["assay.policy/1"]
    says: str = ""
    run: str = ""
    task: str = ""
    stages: tuple[StageDoc, ...]
    person: PersonDoc | None = None
    declines: Declines = Declines.HAND_ON
    expected: dict[str, JsonValue] = {}
    """What the test records of that run gave it."""


def read_policy(path: Path) -> PolicyDoc:
    """Read a policy file.  Raises ``PlanError`` A100 unreadable, A102 not a policy."""
    try:
        found = parsed(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PlanError(
            f"the policy cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="`assay cascade RUN --output policy.json` writes one",
        ) from None
    if isinstance(found, dict) and "schema" in found:
        found["schema_"] = found.pop("schema")
    try:
        return PolicyDoc.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join("schema" if p == "schema_" else str(p) for p in first["loc"])
        raise PlanError(
            f"this is not a policy: {place}: {first['msg'].lower()}",
            where=str(path),
            hint="`assay cascade RUN --output policy.json` writes one",
            code="A102",
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecipe:
    """Build the systems of a policy, and ask them as it says.

    A question that nobody answers, and that a person would be asked, is declined with the reason
    ``ask_a_person``.  Raises ``PlanError`` A100 / A102 for a file that is no policy, A103 for a
    recipe that is not installed, A104 for a seed without a threshold.

    *Not to be trusted when* its systems are trained on other data than the policy was made with:
    the thresholds then mean something else.
    """

    file: Path
    doc: PolicyDoc = field(init=False, repr=False)
    recipes: tuple[Recipe, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        doc = read_policy(self.file)
        base = self.file.resolve().parent
        made = tuple(
            make_recipe(stage.use, stage.options, where=str(self.file), base=base)
            for stage in doc.stages
        )
        object.__setattr__(self, "doc", doc)
        object.__setattr__(self, "recipes", made)

    @property
    def seeded(self) -> bool:
        """Whether a seed changes any of its systems."""
        return any(recipe.seeded for recipe in self.recipes)

    @property
    def needs(self) -> Needs:
        """All of its systems stand in memory at once, and answer in turn."""
        every = [recipe.needs for recipe in self.recipes]
        return Needs(
            cpus=max(n.cpus for n in every),
            gpu=any(n.gpu for n in every),
            memory_mb=sum(n.memory_mb for n in every),
            exclusive=any(n.exclusive for n in every),
        )

    def loads(self) -> tuple[Artifact, ...]:
        """Return the policy file, and every file that its systems load.

        Raises ``PlanError`` A104 when a system is not the one that the policy was made for.
        """
        data = self.file.read_bytes()
        own = Artifact(
            digest=f"sha256:{sha256(data).hexdigest()}",
            kind="policy",
            size=len(data),
            source=f"file:{self.file.name}",
        )
        files = [own]
        for stage, recipe in zip(self.doc.stages, self.recipes, strict=True):
            loaded = recipe.loads() if isinstance(recipe, Loads) else ()
            if system_digest(stage.use, stage.options, loaded) != stage.digest:
                raise PlanError(
                    f"{stage.system} is not the system that this policy was made for: its recipe, "
                    "its options or a file that it loads has changed",
                    where=str(self.file),
                    hint="run the plan again and make a new policy: assay cascade RUN --output F",
                    code="A104",
                )
            files += loaded
        return tuple(dict.fromkeys(files))

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Build every system, the first one outermost."""
        parts = []
        for place, (stage, recipe) in enumerate(zip(self.doc.stages, self.recipes, strict=True)):
            folder = workdir / str(place)
            folder.mkdir(parents=True, exist_ok=True)
            parts.append(
                recipe.build(train, tune, seed=seed if recipe.seeded else 0, workdir=folder)
            )
            _threshold(stage, seed, recipe, self.file)
        system: System | None = AskAPerson() if self.doc.person else None
        for stage, recipe, part in zip(
            reversed(self.doc.stages), reversed(self.recipes), reversed(parts), strict=True
        ):
            if system is None:
                system = part.system
            else:
                at_least = _threshold(stage, seed, recipe, self.file)
                system = Cascade(part.system, system, at_least, self.doc.declines)
        assert system is not None  # a policy file has a stage
        usage = parts[0].usage
        for part in parts[1:]:
            usage = together(usage, part.usage)
        return Built(
            system=system,
            usage=usage,
            artifacts=tuple(a for part in parts for a in part.artifacts),
            notes={"stages": len(parts)},
        )


@dataclass(frozen=True, slots=True)
class AskAPerson:
    """Stands where a person would be asked: it declines, at no cost of its own.

    >>> [reply] = AskAPerson().answer([Question(id="q", input="")])
    >>> reply.said.reason
    'ask_a_person'
    """

    def answer(self, questions: Sequence[Question]) -> Iterable[Reply]:
        """Decline every question."""
        nothing = Usage(busy_s=0.0, latency_s=0.0, calls=0)
        for question in questions:
            yield Reply(question.id, Bottom("ask_a_person"), nothing, question.attempt)


def system_digest(use: str, options: object, files: Iterable[Artifact | ArtifactFacts]) -> str:
    """Name what runs: a recipe, its options, and the bytes that it loads."""
    return digest_value({"use": use, "options": options, "files": [a.digest for a in files]})


def _threshold(stage: StageDoc, seed: int, recipe: Recipe, file: Path) -> float | None:
    if stage.at_least is None:
        return None
    if recipe.seeded and seed not in stage.at_least:
        known = ", ".join(map(str, sorted(stage.at_least)))
        raise PlanError(
            f"the policy has no threshold of {stage.system} for seed {seed}",
            where=str(file),
            hint=f"give the plan seeds among: {known}",
            code="A104",
        )
    return stage.at_least.get(seed, next(iter(stage.at_least.values())))
