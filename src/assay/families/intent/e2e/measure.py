"""What end to end comes to: the canonical requests in several ways, and generated ones in a sealed run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import Estimate, Run
from assay.estimates import census, facts, share, spell

from ..bench.folder import run_in
from .suite import Decided, Way, ask_in, differences, ways

SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "handler": {},
    "keywords": {"decide": "keywords"},
    "no-rails": {"rails": False},
    "no-second-opinion": {"second": False},
}
"""The system, and what it would be without one of its parts."""


@dataclass(frozen=True, kw_only=True)
class EndToEnd:
    """The canonical requests, each way, and the sealed run of the generated ones."""

    asked: tuple[tuple[Way, tuple[Decided, ...]], ...]
    run: Run | None
    min_accuracy: float | None

    @property
    def canonical(self) -> tuple[Decided, ...]:
        """The first way's decisions."""
        return self.asked[0][1]

    @property
    def differ(self) -> list[str]:
        """Cases whose whole output is not the same every way."""
        return differences([decided for _, decided in self.asked])

    @property
    def right(self) -> Estimate:
        """Canonical requests that were carried out exactly where they must be: a census."""
        hits = [one.decided_right for one in self.canonical]
        return census("canonical", sum(hits) / len(hits), n=len(hits))

    @property
    def invented(self) -> Estimate:
        """Canonical requests that were carried out although they must not be."""
        must_not = [one for one in self.canonical if one.case.expect != "execute"]
        return share("invention_rate", [not one.decided_right for one in must_not])

    def estimate(self, metric: str, system: str = "handler") -> Estimate | None:
        """Return a number of the generated requests; None where there was no run."""
        return None if self.run is None else self.run.estimate(metric, system)

    @property
    def passed(self) -> bool:
        """Whether every way gave the same, and accuracy is high enough where that was demanded.

        Of the canonical requests the share itself counts, of the generated ones the lower end.
        """
        if self.differ:
            return False
        if self.min_accuracy is None:
            return True
        generated = self.estimate("accuracy")
        low = None if generated is None else generated.low
        enough = generated is None or (low is not None and low >= self.min_accuracy)
        return enough and (self.right.value or 0.0) >= self.min_accuracy


def plan_text(mapper: Path | None, size: int) -> str:
    """Return the plan of the generated requests as YAML (JSON is YAML)."""
    where = {} if mapper is None else {"mapper": str(mapper.resolve())}
    systems: list[dict[str, Any]] = [
        {
            "name": name,
            "use": "intent.handler",
            "options": {**({} if options.get("decide") == "keywords" else where), **options},
        }
        for name, options in SYSTEMS.items()
    ]
    plan = {
        "name": "end-to-end",
        "says": "Is a request carried out exactly where it should be, with the right amounts?",
        "tasks": [{"use": "intent.e2e", "options": {"size": size}}],
        "systems": systems,
        "timing": {"processes": 3, "blocks": 7, "questions": 5},
        "claims": [
            {
                "id": "rails-refuse",
                "says": "With rails, fewer requests are carried out that must not be",
                "system": "no-rails",
                "against": "handler",
                "metric": "invention_rate",
                "at_least": 0.0,
            }
        ],
    }
    return json.dumps(plan, indent=2) + "\n"


def end_to_end(
    *,
    runs: int,
    size: int,
    mapper: Path | None = None,
    out: Path,
    say: Callable[[str], None],
) -> EndToEnd:
    """Ask the canonical requests ``runs`` ways, and ``size`` generated ones once; seal the latter.

    ``size`` 0 leaves the generated ones out.  Raises what ``assay.run`` raises, and ``AssayError`` A500
    when a process fails.
    """
    asked = []
    for way in ways(runs):
        say(str(way))
        asked.append((way, tuple(ask_in(way, mapper=mapper))))
    made = run_in(out, plan_text(mapper, size), say=say) if size else None
    return EndToEnd(asked=tuple(asked), run=made, min_accuracy=None)


def summary(made: EndToEnd) -> dict[str, Any]:
    """Return everything as plain values."""
    generated = {}
    if made.run is not None:
        generated = {
            system: {
                metric: facts(made.run.estimate(metric, system))
                for metric in ("accuracy", "coverage", "risk", "invention_rate", "latency_p50")
            }
            for system in SYSTEMS
        }
    return {
        "schema": "assay.intent.e2e/1",
        "bench": "e2e",
        "runs": [str(way) for way, _ in made.asked],
        "total": len(made.canonical),
        "ok": sum(one.decided_right for one in made.canonical),
        "same_reason": sum(one.same_reason for one in made.canonical),
        "invented": {**facts(made.invented), "says": spell(made.invented)},
        "outputs_differ": made.differ,
        "generated": generated,
        "passed": made.passed,
        "cases": [
            {
                "id": one.case.id,
                "prompt": one.case.prompt,
                "expected": one.case.expect,
                "said": one.said,
                "right": one.decided_right,
                "same_reason": one.same_reason,
            }
            for one in made.canonical
        ],
    }


def report(made: EndToEnd) -> str:
    """Return one page of Markdown."""
    total = len(made.canonical)
    right = sum(one.decided_right for one in made.canonical)
    reasons = sum(one.same_reason for one in made.canonical)
    lines = [
        "# End to end: from a prompt and facts to what is carried out",
        "",
        (
            f"Canonical requests: {right} of {total} carried out exactly where they must be (these "
            f"requests only); {reasons} for the reason that the rails alone would give."
        ),
        "",
        f"Carried out although they must not be: {spell(made.invented)}.",
        "",
        _same(made.asked, made.differ),
        "",
    ]
    lines += _generated_lines(made)
    wrong = [one for one in made.canonical if not one.decided_right]
    lines += ["## Canonical requests decided otherwise", ""]
    lines += [
        f"* {one.case.id}: `{one.case.prompt}` must be {one.case.expect}, was {one.said}"
        for one in wrong
    ] or ["None."]
    return "\n".join(lines) + "\n"


def _same(asked: Sequence[tuple[Way, Sequence[Decided]]], differ: Sequence[str]) -> str:
    tried = "; ".join(str(way) for way, _ in asked)
    if differ:
        return f"**Whole outputs differ** on {', '.join(differ)} ({tried})."
    return f"Whole outputs are identical in these {len(asked)} configurations ({tried})."


def _generated_lines(made: EndToEnd) -> list[str]:
    if made.run is None:
        return []
    names = {
        "accuracy": "right",
        "coverage": "carried out",
        "risk": "wrong of those carried out",
        "invention_rate": "carried out although it must not be",
        "latency_p50": "median latency",
    }
    lines = [
        "## Generated requests, each with facts of its own",
        "",
        "| system | " + " | ".join(names.values()) + " |",
        "|---|" + "---|" * len(names),
    ]
    for system in SYSTEMS:
        cells = [spell(made.run.estimate(metric, system)) for metric in names]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [
        f"* {finding.status.value}: {finding.claim.says} ({spell(finding.estimate)})"
        for finding in made.run.results.findings
    ]
    return [*lines, ""]
