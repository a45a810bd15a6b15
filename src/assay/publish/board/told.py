"""What is found while a submission is read, told with the line where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from .keys import MODEL, QUANTIZATION, Key
from .naming import fault_of_text
from .notes import Level, Note, safe, safe_lines, shown


@dataclass
class Told:
    """The notes of one file; they grow while it is read."""

    lines: Mapping[str, int]
    """Of each key."""

    notes: list[Note] = field(default_factory=list)

    def say(self, level: Level, key: str, says: str, suggests: str = "") -> None:
        """Add a note, with nothing in it hidden and nothing that acts."""
        near = key
        while near not in self.lines and near:
            near = near[: max(near.rfind("."), near.rfind("["), 0)]
        line = self.lines.get(near, 1)
        note = Note(
            level=level, line=line, key=safe(key), says=safe(says), suggests=safe_lines(suggests)
        )
        self.notes.append(note)

    def known(self, place: str, given: Mapping[str, Any], known: Mapping[str, Key]) -> None:
        """Say which keys are unknown, and which are missing."""
        unknown = [key for key in given if key not in known]
        meant = {key: get_close_matches(key, known, n=1, cutoff=0.6) for key in unknown}
        for key in unknown:
            hint = (
                f"did you mean {meant[key][0]!r}?" if meant[key] else f"known: {', '.join(known)}"
            )
            says = f"unknown key {shown(key)}"
            self.say("error", f"{place}.{key}", says, hint)
        misspelt = {near[0] for near in meant.values() if near}
        for name, wanted in known.items():
            other = {"hf_revision": "revision"}.get(name, name)
            there = given.get(name, given.get(other)) is not None
            if there or wanted.need == "never" or name in misspelt:
                continue
            level: Level = "error" if wanted.need == "always" else "publish"
            indent = "  " * (1 + place.count("["))
            self.say(
                level,
                f"{place}.{name}",
                f"{name} is missing",
                f"{indent}{name}: {wanted.example}\n",
            )

    def text(
        self, given: Mapping[str, Any], name: str, *, most: int, place: str = "model"
    ) -> str | None:
        """Return a text that may stand; None, with a note, for any other value."""
        value = given.get(name)
        if value is None:
            return None
        key, known = f"{place}.{name}", MODEL if place == "model" else QUANTIZATION
        if not isinstance(value, str):
            quoted = f'write {name}: "{value}"' if isinstance(value, int | float) else ""
            self.say(
                "error", key, f"it has to be {known[name].holds}, not {kind_of(value)}", quoted
            )
            return None
        if fault := fault_of_text(value, most=most):
            self.say(
                "error",
                key,
                fault,
                f"write letters, digits, spaces and . - _ + ( ) /, as {known[name].example}",
            )
            return None
        return value.strip()

    def wrong(self, key: str, value: Any, suggests: str = "") -> None:
        """Say that a value is not what the key holds."""
        name = key.rpartition(".")[2]
        says = f"it has to be {MODEL[name].holds}, not {shown(value)}"
        self.say("error", key, says, suggests)

    def choice(self, key: str, value: Any, known: Sequence[str]) -> str | None:
        """Return a value that is one of the known ones; None, with a note, for any other."""
        if value is None or value in known:
            return value  # type: ignore[no-any-return]  # one of the known ones
        near = get_close_matches(str(value).lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
        self.say("error", key, f"{shown(value)} is none of {', '.join(known)}", hint)
        return None


def kind_of(value: object) -> str:
    """Return what a value is, as a sentence has it."""
    kinds = {
        dict: "a mapping",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "a text")
