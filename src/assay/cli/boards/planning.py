"""``assay board plan``: the plan that measures a submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...core.errors import PlanError
from ..failures import usage
from ..page import Page

if TYPE_CHECKING:
    from ...publish.board.checking import Checked

Flag = Annotated[bool, Parameter(negative="")]


def plan(
    file: Path,
    /,
    *,
    suite: str = "open",
    out: Path | None = None,
    fetch: Flag = False,
    offline: Flag = False,
) -> Page:
    """Write the plan that measures a submission: each quantization a system, at a pinned revision.

    Args:
        file: The submission, as models/submissions/my-model.yaml.
        suite: What is asked: open (needs no data and no network) or academic (needs $ASSAY_DATA).
        out: The plan's file.  Without it the plan is printed.
        fetch: Bring the model files, too, to where the plan has them; needs --out.
        offline: Ask nobody which commit a branch is now; models are then fetched as they are written.
    """
    from ...publish.board.checking import check
    from ...publish.board.planning import bring, check_plan, plan_of, systems_of
    from ...publish.board.suites import suite_of
    from ...store.outputs import check_output

    asked = suite_of(suite)
    if fetch and out is None:
        raise usage("--fetch puts models beside a plan that is a file", "name it with --out")
    if out is not None and (out.exists() and not out.is_file()):
        raise usage(f"--out {out} is a folder", "name a file, as plan.yaml")
    check_output("--out", out)
    checked = check(file, offline=offline)
    _require_valid(checked, file)
    sent = checked.submission
    assert sent is not None  # without errors there is one
    text = plan_of(sent, suite, seen=checked.seen, of=str(file))
    systems = systems_of(sent, asked, checked.seen)
    here = Path() if out is None else out.parent
    facts = {
        "suite": {"name": asked.name, "version": asked.version, "says": asked.says},
        "plan": text,
        "out": None if out is None else str(out),
        "fetch": [each.fetch(here) for each in systems],
        "systems": [each.quantization.name for each in systems],
        "fetched": fetch,
    }
    if out is None:
        return Page(lines=text.splitlines(), facts=facts)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    check_plan(out)
    if fetch:
        bring(systems, out, beside=file.parent)
    lines = [f"Wrote {out}: {len(systems)} system{'s' * (len(systems) != 1)}, {asked.says}"]
    if not fetch:
        lines += ["The models first:", *(f"  {each.fetch(here)}" for each in systems)]
    lines += [f"Try it: assay run {out} --limit 5 --set timing.processes=0"]
    return Page(lines=lines, facts=facts)


def _require_valid(checked: Checked, file: Path) -> None:
    """Raise ``PlanError`` A104 with the first error of a submission that has some."""
    errors = checked.of("error")
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        # Examples of several lines are for the check; what can be said in one is said here, too.
        own = errors[0].suggests if "\n" not in errors[0].suggests else ""
        raise PlanError(
            f"{errors[0].says}{more}",
            where=f"{file}:{errors[0].line}",
            hint=f"{f'{own}; ' if own else ''}`assay board check {file}` says everything",
            code="A104",
        )
