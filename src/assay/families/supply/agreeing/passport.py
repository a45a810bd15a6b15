"""The passport of a model file: what was found, of which bytes, beside which limits.

*Covered*: a passport of other bytes, one that was edited so that verdict and numbers contradict each other,
a file that was refused.  *Not covered*: somebody who writes a whole passport anew; sign it
(``assay model sign``) against that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay import DataError
from assay.kept import digest_of

from .gate import Agreement
from .limits import Number, Relation, as_facts
from .models import Model, find_model

Verdict: TypeAlias = Literal["accepted", "refused"]
_VERSIONS = ("assay-eval", "torch", "transformers", "tokenizers", "xllamacpp", "numpy")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(_Strict):
    """A model, by its bytes."""

    name: str
    format: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class Asked(_Strict):
    """The texts that both answered."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    n: int = Field(ge=1)


class Stated(_Strict):
    """A number, over how many, and its limit."""

    name: str
    value: float | None
    """None: infinite."""

    n: int
    of: str
    limit: float | None
    relation: Relation

    def number(self) -> Number:
        """Return it as the gate has it."""
        value = float("inf") if self.value is None else self.value
        return Number(
            name=self.name,
            value=value,
            n=self.n,
            of=self.of,
            limit=self.limit,
            relation=self.relation,
        )


class Changed(_Strict):
    """A tensor that is not the source's."""

    name: str
    change: str
    detail: str


class Passport(_Strict):
    """A passport, as it is written."""

    passport: Literal[1] = 1
    verdict: Verdict
    reasons: list[str]
    candidate: Named
    source: Named
    prompts: Asked
    numbers: list[Stated]
    tensors: dict[str, int]
    """How many tensors came to what."""

    changed: list[Changed]
    farthest: dict[str, float]
    """Prompts with the largest mean KL."""

    ran: dict[str, str]
    """What ran the candidate and the source."""

    parents: list[str]
    """Digests that the file was made of."""

    settings: dict[str, Any]
    """How it was converted, as the file says."""

    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A passport on disk."""

    path: Path
    passport: Passport


def passport_path(file: Path) -> Path:
    """Return where the passport of a file or folder stands.

    >>> passport_path(Path("models/m.apr")).name
    'm.apr.passport.json'
    """
    return file.with_name(f"{file.name}.passport.json")


def passport_of(found: Agreement) -> Passport:
    """Return the passport that says what was found.  No clock: the same finding has the same bytes."""
    counts: dict[str, int] = {}
    for one in found.weights.tensors:
        counts[one.change.name.lower()] = counts.get(one.change.name.lower(), 0) + 1
    return Passport(
        verdict="accepted" if found.accepted else "refused",
        reasons=list(found.reasons),
        candidate=_named(found.candidate),
        source=_named(found.source),
        prompts=Asked(
            name=found.prompts.name, sha256=found.prompts.sha256, n=len(found.prompts.prompts)
        ),
        numbers=[Stated.model_validate(_finite(one)) for one in as_facts(found.numbers)],
        tensors=counts,
        changed=[
            Changed(name=one.name, change=one.change.name.lower(), detail=one.detail)
            for one in found.weights.wrong[:1000]
        ],
        farthest=dict(found.farthest),
        ran={"candidate": found.ran[0], "source": found.ran[1]},
        parents=_parents(found),
        settings=found.candidate.made.get("settings", {}),
        versions={name: said for name in _VERSIONS if (said := _version(name))},
    )


def write_passport(found: Agreement) -> Written:
    """Write the passport beside the file, as canonical JSON: sorted keys, no spaces, one newline."""
    path, passport = passport_path(found.candidate.path), passport_of(found)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(as_bytes(passport))
    part.replace(path)
    return Written(path=path, passport=passport)


def as_bytes(passport: Passport) -> bytes:
    """Return the bytes of a passport."""
    plain = passport.model_dump(mode="json")
    text = json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode() + b"\n"


def read_passport(path: Path) -> Passport:
    """Read a passport.  Raises ``DataError`` A207 for one that is damaged or contradicts itself."""
    try:
        passport = Passport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise _halt(path, "the passport cannot be read", str(error).splitlines()[0]) from error
    kept = all(one.number().passed for one in passport.numbers) and not passport.changed
    if (passport.verdict == "accepted") != (kept and not passport.reasons):
        raise _halt(path, "the passport contradicts itself", "its numbers are not its verdict")
    return passport


def check_passport(path: Path) -> Passport | None:
    """Return the passport of a model file or folder, None where it has none.

    Raises ``DataError`` A207 when the passport is of other bytes or damaged, A208 when it says that the
    file was refused.  *Not to be trusted when* the passport is not signed: who can write the file can
    write a passport, too.
    """
    beside = passport_path(path)
    if not beside.is_file():
        return None
    passport = read_passport(beside)
    digest = digest_of(path).sha256 if path.is_file() else find_model(path).sha256
    if digest != passport.candidate.sha256:
        what = f"{path.name} has sha256 {digest}"
        raise _halt(beside, what, f"its passport names {passport.candidate.sha256}")
    if passport.verdict == "refused":
        raise DataError(
            f"REFUSED: {passport.reasons[0]}",
            where=str(path),
            hint=f"every number is in {beside.name}; convert again, and validate that",
            code="A208",
        )
    return passport


def summary(passport: Passport) -> Mapping[str, object]:
    """Return the numbers of a passport by name, for tables."""
    return {one.name: one.value for one in passport.numbers}


def _named(model: Model) -> Named:
    return Named(name=model.path.name, format=model.format, sha256=model.sha256, size=model.size)


def _parents(found: Agreement) -> list[str]:
    said = found.candidate.made.get("parents")
    listed = said if isinstance(said, list) else []
    named = [str(one["digest"]) for one in listed if isinstance(one, dict) and "digest" in one]
    return named or [f"sha256:{found.source.sha256}"]


def _finite(fact: Mapping[str, object]) -> dict[str, object]:
    value = fact["value"]
    return {**fact, "value": value if isinstance(value, float | int) and isfinite(value) else None}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _halt(path: Path, what: str, detail: str) -> DataError:
    return DataError(
        f"HALT checksum: {what}, and {detail}",
        where=str(path),
        hint="run `assay model validate` on the file that is there",
        code="A207",
    )
