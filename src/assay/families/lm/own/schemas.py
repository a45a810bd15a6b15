"""Whether JSON keeps a schema, for the part of JSON Schema that ``lm.calls`` writes.

Covered: ``type``, ``enum``, ``items``, ``properties``, ``required``, ``additionalProperties: false``.
Not covered: everything else; a keyword that is not known is passed over, as the standard has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def breaches(value: object, schema: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Yield what in a value breaks the schema, each with its place.

    As in JSON Schema 2020-12, ``true`` is no number and ``2.0`` is an integer.

    >>> whole = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    >>> list(breaches({"n": "2"}, whole))
    ['n is no integer']
    """
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        yield f"{where or 'it'} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where or 'it'} is none of {', '.join(map(repr, schema['enum']))}"
    if isinstance(value, list) and "items" in schema:
        for number, each in enumerate(value):
            yield from breaches(each, schema["items"], f"{where}[{number}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{name} is missing"
        for name, each in value.items():
            if name in known:
                yield from breaches(each, known[name], name)
            elif schema.get("additionalProperties") is False:
                yield f"{name} is not among the arguments"


def _is(value: object, kind: str) -> bool:
    match value:
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
        case str():
            return kind == "string"
        case list():
            return kind == "array"
        case dict():
            return kind == "object"
        case _:
            return kind == "null"
