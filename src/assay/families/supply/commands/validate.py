"""``assay model validate``: whether a converted file says what its source says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from assay.pages import Page, progress, wrong_option
from assay.progress import telling


def validate(
    file: Path,
    /,
    *,
    against: Path,
    limit: Annotated[list[str] | None, Parameter(negative="")] = None,
    prompts: Path | None = None,
    positions: int | None = None,
    run: Literal["transformers", "llama.cpp"] | None = None,
    task: Path | None = None,
) -> Page:
    """Compare a model file with its source, tensor by tensor and answer by answer; exit 1 when refused.

    Every number is printed beside its limit, and FILE.passport.json says all of it.

    Parameters
    ----------
    file
        The converted file, or a model folder.
    against
        What it was made of: a file or a model folder.
    limit
        NAME=NUMBER, or NAME=none; any number of times.
    prompts
        A YAML file with texts of your own.
    positions
        Places of each text that are compared; all without it, 4 where llama.cpp runs.
    run
        What runs the file: llama.cpp for GGUF without it, else transformers.
    task
        A plan whose one task both are asked: flips of right and wrong answers are counted.
    """
    from ..agreeing.flips import Ask
    from ..agreeing.gate import How
    from ..agreeing.gate import validate as compare
    from ..agreeing.limits import limits_of
    from ..agreeing.passport import write_passport
    from ..agreeing.prompts import read_prompts

    if positions is not None and positions < 1:
        raise wrong_option("--positions", f"{positions} places of a text", "give 1 or more")
    limits = limits_of(limit or [])
    texts = read_prompts(prompts) if prompts is not None else None
    with telling() as teller:
        ask = Ask(plan=task, teller=teller) if task is not None else None
        how = How(prompts=texts, positions=positions, runner=run, task=ask, tell=progress)
        found = compare(file, against, limits=limits, how=how)
    written = write_passport(found)
    lines: list[str | tuple[str, ...]] = [("number", "value", "limit", "over")]
    lines += [
        (
            one.name if one.passed else f"{one.name} !",
            one.shown,
            "" if one.limit is None else f"{_WORDS[one.relation]} {one.limit:g}",
            f"{one.n} {one.of}",
        )
        for one in found.numbers
    ]
    if found.farthest and not found.accepted:
        worst = ", ".join(f"{name} {kl:.3g}" for name, kl in found.farthest)
        lines += ["", f"Farthest apart: {worst} (mean KL)"]
    lines.append("")
    if found.accepted:
        lines.append(f"Accepted: {file.name} says what {against.name} says.")
    else:
        lines += [f"A208 REFUSED: {reason}" for reason in found.reasons]
    if found.turned is not None:
        lines.append(f"Asked: {found.turned.task}; more: assay report {found.turned.run}")
    lines.append(f"Wrote {written.path}")
    return Page(
        lines=lines,
        facts={
            "path": str(written.path),
            "run": str(found.turned.run) if found.turned is not None else None,
            **written.passport.model_dump(mode="json"),
        },
        code=0 if found.accepted else 1,
    )


_WORDS = {"at_most": "at most", "at_least": "at least"}
