"""What ``assay lm edge --out`` wrote, and which system of a run each of its models is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay import DataError, PlanError

from .draws import RESAMPLES, Draws
from .scoring import Speed

_RUNTIMES = {"lm.gguf": "llama.cpp", "lm.choose": "llama.cpp", "lm.transformers": "transformers"}
_SURE = 1.959963984540054


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Machine(_Part):
    cpu: str
    cpus_usable: int


class _File(_Part):
    digest: str


class _Total(_Part):
    value: float = Field(ge=0, le=100)
    low: float = Field(ge=0, le=100)
    high: float = Field(ge=0, le=100)


class _Score(_Part):
    total: _Total | None
    why: str = ""


class _Model(_Part):
    model: str
    runtime: str
    dtype: str | None
    files: tuple[_File, ...]
    score: _Score | None
    share: float | None = None


class _Found(_Part):
    machine: _Machine
    prompt: int
    generate: int
    threads: int
    repeats: int
    profile: dict[str, Any] | None
    models: tuple[_Model, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a system of a run loads, and how."""

    use: str
    options: Mapping[str, Any]
    digests: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """The edge scores of systems, or why there is none."""

    found: Mapping[str, Speed]
    why: Mapping[str, str]
    says: str
    """On what, against what."""

    unmatched: tuple[str, ...]
    """Models that are no system of the runs."""

    shares: Mapping[str, float]
    """System to the share of its cores that it had meanwhile."""


def read_speeds(paths: Sequence[Path], systems: Mapping[str, Loaded]) -> Speeds:
    """Return the edge score of each system that one of the files measured.

    A model is a system when every file that it loaded is one of the system's, in the same runtime and
    precision.  What a score leaves open is drawn from its interval: half of a normal distribution on either
    side, independent of all else.

    Raises ``DataError`` A200 for a file that ``assay lm edge`` did not write; ``PlanError`` A104 where files are of
    other machines, references or lengths, or measured one system twice.
    """
    read = [(path, _read(path)) for path in paths]
    for path, one in read[1:]:
        _require_alike(read[0], (path, one))
    found: dict[str, Speed] = {}
    why: dict[str, str] = {}
    home: dict[str, Path] = {}
    shares: dict[str, float] = {}
    unmatched = []
    for path, one in read:
        for model in one.models:
            whose = [name for name, loaded in systems.items() if _is(model, loaded)]
            if not whose:
                unmatched.append(f"{model.model}, {model.runtime}")
            for name in whose:
                if name in home:
                    raise PlanError(
                        f"{name} was measured twice: in {home[name].name} and in {path.name}",
                        where="--edge",
                        hint="give one measurement of each model",
                        code="A104",
                    )
                home[name] = path
                shares |= {} if model.share is None else {name: model.share}
                speed = _speed(model, one.repeats)
                if isinstance(speed, Speed):
                    found[name] = speed
                else:
                    why[name] = speed
    return Speeds(
        found=found,
        why=why,
        says=_says(read[0][1]) if read else "",
        unmatched=tuple(unmatched),
        shares=shares,
    )


def _read(path: Path) -> _Found:
    hint = "write one with assay lm edge MODEL --profile cpu-2 --out FILE"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise DataError(f"the file cannot be read: {reason}", where=str(path), hint=hint) from None
    try:
        return _Found.model_validate(json.loads(text))
    except (ValueError, RecursionError) as error:
        place = ""
        if isinstance(error, ValidationError):
            place = f": {'.'.join(map(str, error.errors()[0]['loc']))}"
        raise DataError(
            f"this is not what assay lm edge writes{place}", where=str(path), hint=hint
        ) from None


def _require_alike(one: tuple[Path, _Found], other: tuple[Path, _Found]) -> None:
    (first, ours), (second, theirs) = one, other
    for what, here, there in (
        ("machines", ours.machine, theirs.machine),
        ("numbers of tokens in", ours.prompt, theirs.prompt),
        ("numbers of tokens out", ours.generate, theirs.generate),
        ("numbers of threads", ours.threads, theirs.threads),
        ("references", ours.profile, theirs.profile),
    ):
        if here != there:
            said = (
                f" ({ours.machine.cpu}, {ours.machine.cpus_usable} core(s); "
                f"{theirs.machine.cpu}, {theirs.machine.cpus_usable} core(s))"
                if what == "machines"
                else ""
            )
            raise PlanError(
                f"{first.name} and {second.name} are of different {what}{said}: they are not compared",
                where="--edge",
                hint="measure all models on one machine, in one call of assay lm edge",
                code="A104",
            )


def _is(model: _Model, loaded: Loaded) -> bool:
    digests = {file.digest for file in model.files}
    same = _RUNTIMES.get(loaded.use) == model.runtime and digests and digests <= loaded.digests
    precise = loaded.options.get("dtype", "float32") == (model.dtype or "float32")
    return bool(same and precise)


def _speed(model: _Model, repeats: int) -> Speed | str:
    if model.score is None:
        return "it was measured without a reference: name one with --profile"
    if model.score.total is None:
        return model.score.why
    total = model.score.total
    name = "\n".join(sorted(file.digest for file in model.files)) + model.runtime
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_normal(RESAMPLES) / _SURE
    reach = np.where(drawn < 0, total.value - total.low, total.high - total.value)
    draws = np.clip(total.value + drawn * reach, 0, 100) / 100
    return Speed(value=total.value / 100, draws=Draws(draws, draws, draws), n=repeats)


def _says(found: _Found) -> str:
    named = "no reference" if found.profile is None else f"against {found.profile.get('name')}"
    here = found.machine
    return (
        f"{here.cpu}, {here.cpus_usable} core(s), {found.threads} thread(s), {found.prompt} tokens in and "
        f"{found.generate} out, {named}"
    )
