"""Change one option of a plan, run both, and see what changed, sample by sample."""

from pathlib import Path
from tempfile import TemporaryDirectory

import assay

PLAN = """
name: votes
seeds: [0, 1, 2]
tasks:
  - use: toy.errands
systems:
  - {name: votes, use: toy.votes, options: {bag: 0.1}}
timing: {processes: 1, blocks: 1, questions: 1}
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        plan = Path(folder, "plan.yaml")
        plan.write_text(PLAN, "utf-8")
        before = assay.run(plan, out=f"{folder}/before")
        # What `assay run --set systems.votes.options.bag=0.9` does; the run's manifest records it.
        after = assay.run(
            assay.load_plan(plan, ("systems.votes.options.bag=0.9",)), out=f"{folder}/after"
        )
        for diff in assay.compare(after, before).diffs:
            e = diff.estimate
            if e.value is None or diff.adjusted is None:
                print(f"{diff.metric:20} {e.method}")
                continue
            word = ("worse" if diff.worse else "better") if diff.changed else "no change shown"
            print(
                f"{diff.metric:20} {e.value:+.3f} [{e.low:+.3f}, {e.high:+.3f}] "
                f"p={diff.adjusted:.2g} (BH)  {word}"
            )


if __name__ == "__main__":  # systems live in processes of their own
    main()
