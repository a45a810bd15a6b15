"""The keys of a submission, read one by one, with everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar

from . import licences
from .keys import CATEGORIES, FORMATS, MODEL, PRIORITIES, QUANTIZATION, TESTING, Key
from .naming import fault_of_text, foreign_letters, model_id, system_name
from .notes import Level, Note, shown
from .parameters import parse_parameters, spell_parameters
from .places import check_file, check_source
from .sent import Quantization, Submission, Wishes

T = TypeVar("T")

LEAST, MOST = 1_000_000, 3_000_000_000
"""Parameters of a small model."""

MOST_LISTED = 32
COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,127}")
_HANDLE = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_ADDRESS = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]+\.[^@\s<>]+")
_HUB = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf:")


@dataclass
class Reading:
    """The reading of one file; ``notes`` grow while it goes on."""

    lines: Mapping[str, int]
    notes: list[Note] = field(default_factory=list)

    def submission(self, top: Mapping[str, Any]) -> Submission | None:
        """Return what the file says; None where an error leaves too little of it."""
        model = top.get("model")
        if not isinstance(model, dict):
            self._no_model(top)
            return None
        for key in top:
            if key != "model":
                hint = f"move it below `model:`: `  {key}: ...`" if key in MODEL else "remove it"
                self.say("error", key, f"unknown key {shown(key)}", hint)
        self._known("model", model, self._keys(model))
        name = self._text(model, "name", most=100)
        if name is not None and (letter := foreign_letters(name)):
            says = f"a reader may take a letter for another one: {letter}"
            self.say("warning", "model.name", says, f"the board calls it {model_id(name)}")
        parts: dict[str, Any] = {
            "name": name,
            "family": self._text(model, "family", most=100),
            "hf_repo": self._one(model, "hf_repo", self._repo),
            "parameters": self._one(model, "parameters", self._parameters),
            "architecture": self._text(model, "architecture", most=100),
            "quantizations": self._one(model, "quantizations", self._quantizations),
        }
        rest: dict[str, Any] = {
            "version": self._text(model, "version", most=40),
            "revision": self._revision(model),
            "context_length": self._one(model, "context_length", self._context),
            "license": self._one(model, "license", self._license),
            "categories": self._one(model, "categories", self._categories) or (),
            "submitted_by": self._one(model, "submitted_by", self._sender),
            "submitted_date": self._one(model, "submitted_date", self._day),
            "contact": self._one(model, "contact", self._contact),
            "testing": self._one(model, "testing", self._testing) or Wishes(),
        }
        return None if any(part is None for part in parts.values()) else Submission(**parts, **rest)

    def say(self, level: Level, key: str, says: str, suggests: str = "") -> None:
        """Add a note."""
        near = key
        while near not in self.lines and near:
            near = near[: max(near.rfind("."), near.rfind("["), 0)]
        line = self.lines.get(near, 1)
        self.notes.append(Note(level=level, line=line, key=key, says=says, suggests=suggests))

    def _no_model(self, top: Mapping[str, Any]) -> None:
        if "model" in top:
            self.say("error", "model", "model: is no mapping of keys", _example())
        elif set(top) & set(MODEL):
            first = next(key for key in top if key in MODEL)
            says = "the keys do not stand below `model:`"
            self.say("error", first, says, "write `model:` on a line above, and indent the keys")
        else:
            near = get_close_matches("model", list(map(str, top)), n=1)
            self.say(
                "error",
                near[0] if near else "",
                f"there is no key model{f'; there is {shown(near[0])}' if near else ''}",
                "did you mean 'model'?" if near else _example(),
            )

    def _keys(self, model: Mapping[str, Any]) -> Mapping[str, Key]:
        """Return the keys below ``model:``; a commit is not needed where every source is named apart."""
        listed = model.get("quantizations")
        apart = isinstance(listed, list) and all(
            isinstance(each, dict) and each.get("source") is not None for each in listed
        )
        own = replace(MODEL["hf_revision"], need="never" if apart and listed else "publish")
        return {**MODEL, "hf_revision": own}

    def _known(self, place: str, given: Mapping[str, Any], known: Mapping[str, Key]) -> None:
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

    def _one(
        self, given: Mapping[str, Any], name: str, read: Callable[[str, Any], T | None]
    ) -> T | None:
        value = given.get(name)
        return None if value is None else read(f"model.{name}", value)

    def _text(
        self, given: Mapping[str, Any], name: str, *, most: int, place: str = "model"
    ) -> str | None:
        value = given.get(name)
        if value is None:
            return None
        key, known = f"{place}.{name}", MODEL if place == "model" else QUANTIZATION
        if not isinstance(value, str):
            quoted = f'write {name}: "{value}"' if isinstance(value, int | float) else ""
            self.say("error", key, f"it has to be {known[name].holds}, not {_kind(value)}", quoted)
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

    def _wrong(self, key: str, value: Any, suggests: str = "") -> None:
        """Say that a value is not what the key holds."""
        name = key.rpartition(".")[2]
        says = f"it has to be {MODEL[name].holds}, not {shown(value)}"
        self.say("error", key, says, suggests)

    def _repo(self, key: str, value: Any) -> str | None:
        if isinstance(value, str) and _REPO.fullmatch(value) and ".." not in value:
            return value
        bare = (
            "/".join(_HUB.sub("", value, count=1).strip("/").split("/")[:2])
            if isinstance(value, str)
            else ""
        )
        bare = bare.partition("@")[0]
        meant = f"write hf_repo: {bare}" if _REPO.fullmatch(bare) and ".." not in bare else ""
        self._wrong(key, value, meant or f"write hf_repo: {MODEL['hf_repo'].example}")
        return None

    def _parameters(self, key: str, value: Any) -> int | None:
        if isinstance(value, bool) or not isinstance(value, str):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= LEAST
            self._wrong(key, value, f"write parameters: {spell_parameters(value)}" if whole else "")
            return None
        try:
            count = parse_parameters(value)
        except ValueError as error:
            self._wrong(key, value, str(error))
            return None
        if LEAST <= count <= MOST:
            return count
        says = f"{shown(value)} is not between 1M and 3B, which is what this board measures"
        self.say("error", key, says, "check the unit: K, M or B")
        return None

    def _revision(self, model: Mapping[str, Any]) -> str | None:
        one, other = model.get("hf_revision"), model.get("revision")
        if one is not None and other is not None and one != other:
            says = "hf_revision and revision name two commits"
            self.say("error", "model.revision", says, "keep one of them")
            return None
        name = "revision" if one is None else "hf_revision"
        value, key = other if one is None else one, f"model.{name}"
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            says = "YAML reads these digits as a number"
            self.say("error", key, says, f'write it in quotes: {name}: "..."')
            return None
        if not isinstance(value, str) or not _REVISION.fullmatch(value) or ".." in value:
            self.say(
                "error", key, f"{shown(value)} is no commit, branch or tag", "write the commit"
            )
            return None
        if re.fullmatch(r"[0-9a-fA-F]{40}", value):
            return value.lower()
        says = f"{shown(value)} is a branch, a tag or a short commit, which may move"
        self.say("publish", key, says, "write the commit, 40 hex digits")
        return value

    def _context(self, key: str, value: Any) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**8:
            return value
        digits = re.fullmatch(r"(\d+)([kK]?)", str(value).replace(",", "").replace("_", ""))
        meant = int(digits[1]) * (1024 if digits[2] else 1) if digits and len(digits[1]) < 9 else 0
        self._wrong(key, value, f"write context_length: {meant}" if meant else "")
        return None

    def _license(self, key: str, value: Any) -> str | None:
        if not isinstance(value, str) or fault_of_text(value, most=100):
            self._wrong(key, value, f"write license: {MODEL['license'].example}")
            return None
        known = licences.canonical(value)
        if known is None:
            says = f"{shown(value)} is no licence that this board knows"
            self.say("warning", key, says, licences.suggested(value))
            return value
        if known != value:
            self.say("warning", key, f"{shown(value)} is written {known}", f"  license: {known}\n")
        return known

    def _quantizations(self, key: str, value: Any) -> tuple[Quantization, ...] | None:
        if not isinstance(value, list) or not value:
            self._wrong(
                key,
                value,
                "  quantizations:\n    - {name: Q8_0, format: gguf, file: model-q8_0.gguf}\n",
            )
            return None
        if len(value) > MOST_LISTED:
            self.say("error", key, f"{len(value)} quantizations; {MOST_LISTED} are the most", "")
            return None
        read = [self._quantization(f"{key}[{i}]", each) for i, each in enumerate(value)]
        seen: dict[str, str] = {}
        for i, each in enumerate(read):
            if each is None:
                continue
            if (other := seen.setdefault(system_name(each.name), each.name)) is not each.name:
                says = f"{shown(each.name)} and {shown(other)} would be one system of the plan"
                self.say("error", f"{key}[{i}].name", says, "give each a name of its own")
                read[i] = None
        return None if None in read else tuple(each for each in read if each is not None)

    def _quantization(self, key: str, value: Any) -> Quantization | None:
        if not isinstance(value, dict):
            meant = (
                f"    - {{name: {value}, format: gguf, file: ...}}\n"
                if isinstance(value, str)
                else ""
            )
            self.say("error", key, f"a quantization is a mapping, not {_kind(value)}", meant)
            return None
        self._known(key, value, QUANTIZATION)
        name = self._text(value, "name", most=60, place=key)
        form = self._choice(f"{key}.format", value.get("format"), FORMATS)
        file, source = value.get("file"), value.get("source")
        bad = [
            check_file(file) if file is not None else None,
            check_source(source) if source is not None else None,
        ]
        for which, fault in zip(("file", "source"), bad, strict=True):
            if fault:
                self.say("error", f"{key}.{which}", *fault)
        if name is None or form is None or any(bad):
            return None
        if (
            form in ("gguf", "onnx")
            and file is None
            and (source is None or source.startswith("hf:"))
        ):
            says = f"it does not say which file of the repository is the {form.upper()} one"
            self.say(
                "error", f"{key}.file", says, f"      file: model-{system_name(name)}.{form}\n"
            )
            return None
        return Quantization(name=name, format=form, file=file, source=source)

    def _choice(self, key: str, value: Any, known: Sequence[str]) -> str | None:
        if value is None or value in known:
            return value  # type: ignore[no-any-return]  # one of the known ones
        near = get_close_matches(str(value).lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
        self.say("error", key, f"{shown(value)} is none of {', '.join(known)}", hint)
        return None

    def _categories(self, key: str, value: Any) -> tuple[str, ...] | None:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._wrong(key, value, f"write categories: {MODEL['categories'].example}")
            return None
        kept = []
        for i, each in enumerate(value[:MOST_LISTED]):
            if each in CATEGORIES:
                kept.append(each)
                continue
            near = get_close_matches(each.lower(), CATEGORIES, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(CATEGORIES)}"
            self.say(
                "warning", f"{key}[{i}]", f"{shown(each)} is no category, and is left out", hint
            )
        return tuple(dict.fromkeys(kept))

    def _sender(self, key: str, value: Any) -> str | None:
        if not isinstance(value, str) or fault_of_text(value, most=100):
            bare = str(value).lstrip("@")
            fits = isinstance(value, str | int) and _HANDLE.fullmatch(bare)
            self._wrong(key, value, f'write submitted_by: "{bare}"' if fits else "")
            return None
        if not _HANDLE.fullmatch(value):
            says = f"{shown(value)} is no name of an account: letters, digits and single -"
            self.say("warning", key, says, "write your name on GitHub, without @")
        return value

    def _day(self, key: str, value: Any) -> str | None:
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            self._wrong(key, value, 'write submitted_date: "2026-11-29"')
            return None

    def _contact(self, key: str, value: Any) -> str | None:
        if isinstance(value, str) and value.isprintable() and _ADDRESS.fullmatch(value):
            return value
        self.say(
            "warning",
            key,
            f"{shown(value)} is no address, and is left out",
            "write you@example.org",
        )
        return None

    def _testing(self, key: str, value: Any) -> Wishes | None:
        if not isinstance(value, dict):
            self._wrong(key, value, f"write testing: {MODEL['testing'].example}")
            return None
        self._known(key, value, TESTING)
        priority = self._choice(f"{key}.priority", value.get("priority"), PRIORITIES)
        skip, devices = value.get("skip_safety", False), value.get("edge_devices", [])
        if not isinstance(skip, bool):
            says = f"it has to be true or false, not {shown(skip)}"
            self.say("error", f"{key}.skip_safety", says, "write skip_safety: false")
        if not isinstance(devices, list) or any(
            not isinstance(each, str) or fault_of_text(each, most=60) for each in devices
        ):
            says = f"it has to be a list of texts, not {shown(devices)}"
            self.say("error", f"{key}.edge_devices", says, "write edge_devices: [raspberry-pi-5]")
            devices = []
        return Wishes(
            priority=priority or "standard",
            skip_safety=skip is True,
            edge_devices=tuple(devices[:MOST_LISTED]),
        )


def _kind(value: object) -> str:
    kinds = {
        dict: "a mapping",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "a text")


def _example() -> str:
    rows = [f"  {name}: {key.example}" for name, key in MODEL.items() if key.need != "never"]
    return "\n".join(["model:", *rows]) + "\n"
