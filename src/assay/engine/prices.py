"""Read price tables: dated YAML, from the package or from a file beside the plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from ..analysis.prices import Api, Device, Machine, PriceTable, Rented
from ..core.errors import DataError, PlanError, PluginError, SealError
from ..store.manifest import first_fault
from .document import Document, parse_document, read_document
from .overrides import nearest


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Device(_Strict):
    usd: float = Field(ge=0)
    years: float = Field(gt=0)
    utilisation: float = Field(gt=0, le=1)
    watts: float = Field(ge=0)
    usd_per_kwh: float = Field(ge=0)


class _Rented(_Strict):
    usd_per_hour: float = Field(ge=0)
    utilisation: float = Field(default=1.0, gt=0, le=1)


class _Api(_Strict):
    input: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    output: float = Field(ge=0)
    source: str = ""


class _Looked(_Strict):
    genai: str
    """``provider:model``, looked up in genai-prices as of the table's date."""


class _Scenarios(_Strict):
    low: float = Field(default=0.5, gt=0)
    high: float = Field(default=2.0, gt=0)


def _kind(value: Any) -> str:
    """Return which form a mapping has, so that an error speaks of that form alone."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "other" if "usd_per_hour" in keys or "genai" in keys else "usual"


_Machine = Annotated[
    Annotated[_Device, Tag("usual")] | Annotated[_Rented, Tag("other")], Discriminator(_kind)
]
_Served = Annotated[
    Annotated[_Api, Tag("usual")] | Annotated[_Looked, Tag("other")], Discriminator(_kind)
]


class _Table(_Strict):
    name: str
    date: str
    source: str
    currency: str = "USD"
    device: _Machine
    devices: dict[str, _Machine] = {}
    apis: dict[str, _Served] = {}
    systems: dict[str, str] = {}
    scenarios: _Scenarios = _Scenarios()

    @model_validator(mode="after")
    def _every_name_is_known(self) -> Self:
        known = {*self.devices, *self.apis, "billed"}
        for system, by in self.systems.items():
            if by not in known:
                raise ValueError(
                    f"systems.{system} is priced by {by!r}, which is none of {', '.join(sorted(known))}"
                )
        if twice := sorted(set(self.devices) & set(self.apis)):
            raise ValueError(f"{twice[0]!r} is a device and a served model")
        return self


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
        file_of_prices = (base or Path.cwd()) / name
        begins = "begin with `name:`, `date:`, `source:` and `device:` (docs/prices.md)"
        return parse_prices(read_document(file_of_prices, what="price table", begins=begins))
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
    """Return the price table that a document holds.

    Raises ``DataError`` A204 for a wrong table or a model that genai-prices does not know,
    ``PluginError`` A401 when genai-prices is needed and not installed.
    """
    try:
        table = _Table.model_validate(document.value)
    except ValidationError as error:
        first = error.errors()[0]
        place = tuple(p for p in first["loc"] if p not in ("usual", "other"))
        shown = ".".join(map(str, place)) or "the table"
        raise DataError(
            f"{shown}: {first['msg'].removeprefix('Value error, ').lower()}",
            where=document.where(place),
            hint="compare it with the table that `assay ls prices` shows; see docs/prices.md",
            code="A204",
        ) from None
    for name, api in table.apis.items():
        if isinstance(api, _Looked):
            where = document.where(("apis", name, "genai"))
            table.apis[name] = _looked_up(api.genai, table.date, where=where)
    return _made(table)


def to_prices(raw: object) -> PriceTable:
    """Return a price table from the plain form that a manifest stores.  Raises ``SealError`` A300 for what is none."""
    try:
        table = _Table.model_validate(raw)
    except ValidationError as error:
        place, said = first_fault(error)
        raise _none(f".{place}" if place else "", said.lower()) from None
    for name, api in table.apis.items():
        if isinstance(api, _Looked):
            raise _none(
                f".apis.{name}", "a run holds the prices themselves, not where they are looked up"
            )
    return _made(table)


def _none(place: str, said: str) -> SealError:
    return SealError(
        f"prices{place}: {said}",
        where="manifest.json",
        hint="restore the run from a copy, or give prices of your own with --prices",
    )


def _made(table: _Table) -> PriceTable:
    apis = {}
    for name, api in table.apis.items():
        assert isinstance(api, _Api)  # what is looked up has been, when the table was read
        cached = api.input if api.cached is None else api.cached
        apis[name] = Api(input=api.input, cached=cached, output=api.output, source=api.source)
    return PriceTable(
        name=table.name,
        date=table.date,
        source=table.source,
        currency=table.currency,
        device=_machine(table.device),
        devices={name: _machine(device) for name, device in table.devices.items()},
        apis=apis,
        systems=dict(table.systems),
        low=table.scenarios.low,
        high=table.scenarios.high,
    )


def _machine(device: _Device | _Rented) -> Machine:
    if isinstance(device, _Rented):
        return Rented(usd_per_hour_rented=device.usd_per_hour, utilisation=device.utilisation)
    return Device(**device.model_dump())


def from_prices(prices: PriceTable) -> dict[str, Any]:
    """Return the plain form of a price table, for the manifest."""
    return {
        "name": prices.name,
        "date": prices.date,
        "source": prices.source,
        "currency": prices.currency,
        "device": _plain(prices.device),
        "devices": {name: _plain(device) for name, device in prices.devices.items()},
        "apis": {
            name: {"input": a.input, "cached": a.cached, "output": a.output, "source": a.source}
            for name, a in prices.apis.items()
        },
        "systems": dict(prices.systems),
        "scenarios": {"low": prices.low, "high": prices.high},
    }


def _plain(device: Machine) -> dict[str, float]:
    match device:
        case Rented():
            return {
                "usd_per_hour": device.usd_per_hour_rented,
                "utilisation": device.utilisation,
            }
        case Device():
            return {
                "usd": device.usd,
                "years": device.years,
                "utilisation": device.utilisation,
                "watts": device.watts,
                "usd_per_kwh": device.usd_per_kwh,
            }


def _looked_up(name: str, date: str, *, where: str) -> _Api:
    """Return the list prices of a served model on a day, from the package genai-prices."""
    if find_spec("genai_prices") is None:
        raise PluginError(
            "genai-prices is not installed",
            where=where,
            hint="run pip install 'assay-eval[prices]', or write input, cached and output yourself",
            code="A401",
        )
    genai: Any = import_module("genai_prices")
    provider, colon, model = name.partition(":")
    try:
        day = datetime.combine(datetime.fromisoformat(date).date(), time(12), UTC)
    except ValueError:
        raise DataError(
            f"date: {date!r} is no day, and prices are looked up as of it",
            where=where,
            hint='write it as "2026-11-01"',
            code="A204",
        ) from None
    # A thousand tokens: a price that grows with the context is taken where it begins.
    spent = {
        "input": {"input_tokens": 1000},
        "cached": {"input_tokens": 1000, "cache_read_tokens": 1000},
        "output": {"output_tokens": 1000},
    }
    try:
        cost = {
            kind: float(
                genai.calc_price(
                    genai.Usage(**tokens),
                    model if colon else name,
                    provider_id=provider if colon else None,
                    genai_request_timestamp=day,
                ).total_price
            )
            * 1000.0
            for kind, tokens in spent.items()
        }
    except LookupError as error:
        raise DataError(
            f"genai-prices knows no {name!r}: {error}",
            where=where,
            hint="write provider:model, such as openai:gpt-4o-mini, or the prices themselves",
            code="A204",
        ) from None
    return _Api(**cost, source=f"genai-prices {genai.__version__} ({name}, {date})")


def require_known(prices: PriceTable, systems: Iterable[str], *, where: str = "") -> None:
    """Raise ``PlanError`` A103 when a table prices a system that is not there."""
    known = list(systems)
    for system in prices.systems:
        if system not in known:
            raise PlanError(
                f"the price table {prices.name!r} prices {system!r}, and no system is called that",
                where=where,
                hint=nearest(system, known),
                code="A103",
            )
