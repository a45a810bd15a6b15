"""``assay init``: a plan to begin with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..core.errors import PlanError, RunError
from .page import Line, Page, columns, faint, strong

if TYPE_CHECKING:
    from .draft import Draft, Job

FIRST = "first"


def init(
    name: str = "",
    /,
    *,
    source: Annotated[Path | None, Parameter(name="--from")] = None,
    job: str = "",
    labels: str = "",
    out: Path = Path(),
    prompt: str = "prompt",
    label: str = "label",
) -> Page:
    """Write a plan: for a job that you describe, from a CSV file of yours, or a small one that shows every part.

    At a terminal, without any of these, it asks what the job is.  With a job it writes a plan and a CSV
    file to fill in.  Nothing that exists is overwritten.

    Args:
        name: What the plan is called; its file is NAME.yaml.
        source: A CSV or JSON Lines file with your prompts and their labels.  An empty label, or
            `none`, says that the right answer is to decline.  A column `group` says which prompts
            belong together; without one, prompts that are nearly alike do.
        job: What the job is, in a sentence, where there is no file yet.
        labels: The labels that a request can have, with commas between them.
        out: The folder to write it to.
        prompt: The column that holds the prompts.
        label: The column that holds the labels.
    """
    from .draft import draft_example, draft_from
    from .interview import ask_job, can_ask, name_of

    asked = _job(job, labels, source)
    if asked is None and not (source or name) and can_ask():
        asked = ask_job()
    if asked is not None:
        return _begin(asked, name or name_of(asked.says), out)
    name = name or (_name_of(source) if source else FIRST)
    path = out / f"{name}.yaml"
    _check_target(name, path)
    made = draft_from(source, path, prompt=prompt, label=label) if source else draft_example(name)
    _write(path, made.text)
    return _page(path, made)


def _job(job: str, labels: str, source: Path | None) -> Job | None:
    """Return the job that the options describe; None where they describe none."""
    from .draft import Job
    from .failures import usage
    from .interview import WrongAnswerError, labels_of

    if not (job or labels):
        return None
    if source is not None:
        raise usage("--job and --labels are for a job without a file", "leave them out with --from")
    if not (job and labels):
        given, missing = ("--job", "--labels") if job else ("--labels", "--job")
        raise usage(f"{given} needs {missing}", 'as --job "Route tickets" --labels billing,bug')
    try:
        return Job(says=job, labels=labels_of(labels))
    except WrongAnswerError as error:
        raise usage(f"--labels: {error}", "as --labels billing,bug,question") from None


def _begin(job: Job, name: str, out: Path) -> Page:
    """Write a plan and a file to fill in."""
    from .draft import draft_job, template_of

    path, data = out / f"{name}.yaml", out / f"{name}.csv"
    _check_target(name, path)
    if data.exists():
        raise _exists(data)
    made = draft_job(job, path, data)
    _write(data, template_of(job))
    _write(path, made.text)
    lines: list[Line] = [
        strong(f"Wrote {path} and {data}"),
        "",
        "Fill in the file: a request in each line, its label, and the same group for requests that are alike.",
        f"Replace the {len(job.labels) + job.has_none} lines that are there.",
        "Four groups of each label are the least; `assay plan` says what so many could show.",
        *(faint(note) for note in made.notes),
        "",
        "Next",
        *columns(
            [
                (f"assay plan {_quoted(path)}", "what it asks, and what it could show"),
                (f"assay run {_quoted(path)}", "ask, judge, seal, report"),
            ]
        ),
    ]
    facts: dict[str, Any] = {
        "plan": str(path),
        "data": str(data),
        "labels": list(job.labels),
        "notes": list(made.notes),
    }
    return Page(lines=lines, facts=facts)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise RunError(
            f"it cannot be written: {error.strerror}",
            where=str(path),
            hint="name a folder of yours with --out",
        ) from None


def _check_target(name: str, path: Path) -> None:
    from ..store.outputs import check_output
    from ..store.rundir import NAME

    if not NAME.fullmatch(name):
        raise PlanError(
            f"a plan cannot be called {name!r}",
            hint="use letters, digits, dot, dash and underscore, at most 80 of them",
            code="A106",
        )
    check_output("--out", path)
    if path.exists():
        raise _exists(path)


def _exists(path: Path) -> PlanError:
    return PlanError(
        "the file exists already; it is left as it is",
        where=str(path),
        hint="give another NAME, or another folder with --out",
        code="A106",
    )


def _name_of(source: Path) -> str:
    """Return a plan's name after a file.

    >>> _name_of(Path("my tickets (2).csv")), _name_of(Path("データ.csv"))
    ('my-tickets-2', 'mine')
    """
    return re.sub(r"[^A-Za-z0-9._+]+", "-", source.stem).strip("-._+")[:80] or "mine"


def _page(path: Path, made: Draft) -> Page:
    lines: list[Line] = [strong(f"Wrote {path}")]
    if made.found:
        lines += ["", "What the file holds", *columns(list(made.found.items()))]
    lines += ["", *(faint(note) for note in made.notes)] if made.notes else []
    lines += [
        "",
        "Next",
        *columns(
            [
                (f"assay plan {_quoted(path)}", "what it asks, and what it could show"),
                (f"assay run {_quoted(path)}", "ask, judge, seal, report"),
            ]
        ),
    ]
    facts: dict[str, Any] = {
        "plan": str(path),
        "found": dict(made.found),
        "notes": list(made.notes),
    }
    return Page(lines=lines, facts=facts)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
