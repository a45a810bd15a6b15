"""Read price tables: dated YAML, from the package or from a file beside the plan."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..analysis.prices import Api, Device, PriceTable
from ..core.errors import DataError, PlanError
from .document import Document, parse_document, read_document
from .plan import nearest


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Device(_Strict):
    usd: float = Field(ge=0)
    years: float = Field(gt=0)
    utilisation: float = Field(gt=0, le=1)
    watts: float = Field(ge=0)
    usd_per_kwh: float = Field(ge=0)


class _Api(_Strict):
    input: float = Field(ge=0)
    cached: float = Field(ge=0)
    output: float = Field(ge=0)


class _Scenarios(_Strict):
    low: float = Field(default=0.5, gt=0)
    high: float = Field(default=2.0, gt=0)


class _Table(_Strict):
    name: str
    date: str
    source: str
    currency: str = "USD"
    device: _Device
    apis: dict[str, _Api] = {}
    scenarios: _Scenarios = _Scenarios()


def shipped() -> list[str]:
    """Return the names of the price tables that come with assay."""
    folder = resources.files("assay.engine") / "data"
    return sorted(
        f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")
    )


def load_prices(name: str, *, where: str = "", base: Path | None = None) -> PriceTable:
    """Return a price table by name, or from a YAML file.

    Raises ``PlanError`` A103 for an unknown name, ``DataError`` A204 for a wrong table.
    """
    if name.endswith((".yaml", ".yml")):
        return parse_prices(read_document((base or Path.cwd()) / name))
    if name not in shipped():
        raise PlanError(
            f"no price table is called {name!r}",
            where=where,
            hint=f"{nearest(name, shipped())}, or name a .yaml file",
            code="A103",
        )
    file = resources.files("assay.engine") / "data" / f"{name}.yaml"
    return parse_prices(parse_document(file.read_text("utf-8"), Path(f"{name}.yaml")))


def parse_prices(document: Document) -> PriceTable:
    """Return the price table that a document holds."""
    try:
        table = _Table.model_validate(document.value)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}",
            where=document.where(first["loc"]),
            hint="compare it with the table that `assay ls prices` shows",
            code="A204",
        ) from None
    return to_prices(table.model_dump())


def to_prices(raw: dict[str, Any]) -> PriceTable:
    """Return a price table from the plain form that a manifest stores."""
    table = _Table.model_validate(raw)
    return PriceTable(
        name=table.name,
        date=table.date,
        source=table.source,
        currency=table.currency,
        device=Device(**table.device.model_dump()),
        apis={name: Api(**api.model_dump()) for name, api in table.apis.items()},
        low=table.scenarios.low,
        high=table.scenarios.high,
    )


def from_prices(prices: PriceTable) -> dict[str, Any]:
    """Return the plain form of a price table, for the manifest."""
    d = prices.device
    return {
        "name": prices.name,
        "date": prices.date,
        "source": prices.source,
        "currency": prices.currency,
        "device": {
            "usd": d.usd,
            "years": d.years,
            "utilisation": d.utilisation,
            "watts": d.watts,
            "usd_per_kwh": d.usd_per_kwh,
        },
        "apis": {
            name: {"input": a.input, "cached": a.cached, "output": a.output}
            for name, a in prices.apis.items()
        },
        "scenarios": {"low": prices.low, "high": prices.high},
    }
