"""Dollars from seconds and tokens, at a stated price.  Records never hold computed dollars."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.metric import Array, Columns


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
        hours = self.years * 8766.0 * self.utilisation
        return self.usd / hours + self.watts / 1000.0 * self.usd_per_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A served model: dollars per million tokens."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """A dated price table: the device that local systems run on, and served models by name."""

    name: str
    date: str
    source: str
    currency: str
    device: Device
    apis: dict[str, Api] = field(default_factory=dict)
    low: float = 0.5
    """The low scenario multiplies every price by this."""

    high: float = 2.0

    def says(self) -> str:
        """Return the assumption in one sentence: it stands beside every dollar."""
        d = self.device
        return (
            f"prices {self.name!r} of {self.date}: a ${d.usd:,.0f} device over {d.years:g} years, "
            f"busy {d.utilisation:.0%} of the time, {d.watts:g} W at ${d.usd_per_kwh:g}/kWh = "
            f"${d.usd_per_hour:.4f} per busy hour"
        )

    def usd(self, columns: Columns) -> Array:
        """Return dollars per record of a local system, from ``busy_s``."""
        return columns["busy_s"] * (self.device.usd_per_hour / 3600.0)
