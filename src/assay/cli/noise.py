"""``assay noise``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .failures import usage
from .fitting import table
from .page import Line, Page, Span, faint, strong

if TYPE_CHECKING:
    from ..analysis.noise import NoiseFloor, Rate
    from ..publish.flips import Flips
    from ..publish.vary import Varied


def noise(
    run: Path,
    /,
    *,
    trials: int = 300,
    margin: float = 0.01,
    task: str | None = None,
    metric: str | None = None,
    rerun: int = 0,
    vary: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    system: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
) -> Page:
    """Show what the records of a run can and cannot show: false alarms, planted losses, flips.

    Args:
        run: A run's folder.
        trials: Test sets drawn again for each line.
        margin: The margin of the gate that is tried out.
        task: Which task, where the run has several.
        metric: A share of questions; without it, the task's headline.
        rerun: Ask this many questions again under other batch sizes and thread counts.
        vary: Ask them again with something set otherwise, as batch=1,8,32; may be given again.
        system: With --vary: ask this one only; may be given again.
    """
    from ..pages import progress
    from ..publish.run import Run
    from ..publish.vary import facts_of, setups_of
    from ..publish.vary import vary as varied_of

    if trials < 20 or trials > 100_000:
        raise usage(f"--trials {trials} is not within 20 and 100,000", "300 is enough for a look")
    if not 0.0 <= margin < 1.0:
        raise usage(f"--margin {margin:g} is no share", "for example 0.01")
    if rerun < 0:
        raise usage(f"--rerun {rerun} is no number of questions", "for example --rerun 100")
    if vary:
        setups_of(vary)  # wrong words are told before anything is computed
    elif system:
        raise usage("--system says who is asked again with --vary", "give --vary, too")
    loaded = Run.load(run)
    floor = loaded.noise(metric, trials=trials, margin=margin, task=task)
    # What is varied is asked instead of the usual setups, not beside them.
    flips = loaded.flips(task=task, rerun=0 if vary else rerun)
    varied = (
        varied_of(
            loaded, vary, count=rerun or 100, task=task, systems=system or None, tell=progress
        )
        if vary
        else []
    )
    facts = {
        "run": str(run),
        "task": floor.task,
        "metric": floor.metric,
        "n": floor.n,
        "n_groups": floor.n_groups,
        "margin": floor.margin,
        "same_against_same": [
            {"system": s.system, "against": s.against, **_facts(s.alarms)} for s in floor.same
        ],
        "retrained": [
            # No interval: pairs that share a seed are no independent trials.
            {
                "system": r.system,
                "churn": r.churn,
                "count": r.called.count,
                "trials": r.called.trials,
            }
            for r in floor.retrained
        ],
        "planted": [
            {
                "system": p.system,
                "drop": p.drop,
                "churn": p.churn,
                "seen": _facts(p.seen),
                "stopped": _facts(p.stopped),
            }
            for p in floor.planted
        ],
        "flips": [
            {
                "system": f.system,
                "between": f.between,
                "flipped": f.flipped,
                "asked": f.asked,
                "per_1000": f.per_1000,
                "at_most_per_1000": None if f.at_most is None else 1000.0 * f.at_most,
            }
            for f in flips
        ],
        "varied": [facts_of(v) for v in varied],
    }
    lines = _floor_lines(floor)
    if flips or not varied:
        lines += ["", *_flip_lines(flips)]
    if varied:
        lines += ["", *_varied_lines(varied)]
    return Page(lines=lines, facts=facts)


def _facts(rate: Rate) -> dict[str, Any]:
    low, high = rate.ends
    return {"count": rate.count, "trials": rate.trials, "low": low, "high": high}


def _floor_lines(floor: NoiseFloor) -> list[Line]:
    from ..publish.words import label, percent

    lines: list[Line] = [
        strong(
            f"{floor.task}: {label(floor.metric)}, {floor.n:,} questions in {floor.n_groups:,} "
            f"group{'s' * (floor.n_groups != 1)}"
        ),
        "",
        "Nothing to find: names of two systems shuffled, group by group",
    ]
    rows: list[tuple[str | Span, ...]] = [tuple(map(faint, ("", "called different", "")))]
    rows += [
        (f"{s.system} / {s.against}", _rate(s.alarms), faint("5 % is promised")) for s in floor.same
    ]
    rows += [
        (f"{r.system}: seed / seed", f"{r.called.count} of {r.called.trials} pairs",
         faint(f"they differ on {percent(r.churn)} of the questions"))
        for r in floor.retrained
    ]  # fmt: skip
    lines += table(rows)
    lines += [
        "",
        f"A loss planted: how often it is seen, and how often a gate at {floor.margin:g} stops it",
    ]
    rows = [tuple(map(faint, ("", "lost", "compare says worse", "the gate stops it", "")))]
    for p in floor.planted:
        lost = percent(p.drop) if p.drop else "nothing"
        promised = "" if p.drop else faint("2.5 % is promised of compare")
        rows.append((p.system, lost, _rate(p.seen), _rate(p.stopped), promised))
    lines += table(rows)
    for system in dict.fromkeys(p.system for p in floor.planted):
        least = floor.visible(system)
        told = "none of these" if least is None else f"a loss of {percent(least)}"
        lines.append(f"{system}: {told} is seen at least four times in five.")
    return lines


def _flip_lines(flips: list[Flips]) -> list[Line]:
    from ..publish.words import spell

    if not flips:
        return [
            "Nothing was asked again: the run has one seed for each system, and no serial pass."
        ]
    lines: list[Line] = [strong("Asked again: flips per 1,000 answers")]
    rows: list[tuple[str | Span, ...]] = [
        tuple(map(faint, ("", "between", "flips", "at most", "")))
    ]
    for f in flips:
        bound = "-" if f.at_most is None else spell(1000.0 * f.at_most)
        rows.append(
            (f.system, f.between, spell(f.per_1000), bound, faint(f"{f.flipped:,} of {f.asked:,}"))
        )
    return [*lines, *table(rows), faint("At most: one-sided 95 %, over questions of this kind.")]


def _varied_lines(varied: list[Varied]) -> list[Line]:
    from ..publish.words import spell

    lines: list[Line] = [
        strong("Asked again, set otherwise: answers that are others than recorded")
    ]
    rows: list[tuple[str | Span, ...]] = [
        tuple(map(faint, ("", "set to", "per 1,000", "95 %", "", "scores moved by at most")))
    ]
    for v in varied:
        if v.why_not:
            rows.append((v.system, v.says, "-", "", faint(f"not asked: {v.why_not}")))
            continue
        ends = "-" if v.ends is None else f"[{', '.join(spell(1000.0 * e) for e in v.ends)}]"
        moved = ", ".join(f"{kind} {spell(most)}" for kind, most in sorted(v.moved.items()) if most)
        rows.append(
            (v.system, v.says, spell(1000.0 * v.changed / v.asked), ends,
             faint(f"{v.changed:,} of {v.asked:,}"), moved or ("nothing" if v.moved else "-"))
        )  # fmt: skip
    return [*lines, *table(rows)]


def _rate(rate: Rate) -> str:
    from ..publish.words import percent

    low, high = rate.ends
    # Of some hundred trials: more digits would be of the dice.
    return f"{percent(round(rate.value, 3))} [{percent(round(low, 3))}, {percent(round(high, 3))}]"
