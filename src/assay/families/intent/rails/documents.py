"""JSON documents that are read strictly: every key known, every number exact, every error with its path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from assay import DataError

from .exact import DIGITS, read_decimal

MOST_BYTES = 4_000_000
_PATTERN = r"^[0-9]{1,30}(\.[0-9]{1,30})?$"
_NUMBER = {
    "anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "number", "minimum": 0}],
    "description": "A decimal number that is not negative; text is safest.",
}


def read_share(value: object) -> Decimal:
    """Return a number from 0 to 1.  Raises ``ValueError`` like ``read_decimal``."""
    found = read_decimal(value)
    if found > 1:
        raise ValueError(f"a share is at most 1, not {found} (write 5 % as 0.05)")
    return found


def read_positive(value: object) -> Decimal:
    """Return a number above 0.  Raises ``ValueError`` like ``read_decimal``."""
    found = read_decimal(value)
    if not found:
        raise ValueError("zero, where only a number above zero makes sense")
    return found


def _or_word(word: str) -> BeforeValidator:
    return BeforeValidator(lambda value: value if value == word else read_decimal(value))


def _schema_or_word(word: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"const": word}, *_NUMBER["anyOf"]]})


def read_instant(value: object) -> datetime:
    """Return a point in time from ISO 8601 text with its offset.  Raises ``ValueError``."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and len(value) <= 40:
        found = datetime.fromisoformat(value)
    else:
        raise ValueError("not a point in time such as 2026-11-28T12:00:00Z")
    if found.tzinfo is None:
        raise ValueError("a time without an offset: end it with Z or +00:00")
    return found


Amount = Annotated[Decimal, BeforeValidator(read_decimal), WithJsonSchema(_NUMBER)]
Positive = Annotated[Decimal, BeforeValidator(read_positive), WithJsonSchema(_NUMBER)]
Share = Annotated[
    Decimal,
    BeforeValidator(read_share),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 0, "maximum": 1}]}),
]
Cap = Annotated[Decimal | Literal["none"], _or_word("none"), _schema_or_word("none")]
"""An upper limit, or the word that says that there is none.  Absent is neither."""

Allowance = Annotated[
    Decimal | Literal["unlimited"], _or_word("unlimited"), _schema_or_word("unlimited")
]
Instant = Annotated[
    datetime,
    BeforeValidator(read_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Names = Annotated[tuple[Name, ...], _TUPLE]


class Document(BaseModel):
    """What every part of a document keeps: no unknown key, no conversion, no change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


D = TypeVar("D", bound=Document)


def read_document(kind: type[D], given: bytes | str | Mapping[str, Any], *, what: str) -> D:
    """Return a document from JSON text, or from values that were JSON.

    Numbers of the text are read as decimals, digit by digit.  Raises ``DataError`` A200 with the
    JSON path for a key that is unknown or stands twice, a wrong type, NaN, a negative or an
    overflowing number, and parts that contradict each other.
    """
    values = given if isinstance(given, Mapping) else _parse(given, what=what)
    try:
        return kind.model_validate(values if isinstance(values, dict) else dict(values))
    except ValidationError as error:
        raise _explained(error, kind, what) from None


def _parse(text: bytes | str, *, what: str) -> Mapping[str, Any]:
    if len(text) > MOST_BYTES:
        raise DataError(f"the {what} has {len(text)} bytes", where="$", hint="keep it below 4 MB")
    try:
        values = json.loads(
            text,
            parse_float=Decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_no_twins,
        )
    except RecursionError:
        raise DataError(
            f"the {what} is nested too deep",
            where="$",
            hint=f"see the schema of {what}.json: it is a few levels deep",
        ) from None
    except (ValueError, ArithmeticError) as error:  # JSONDecodeError and UnicodeDecodeError are
        raise DataError(
            f"the {what} is not JSON that can be read: {error}",
            where="$",
            hint="give UTF-8 JSON, every key once, amounts as text",
        ) from None
    if not isinstance(values, dict):
        raise DataError(f"the {what} is no JSON object", where="$", hint='begin it with "{"')
    return values


def _whole(text: str) -> int:
    if len(text) > DIGITS + 1:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice")
        found[key] = value
    return found


_SAID = {
    "extra_forbidden": "there is no such key",
    "missing": "the key is missing",
    "too_short": "it has too few items",
}
"""What pydantic says in words of its own."""

_HINTS = {
    "extra_forbidden": "remove the key, or see the schema for its name",
    "missing": "add the key",
    "union_tag_invalid": "see the schema for the words that are allowed",
}


def _explained(error: ValidationError, kind: type[Document], what: str) -> DataError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = _SAID.get(first["type"], first["msg"].removeprefix("Value error, "))
    more = error.error_count() - 1
    tail = f" (and {more} more)" if more else ""
    return DataError(
        f"the {what} cannot be used: {_begun_small(message)}{tail}",
        where=json_path(first["loc"]),
        hint=_HINTS.get(first["type"], f"see the schema of {kind.__name__.lower()}.json"),
    )


def _begun_small(message: str) -> str:
    """Return a message that goes on after a colon; words such as NaN stay as they are written."""
    first = message.partition(" ")[0]
    return message[:1].lower() + message[1:] if first[1:].islower() else message


def json_path(place: tuple[int | str, ...]) -> str:
    """Write where something stands in a document.

    >>> json_path(("prices", "ETH", "usd")), json_path(("quotes", 0))
    ('$.prices.ETH.usd', '$.quotes[0]')
    """
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place)
