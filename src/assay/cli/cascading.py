"""``assay cascade``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import usage
from .fitting import starred, table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from ..analysis.cascade import Sweep
    from ..core.policy import Person
    from ..publish.run import Run

SHOWN = ("accuracy", "escalated", "usd_per_1k", "latency_p50", "latency_p95")


def cascade(
    run: Path,
    /,
    *,
    order: str | None = None,
    person: str | None = None,
    margin: float | None = None,
    task: str | None = None,
    prices: str | None = None,
    pick: int | None = None,
    output: Path | None = None,
) -> Page:
    """Show what asking systems in turn would have been worth, from the records alone.

    Args:
        run: A run's folder.
        order: Systems with commas between them, cheapest first; without it, the plan's cascades.
        person: USD or USD:RIGHT of a person who is asked last (0.05:0.98): dollars per question, and
            the share that the person gets right.
        margin: Pick the cheapest policy within this of the most accurate, on calibration
            records; without it, the margin of the plan's `ship`.
        task: Which task, where the run has several.
        prices: Another price table: a name (`assay ls prices`) or a .yaml file.
        pick: Write this policy, by its number, instead of the one that calibration picks.
        output: Write the policy to this file, which a plan can run (`use: policy`).
    """
    from ..publish.run import Run
    from ..store.outputs import check_output

    check_output("--output", output)
    if order is None and person is not None:
        raise usage("--person needs --order", "name the systems: --order small,large")
    who = None if person is None else _person(person)
    loaded = Run.load(run)
    if order is None and margin is not None:
        raise usage(
            "--margin needs --order", "the cascades of a plan are picked at its `ship.margin`"
        )
    if margin is not None and not 0.0 <= margin <= 1.0:
        raise usage(f"--margin {margin:g} is no share", "a share from 0 to 1, for example 0.01")
    if pick is not None and output is None:
        raise usage("--pick needs --output", "say where to write it: --output policy.json")
    names = None if order is None else [name.strip() for name in order.split(",")]
    sweeps = loaded.cascades(names, person=who, margin=margin, task=task, prices=prices)
    if output is not None:
        if len(sweeps) != 1:
            raise usage(
                f"--output writes one policy, and there are {len(sweeps)} cascades",
                "name one: --order small,large, and --task where there are several",
            )
        return _written(loaded, sweeps[0], pick, output)
    return _page(loaded, sweeps)


def _person(text: str) -> Person:
    from ..core.policy import Person

    usd, _, right = text.partition(":")
    try:
        found = Person(usd=float(usd), right=float(right or 1.0))
    except ValueError:
        found = Person(usd=-1.0)
    # Written so that not-a-number fails too.
    if not (0.0 <= found.usd < float("inf") and 0.0 <= found.right <= 1.0):
        raise usage(
            f"--person is dollars, or dollars:share right, not {text!r}", "for example 0.05:0.98"
        )
    return found


def _page(run: Run, sweeps: tuple[Sweep, ...]) -> Page:
    from ..publish.derive import sweep_facts
    from ..publish.policy import gain_sentence, policy_sentence
    from ..publish.words import label, value_and_ends

    lines: list[Line] = []
    for sweep in sweeps:
        person = ["a person"] if sweep.person else []
        title = f"{sweep.task}: {', then '.join([*sweep.order, *person])}"
        lines += [strong(title), f"{len(sweep.options)} policies, {sweep.n:,} test questions"]
        rows: list[tuple[str | Span, ...]] = [tuple(map(faint, ("", *map(label, SHOWN), "")))]
        for i, option in enumerate(sweep.options):
            if not option.on_hull and i != sweep.picked and any(o.on_hull for o in sweep.options):
                continue
            values = [value_and_ends(getattr(option, name)) for name in SHOWN]
            mark = Span("picked", Style.GOOD) if i == sweep.picked else ""
            rows.append((str(i), *values, mark))
        rows, star = starred(rows)
        lines += [*table(rows), *star, "", f"{sweep.why[0].upper()}{sweep.why[1:]}."]
        if sweep.picked is not None:
            lines.append(f"Policy {sweep.picked}: {policy_sentence(sweep.options[sweep.picked])}.")
            lines.append(gain_sentence(sweep))
        lines.append("")
    if not sweeps:
        lines = ["The plan has no cascade; name systems: --order small,large"]
    else:
        lines += [
            faint("Shown: policies that no mixture of two others beats, and the picked one."),
            faint(run.results.prices.says()),
            faint("Write one as a file that a plan can run: --output policy.json"),
        ]
    facts = {"run": str(run.path), "cascades": [sweep_facts(s, run.manifest) for s in sweeps]}
    return Page(lines=lines, facts=facts)


def _written(run: Run, sweep: Sweep, pick: int | None, output: Path) -> Page:
    from ..publish.policy import policy_at, policy_facts, policy_sentence
    from ..store.canon import pretty, write_whole

    index = sweep.picked if pick is None else pick
    if index is None:
        raise usage(sweep.why, "name a policy yourself: --pick NUMBER")
    if not 0 <= index < len(sweep.options):
        raise usage(f"there is no policy {index}", f"they are 0 to {len(sweep.options) - 1}")
    option = sweep.options[index]
    facts: dict[str, Any] = policy_at(
        policy_facts(sweep, option, run.manifest),
        run.manifest,
        base=run.plan_folder,
        to=output.resolve().parent,
    )
    write_whole(output, pretty(facts))
    lines: list[Line] = [
        f"{policy_sentence(option)}.",
        f"Written: {output}   Run it: {{name: cascade, use: policy, options: {{file: {output.name}}}}}",
    ]
    if pick is not None and pick != sweep.picked:
        lines.append(faint("Picked by hand: its test numbers flatter it if you looked at them."))
    return Page(lines=lines, facts={"output": str(output), "policy": facts})
