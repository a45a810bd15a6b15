"""The folder of a bench: one plan, and the one run of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from assay import AssayError, PlanError, Run, load_plan, run

from .telling import Lines

_ELSEWHERE = "give another --out, or remove the folder"


def run_in(out: Path, plan: str, *, say: Callable[[str], None] | None) -> Run:
    """Run a plan in its folder, or go on with a run of it that was stopped.

    Raises what ``claim`` and ``assay.run`` raise; ``AssayError`` A502 when a person interrupts it.
    """
    path = claim(out, plan)
    try:
        return run(load_plan(path), out=out / "run", teller=None if say is None else Lines(say))
    except KeyboardInterrupt:
        raise AssayError(
            "interrupted; every reply so far is kept",
            where=str(out),
            hint="the same command goes on where it was",
            code="A502",
        ) from None


def claim(out: Path, plan: str) -> Path:
    """Write a plan into a folder and return its path; the run of it goes to ``run`` beside it.

    A plan under which nothing was asked yet is replaced: whoever mistyped an option mends it and
    goes on.  Raises ``PlanError`` A106 where the folder is a file, or holds something else.
    """
    path = out / "plan.yaml"
    if out.exists() and not out.is_dir():
        raise PlanError(
            "--out names a file", where=str(out), hint="name a folder that may be made", code="A106"
        )
    if path.exists() and not path.is_file():
        raise PlanError("this is no plan", where=str(path), hint=_ELSEWHERE, code="A106")
    held = path.read_text("utf-8", errors="replace") if path.exists() else plan
    if held != plan and ((out / "run").exists() or not _is_ours(held)):
        raise PlanError(
            "this folder holds a run of something else: another mapper, other prompts or options",
            where=str(path),
            hint=_ELSEWHERE,
            code="A106",
        )
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(plan, "utf-8")
    return path


def _is_ours(text: str) -> bool:
    """Whether a plan is written as a bench writes it, in JSON: what people write is kept."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
