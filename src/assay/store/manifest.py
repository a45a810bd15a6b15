"""What a run directory says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ..core.errors import SealError
from ..core.metric import Origin
from .canon import parsed, pretty, read_plain, write_whole

SCHEMA = 1
"""Bump it when a reader of the older version would misread a run."""


class Stored(BaseModel):
    """A strict, frozen document."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SplitFacts(Stored):
    """One split of a task, as it was asked."""

    samples: int
    groups: int
    digest: str


class TaskFacts(Stored):
    """One task of a run."""

    use: str
    distribution: str = ""
    """The installed distribution whose entry point ``use`` is."""

    version: str
    says: str = ""
    headline: str
    redistributable: bool = True
    """Whether ``samples/`` holds inputs and answers, or digests of them."""

    caveats: tuple[str, ...] = ()
    """Sentences that its numbers have to be read with."""

    splits: dict[str, SplitFacts]


class ArtifactFacts(Stored):
    """A file that a system loaded or made."""

    digest: str
    kind: str
    size: int
    source: str | None = None
    parents: tuple[str, ...] = ()
    made_by: str | None = None
    license: str | None = None


class SystemFacts(Stored):
    """One system of a run.  ``digest`` covers its recipe, options and files."""

    use: str
    options: dict[str, JsonValue] = {}
    origin: Origin = Origin.MEASURED
    control: bool = False
    of: str | None = None
    """The system that was asked: this one has its replies above other thresholds."""

    seeded: bool
    seeds: tuple[int, ...] = Field(min_length=1)
    limit: int | None = None
    max_risk: float | None = None
    delta: float = 0.05
    coverage: float | None = None
    utility: dict[str, float] | None = None
    metric: str | None = None
    """Its threshold is the one at which this metric is best on calibration."""

    per: str = "all"
    files: tuple[ArtifactFacts, ...] = ()
    digest: str


class CellFacts(Stored):
    """One finished cell."""

    schema_version: int = SCHEMA
    task: str
    system: str
    seed: int
    split: str
    n: int
    crashes: int = 0
    decisions: str
    """The decision digest."""

    build_s: float | None = None
    notes: dict[str, float | int | str] = {}
    made: tuple[ArtifactFacts, ...] = ()
    restarts: int = 0


class Manifest(Stored):
    """What ran, on what, from what."""

    schema_version: int = SCHEMA
    run: str
    name: str
    says: str
    plan: str
    """Digest of the resolved plan: its keys, the samples, and what the systems load."""

    overrides: tuple[str, ...] = ()
    """``--set`` and ``--limit``, as given."""

    seeds: tuple[int, ...]
    rng: int
    """Seed of every resampling in the analysis (PCG64)."""

    tasks: dict[str, TaskFacts]
    systems: dict[str, SystemFacts]
    prices: JsonValue = None
    """The price table, whole, so that dollars can be recomputed without the package."""

    packages: dict[str, str] = {}
    """The distributions whose code computes the numbers."""

    earlier_systems: dict[str, int] = {}
    """Task to how many systems those other plans scored on them."""

    earlier_uses: dict[str, int] = {}
    """Task to how many other plans were scored on the same test samples before."""

    sandbox: str = ""
    """``none`` where the plan allowed programs to run without a sandbox, and none works."""

    rescored: str = ""
    """Digest of the ``SEAL`` of the run whose answers were verified again in this one."""


class Provenance(Stored):
    """Where and how often it ran.  Everything in it may differ between equal runs."""

    schema_version: int = SCHEMA
    machine: dict[str, JsonValue]
    packages: dict[str, str]
    git: dict[str, JsonValue]
    threads: dict[str, str]
    attempts: tuple[dict[str, JsonValue], ...] = ()
    cells: tuple[CellFacts, ...] = ()


class StoppedTask(Stored):
    """How far one task was asked in a run that may stop early."""

    looks: tuple[int, ...]
    """After how many groups the claims are looked at: set before anything is asked."""

    look: int
    """The last look that was needed, counted from 1."""

    groups: int
    """Groups of the test split that were asked."""

    of_groups: int
    questions: int
    """Samples of the test split that were asked, of each system under each seed."""

    of_questions: int
    decided: bool
    """Whether every claim on the task that rests on samples was decided at that look."""


class Stopping(Stored):
    """Where a run stopped that may stop early."""

    schema_version: int = SCHEMA
    rule: Literal["when_decided"] = "when_decided"
    tasks: dict[str, StoppedTask]


class PublishedFacts(Stored):
    """A number without records: displayed, never in a front or a claim."""

    task: str
    system: str
    metric: str
    value: float
    source: str


class PublishedNumbers(Stored):
    """The numbers of an imported log for which it holds no records."""

    schema_version: int = SCHEMA
    numbers: tuple[PublishedFacts, ...]


class Seal(Stored):
    """The seal: digests of every sealed file, and of every cell's decisions."""

    schema_version: int = SCHEMA
    kind: Literal["assay-seal"] = "assay-seal"
    files: dict[str, str]
    decisions: dict[str, str]
    incomplete: tuple[str, ...] = ()
    """Cells with crashes left; claims on them stay undecided."""


Doc = TypeVar("Doc", bound=Stored)


def write_doc(path: Path, doc: Stored) -> None:
    """Write a document, whole or not at all."""
    write_whole(path, doc_bytes(doc))


def doc_bytes(doc: Stored) -> bytes:
    """Return the bytes of a document; equal documents have equal bytes."""
    return pretty(doc.model_dump(mode="json"))


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return where in a document the first fault is, as ``tasks.defi.version``, and what pydantic says of it.

    The place is empty where the document as a whole is at fault.
    """
    first = error.errors()[0]
    return ".".join(map(str, first["loc"])), first["msg"]


LARGEST = 1 << 28
"""Bytes of a document; the seal of a run with a million files has half as many."""


def _bounded(path: Path) -> bytes:
    data = read_plain(path, LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    return data


def read_doc(kind: type[Doc], path: Path) -> Doc:
    """Read a document.

    Raises ``SealError`` A302 when another schema version wrote it, A300 when it is damaged.
    """
    try:
        raw: Any = parsed(_bounded(path))
    except (ValueError, RecursionError) as error:
        raise SealError(
            f"this file is not JSON: {error}",
            where=str(path),
            hint="restore the run directory from a copy",
        ) from None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA:
        said = "none" if version is None else repr(version)
        raise SealError(
            f"schema version {said}, but this assay reads version {SCHEMA}",
            where=str(path),
            hint="read it with the assay that wrote it (provenance.json names the version)",
            code="A302",
        )
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        place, said = first_fault(error)
        raise SealError(
            f"{place}: {said}",
            where=str(path),
            hint="restore the run directory from a copy",
        ) from None
