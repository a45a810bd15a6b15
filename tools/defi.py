"""The DeFi domain whole: teach a mapper, bench it on 5,000 unseen prompts, check rails, go end to end.

    python tools/defi.py [--out runs/defi] [--size 5000] [--frozen]

Prints three rows and four sentences.  ``--frozen`` leaves the encoder as it is: seconds, no torch.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path


def main() -> int:
    """Run every part; what was made before is read back."""
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--out", type=Path, default=Path("runs/defi"))
    wanted.add_argument("--size", type=int, default=5000)
    wanted.add_argument("--frozen", action="store_true")
    given = wanted.parse_args()
    from assay.families.intent.bench.folder import run_in
    from assay.families.intent.bench.measure import Wanted, bench
    from assay.families.intent.bench.plan import Prompts, Subject
    from assay.families.intent.bench.views import write_views
    from assay.families.intent.e2e.headline import Headline
    from assay.families.intent.e2e.measure import end_to_end, report, summary
    from assay.families.intent.rails.canonical import run_canonical

    out: Path = given.out
    mapper = taught(out / ("mapper-frozen" if given.frozen else "mapper"), frozen=given.frozen)
    say("bench: the mapper beside its rivals")
    made = bench(
        Subject(mapper=mapper), Prompts(size=given.size), Wanted(), out=out / "bench", say=say
    )
    write_views(made, out / "bench")
    say("rails: canonical and generated situations")
    situations = {
        "name": "rails",
        "tasks": [{"use": "intent.rails", "options": {"size": 3000}}],
        "systems": [{"name": "rails", "use": "intent.rails"}],
        "timing": {"processes": 1, "blocks": 1, "questions": 1},
    }
    railed = run_in(out / "situations", json.dumps(situations, indent=2) + "\n", say=say)
    say("end to end: prompt to ledger")
    whole = end_to_end(runs=3, size=2000, mapper=mapper, out=out / "e2e", say=say)
    (out / "e2e" / "report.md").write_text(report(whole), "utf-8")
    (out / "e2e" / "summary.json").write_text(json.dumps(summary(whole), indent=2) + "\n", "utf-8")
    found = Headline(bench=made, rails=run_canonical(), situations=railed, whole=whole)
    rows = found.rows()
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += ["", *(f"* {sentence}" for sentence in found.sentences()), "", found.goal()]
    text = "\n".join(lines) + "\n"
    (out / "headline.md").write_text(f"```text\n{text}```\n", "utf-8")
    print(text)
    return 0 if not whole.differ and all(result.passed for result in found.rails) else 1


def taught(folder: Path, *, frozen: bool) -> Path:
    """Return a folder with a mapper of the DeFi task, made now or before."""
    from assay import load_tasks
    from assay.families.intent.recipes.finetuned import Finetuned
    from assay.families.intent.recipes.mapper import Mapper

    if (folder / "card.json").is_file():
        return folder
    task = load_tasks("intent.defi")["intent.defi"]
    recipe = Mapper(bag=1.0) if frozen else Finetuned(epochs=6, threads=2)
    say(
        f"training on {len(task.samples('train')):,} prompts"
        + ("" if frozen else "; the encoder learns too: minutes")
    )
    start = time.monotonic()
    recipe.build(task.samples("train"), task.samples("tune"), seed=0, workdir=folder)
    say(f"trained in {time.monotonic() - start:.0f} s")
    return folder


def say(text: str) -> None:
    """Say what is being done."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
