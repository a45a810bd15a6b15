"""What this machine has, and what is missing: each finding says what to do."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from ..core.errors import AssayError, PlanError
from ..core.system import Loads, Recipe
from ..store.machine import git, machine
from .plan import load_plan
from .plugins import known, make_recipe
from .sandbox.bubblewrap import bubblewrap

DISTRIBUTION = "assay-eval"
LEAST_PYTHON = (3, 11)
LEAST_DISK_MB = 500


class Health(StrEnum):
    """How a finding stands."""

    OK = "ok"
    NOTE = "note"
    """Missing, and nothing that you have asked for needs it."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that was looked at."""

    group: str
    name: str
    health: Health
    found: str
    hint: str = ""


def examine(plans: Sequence[Path], folder: Path) -> list[Symptom]:
    """Look at the machine, at every extra, and at what the named plans need.

    ``folder`` is where runs would be written.
    """
    needed: set[str] = set()
    of_plans = [s for path in plans for s in _plan(path, needed)]
    return [*_machine(folder), *_extras(needed), *_model_files(), *of_plans]


def _machine(folder: Path) -> Iterator[Symptom]:
    facts = machine()
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info[:2] >= LEAST_PYTHON
    yield _look(
        "python", f"{version} ({sys.executable})", ok=new_enough, hint="install Python 3.11"
    )
    yield _look("assay", metadata.version(DISTRIBUTION))
    yield _look("cores", f"{facts['cpus_usable']} usable of {facts['cpus']}, {facts['cpu']}")
    memory = facts["memory_mb"]
    yield _look("memory", f"{memory:,} MB" if isinstance(memory, int) else "unknown")
    gpus = facts["gpus"]
    shown = ", ".join(map(str, gpus)) if isinstance(gpus, list) and gpus else "none; none is needed"
    yield _look("gpu", shown)
    free = shutil.disk_usage(folder).free // 2**20
    yield _look(
        "disk", f"{free:,} MB free", ok=free >= LEAST_DISK_MB, hint="free some space, or use --out"
    )
    writes = _can_write(folder)
    yield _look(
        "folder",
        f"{folder.resolve()} {'can' if writes else 'cannot'} be written",
        ok=writes,
        hint="change to a folder of yours, or use --out",
    )
    commit = git(folder)
    if commit:
        changed = " with changes" if commit["dirty"] else ""
        yield _look("git", f"{str(commit['commit'])[:12]}{changed}: recorded with every run")
    else:
        found = "no repository here: runs will not record a commit"
        yield Symptom(group="machine", name="git", health=Health.NOTE, found=found)
    yield _sandbox()
    yield _look("network", "not needed: nothing is downloaded while a plan runs")


def _sandbox() -> Symptom:
    held = bubblewrap()
    if isinstance(held, str):
        return Symptom(
            group="machine",
            name="sandbox",
            health=Health.NOTE,
            found=f"none works: {held}; answers that are programs will not be run",
        )
    return _look("sandbox", f"{held.name} ({held.program}), tried just now")


def _look(name: str, found: str, *, ok: bool = True, hint: str = "") -> Symptom:
    health = Health.OK if ok else Health.MISSING
    return Symptom(group="machine", name=name, health=health, found=found, hint="" if ok else hint)


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _extras(needed: set[str]) -> Iterator[Symptom]:
    """One line per extra: what it brings, which versions, how to install it."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    for line in metadata.requires(DISTRIBUTION) or []:
        if match := re.fullmatch(r"([\w.-]+)([^;]*);\s*extra == ['\"]([\w-]+)['\"]", line.strip()):
            wanted.setdefault(match[3], []).append((match[1], match[2].strip()))
    for extra, packages in sorted(wanted.items()):
        have: list[str] = []
        lack: list[str] = []
        for package, least in packages:
            version = _version(package)
            good = version is not None and _is_at_least(version, least)
            (have if good else lack).append(f"{package} {version or 'absent'}")
        health = Health.OK if not lack else Health.MISSING if extra in needed else Health.NOTE
        found = ", ".join(have) if not lack else f"missing: {', '.join(lack)}"
        hint = f"pip install 'assay-eval[{extra}]'" if lack else ""
        yield Symptom(group="extras", name=extra, health=health, found=found, hint=hint)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _is_at_least(version: str, wanted: str) -> bool:
    """Whether a version satisfies ``>=x.y``; anything else is taken for good.

    >>> _is_at_least("1.9.1", ">=1.10"), _is_at_least("2.0", ">=1.10")
    (False, True)
    """
    least = re.search(r">=\s*([\d.]+)", wanted)
    return least is None or _numbers(version) >= _numbers(least[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:4])


def _model_files() -> Iterator[Symptom]:
    """Every recipe that names its files and needs no option."""
    for name in sorted(known("assay.recipes")):
        try:
            recipe = make_recipe(name, {}, where=name, base=Path.cwd())
        except PlanError:
            continue  # it needs options: plans name its files
        except AssayError as error:
            yield _absent(name, error, Health.NOTE)
            continue
        yield from _files(name, recipe, Health.NOTE)


def _files(name: str, recipe: Recipe, worst: Health) -> Iterator[Symptom]:
    if not isinstance(recipe, Loads):
        return
    try:
        files = recipe.loads()
    except AssayError as error:
        yield _absent(name, error, worst)
        return
    for file in files:
        told = f"{file.kind} {file.digest[:19]}… {file.size / 2**20:,.1f} MB"
        source = f" from {file.source}" if file.source else ""
        yield Symptom(group="models", name=name, health=Health.OK, found=told + source)


def _absent(name: str, error: AssayError, health: Health) -> Symptom:
    return Symptom(
        group="models",
        name=name,
        health=health,
        found=f"{error.code} {error.what}",
        hint=error.hint,
    )


def _plan(path: Path, needed: set[str]) -> Iterator[Symptom]:
    """Whether every system of a plan could be built here; notes which extras are needed."""
    try:
        plan = load_plan(path).plan
    except AssayError as error:
        yield _of_plan(path, Health.MISSING, f"{error.code} {error.what}", error.hint)
        return
    lacking = []
    for system in plan.systems:
        if system.of is not None:
            continue  # it has another one's replies, which is looked at under its own name
        try:
            base = path.resolve().parent
            recipe = make_recipe(system.use, system.options, where=system.name, base=base)
            if isinstance(recipe, Loads):
                recipe.loads()
        except AssayError as error:
            lacking.append(error)
            if match := re.search(r"assay-eval\[([\w-]+)\]", error.hint):
                needed.add(match[1])
            yield _of_plan(path, Health.MISSING, f"{system.name}: {error.what}", error.hint)
    if not lacking:
        yield _of_plan(path, Health.OK, f"its {len(plan.systems)} systems can be built here")


def _of_plan(path: Path, health: Health, found: str, hint: str = "") -> Symptom:
    return Symptom(group="plans", name=os.fspath(path), health=health, found=found, hint=hint)
