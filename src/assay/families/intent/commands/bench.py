"""``assay intent bench``: how good a mapper is, at which threshold, beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from assay.pages import Page, check_seed, progress, wrong_option

if TYPE_CHECKING:
    from ..bench.measure import Bench


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked."""

    data: Path | None = None
    """A CSV or JSON Lines file of labelled prompts; without it, the DeFi requests of assay."""

    prompt: str = "prompt"
    """Column of the prompts."""

    label: str = "label"
    """Column of the labels."""

    group: str | None = None
    """Column that says which prompts belong together; without it, prompts nearly alike do."""

    split: str | None = None
    """Column with the data set's own split."""

    none: str = "none"
    """The label of prompts that have no answer; an empty label says the same."""

    leaks: Literal["error", "allow"] = "error"
    """error: refuse parts that share prompts; allow: use them, and say how much leaks."""

    seed: int = 0
    """Draws the split of the file: the seed that the mapper was trained with."""

    size: int = 5000
    """Test prompts, where no file is given."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How the answers are judged."""

    thresholds: str = "0.5,0.55,0.6,0.65,0.7,0.75,0.8,0.85,0.9,0.95"
    """Confidences to try, with commas; calibration picks one of them, the test does not."""

    max_risk: float = 0.05
    """Share of wrong answers that guaranteed thresholds keep, with 95 % confidence."""

    pick: Literal["worth", "guarantee"] = "worth"
    """worth: the most right answers less wrong ones; guarantee: the loosest that keeps --max-risk."""

    min_accuracy: float | None = None
    """Exit 1 unless accuracy at the pick is shown to be at least this."""


def bench(
    *,
    out: Path,
    mapper: Path | None = None,
    backend: Annotated[str, Parameter(name="--backend")] = "minilm",
    asked: Asked | None = None,
    judged: Judged | None = None,
) -> Page:
    """Ask a mapper and its rivals once, and say how good it is above each threshold.

    Writes the sealed run and, as views of it, summary.json, metrics.csv, rows_thr_*.csv, report.md.
    A bench that was stopped goes on where it was.  Exit status 1 below the minimum.

    Parameters
    ----------
    out
        The folder to write to.
    mapper
        A folder that `assay intent train` wrote; without it the backend is trained on the data.
    backend
        minilm, tfidf or keywords.
    """
    from ..bench.measure import Wanted, bench
    from ..bench.plan import Prompts, Subject
    from ..bench.views import write_views
    from ..tasks.defi import MOST

    asked, judged = asked or Asked(), judged or Judged()
    check_seed(asked.seed)
    if asked.data is None and not 1 <= asked.size <= MOST:
        raise wrong_option(
            "--size", f"{asked.size} is no number of test prompts", f"give 1 to {MOST}"
        )
    columns: dict[str, str | int] = {
        "prompt": asked.prompt,
        "label": asked.label,
        "none": asked.none,
    }
    columns |= {k: v for k, v in (("group", asked.group), ("split", asked.split)) if v}
    if asked.leaks != "error":
        columns["leaks"] = asked.leaks
    if asked.seed:
        columns["seed"] = asked.seed
    wanted = Wanted(
        thresholds=_numbers(judged.thresholds),
        max_risk=_share("--max-risk", judged.max_risk),
        guaranteed=judged.pick == "guarantee",
        min_accuracy=judged.min_accuracy
        if judged.min_accuracy is None
        else _share("--min-accuracy", judged.min_accuracy),
    )
    made = bench(
        Subject(backend=backend, mapper=mapper),
        Prompts(data=asked.data, columns=columns, size=asked.size),
        wanted,
        out=out,
        say=progress,
    )
    files = write_views(made, out)
    return page(made, files)


def page(made: Bench, files: list[Path]) -> Page:
    """Return what is said of a bench."""
    from assay.estimates import spell

    from ..bench.page import SHOWN, verdict
    from ..bench.views import summary

    lines: list[str | tuple[str, ...]] = [line.replace("**", "") for line in verdict(made)]
    lines += ["", ("threshold", *(SHOWN[m] for m in list(SHOWN)[:4]))]
    for point in made.offers.points:
        mark = " *" if point.threshold == made.offers.picked else ""
        cells = (spell(point.test[m]) for m in list(SHOWN)[:4])
        lines.append((f"{point.threshold:g}{mark}", *cells))
    shown = ", ".join(file.name for file in files if not file.name.startswith("rows_thr_"))
    lines += ["", f"Wrote {shown}, rows_thr_*.csv and the sealed run to {files[0].parent}"]
    return Page(lines=lines, facts=summary(made), code=0 if made.passed else 1)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or not all(0 <= number <= 1 for number in found):
        raise wrong_option(
            "--thresholds",
            f"{text!r} is no list of confidences",
            "numbers from 0 to 1 with commas: 0.5,0.6,0.7",
        )
    return found


def _share(option: str, value: float) -> float:
    if not 0 < value < 1:
        raise wrong_option(
            option,
            f"{value:g} does not lie between 0 and 1",
            "write a share, 0.85 say, not a percentage",
        )
    return value
