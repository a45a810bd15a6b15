"""The text of a plan for labelled prompts, line by line, as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml


def plan_text(
    name: str,
    options: Mapping[str, str],
    systems: Sequence[str],
    *,
    says: str,
    risk: float | None,
    at_most: float,
    has_none: bool,
) -> str:
    """Return a plan for labelled prompts; without a ``risk`` no system declines.

    ``options`` are the task's, ``at_most`` the share of answers that its claim lets be wrong.
    """
    abstain = f", abstain: {{max_risk: {risk:g}}}" if risk else ""
    lines = [
        f"# Written by `assay init`.  Run it with: assay run {name}.yaml",
        f"name: {name}",
        f"says: {_scalar(says)}",
        "seeds: [0, 1, 2]          # each draws other prompts to learn from",
        "prices: laptop            # `assay ls prices`, or a file of your own",
        "tasks:",
        "  - use: intent.csv",
        "    name: prompts",
        "    options:",
        *(f"      {key}: {_scalar(value)}" for key, value in options.items()),
        "# Controls (silent, random, constant) always run beside these.",
    ]
    if risk:
        lines.append(
            f"# abstain: decline when unsure, so that at most {risk:.0%} of the answers are wrong."
        )
    lines += ["systems:"]
    lines += [f"  - {{name: {s}, use: intent.{s}{abstain}}}" for s in systems]
    lines += ["fronts: [[accuracy, usd_per_1k, latency_p50]]", "claims:"]
    if len(systems) > 1:
        lines += _claim(
            "cheap-enough",
            "Counting letters (tfidf) is at most two points less accurate than an encoder (mapper)",
            {"system": "tfidf", "against": "mapper", "metric": "accuracy", "at_least": -0.02},
        )
    last = systems[-1]
    lines += _claim(
        "rarely-wrong",
        f"When {last} answers, at most {_in_words(at_most)} is wrong",
        {"system": last, "metric": "risk", "at_most": f"{at_most:g}"},
    )
    if has_none:
        lines += _claim(
            "rarely-invents",
            f"{last} answers at most one in ten of the requests that have no answer",
            {"system": last, "metric": "invention_rate", "at_most": 0.1},
        )
    return "\n".join(lines) + "\n"


def _in_words(share: float) -> str:
    return "one answer in ten" if share == 0.1 else f"{100 * share:g} % of the answers"


def _claim(name: str, says: str, rest: Mapping[str, object]) -> list[str]:
    return [
        f"  - id: {name}",
        f"    says: {_scalar(says)}",
        *(f"    {key}: {value}" for key, value in rest.items()),
    ]


def _scalar(text: str) -> str:
    """Return text as YAML on one line, whatever it holds."""
    dumped = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return str(dumped).strip()
