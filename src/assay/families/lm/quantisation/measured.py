"""What ``assay lm edge`` measured of a model, found again by the digests of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from assay import DataError


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Number(_Loose):
    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""


class _Numbers(_Loose):
    prompt_per_s: _Number
    decode_per_s: _Number


class _File(_Loose):
    digest: str


class _Model(_Loose):
    model: str
    runtime: str
    dtype: str | None = None
    files: tuple[_File, ...]
    not_measured: str | None = None
    peak_bytes: int | None = None
    numbers: _Numbers | None = None


class _Edge(_Loose):
    date: str
    threads: int
    prompt: int
    generate: int
    machine: Mapping[str, Any]
    models: tuple[_Model, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Tokens a second with its interval; None where it has no end."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Speed and memory of one model in one runtime."""

    digests: frozenset[str]
    runtime: str
    dtype: str | None
    prompt: Rate | None
    decode: Rate | None
    peak_bytes: int | None
    why: str
    """Why it, or a rate of it, was not measured; empty when all was."""

    says: str
    """Where and how: file, date, machine, lengths."""


def read_edge(path: Path) -> list[Edge]:
    """Read what ``assay lm edge --out`` wrote.  Raises ``DataError`` A200 for any other file."""
    try:
        found = _Edge.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise _unread(path, f"the file cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        what = "it is not what `assay lm edge --out` writes"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            what += f": {'.'.join(map(str, first['loc'])) or 'it'}: {first['msg'].lower()}"
        raise _unread(path, what) from None
    says = (
        f"{path.name}, {found.date}, {found.machine.get('cpu', 'an unknown processor')}, "
        f"{found.threads} thread(s), {found.prompt} tokens in and {found.generate} out"
    )
    return [_edge(model, says) for model in found.models]


def _edge(model: _Model, says: str) -> Edge:
    numbers = model.numbers
    return Edge(
        digests=frozenset(file.digest for file in model.files),
        runtime=model.runtime,
        dtype=model.dtype,
        prompt=None if numbers is None else _rate(numbers.prompt_per_s),
        decode=None if numbers is None else _rate(numbers.decode_per_s),
        peak_bytes=model.peak_bytes,
        why=model.not_measured or ("" if numbers is None else _no_rate(numbers)),
        says=says,
    )


def _no_rate(numbers: _Numbers) -> str:
    """Return why one of the rates is not there; empty when both are."""
    for each in (numbers.prompt_per_s, numbers.decode_per_s):
        if each.value is None:
            return each.method.removeprefix("undefined: ") or "the file does not say why"
    return ""


def _rate(number: _Number) -> Rate | None:
    if number.value is None:
        return None
    return Rate(value=number.value, low=number.low, high=number.high)


def find(
    measured: Sequence[Edge], *, digests: frozenset[str], runtime: str, dtype: str | None
) -> Edge | None:
    """Return what was measured of the very files, in the same runtime and precision; None for nothing."""
    for edge in measured:
        same = edge.digests and edge.digests <= digests and edge.runtime == runtime
        if same and (runtime != "transformers" or edge.dtype == dtype):
            return edge
    return None


def _unread(path: Path, what: str) -> DataError:
    return DataError(
        what, where=str(path), hint="write it by `assay lm edge ... --out FILE`", code="A200"
    )
