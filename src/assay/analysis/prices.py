"""Dollars from seconds and tokens, at stated prices.  Records never hold computed dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ..core.metric import Array, Columns

HOURS_PER_YEAR = 8766.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A machine of one's own: what an hour of it costs, and the power that it draws."""

    usd: float
    """Purchase price."""

    years: float
    """Until it is written off."""

    utilisation: float
    """Share of all hours in which it does paid work, in (0, 1]."""

    watts: float
    usd_per_kwh: float

    @property
    def usd_per_hour(self) -> float:
        """Dollars of one busy hour: amortisation over busy hours, and energy.

        >>> round(Device(usd=876.6, years=1, utilisation=1.0, watts=0, usd_per_kwh=0).usd_per_hour, 3)
        0.1
        """
        return self.usd / (self.years * HOURS_PER_YEAR * self.utilisation) + self.energy_per_hour

    @property
    def energy_per_hour(self) -> float:
        """Dollars of the energy of one busy hour."""
        return self.watts / 1000.0 * self.usd_per_kwh

    @property
    def usd_per_day(self) -> float:
        """Dollars of one day, whether it works or not."""
        return self.usd / (self.years * HOURS_PER_YEAR) * 24.0

    def says(self) -> str:
        """Return the assumption in one sentence."""
        return (
            f"a ${self.usd:,.0f} device over {self.years:g} years, busy {self.utilisation:.0%} of "
            f"the time, {self.watts:g} W at ${self.usd_per_kwh:g}/kWh = ${self.usd_per_hour:.4f} "
            "per busy hour"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """A machine that is paid by the hour, whether it works or not."""

    usd_per_hour_rented: float
    utilisation: float = 1.0
    """Share of the rented hours in which it does paid work, in (0, 1]."""

    @property
    def usd_per_hour(self) -> float:
        """Dollars of one busy hour.

        >>> Rented(usd_per_hour_rented=0.5, utilisation=0.25).usd_per_hour
        2.0
        """
        return self.usd_per_hour_rented / self.utilisation

    @property
    def energy_per_hour(self) -> float:
        """Energy stands in the rent."""
        return 0.0

    @property
    def usd_per_day(self) -> float:
        """Dollars of one day, whether it works or not."""
        return self.usd_per_hour_rented * 24.0

    def says(self) -> str:
        """Return the assumption in one sentence."""
        return (
            f"a rented device at ${self.usd_per_hour_rented:g} an hour, busy {self.utilisation:.0%} "
            f"of the time = ${self.usd_per_hour:.4f} per busy hour"
        )


Machine: TypeAlias = Device | Rented


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A served model: dollars per million tokens."""

    input: float
    cached: float
    """For the tokens of the prompt that the service had in its cache."""

    output: float
    source: str = ""
    """Where the prices come from, when not from the table itself."""

    def usd(self, tokens_in: Array, tokens_cached: Array, tokens_out: Array) -> Array:
        """Return dollars; ``tokens_in`` counts the cached ones too.

        >>> Api(input=3.0, cached=0.3, output=15.0).usd(1_000_000, 400_000, 100_000)
        3.42
        """
        fresh = tokens_in - tokens_cached
        return (fresh * self.input + tokens_cached * self.cached + tokens_out * self.output) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """A dated price table: machines, served models, and which system is paid for by which."""

    name: str
    date: str
    source: str
    currency: str
    device: Machine
    """What a system runs on unless ``systems`` says otherwise."""

    devices: Mapping[str, Machine] = field(default_factory=dict)
    apis: Mapping[str, Api] = field(default_factory=dict)
    systems: Mapping[str, str] = field(default_factory=dict)
    """System to the name of a device or a served model that it is priced by, or ``billed``."""

    low: float = 0.5
    """The low scenario multiplies every price by this."""

    high: float = 2.0

    def machine(self, system: str = "") -> Machine | None:
        """Return the device that a system keeps busy; None where it is paid by token or bill."""
        by = self.systems.get(system)
        return self.device if by is None else self.devices.get(by)

    def says(self, system: str = "") -> str:
        """Return the assumption in one sentence: it stands beside every dollar.

        Without a system: of all of them.
        """
        machine = self.machine(system)
        parts = [machine.says()] if machine is not None else []
        shown = {system: self.systems[system]} if system in self.systems else {}
        for name, by in (shown if system else self.systems).items():
            if by in self.apis:
                api = self.apis[by]
                told = f", from {api.source}" if api.source else ""
                parts.append(
                    f"{name} at {by}: ${api.input:g} / ${api.cached:g} / ${api.output:g} per "
                    f"million input / cached / output tokens{told}"
                )
            elif by == "billed":
                parts.append(f"{name} as billed")
            elif not system:
                parts.append(f"{name} on {by}: {self.devices[by].says()}")
        return f"prices {self.name!r} of {self.date}: {'; '.join(parts)}"

    def by_record(self, system: str, columns: Columns) -> Array | None:
        """Return dollars per record of a system that is paid by token or bill; else None.

        NaN where the tokens of a record are not known: the record then counts neither in the
        dollars nor in the questions, as if it had cost what the others did on average.
        """
        by = self.systems.get(system)
        if by == "billed" or (by is None and "billed_usd" in columns):
            return columns.get("billed_usd")
        api = self.apis.get(by or "")
        if api is None:
            return None
        tokens_in = columns.get("tokens_in")
        tokens_out = columns.get("tokens_out")
        if tokens_in is None or tokens_out is None:
            return None
        cached = columns.get("tokens_cached", np.zeros_like(tokens_in))
        return api.usd(tokens_in, np.nan_to_num(cached), tokens_out)

    def usd(self, columns: Columns, system: str = "") -> Array:
        """Return dollars per timed question: NaN where nothing says what it cost."""
        recorded = self.by_record(system, columns)
        if recorded is not None:
            return recorded
        machine = self.machine(system)
        if machine is None:
            return columns["busy_s"] * np.nan
        return columns["busy_s"] * (machine.usd_per_hour / 3600.0)
