"""Functions that can be called, drawn in other names in each world, and requests for their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from .names import Names

Schema = Mapping[str, Any]
"""A JSON schema: ``type``, ``enum``, ``items``, ``properties``, ``required``."""

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
YES_OR_NO = {"type": "boolean"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GOODS = ("lamp oil", "rope", "flour", "nails", "tea", "candles", "soap", "paint")


def _one_of(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def _list_of(items: Schema) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument: its schema, how a value is drawn, and how a request says it."""

    schema: Schema
    value: Callable[[Names], Any]
    words: Callable[[Any], str] = str
    optional: str = ""
    """Empty: always given.  Else how a request gives it, ``{}`` for the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A function under several names, and the request for a call of it."""

    names: tuple[str, ...]
    says: str
    request: str
    """``{name}`` for the words of an argument that is always given."""

    parameters: Mapping[str, Parameter]


def _drawn(*words: Any) -> Callable[[Names], Any]:
    return lambda names: names.rng.choice(words)


def _whole(low: int, high: int) -> Callable[[Names], Any]:
    return lambda names: names.rng.randint(low, high)


def _half(low: int, high: int) -> Callable[[Names], Any]:
    """Return what draws a number with a half: as a whole number it would be another."""
    return lambda names: names.rng.randint(low, high) + 0.5


def _some(*words: str) -> Callable[[Names], Any]:
    return lambda names: names.rng.sample(words, names.rng.choice((2, 3)))


def _time(names: Names) -> str:
    return f"{names.rng.randint(6, 22):02}:{names.rng.choice((0, 15, 30, 45)):02}"


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


_PLACE = Parameter(schema=TEXT, value=Names.place)
_PERSON = Parameter(schema=TEXT, value=Names.person)
_TIME = Parameter(schema={**TEXT, "description": "24 hours, HH:MM"}, value=_time)


def _enum(*words: str, optional: str = "") -> Parameter:
    return Parameter(schema=_one_of(*words), value=_drawn(*words), optional=optional)


KINDS: tuple[Kind, ...] = (
    Kind(
        names=("set_heating", "heat_building", "change_temperature"),
        says="Set the temperature of a building, in degrees Celsius.",
        request="heat {building} to {degrees} degrees",
        parameters={
            "building": _PLACE,
            "degrees": Parameter(schema=NUMBER, value=_half(15, 24)),
            "hours": Parameter(schema=WHOLE, value=_whole(2, 9), optional=" for {} hours"),
        },
    ),
    Kind(
        names=("switch_lights", "control_lamps", "set_lighting"),
        says="Switch the lights of a building on or off.",
        request="turn the lights of {building} {on}",
        parameters={
            "building": _PLACE,
            "on": Parameter(
                schema=YES_OR_NO,
                value=lambda names: names.rng.random() < 0.5,
                words=lambda on: "on" if on else "off",
            ),
        },
    ),
    Kind(
        names=("book_table", "reserve_table", "make_reservation"),
        says="Book a table in a restaurant.",
        request="book a table at {restaurant} for {guests} people at {time}",
        parameters={
            "restaurant": _PLACE,
            "guests": Parameter(schema=WHOLE, value=_whole(2, 12)),
            "time": _TIME,
            "seating": _enum("inside", "terrace", "balcony", optional=", seated on the {}"),
        },
    ),
    Kind(
        names=("cancel_table", "drop_reservation", "delete_booking"),
        says="Cancel a table that was booked in a restaurant.",
        request="cancel the table at {restaurant} for {time}",
        parameters={"restaurant": _PLACE, "time": _TIME},
    ),
    Kind(
        names=("send_money", "transfer_funds", "pay_person"),
        says="Send an amount of money to a person.",
        request="send {amount} {currency} to {recipient}",
        parameters={
            "recipient": _PERSON,
            "amount": Parameter(schema=NUMBER, value=_half(3, 900)),
            "currency": _enum("EUR", "USD", "GBP", "JPY"),
        },
    ),
    Kind(
        names=("request_money", "ask_for_payment", "bill_person"),
        says="Ask a person to pay an amount of money.",
        request="ask {payer} to pay {amount} {currency}",
        parameters={
            "payer": _PERSON,
            "amount": Parameter(schema=NUMBER, value=_half(3, 900)),
            "currency": _enum("EUR", "USD", "GBP", "JPY"),
        },
    ),
    Kind(
        names=("plan_route", "find_way", "get_directions"),
        says="Plan a route between two places.",
        request="plan a route from {start} to {end} by {mode}",
        parameters={
            "start": _PLACE,
            "end": _PLACE,
            "mode": _enum("car", "train", "bicycle", "bus"),
            "avoid": Parameter(
                schema=_list_of(_one_of("tolls", "ferries", "tunnels", "mountains")),
                value=_some("tolls", "ferries", "tunnels", "mountains"),
                words=_and,
                optional=", avoiding {}",
            ),
        },
    ),
    Kind(
        names=("set_alarm", "schedule_wakeup", "add_alarm"),
        says="Set an alarm on some days of the week.",
        request="set an alarm at {time} on {days}",
        parameters={
            "time": _TIME,
            "days": Parameter(
                schema=_list_of(_one_of(*_DAYS)),
                value=_some(*_DAYS),
                words=lambda days: _and([day.capitalize() for day in days]),
            ),
        },
    ),
    Kind(
        names=("order_goods", "buy_items", "place_order"),
        says="Order goods to be delivered to a place.",
        request="order {items} for delivery to {place}",
        parameters={
            "items": Parameter(schema=_list_of(TEXT), value=_some(*_GOODS), words=_and),
            "place": _PLACE,
            "express": Parameter(
                schema=YES_OR_NO,
                value=_drawn(True),
                words=lambda _: "express",
                optional=" by {} delivery",
            ),
        },
    ),
    Kind(
        names=("read_sensor", "query_station", "get_measurement"),
        says="Read what a weather station measures.",
        request="read the {quantity} at the weather station of {station}",
        parameters={
            "station": _PLACE,
            "quantity": _enum("temperature", "pressure", "humidity", "rainfall"),
        },
    ),
    Kind(
        names=("print_labels", "make_stickers", "produce_labels"),
        says="Print labels with a code.",
        request="print {copies} {size} labels with the code {code}",
        parameters={
            "code": Parameter(schema=TEXT, value=Names.code),
            "copies": Parameter(schema=WHOLE, value=_whole(2, 60)),
            "size": _enum("small", "medium", "large"),
        },
    ),
    Kind(
        names=("hire_vehicle", "rent_transport", "book_vehicle"),
        says="Hire a vehicle for some days.",
        request="hire a {vehicle} in {place} for {days} days",
        parameters={
            "vehicle": _enum("van", "car", "truck", "motorcycle"),
            "place": _PLACE,
            "days": Parameter(schema=WHOLE, value=_whole(2, 20)),
            "insured": Parameter(
                schema=YES_OR_NO,
                value=lambda names: names.rng.random() < 0.5,
                words=lambda insured: "with" if insured else "without",
                optional=", {} insurance",
            ),
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as one world calls it."""

    name: str
    kind: Kind

    def described(self) -> dict[str, Any]:
        """Return its description: name, what it does, and the JSON schema of its arguments."""
        parameters = self.kind.parameters
        return {
            "name": self.name,
            "description": self.kind.says,
            "parameters": {
                "type": "object",
                "properties": {name: dict(each.schema) for name, each in parameters.items()},
                "required": [name for name, each in parameters.items() if not each.optional],
                "additionalProperties": False,
            },
        }

    def wanted(self, names: Names) -> tuple[str, dict[str, Any]]:
        """Draw a request in words and the call that it asks for."""
        arguments: dict[str, Any] = {}
        words: dict[str, str] = {}
        behind = ""
        for name, each in self.kind.parameters.items():
            if each.optional and names.rng.random() < 0.5:
                continue
            arguments[name] = each.value(names)
            said = each.words(arguments[name])
            if each.optional:
                behind += each.optional.format(said)
            else:
                words[name] = said
        asked = self.kind.request.format(**words) + behind
        return asked, {"name": self.name, "arguments": arguments}


def offered(rng: Random) -> list[Function]:
    """Return every function in any order, each under one of its names."""
    made = [Function(name=rng.choice(kind.names), kind=kind) for kind in KINDS]
    rng.shuffle(made)
    return made
