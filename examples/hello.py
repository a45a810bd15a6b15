"""Run a plan, and read what it decides: the shortest useful thing."""

from pathlib import Path
from tempfile import TemporaryDirectory

import assay

PLAN = Path(__file__).parents[1] / "plans" / "smoke.yaml"


def main() -> None:
    with TemporaryDirectory() as folder:
        run = assay.run(PLAN, out=f"{folder}/smoke")
        decision = run.results.decisions["toy.errands"]
        print(f"ship {decision.system}: {decision.why}")

        accuracy = run.estimate("accuracy", "votes", over=("samples", "seeds"))
        print(
            f"accuracy of votes: {accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}] "
            f"n={accuracy.n}x{accuracy.n_seeds} ({accuracy.method})"
        )


if __name__ == "__main__":  # systems live in processes of their own
    main()
