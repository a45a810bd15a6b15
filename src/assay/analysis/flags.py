"""Numbers that say little: a control, which knows nothing, does as well."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.metric import Better
from .case import Case


def flags(cases: Mapping[str, Case]) -> dict[tuple[str, str, str], str]:
    """Return (task, system, metric) of every number that a control reaches, to the best control."""
    found = {}
    for task, case in cases.items():
        for name, metric in case.metrics.items():
            if metric.better is Better.NONE:
                continue
            sign = 1.0 if metric.better is Better.HIGHER else -1.0
            controls = {
                c: sign * v
                for c in sorted(case.controls)
                if (v := case.estimate(c, name).value) is not None
            }
            if not controls:
                continue
            best = max(controls, key=controls.__getitem__)
            for system in case.rivals:
                value = case.estimate(system, name).value
                if value is not None and sign * value <= controls[best]:
                    found[task, system, name] = best
    return found
