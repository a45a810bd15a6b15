"""Write `plans/dose.yaml`, `plans/rf.yaml` and `plans/ik.yaml` as `assay science run --mode paper` has them.

python tools/science_plans.py
"""

from __future__ import annotations

from pathlib import Path

from assay.families.science.plans import SEEDS, Asked, plan_of
from assay.families.science.published import DOMAINS
from assay.plans import write_plan


def main() -> None:
    """Write the three."""
    for domain in DOMAINS:
        asked = Asked(domain=domain, mode="paper", seeds=range(SEEDS["paper"]))
        says = f"The published plan of `assay science run {domain} --mode paper`; remade by tools/science_plans.py."
        write_plan(Path("plans") / f"{domain}.yaml", plan_of(asked), says=says)


if __name__ == "__main__":
    main()
