"""How exactly the grammar reads `intent.slots`, by kind of prompt.

    python bench/slots_by_kind.py [SPLIT]

Shares are of whole requests (every action and slot right, or rightly declined), with 95 %
intervals over template families.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from assay import Answer, Bottom
from assay.families.intent.recipes.grammar import Grammar
from assay.families.intent.tasks.slots import SameSteps, slots
from assay.stats.clusters import share

KINDS = (
    ("everything", bool),
    ("plain, one step", lambda tags: {"plain", "one_step"} <= tags),
    ("plain, one step, no typo", lambda tags: {"plain", "one_step"} <= tags and "typo" not in tags),
    ("plain, two steps", lambda tags: {"plain", "two_steps"} <= tags),
    ("unusual, one step", lambda tags: {"unusual", "one_step"} <= tags),
    ("with a typo", lambda tags: "typo" in tags),
    ("nothing to do", lambda tags: "none" in tags),
)


def shown(hits: list[bool], asked: list[bool], groups: list[int]) -> str:
    """Write a share with its interval."""
    found = share(np.array(hits) & np.array(asked), np.array(asked), groups=np.array(groups))
    interval = found.interval()
    if found.value is None or interval is None:
        return "-"
    return f"{found.value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def main(split: str) -> None:
    """Ask the grammar, and print a table."""
    samples = slots(size=5000).samples(split)
    system = Grammar().build([], [], seed=0, workdir=Path()).system
    replies = list(system.answer([sample.question() for sample in samples]))
    right = []
    for sample, reply in zip(samples, replies, strict=True):
        if isinstance(sample.target, Answer) and isinstance(reply.said, Answer):
            [check] = SameSteps().check([(sample, reply)])
            right.append(bool(check.passed))
        else:
            right.append(isinstance(sample.target, Bottom) and isinstance(reply.said, Bottom))
    answered = [isinstance(reply.said, Answer) for reply in replies]
    codes = {group: code for code, group in enumerate(dict.fromkeys(s.group for s in samples))}
    print("| prompts | n | families | right | of the answers given, right |")
    print("|---|---|---|---|---|")
    for name, holds in KINDS:
        kept = [place for place, sample in enumerate(samples) if holds(sample.tags)]
        groups = [codes[samples[place].group] for place in kept]
        hits = [right[place] for place in kept]
        given = [answered[place] for place in kept]
        print(
            f"| {name} | {len(kept):,} | {len(set(groups))} | {shown(hits, [True] * len(kept), groups)}"
            f" | {shown(hits, given, groups)} |"
        )
    why = Counter(
        reply.said.reason
        for sample, reply in zip(samples, replies, strict=True)
        if isinstance(sample.target, Answer) and isinstance(reply.said, Bottom)
    )
    print("\nwithheld:", ", ".join(f"{reason} {count}" for reason, count in why.most_common(8)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "test")
