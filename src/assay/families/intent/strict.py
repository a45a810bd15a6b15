"""Strict YAML for the files of a domain: plain values, and errors with the line they speak of.

*Covered*: unknown keys (with a suggestion), wrong types, duplicate keys, anchors and tags, files
above 1 MB, bytes that are not UTF-8.
*Not covered*: YAML that is valid and merely ugly.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assay import DataError

MAX_BYTES = 1_000_000
MAX_DEPTH = 12

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Strict(BaseModel):
    """A part of a file: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=Strict)


def read_strict(file: Path | Traversable, model: type[M]) -> M:
    """Read a YAML file as ``model``.

    Raises ``DataError`` A200 with the file and the line for whatever is wrong with it.
    """
    name = str(file)
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)  # a file without end is not read to its end
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}",
            where=name,
            hint="check the path",
        ) from None
    if len(raw) > MAX_BYTES:
        raise DataError(
            f"the file has more than {MAX_BYTES:,} bytes", where=name, hint="write less into it"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte {error.start} is not UTF-8", where=name, hint="save the file as UTF-8"
        ) from None
    return parse_strict(text, model, name=name)


def parse_strict(text: str, model: type[M], *, name: str) -> M:
    """Parse YAML text as ``model``; ``name`` is for error messages.

    >>> class Colour(Strict):
    ...     red: int = 0
    >>> parse_strict("red: 7", Colour, name="c.yaml").red
    7
    >>> parse_strict("rod: 7", Colour, name="c.yaml")
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 there is no key 'rod' here
      at: c.yaml:1
      try: did you mean 'red'?
    """
    lines: dict[tuple[str | int, ...], int] = {}
    try:
        _refuse_clever(text, name)
        node = yaml.compose(text, Loader=_Loader)
        value = {} if node is None else _plain(node, (), lines, name)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DataError(
            f"this is not YAML: {error.problem or error}",
            where=f"{name}{line}",
            hint="look at the indentation and the quotes near this line",
        ) from None
    except yaml.YAMLError as error:
        raise DataError(
            f"this is not YAML: {str(error).splitlines()[0]}",
            where=name,
            hint="save it as UTF-8 text without control characters",
        ) from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _wrong(error, model, lines, name) from None


def _wrong(
    error: ValidationError,
    model: type[Strict],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> DataError:
    # A misspelt key also leaves one missing: the misspelling is what there is to mend.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = tuple(first["loc"])
    shown = ".".join(map(str, place)) or "the file"
    near = place
    while near and near not in lines:
        near = near[:-1]
    where = f"{name}:{lines.get(near, 1)}"
    key = str(place[-1]) if place else ""
    if first["type"] == "extra_forbidden":
        known = sorted(_fields(model, place[:-1]))
        like = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {like[0]!r}?" if like else f"the keys are {', '.join(known)}"
        return DataError(f"there is no key {key!r} here", where=where, hint=hint)
    if first["type"] == "missing":
        return DataError(f"{shown} is missing", where=where, hint=f"add `{key}:`")
    says = first["msg"].removeprefix("Value error, ")
    return DataError(f"{shown}: {says[:1].lower()}{says[1:]}", where=where, hint="mend the value")


def _fields(model: Any, place: tuple[str | int, ...]) -> set[str]:
    """Return the keys that stand at a place of the model."""
    models = {model}
    for step in place:
        found: set[Any] = set()
        for one in models:
            if one.model_fields.get(str(step)) is not None:
                found |= set(_models_in(one.model_fields[str(step)].annotation))
        models = found or models  # a key of a mapping or a place in a list changes nothing
    return {key for one in models for key in one.model_fields}


def _models_in(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)


def _refuse_clever(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        where = f"{name}:{event.start_mark.line + 1}" if event.start_mark else name
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DataError(
                "anchors and aliases are not read", where=where, hint="write the value out"
            )
        if getattr(event, "tag", None):
            raise DataError("tags are not read", where=where, hint="write a plain value")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise DataError(f"nested more than {MAX_DEPTH} deep", where=where, hint="indent less")


def _plain(
    node: yaml.Node,
    place: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return tuple(_plain(n, (*place, i), lines, name) for i, n in enumerate(node.value))
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, where = key_node.value, f"{name}:{key_node.start_mark.line + 1}"
            if not isinstance(key, str):
                raise DataError("a key must be a word", where=where, hint="write `word: value`")
            if key in found:
                raise DataError(
                    f"the key {key!r} stands here twice", where=where, hint="keep one of them"
                )
            found[key] = _plain(value_node, (*place, key), lines, name)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return found
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    """Return a text, a number, a truth value or None; YAML 1.1's "yes" and "on" stay words."""
    kind = node.tag.rpartition(":")[2]
    word = str(node.value)
    if kind == "null":
        return None
    if kind == "bool" and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(word) if kind == "int" else float(word)
        except ValueError:
            return word
    return word
