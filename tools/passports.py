"""The tables of passports for docs/families/supply.md, from passport files.

python tools/passports.py m-f16.apr.passport.json m-q8.apr.passport.json
"""

from __future__ import annotations

import sys
from pathlib import Path

from assay.families.supply.agreeing.passport import Passport, read_passport
from assay.families.supply.passport import Stated

DECODER = ("kl_mean", "kl_p99", "kl_max", "top1", "topk", "logit_cosine", "perplexity_ratio")
ENCODER = ("cosine", "token_cosine_min", "state_error", "max_abs")
TASK = ("accuracy_source", "accuracy", "flips_per_1000", "lost_per_1000", "won_per_1000")
SHOWN = {"top1": "{:.1%}", "topk": "{:.1%}", "cosine": "{:.6f}", "token_cosine_min": "{:.6f}"}


def table(passports: list[Passport], names: tuple[str, ...]) -> list[str]:
    """Return the lines of a table: a passport a row, a number a column."""
    head = ["file", "source", "verdict", *names, "n", "sha256"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in passports:
        numbers = {number.name: number for number in one.numbers}
        cells = [cell(numbers[name]) for name in names]
        over = f"{numbers[names[0]].n} {numbers[names[0]].of}"
        known = f"`{one.candidate.sha256[:12]}`"
        lines.append(
            f"| {' | '.join([one.candidate.name, one.source.name, one.verdict, *cells, over, known])} |"
        )
    return lines


def cell(number: Stated) -> str:
    """Return a number as the table has it."""
    if number.value is None:
        return "infinite"
    if number.low is not None:
        return number.number().shown
    return SHOWN.get(number.name, "{:.3g}").format(number.value)


def main(paths: list[str]) -> int:
    """Print tables of decoders, of encoders and of tasks, and the prompts that they rest on."""
    passports = [read_passport(Path(path)) for path in paths]
    prompts = sorted(
        {
            f"{p.prompts.name} ({p.prompts.n} texts, sha256 {p.prompts.sha256[:12]})"
            for p in passports
        }
    )
    for names in (DECODER, ENCODER, TASK):
        those = [p for p in passports if names[0] in {number.name for number in p.numbers}]
        if those:
            print("\n".join([*table(those, names), ""]))
    print(f"On {', '.join(prompts)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
