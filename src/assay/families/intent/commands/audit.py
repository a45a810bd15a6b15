"""``assay intent audit`` and ``assay intent split``: what a data set is worth, and a split that holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from assay.pages import Page, check_folder, check_seed, progress, wrong_option


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which columns of the file hold what."""

    prompt: str = "prompt"
    """Column of the prompts."""

    label: str = "label"
    """Column of the labels."""

    group: str | None = None
    """Column that says which prompts belong together; without it, prompts nearly alike do."""

    none: str = "none"
    """The label of prompts that have no answer; an empty label says the same."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What counts as alike."""

    alike: float = 0.8
    """Share of trigrams that near-duplicates have in common, numbers masked."""

    fillers: Path | None = None
    """A text file of words that were filled into templates, one a line: masked like numbers."""

    encoder: str | None = None
    """Also compare, vote and leave out with an encoder: minilm, or another of `assay intent train`."""

    close: float = 0.95
    """Cosine of the encoder from which two prompts tell of each other."""

    seed: int = 0
    """Draws folds, and the sample of a file with more rows than are compared."""


def audit(
    data: Path,
    /,
    *,
    where: Where | None = None,
    split: str | None = None,
    how: How | None = None,
    out: Annotated[Path | None, Parameter(name="--out")] = None,
) -> Page:
    """Say what is wrong with labelled prompts, how hard they are, and what may be called held out.

    Leaks between parts, labels that contradict each other, balance, ceiling, and how far methods
    that understand nothing get. Exit status 1 when a part must not be called held out.

    Parameters
    ----------
    data
        A CSV or JSON Lines file, packed (.gz) or not.
    split
        Column with the data set's own split.
    out
        Also write audit.json and report.md to this folder.
    """
    from ..audits.audit import Looks
    from ..audits.facts import audit_facts
    from ..audits.report import tell, verdict
    from ..table import Columns
    from .auditing import Asked, audit_file, write_audit

    where, how = where or Where(), how or How()
    for name, value in (("--alike", how.alike), ("--close", how.close)):
        if not 0 < value <= 1:
            raise wrong_option(
                name,
                f"{value:g} is not in (0, 1]",
                "1 finds what is the same; lower values find more",
            )
    check_seed(how.seed)
    check_folder(out)
    found = audit_file(
        Asked(
            path=data,
            columns=Columns(where.prompt, where.label, where.group, where.none, split),
            looks=Looks(alike=how.alike, close=how.close, seed=how.seed),
            fillers=how.fillers,
            encoder=how.encoder,
        ),
        say=progress,
    )
    lines: list[str | tuple[str, ...]] = []
    for part in tell(found):
        lines += [part.title, *part.says, *part.table, ""]
    if out is not None:
        files = write_audit(found, data.name, out)
        lines += [f"Wrote {' and '.join(map(str, files))}", ""]
    return Page(
        lines=[*lines, f"{verdict(found)}."],
        facts={"data": str(data), **audit_facts(found)},
        code=0 if found.sound else 1,
    )


def split(data: Path, /, *, out: Path, where: Where | None = None, seed: int = 0) -> Page:
    """Write a split of labelled prompts in which nothing that is learned from is asked again.

    Whole groups go to train, tune, calibration and test. The same file and seed give the same
    bytes. Nothing that exists is overwritten.

    Parameters
    ----------
    data
        A CSV or JSON Lines file, packed (.gz) or not.
    out
        The folder for split.csv and split.json.
    seed
        Draws the split.
    """
    from ..table import Columns
    from .auditing import divide_file

    check_seed(seed)
    check_folder(out)
    where = where or Where()
    columns = Columns(where.prompt, where.label, where.group, where.none)
    made = divide_file(data, columns, seed=seed, out=out)
    rows = [
        (
            split,
            f"{n:,} prompts",
            f"{made.groups[split]:,} groups",
            f"{made.labels[split]:,} labels",
        )
        for split, n in made.samples.items()
    ]
    written = made.files[0]
    return Page(
        lines=[
            f"Wrote {' and '.join(map(str, made.files))}",
            *rows,
            ("left out", f"{made.duplicates:,} duplicates"),
            f"In a plan: {{use: intent.csv, options: {{path: {written}, group: group, split: split}}}}",
        ],
        facts={
            "files": [str(file) for file in made.files],
            "seed": seed,
            "samples": dict(made.samples),
            "groups": dict(made.groups),
            "labels": dict(made.labels),
            "duplicates": made.duplicates,
        },
    )
