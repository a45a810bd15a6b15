"""The table of precisions: for people at a terminal, for programs, and in the words of reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from assay import Estimate
from assay.estimates import facts as estimate_facts
from assay.progress import sized

from .flips import Flips
from .measured import Rate
from .rows import KL, KL_P99, TOP1, Line, OnTask, Quantised

Said: TypeAlias = "str | tuple[str, ...]"
BLANK = ""

TAKES = ("", "runs in", "on disk", "memory", "prompt/s", "decode/s")
OTHERWISE = ("", "KL mean", "KL p99", "top-1", "right->wrong", "wrong->right", "changed")
WHOLE = (*TAKES, *OTHERWISE[1:])
ON_A_TASK = ("", "score", "difference", "right->wrong", "wrong->right", "changed", "s a question")
LEGEND = (
    "Flips are per 1,000 questions, against the reference; changed: those, and other answers that are no "
    "better or worse. Brackets: 95 %, over questions of this kind; without them, of these questions only."
)


def lines(found: Quantised) -> Iterator[Said]:
    """Yield what people read: the table, each task, and what is blank and why."""
    yield f"Reference: {found.reference}"
    yield ""
    # One table would be wider than most terminals; the report has it in one.
    yield "What it takes"
    yield TAKES
    for line in found.lines:
        yield whole(line)[: len(TAKES)]
    yield ""
    yield otherwise(found)
    yield OTHERWISE
    for line in found.lines:
        yield (line.system, *whole(line)[len(TAKES) :])
    for task in found.tasks:
        yield ""
        first = found.lines[0].tasks[task]
        yield f"{task}: {first.metric}, {first.score.n} questions in {first.score.n_groups} groups"
        yield ON_A_TASK
        for line in found.lines:
            yield (line.system, *on_task(line.tasks[task]))
    yield ""
    yield LEGEND
    yield from found.says
    yield from blanks(found)


def otherwise(found: Quantised) -> str:
    """Return the title of what systems answer otherwise, with how much they were asked."""
    flips = next((line.flips for line in found.lines if line.flips is not None), None)
    kl = found.lines[0].kl.get(KL)
    asked = [
        "" if kl is None else f"KL and top-1 at {kl.n} places of {kl.n_groups} texts",
        ""
        if flips is None
        else f"flips on {flips.lost.n} questions in {flips.lost.n_groups} groups",
    ]
    return "; ".join(["What it answers otherwise", *filter(None, asked)])


def whole(line: Line) -> tuple[str, ...]:
    """Return a system's row of the table of all tasks."""
    return (
        line.system,
        line.runs,
        sized(line.size),
        BLANK if line.peak_bytes is None else sized(line.peak_bytes),
        _rate(line.prompt),
        _rate(line.decode),
        *(number(line.kl[name]) if line.kl else BLANK for name in (KL, KL_P99, TOP1)),
        *_flips(line.flips),
    )


def on_task(one: OnTask) -> tuple[str, ...]:
    """Return a system's row of the table of one task, without its name."""
    return (
        number(one.score),
        BLANK if one.difference is None else number(one.difference, signed="+"),
        *_flips(one.flips),
        number(one.latency),
    )


def blanks(found: Quantised) -> Iterator[str]:
    """Yield why cells are blank, systems of one reason together."""
    why: dict[str, list[str]] = {}
    for line in found.lines:
        for lack in line.lacks:
            why.setdefault(lack, []).append(line.system)
    for lack, systems in why.items():
        every = len(systems) == len(found.lines)
        yield f"Blank: {lack}" + ("." if every else f" ({', '.join(systems)}).")


def per_1000(share: Estimate) -> Estimate:
    """Return a share as a count per 1,000."""
    ends = [None if end is None else 1000 * end for end in (share.low, share.high)]
    value = None if share.value is None else 1000 * share.value
    return replace(share, value=value, low=ends[0], high=ends[1])


def number(estimate: Estimate, *, signed: str = "") -> str:
    """Return a number and its interval, short.

    >>> number(Estimate(metric="a", value=0.5, low=0.41, high=0.592, over=frozenset({"samples"})))
    '0.5 [0.41, 0.59]'
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None:
        return BLANK
    if low is None or high is None:
        return f"{value:{signed}.3g}"
    return f"{value:{signed}.3g} [{low:{signed}.2g}, {high:{signed}.2g}]"


def _flips(flips: Flips | None) -> tuple[str, ...]:
    if flips is None:
        return (BLANK,) * 3
    return tuple(_counted(per_1000(each)) for each in (flips.lost, flips.gained, flips.changed))


def _counted(estimate: Estimate) -> str:
    """Return a count per 1,000: whole, but for small ones."""
    found = (estimate.value, estimate.low, estimate.high)
    value, low, high = ("" if x is None else f"{x:.0f}" if x >= 10 else f"{x:.2g}" for x in found)
    return f"{value} [{low}, {high}]" if low and high else value


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return BLANK
    if rate.low is None or rate.high is None:
        return f"{rate.value:.3g}"
    return f"{rate.value:.3g} [{rate.low:.3g}, {rate.high:.3g}]"


def facts(found: Quantised) -> dict[str, Any]:
    """Return plain values; what is not measured is null."""
    return {
        "reference": found.reference,
        "systems": [_line_facts(line) for line in found.lines],
        "says": list(found.says),
    }


def _line_facts(line: Line) -> dict[str, Any]:
    return {
        "system": line.system,
        "runs": line.runs,
        "files": list(line.files),
        "size": line.size,
        "peak_bytes": line.peak_bytes,
        "prompt_per_s": _rate_facts(line.prompt),
        "decode_per_s": _rate_facts(line.decode),
        "kl": {name: estimate_facts(each) for name, each in line.kl.items()} or None,
        "flips": _flip_facts(line.flips),
        "tasks": {task: _task_facts(one) for task, one in line.tasks.items()},
        "lacks": list(line.lacks),
    }


def _task_facts(one: OnTask) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "score": estimate_facts(one.score),
        "difference": None if one.difference is None else estimate_facts(one.difference),
        "flips": _flip_facts(one.flips),
        "latency_mean": estimate_facts(one.latency),
    }


def _flip_facts(flips: Flips | None) -> dict[str, Any] | None:
    if flips is None:
        return None
    return {
        "right_to_wrong": estimate_facts(flips.lost),
        "wrong_to_right": estimate_facts(flips.gained),
        "answer_changed": estimate_facts(flips.changed),
    }


def _rate_facts(rate: Rate | None) -> dict[str, float | None] | None:
    return None if rate is None else {"value": rate.value, "low": rate.low, "high": rate.high}
