"""Texts: JSON, templates and plain ones, each read through within bounds."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, TemplateError

from ..faults import Fault, damaged
from .stream import Bytes

LONGEST = 1 << 27
"""Bytes of any text."""

LONGEST_BUILT = 1 << 23
"""Bytes of JSON of which objects are made; of more the form alone is checked: a tokenizer is longer."""

LONGEST_TEMPLATE = 1 << 19
_GENERATION = re.compile(r"\{%[-+]?\s*(?:end)?generation\s*[-+]?%\}")
"""A tag that transformers has, and Jinja has not."""


def text_of(data: Bytes) -> str | None:
    """Return a file as text: UTF-8 without NUL; None where it is none, or is longer than any text."""
    if len(data) > LONGEST or b"\0" in data[:4096] or data.find(b"\0") >= 0:
        return None
    try:
        return str(data[:], "utf-8")
    except UnicodeDecodeError:
        return None


def check_json(text: str, path: Path) -> tuple[str, ...]:
    """Return what to tell of a JSON file.  ``DataError`` A205 for what is none, or more than is read.

    >>> check_json('{"a": 1, "a": 2}', Path("m.json"))
    ("the key 'a' comes twice: readers differ in which they take",)
    """
    text = text.removeprefix("\ufeff")
    try:
        if len(text) > LONGEST_BUILT:
            msgspec.json.decode(text, type=msgspec.Raw)
            return ()
        twice: Counter[str] = Counter()
        value = json.loads(
            text, object_pairs_hook=lambda pairs: _object(pairs, twice), parse_constant=_constant
        )
    except RecursionError:
        raise damaged(
            Fault.OVERSIZED, path, "JSON that is nested deeper than any reader goes"
        ) from None
    except (ValueError, msgspec.DecodeError) as error:
        raise damaged(Fault.NONSENSE, path, f"no JSON: {str(error)[:200]}") from None
    notes = [
        f"the key {key[:60]!r} comes twice: readers differ in which they take"
        for key in list(twice)[:3]
    ]
    if isinstance(value, dict) and "auto_map" in value:
        notes.append("it names Python code of its authors (auto_map), which assay does not load")
    return tuple(notes)


def _object(pairs: list[tuple[str, Any]], twice: Counter[str]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen = set[str]()
        for key, _ in pairs:
            if key in seen and len(twice) < 100:
                twice[key] += 1
            seen.add(key)
    return made


def _constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def check_template(text: str, path: Path) -> None:
    """Raise ``DataError`` A205 for what is no Jinja template, or longer than one.  Nothing is rendered."""
    if len(text) > LONGEST_TEMPLATE:
        raise damaged(Fault.OVERSIZED, path, f"a template of {len(text):,} characters")
    known = Environment(  # noqa: S701  (a prompt is no web page)
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    )
    try:
        known.parse(_GENERATION.sub("", text))
    except RecursionError:
        raise damaged(Fault.OVERSIZED, path, "a template that is nested too deep") from None
    except TemplateError as error:
        raise damaged(Fault.NONSENSE, path, f"no template: {str(error)[:200]}") from None
