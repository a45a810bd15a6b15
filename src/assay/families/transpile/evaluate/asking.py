"""A task file as a task of a plan: what judges it, what it reads, how it is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import DataError

from ..taskfile import TaskFile, check_fields
from .rows import look


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line says beside tasks and systems."""

    corpus: Path | None = None
    samples: int | None = None
    runs: int | None = None
    folder: Path = Path("runs")
    """Where plans are written, and runs are made."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a task is asked: tasks of one way share a plan."""

    kind: str
    metric: str
    temperature: float
    max_tokens: int
    timeout_s: float
    runs: int
    context: int | None


def kind_of(file: TaskFile) -> tuple[str, str]:
    """Return what judges a task (compiler, label, text), and why where its file does not say."""
    truth = file.file.ground_truth
    if file.compiles:
        return "compiler", "" if truth.type else (
            "a template with {python_code} and accuracy alone: the compiler judges"
        )
    assert file.source is not None  # checked where the file is read
    try:
        seen = look(file.source, truth.label_key or "label")
    except DataError as error:
        raise DataError(
            error.what,
            where=file.read.where("ground_truth", "source"),
            hint=f"{file.source}: a relative path starts at the folder of the task file",
        ) from None
    if seen.rows:
        check_fields(file, [name for name in seen.members if name != truth.group_key])
    if truth.type is not None:
        return truth.type, ""
    if seen.lists:
        return "text", "a label is a list: answers are compared with texts (type: text)"
    names = {file.metric, *file.also}
    if names & {"bleu", "rouge_l"} or file.metric == "exact_match":
        return "text", f"{file.metric}: answers are compared with texts (type: text)"
    if "f1" not in names:
        return "label", ""
    counted = f"{seen.labels} different labels in {seen.rows} rows"
    if seen.closed:
        return "label", f"{counted}: f1 is macro-F1 over labels (type: label)"
    return "text", f"{counted}: f1 is that of shared words (type: text)"


def task_of(file: TaskFile, kind: str, wanted: Wanted) -> tuple[dict[str, Any], list[str]]:
    """Return a task as a plan has it, and what whoever reads its results has to know.

    Raises ``DataError`` A200 where the corpus is not there.
    """
    prompts, truth = file.file.prompts, file.file.ground_truth
    options: dict[str, Any] = {"system": prompts.system, "user": prompts.user_template}
    notes = []
    if kind == "compiler":
        use, corpus = "transpile.py2rs", wanted.corpus or file.source
        if corpus is None:
            notes.append("no corpus is given: the programs are those that assay ships")
        else:
            if not corpus.exists():
                where = file.read.where("ground_truth") if wanted.corpus is None else "--corpus"
                raise DataError(f"there is no {corpus}", where=where, hint="check the path")
            options["path"] = path_from(wanted.folder, corpus)
        if wanted.corpus is not None and file.source is not None:
            notes.append(f"--corpus takes the place of {truth.source}")
        if not truth.run_tests:
            notes.append(
                "run_tests: false: programs that compile decide; their tests run all the same"
            )
    else:
        use = "lm.labelled"
        assert file.source is not None
        options |= {
            "path": path_from(wanted.folder, file.source),
            "kind": kind,
            "metric": file.metric,
        }
        if truth.label_key is not None:
            options["label"] = truth.label_key
        if truth.group_key is not None:
            options["group"] = truth.group_key
        if file.also:
            options["also"] = list(file.also)
    limit = wanted.samples or file.file.evaluation.samples
    return {"use": use, "name": file.name, "options": options, "limit": limit}, notes


def way_of(file: TaskFile, kind: str, wanted: Wanted) -> Way:
    """Return how a task is asked; what the command line says goes before its file."""
    asked = file.file.inference
    metric: str = file.metric
    if kind == "compiler" and not file.file.ground_truth.run_tests:
        metric = "compile_rate"
    return Way(
        kind="compiler" if kind == "compiler" else "labelled",
        metric=metric,
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        timeout_s=file.timeout_s,
        runs=wanted.runs or file.runs,
        context=file.file.slm_optimization.context_length,
    )


def path_from(folder: Path, path: Path) -> str:
    """Return a path as a plan in that folder says it."""
    # The name itself may be a link to a file that is called otherwise.
    return os.path.relpath(path.parent.resolve() / path.name, folder.resolve())
