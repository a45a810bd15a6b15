"""The passport of a model file: what was found, of which bytes, beside which limits.

*Covered*: a passport of other bytes, one that was edited so that verdict and numbers contradict each other,
a file that was refused.  *Not covered*: somebody who writes a whole passport anew; sign it
(``assay model sign``) against that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay import Artifact, DataError
from assay.kept import digest_of

Relation: TypeAlias = Literal["at_most", "at_least"]
Verdict: TypeAlias = Literal["accepted", "refused"]


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
    low: float | None = None
    """Both ends of a 95 % interval; None where the number speaks of these records only."""

    high: float | None = None

    @model_validator(mode="after")
    def _has_both_ends_or_none(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        return self

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
            interval=None if self.low is None or self.high is None else (self.low, self.high),
        )


class Tasked(_Strict):
    """A task that both were asked: flips among the numbers are about it."""

    task: str
    version: str
    plan: str
    use: str
    """The recipe that asked the models."""

    options: dict[str, Any]
    """Its options, the model left out."""

    outcomes: str = Field(pattern=r"^[0-9a-f]{64}$")
    """What names the outcomes of both, question by question."""


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

    task: Tasked | None = None

    ran: dict[str, str]
    """What ran the candidate and the source."""

    parents: list[str]
    """Digests that the file was made of."""

    settings: dict[str, Any]
    """How it was converted, as the file says."""

    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number with its limit, if it has one."""

    name: str
    value: float
    n: int
    """Over how many."""

    of: str
    """Of what: ``tensors``, ``positions``, ``tokens``, ``prompts``."""

    limit: float | None = None
    relation: Relation = "at_most"
    interval: tuple[float, float] | None = None
    """Of 95 %, over questions; None for a number that speaks of these records only."""

    @property
    def passed(self) -> bool:
        """Whether it keeps its limit, with its whole interval where it has one; without a limit it does.

        >>> Number(name="kl_mean", value=0.02, n=9, of="positions", limit=0.01).passed
        False
        >>> Number(name="lost", value=0, n=9, of="answers", limit=20, interval=(0, 336)).passed
        False
        """
        if self.limit is None:
            return True
        low, high = self.interval or (self.value, self.value)
        return bool(high <= self.limit if self.relation == "at_most" else low >= self.limit)

    @property
    def shown(self) -> str:
        """The number, with its interval where it has one.

        >>> Number(name="lost", value=0, n=9, of="answers", interval=(0, 336.3)).shown
        '0 [0, 336.3]'
        """
        ends = "" if self.interval is None else " [{:.4g}, {:.4g}]".format(*self.interval)
        return f"{self.value:.{4 if ends else 6}g}{ends}"

    def __str__(self) -> str:
        """Return the number beside its limit, as a sentence."""
        ends = "" if self.interval is None else " [{:.4g}, {:.4g}]".format(*self.interval)
        said = f"{self.name} {self.value:.4g}{ends}"
        if self.limit is None:
            return f"{said} ({self.n} {self.of})"
        beyond = {"at_most": "above", "at_least": "below"}[self.relation]
        if self.interval is not None and self.interval[0] <= self.limit <= self.interval[1]:
            beyond = f"not shown to be {'at most' if self.relation == 'at_most' else 'at least'}"
        within = {"at_most": "at most", "at_least": "at least"}[self.relation]
        word = within if self.passed else beyond
        return f"{said} is {word} {self.limit:g} ({self.n} {self.of})"


def passport_path(file: Path) -> Path:
    """Return where the passport of a file or folder stands.

    >>> passport_path(Path("models/m.apr")).name
    'm.apr.passport.json'
    """
    return file.with_name(f"{file.name}.passport.json")


def as_bytes(passport: Passport) -> bytes:
    """Return the bytes of a passport."""
    plain = passport.model_dump(mode="json")
    # A passport without a task is the bytes that it was before there were tasks.
    if plain["task"] is None:
        del plain["task"]
    for number in plain["numbers"]:
        if number["low"] is None:
            del number["low"], number["high"]
    text = json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode() + b"\n"


def read_passport(path: Path) -> Passport:
    """Read a passport.  Raises ``DataError`` A207 for one that is damaged or contradicts itself."""
    try:
        passport = Passport.model_validate_json(path.read_bytes())
        as_bytes(passport)  # a number that is not finite is none of ours
    except (OSError, ValueError) as error:
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
    digest = _digest(path)
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


def digest_of_files(files: Sequence[Artifact]) -> str:
    """Return 64 hex digits that name one file, or several of them together.

    >>> one = Artifact(digest="sha256:" + "ab" * 32, kind="weights", size=1, source="file:a")
    >>> digest_of_files([one]) == "ab" * 32
    True
    """
    digests = [file.digest.removeprefix("sha256:") for file in files]
    if len(digests) == 1:
        return digests[0]
    lines = sorted(f"{d}  {file.source}\n" for d, file in zip(digests, files, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    if path.is_file():
        return digest_of(path).sha256
    from .converting.source import open_source

    return digest_of_files(open_source(path).parents)


def _halt(path: Path, what: str, detail: str) -> DataError:
    return DataError(
        f"HALT checksum: {what}, and {detail}",
        where=str(path),
        hint="run `assay model validate` on the file that is there",
        code="A207",
    )
