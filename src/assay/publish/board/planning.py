"""A submission as the plan that measures it: each quantization a system, at a pinned revision."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ...core.errors import PlanError
from ...engine.plan import load_plan
from ..hostile import visible
from .looking import Seen
from .naming import system_name
from .places import Place, place_of
from .sent import Quantization, Submission
from .suites import Suite, suite_of

FETCHED = "fetched"
"""The folder beside a plan where its models lie."""

_RECIPES = {"gguf": "lm.gguf", "safetensors": "lm.transformers", "transformers": "lm.transformers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A quantization as a system, and where its files have to lie."""

    quantization: Quantization
    place: Place
    files: tuple[str, ...]
    """Names in the source; none stands for all that can be read."""

    folder: PurePosixPath
    """Beside the plan; files of the submission's own folder are put there, too."""

    use: str
    options: dict[str, Any]

    def fetch(self, beside: Path = Path()) -> str:
        """Return the command that brings the files, for a plan in the folder ``beside``."""
        named = [word for file in self.files for word in ("--file", file)]
        words = [
            "assay",
            "model",
            "fetch",
            self.place.source,
            *named,
            "--out",
            str(beside / self.folder),
        ]
        return shlex.join(words)


def systems_of(
    submission: Submission, suite: Suite, seen: Sequence[Seen] = ()
) -> tuple[Planned, ...]:
    """Return the systems of a submission; quantizations that nothing here asks (ONNX, encoders) are left out."""
    looked = {each.quantization: each for each in seen}
    made = []
    for each in submission.quantizations:
        use = _RECIPES.get(each.format)
        found = looked.get(each)
        if use is None or (found and found.weights and found.weights.writes is False):
            continue
        place = found.place if found else place_of(submission, each)
        folder = PurePosixPath(FETCHED, submission.id, system_name(each.name))
        model = folder
        if each.format == "gguf":
            model = folder / _file_name(place, found)
        elif place.file is not None:
            model = folder / place.file  # a folder of the repository, whose files keep their paths
        options: dict[str, Any] = {"model": str(model), **suite.options}
        if found and found.weights and found.weights.chats is False:
            options["chat"] = "plain"
        made.append(
            Planned(
                quantization=each,
                place=place,
                files=_files(each, place, found),
                folder=folder,
                use=use,
                options=options,
            )
        )
    return tuple(made)


def plan_of(
    submission: Submission, suite: str, *, seen: Sequence[Seen] = (), of: str = "a submission"
) -> str:
    """Return the plan that measures a submission with a suite, as YAML.

    ``seen`` is what a look at the sources found: commits for branches, and which models have no chat template.  Raises ``PlanError``
    A104 where nothing here runs any of its formats, A106 for a suite that does not exist.

    >>> q8 = Quantization(name="Q8_0", format="gguf", file="m.gguf")
    >>> sent = Submission(name="M", family="m", hf_repo="org/m", revision="0" * 40, parameters=10**6,
    ...     architecture="llama", quantizations=(q8,))
    >>> [line for line in plan_of(sent, "open").splitlines() if "--file" in line][0]
    '#   assay model fetch hf:org/m@0000000000000000000000000000000000000000 --file m.gguf --out fetched/m/q8_0'
    """
    asked = suite_of(suite)
    systems = systems_of(submission, asked, seen)
    if not systems:
        raise PlanError(
            "no quantization is one that a recipe here asks: ONNX and encoders are not",
            where=of,
            hint="add one in gguf or safetensors that writes text",
            code="A104",
        )
    plan = {
        "name": submission.id,  # by which `assay board add` knows whose run it is
        "says": f"{asked.says} Here: {submission.name}, suite {asked.name} {asked.version}",
        "seeds": [0],
        "tasks": list(asked.tasks),
        "systems": [
            {"name": system_name(each.quantization.name), "use": each.use, "options": each.options}
            for each in systems
        ],
        "timing": asked.timing,
        "claims": [],
    }
    return _head(submission, asked, systems, of) + _dumped(plan)


def bring(systems: Sequence[Planned], plan: Path, *, beside: Path) -> None:
    """Put the files of each system where the plan has them.  Raises what a repository's reader raises."""
    from .repository import reader_of

    for each in systems:
        source = each.place.source
        if each.place.scheme == "file":
            source = f"file:{(beside / source.removeprefix('file:')).absolute()}"
        reader_of(source).bring(source, each.files, plan.absolute().parent / each.folder)


def _files(each: Quantization, place: Place, found: Seen | None) -> tuple[str, ...]:
    if found is not None:
        return tuple(file.name for file in found.files)
    if place.file is not None and (each.format == "gguf" or place.scheme == "file"):
        return (place.file,)
    return () if place.file is None else (f"{place.file}/*",)


def _file_name(place: Place, found: Seen | None) -> str:
    """Return the name under which a single file is laid out."""
    if found is not None:
        return found.files[0].name
    if place.file is not None:
        return place.file
    last = PurePosixPath(place.source.partition("#")[2]).name
    return last.partition(".part")[0]  # parts that packages carry are joined under this name


def _head(submission: Submission, suite: Suite, systems: Sequence[Planned], of: str) -> str:
    asked = {each.quantization for each in systems}
    left = [each for each in submission.quantizations if each not in asked]
    floating = [each for each in systems if each.place.scheme == "hf" and each.place.commit is None]
    lines = [
        f"From {of} by `assay board plan`: suite {suite.name}, version {suite.version}.",
        "",
        "The files first, in the folder of this plan (`assay board plan ... --out PLAN --fetch` does it):",
        *(f"  {each.fetch()}" for each in systems),
        "then a smoke run, then what a board takes:",
        "  assay run PLAN --limit 5 --set timing.processes=0",
        "  assay run PLAN",
    ]
    if suite.needs:
        lines.append(f"These have to be set: {', '.join(suite.needs)}.")
    lines += [f"Left out: {each.name} ({each.format}), which no recipe here asks." for each in left]
    if floating:
        lines.append(
            "Not pinned: a branch is fetched as it is on that day, and no board takes the run."
        )
    return "".join(f"# {visible(line)}".rstrip() + "\n" for line in lines)


class _Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Flow,
    lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True),
)


def _dumped(plan: dict[str, Any]) -> str:
    flat = plan | {
        "tasks": [_Flow(each) for each in plan["tasks"]],
        "systems": [_Flow(each) for each in plan["systems"]],
        "timing": _Flow(plan["timing"]),
    }
    return yaml.dump(flat, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def check_plan(path: Path) -> None:
    """Read a plan that was written: what this module makes has to be one.  Raises ``PlanError``."""
    load_plan(path)
