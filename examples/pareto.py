"""Draw one run's front at two price tables, and say how sure it is.

Records hold seconds, never dollars, so a run can be priced again.  Both systems keep one device
busy: another price of it changes their dollars, and not where they stand.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import assay

PLAN = Path(__file__).parents[1] / "plans" / "smoke.yaml"
SERVER = """
name: server
date: "2026-11-01"
source: "assumed: a rented machine that is busy half of the time"
device: {usd: 9000, years: 3, utilisation: 0.5, watts: 400, usd_per_kwh: 0.25}
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        server = Path(folder, "server.yaml")
        server.write_text(SERVER, "utf-8")
        run = assay.run(PLAN, out=f"{folder}/smoke")
        for prices in ("laptop", str(server)):
            results = run.results_at(prices)
            print(results.prices.says())
            (front,) = results.fronts  # the plan asks for one
            for point in front.points:
                at = {name: estimate.value for name, estimate in point.at.items()}
                print(
                    f"  {point.system:10} {point.standing:10} accuracy {at['accuracy']:.3f}  "
                    f"${at['usd_per_1k']:.2g} per 1,000  {at['latency_p50'] * 1e6:.0f} us  "
                    f"on the front in {point.frequency:.0%} of resamples"
                )
        # Any objectives, by name; mixtures of systems want numbers that average.
        front = assay.front(run, ["accuracy", "usd_per_1k", "latency_mean"])
        for point in front.points:
            if (mix := point.mixture) is not None:
                route = f"send {mix.share_right:.0%} to {mix.right}, the rest to {mix.left}"
                print(f"{point.system}: {route}, and {mix.gain:+.3f} are right at its cost")
        for worth in front.worth:
            until = f"${worth.end.value:.1g}" if worth.end else "any more"
            print(f"ask {worth.system} for ${worth.start.value:.1g} to {until} per right answer")
        for trade in front.tradeoffs:
            print(f"{trade.system}: {trade.right_per_usd.value:,.0f} right answers per dollar")


if __name__ == "__main__":  # systems live in processes of their own
    main()
