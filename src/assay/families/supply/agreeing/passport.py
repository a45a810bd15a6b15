"""What the gate found, written as a passport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path

from ..passport import (
    Asked,
    Changed,
    Named,
    Passport,
    Stated,
    Tasked,
    as_bytes,
    check_passport,
    passport_path,
    read_passport,
)
from .gate import Agreement
from .limits import as_facts
from .models import Model

__all__ = [
    "Passport",
    "Written",
    "as_bytes",
    "check_passport",
    "passport_of",
    "passport_path",
    "read_passport",
    "write_passport",
]
_VERSIONS = ("assay-eval", "torch", "transformers", "tokenizers", "xllamacpp", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A passport on disk."""

    path: Path
    passport: Passport


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
        task=_tasked(found),
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


def _tasked(found: Agreement) -> Tasked | None:
    if (turned := found.turned) is None:
        return None
    return Tasked(
        task=turned.task,
        version=turned.version,
        plan=turned.plan,
        use=turned.use,
        options=turned.options,
        outcomes=turned.outcomes,
    )


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
