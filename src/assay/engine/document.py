"""Strict YAML: plain values with the line of each, and nothing clever.

Covered: duplicate keys, aliases and anchors (a bomb needs them), tags, several documents, files
above 256 kB, deep nesting, bytes that are not UTF-8.
Not covered: YAML that is valid and merely ugly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from ..core.errors import PlanError
from ..store.canon import canonical

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
PLAIN = ("str", "int", "float", "bool", "null")

_OTHERWISE = re.compile(r"[-+]?(0_*[0-7][0-7_]*|[0-9_]+(:[0-9_.]+)+)")
"""What people write as a number or a time, and YAML 1.1 reads as octal or sexagesimal."""

KeyPath: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values, and the line on which each begins."""

    path: Path
    text: str
    value: Any
    lines: dict[KeyPath, int]

    def where(self, place: KeyPath) -> str:
        """Return ``file:line`` of a value, or of the nearest one that contains it."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"


PLAN_BEGINS = "begin with `name:`, `tasks:` and `systems:`; `assay init` writes an example"


def read_document(path: Path, *, what: str = "plan", begins: str = PLAN_BEGINS) -> Document:
    """Read a YAML file; what it is and how it begins are for error messages.

    Raises ``PlanError`` A100 when it cannot be read, A105 when it is too large or too clever.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PlanError(
            f"the {what} cannot be read: {error.strerror}",
            where=str(path),
            hint="check the path"
            + ("; `assay init` writes a plan to begin with" if what == "plan" else ""),
        ) from None
    if len(raw) > MAX_BYTES:
        raise PlanError(
            f"the file is too large: a {what} has at most {MAX_BYTES:,} bytes",
            where=str(path),
            hint=f"put data into a file of its own, not into the {what}",
            code="A105",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(
            f"byte {error.start} is not UTF-8",
            where=str(path),
            hint="save the file as UTF-8",
        ) from None
    document = parse_document(text, path)
    if document.value is None:
        raise PlanError(
            f"the {what} is empty",
            where=str(path),
            hint=begins,
        )
    return document


def parse_document(text: str, path: Path) -> Document:
    """Parse YAML text; ``path`` is for error messages."""
    try:
        _refuse_clever(yaml.SafeLoader(text), path)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        value = _plain(node, (), lines, loader, path) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f":{mark.line + 1}" if mark else ""
        raise PlanError(
            f"this is not YAML: {error.problem or error}",
            where=f"{path}{line}",
            hint="look at the indentation and the quotes near this line",
        ) from None
    except yaml.YAMLError as error:
        raise PlanError(
            f"this is not YAML: {str(error).splitlines()[0]}",
            where=str(path),
            hint="remove characters that cannot be printed",
        ) from None
    return Document(path=path, text=text, value=value, lines=lines)


def _refuse_clever(loader: yaml.SafeLoader, path: Path) -> None:
    depth = 0
    while loader.check_event():
        event = loader.get_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs
        line = f"{path}:{event.start_mark.line + 1}"
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent) or anchor:
            raise PlanError(
                f"anchors and aliases are not read (here: {anchor!r})",
                where=line,
                hint="write the value out; plans have no templating",
                code="A105",
            )
        tag = getattr(event, "tag", None)
        if tag:
            raise PlanError(
                f"tags are not read (here: {tag!r})",
                where=line,
                hint="write a plain value",
                code="A105",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise PlanError(
                f"nested more than {MAX_DEPTH} deep",
                where=line,
                hint="write a flatter plan",
                code="A105",
            )


def _plain(
    node: yaml.Node,
    place: KeyPath,
    lines: dict[KeyPath, int],
    loader: yaml.SafeLoader,
    path: Path,
) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*place, i), lines, loader, path) for i, n in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = f"{path}:{key_node.start_mark.line + 1}"
            key = key_node.value
            if not isinstance(key, str) or not _is_whole(key):
                raise PlanError("a key must be a word", where=where, hint="write `word: value`")
            if key in found:
                raise PlanError(
                    f"the key {key!r} stands here twice",
                    where=where,
                    hint="keep one of them",
                )
            found[key] = _plain(value_node, (*place, key), lines, loader, path)
            # What people look for is the key; a mapping below it begins a line later.
            lines[(*place, key)] = key_node.start_mark.line + 1
        return found
    kind = node.tag.rpartition(":")[2]
    if kind not in PLAIN:
        # Dates and such become what they look like: text.
        return str(node.value)
    if kind in ("int", "float") and _OTHERWISE.fullmatch(node.value):
        raise PlanError(
            f"YAML reads {node.value[:40]!r} as another number: a leading 0 counts in eights, colons in sixties",
            where=f"{path}:{node.start_mark.line + 1}",
            hint=f'write the number without them, or a text: "{node.value[:40]}"',
            code="A102",
        )
    try:
        value = loader.construct_object(node)
        canonical(value).decode("utf-8")
    except ValueError as error:
        # Infinities, NaN, half a surrogate pair, an integer of thousands of digits.
        raise PlanError(
            f"a value that cannot be stored: {str(error).splitlines()[0]}",
            where=f"{path}:{node.start_mark.line + 1}",
            hint="write a finite number or a text",
            code="A102",
        ) from None
    return value


def _is_whole(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair, which UTF-8 cannot carry."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
