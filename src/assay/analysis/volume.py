"""From which volume a machine of one's own is cheaper than paying by the question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .case import Case
from .prices import Machine, PriceTable


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """From how many questions a day a machine of one's own is cheaper than another way."""

    system: str
    against: str
    per_day: float | None
    """Questions a day; None: never, whatever the number."""

    capacity: float
    """Questions a day that the machine can answer, one at a time."""

    @property
    def says(self) -> str:
        """Return it in one sentence."""
        if self.per_day is None:
            return (
                f"{self.system} is never cheaper than {self.against}: its energy alone costs more"
            )
        if self.per_day > self.capacity:
            return (
                f"{self.system} would be cheaper than {self.against} from {self.per_day:,.0f} "
                f"questions a day, but one machine answers at most {self.capacity:,.0f}"
            )
        return (
            f"a machine for {self.system} alone is cheaper than {self.against} from "
            f"{max(self.per_day, 1.0):,.0f} questions a day"
        )


def break_evens(case: Case, prices: PriceTable) -> tuple[BreakEven, ...]:
    """Compare every system on a machine with every one that is paid by token or bill."""
    found = []
    for system in case.rivals:
        machine, timed = prices.machine(system), case.timed.get(system)
        if machine is None or timed is None or case.is_paid_by_record(system):
            continue
        busy = timed.columns["busy_s"]
        for other in case.rivals:
            usd = case.estimate(other, "usd_per_1k").value
            if case.is_paid_by_record(other) and usd:
                found.append(
                    break_even(
                        machine,
                        system=system,
                        against=other,
                        busy_s=float(np.mean(busy)),
                        other_usd=usd / 1000.0,
                    )
                )
    return tuple(found)


def break_even(
    machine: Machine, *, system: str, against: str, busy_s: float, other_usd: float
) -> BreakEven:
    """Compare a machine that is paid for all day with dollars per question.

    ``busy_s`` is what one question keeps the machine busy, ``other_usd`` what the other way costs
    per question.  The machine's utilisation is what is asked for here, so its assumed one is not
    used: amortisation or rent by the day, energy by the question.

    >>> from assay.analysis.prices import Rented
    >>> own = Rented(usd_per_hour_rented=1.0)
    >>> break_even(own, system="a", against="b", busy_s=1.0, other_usd=0.01).per_day
    2400.0

    *Not to be trusted when* requests come in bursts: a machine that is idle at night and behind at
    noon answers fewer than ``capacity``.
    """
    energy = busy_s * machine.energy_per_hour / 3600.0
    saved = other_usd - energy
    capacity = 86_400.0 / busy_s if busy_s > 0 else float("inf")
    return BreakEven(
        system=system,
        against=against,
        per_day=machine.usd_per_day / saved if saved > 0 else None,
        capacity=capacity,
    )
