"""Reference profiles: what one named model took on one named machine, and who may be compared with it."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from assay import AssayError, PlanError
from assay.documents import read_yaml
from assay.pages import wrong_option

from .measuring import Setting

UNMEASURED = {"rtx4090": "an NVIDIA GeForce RTX 4090", "t4": "an NVIDIA T4"}
"""Profiles that people ask for, until somebody has measured such a machine with this command."""

QUIET = 0.9
"""Share of its cores from which on a model is taken to have had the machine for itself."""

_HOME = files(__package__) / "profiles"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileMachine(_Part):
    """What was measured on."""

    kind: Literal["cpu", "gpu"]
    name: str
    """Of the processor or the GPU."""

    cores: int = Field(ge=1)
    """Processor cores that could be used."""

    os: str
    load: list[float] | None = None
    """Load averages of 1, 5 and 15 minutes before it was measured."""


class ProfileValues(_Part):
    """The numbers that a score is made of: medians, and the most memory."""

    first_token_s: float = Field(gt=0)
    decode_per_s: float = Field(gt=0)
    peak_bytes: int = Field(gt=0)


class Profile(_Part):
    """One reference."""

    name: str
    source: str
    """How its numbers came about."""

    date: dt.date
    machine: ProfileMachine
    model: str
    sha256: list[str]
    """Of the files that were loaded."""

    runtime: Literal["transformers", "llama.cpp"]
    dtype: str | None = None
    """Of weights in memory; none where the file decides."""

    versions: dict[str, str]
    threads: int = Field(ge=1)
    prompt: int = Field(ge=2)
    generate: int = Field(ge=2)
    repeats: int = Field(ge=1)
    share: float = Field(ge=QUIET)
    """Of its cores: a model that waited for others is no reference."""

    values: ProfileValues


def profiles() -> list[str]:
    """Return the names of the profiles that were measured and come with this package.

    >>> profiles()
    ['cpu-2']
    """
    return sorted(p.name.removesuffix(".yaml") for p in _HOME.iterdir() if p.name.endswith(".yaml"))


def find_profile(named: str) -> Profile:
    """Return a profile by its name, or from a file that ``--save-profile`` wrote.

    Raises ``PlanError`` A106 for a name without measured numbers, A100 to A105 for a file that is none.
    """
    if named in profiles():
        with as_file(_HOME / f"{named}.yaml") as path:
            return _read(path)
    if named in UNMEASURED:
        raise wrong_option(
            "--profile",
            f"there is no measured reference for {named}: {UNMEASURED[named]} was never measured with "
            "this command, and numbers of other programs are no reference",
            "make one with --save-profile on such a machine, and name its file",
        )
    if Path(named).suffix not in {".yaml", ".yml"}:
        raise wrong_option(
            "--profile",
            f"there is no profile {named!r}",
            f"name a .yaml file of --save-profile{''.join(f', or {name}' for name in profiles())}",
        )
    return _read(Path(named))


def require_like(profile: Profile, setting: Setting, *, cores: int) -> None:
    """Raise ``PlanError`` A104 where a profile is of another kind of machine, or another question.

    What is measured here is processor cores, ``cores`` of them.
    """
    theirs = profile.machine
    if theirs.kind != "cpu":
        what = f"{profile.name} is a profile of a GPU ({theirs.name}), and this is measured on a processor"
        hint = "compare with a profile of a processor"
    elif theirs.cores != cores:
        what = (
            f"{profile.name} is a profile of {theirs.cores} processor cores, and here are {cores}"
        )
        hint = f"use {theirs.cores} cores, or make a profile of this machine with --save-profile"
    else:
        _require_same_question(profile, setting)
        return
    raise PlanError(
        f"{what}: numbers of different kinds of machine are not compared",
        where="--profile",
        hint=hint,
        code="A104",
    )


def require_quiet(share: float | None) -> None:
    """Raise ``PlanError`` A104 unless a model had its cores for itself: a slow reference flatters all.

    >>> require_quiet(0.97)
    """
    if share is None or share < QUIET:
        got = "an unknown share" if share is None else f"{share:.2f}"
        raise PlanError(
            f"the model had {got} of its cores, the rest went to others: that is no reference",
            where="--save-profile",
            hint="measure again when nothing else runs, with no more threads than cores",
            code="A104",
        )


def write_profile(path: Path, profile: Profile) -> None:
    """Write a profile as YAML.  Raises ``AssayError`` A500 where it cannot be written."""
    facts: dict[str, Any] = profile.model_dump(mode="json")
    facts["date"] = profile.date  # YAML has dates of its own
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=100)
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise AssayError(
            f"the profile cannot be written: {error.strerror or error}",
            where=str(path),
            hint="name a file in a folder of yours",
            code="A500",
        ) from error


def _read(path: Path) -> Profile:
    begins = "begin with `name:`; assay lm edge --save-profile writes one"
    return read_yaml(path, Profile, what="profile", begins=begins, page="docs/families/lm.md").value


def _require_same_question(profile: Profile, setting: Setting) -> None:
    for name in ("prompt", "generate", "threads"):
        theirs, ours = getattr(profile, name), getattr(setting, name)
        if theirs != ours:
            raise PlanError(
                f"{profile.name} was measured with --{name} {theirs}, and this is {ours}",
                where="--profile",
                hint=f"set --{name} {theirs}",
                code="A104",
            )
