"""``assay perf compare``: what became faster or slower, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ..fitting import table
from ..page import Line, Page, Span, Style, faint

if TYPE_CHECKING:
    from ...publish.perf.compared import Compared, Comparison


def compare(
    before: Path,
    after: Path,
    /,
    *,
    across_machines: Annotated[bool, Parameter(negative="")] = False,
    clock: Literal["cpu", "wall"] = "cpu",
) -> Page:
    """Say of each benchmark how many times as long it takes: faster, slower, or it cannot be told.

    Args:
        before: The earlier file of `assay perf run`.
        after: The later one.
        across_machines: Compare measurements of different machines all the same.
        clock: Seconds of cpu, or of the wall clock, which other work disturbs more.
    """
    from ...publish.perf.compared import compare as beside
    from ...publish.perf.document import read

    found = beside(read(before), read(after), clock=clock, across=across_machines)
    return _page(found, before, after)


LOOKS = {"faster": Style.GOOD, "slower": Style.BAD, "cannot be told": Style.FAINT}


def _page(found: Comparison, before: Path, after: Path) -> Page:
    from ...publish.perf.contest import seconds

    rows: list[tuple[str | Span, ...]] = [
        ("", *map(faint, ("times as long", "95 %", "before", "after", "")))
    ]
    for one in found.rows:
        value, low, high = _ends(one)
        rows.append(
            (
                one.name,
                "" if value is None else f"{value:.3f}",
                one.found.method if low is None else f"[{low:.3f}, {high:.3f}]",
                seconds(one.then_s),
                seconds(one.now_s),
                Span(one.told.value, LOOKS[one.told.value]),
            )
        )
    lines: list[Line] = [f"{after} against {before}, {found.clock} time", *table(rows)]
    lines += [f"{name}: only before" for name in found.only_then]
    lines += [f"{name}: only after" for name in found.only_now]
    lines += [Span(f"{one}.", Style.UNSURE) for one in found.read_with]
    count = {word: sum(one.told.value == word for one in found.rows) for word in LOOKS}
    shown = [f"{name} {one.value:.3f}" for name, one in found.controls if one.value]
    told = f"; beyond what controls moved ({', '.join(shown)})" if shown else ""
    lines.append(faint(f"Faster and slower: after Holm over all of them{told}."))
    lines.append(
        f"{count['slower']} slower, {count['faster']} faster, of {len(found.rows)}; "
        f"of {count['cannot be told']} it cannot be told."
    )
    return Page(lines=lines, facts=_facts(found))


def _ends(one: Compared) -> tuple[float | None, float | None, float | None]:
    ends = one.found.interval()
    return (one.found.value, *(ends or (None, None)))


def _facts(found: Comparison) -> dict[str, Any]:
    return {
        "clock": found.clock,
        "benchmarks": [
            {
                "name": one.name,
                "told": one.told.value,
                **dict(zip(("ratio", "low", "high"), _ends(one), strict=True)),
                "before_s": one.then_s,
                "after_s": one.now_s,
                "method": one.found.method,
                "level": one.level,
            }
            for one in found.rows
        ],
        "controls": {name: one.value for name, one in found.controls},
        "drift": list(found.drift),
        "only_before": list(found.only_then),
        "only_after": list(found.only_now),
        "caveats": list(found.read_with),
    }
