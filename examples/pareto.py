"""Draw one run's front at two price tables.

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
                    f"${at['usd_per_1k']:.2g} per 1,000  {at['latency_p50'] * 1e6:.0f} us"
                )


if __name__ == "__main__":  # systems live in processes of their own
    main()
