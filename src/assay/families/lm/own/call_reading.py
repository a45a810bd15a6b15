"""Calls read in what a model says: JSON alone, in fences, or in ``<tool_call>`` marks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

_MARKED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FENCED = re.compile(
    r"^[ \t]*```[a-zA-Z_]*[ \t]*\n(.*?)^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE
)
_BETWEEN = re.compile(r"[\s,;]*")
_DEEPEST = 32
_LONGEST = 50_000
"""Characters of an answer that are read."""


class NoCalls(Exception):  # noqa: N818  (a fact about the answer, not an error of ours)
    """What was said is no JSON of calls; the message says why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function's name, and arguments as JSON has them."""

    name: str
    arguments: Mapping[str, Any]


def parsed(said: object) -> list[Any]:
    """Return the JSON values of an answer: a list is its members.

    Text in ``<tool_call>`` marks counts, and nothing else where there are any; else what stands in
    fences; else all of it, which then has to be JSON.  A value that is no text is taken as it is.

    Raises ``NoCalls`` when there is no JSON, something else beside it, NaN, or a member twice.

    >>> parsed('<tool_call>{"name": "stop", "arguments": {}}</tool_call>')
    [{'name': 'stop', 'arguments': {}}]
    >>> parsed("stop()")
    Traceback (most recent call last):
        ...
    assay.families.lm.own.call_reading.NoCalls: it is not JSON: Expecting value
    """
    if not isinstance(said, str):
        return _listed(thawed(said))
    if len(said) > _LONGEST:
        raise NoCalls("it is too long")
    parts = _MARKED.findall(said) or _FENCED.findall(said) or [said]
    found = [each for part in parts for value in _values(part) for each in _listed(value)]
    if not found:
        raise NoCalls("there is nothing in it")
    return found


def calls(values: Sequence[Any]) -> list[Call]:
    """Return the calls that JSON values are: ``{"name": ..., "arguments": {...}}`` each.

    Arguments in a text of JSON, as OpenAI sends them, are read; so is ``{"function": {...}}`` around a call.

    Raises ``NoCalls`` for any other value.

    >>> calls([{"name": "stop", "arguments": "{}"}])
    [Call(name='stop', arguments={})]
    """
    return [_call(value) for value in values]


def _call(value: Any) -> Call:
    match value:
        case {"function": dict(inner)}:
            return _call(inner)
        case {"name": str(name), "arguments": dict(arguments)}:
            return Call(name, arguments)
        case {"name": str(name), "arguments": str(text)}:
            match list(_values(text)):
                case [dict(arguments)]:
                    return Call(name, arguments)
                case _:
                    raise NoCalls("arguments are no object")
        case _:
            raise NoCalls("it is no {name, arguments}")


def _values(text: str) -> Iterator[Any]:
    """Yield the JSON values that a text consists of, one after another."""
    at = 0
    while (at := _end(_BETWEEN, text, at)) < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as problem:
            raise NoCalls(f"it is not JSON: {problem.msg}") from None
        except ValueError:
            raise NoCalls("a number has too many digits") from None
        except RecursionError:
            raise NoCalls("it is nested too deeply") from None
        if _is_deep(value):
            raise NoCalls("it is nested too deeply")
        yield value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, (list, dict))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NoCalls("a member comes twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise NoCalls(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def thawed(value: Any) -> Any:
    """Return JSON in mappings and sequences of any type as dictionaries and lists."""
    match value:
        case Mapping():
            return {name: thawed(each) for name, each in value.items()}
        case str():
            return value
        case Sequence():
            return [thawed(each) for each in value]
        case _:
            return value
