"""The keys of a submission, read one by one, with everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeVar

from . import licences
from .forms import MOST_LISTED, quantizations
from .keys import CATEGORIES, MODEL, PRIORITIES, TESTING, Key
from .naming import fault_of_text, foreign_letters, model_id
from .notes import shown
from .parameters import parse_parameters, spell_parameters
from .sent import Submission, Wishes
from .told import Told

T = TypeVar("T")

LEAST, MOST = 1_000_000, 3_000_000_000
"""Parameters of a small model."""

_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,127}")
_HANDLE = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_ADDRESS = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]+\.[^@\s<>]+")
_HUB = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf:")


@dataclass
class Reading:
    """The reading of one file."""

    told: Told

    def submission(self, top: Mapping[str, Any]) -> Submission | None:
        """Return what the file says; None where an error leaves too little of it."""
        model = top.get("model")
        if not isinstance(model, dict):
            self._no_model(top)
            return None
        for key in top:
            if key != "model":
                hint = f"move it below `model:`: `  {key}: ...`" if key in MODEL else "remove it"
                self.told.say("error", key, f"unknown key {shown(key)}", hint)
        self.told.known("model", model, self._keys(model))
        name = self.told.text(model, "name", most=100)
        if name is not None and (letter := foreign_letters(name)):
            says = f"a reader may take a letter for another one: {letter}"
            self.told.say("warning", "model.name", says, f"the board calls it {model_id(name)}")
        parts: dict[str, Any] = {
            "name": name,
            "hf_repo": self._one(model, "hf_repo", self._repo),
            "parameters": self._one(model, "parameters", self._parameters),
            "quantizations": self._one(model, "quantizations", partial(quantizations, self.told)),
        }
        rest: dict[str, Any] = {
            "family": self.told.text(model, "family", most=100) or "",
            "architecture": self.told.text(model, "architecture", most=100) or "",
            "version": self.told.text(model, "version", most=40),
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

    def _no_model(self, top: Mapping[str, Any]) -> None:
        if "model" in top:
            self.told.say("error", "model", "model: is no mapping of keys", _example())
        elif set(top) & set(MODEL):
            first = next(key for key in top if key in MODEL)
            says = "the keys do not stand below `model:`"
            self.told.say(
                "error", first, says, "write `model:` on a line above, and indent the keys"
            )
        else:
            near = get_close_matches("model", list(map(str, top)), n=1)
            self.told.say(
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

    def _one(
        self, given: Mapping[str, Any], name: str, read: Callable[[str, Any], T | None]
    ) -> T | None:
        value = given.get(name)
        return None if value is None else read(f"model.{name}", value)

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
        self.told.wrong(key, value, meant or f"write hf_repo: {MODEL['hf_repo'].example}")
        return None

    def _parameters(self, key: str, value: Any) -> int | None:
        if isinstance(value, bool) or not isinstance(value, str):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= LEAST
            self.told.wrong(
                key, value, f"write parameters: {spell_parameters(value)}" if whole else ""
            )
            return None
        try:
            count = parse_parameters(value)
        except ValueError as error:
            self.told.wrong(key, value, str(error))
            return None
        if LEAST <= count <= MOST:
            return count
        says = f"{shown(value)} is not between 1M and 3B, which is what this board measures"
        self.told.say("error", key, says, "check the unit: K, M or B")
        return None

    def _revision(self, model: Mapping[str, Any]) -> str | None:
        one, other = model.get("hf_revision"), model.get("revision")
        if one is not None and other is not None and one != other:
            says = "hf_revision and revision name two commits"
            self.told.say("error", "model.revision", says, "keep one of them")
            return None
        name = "revision" if one is None else "hf_revision"
        value, key = other if one is None else one, f"model.{name}"
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            says = "YAML reads these digits as a number"
            self.told.say("error", key, says, f'write it in quotes: {name}: "..."')
            return None
        if not isinstance(value, str) or not _REVISION.fullmatch(value) or ".." in value:
            self.told.say(
                "error", key, f"{shown(value)} is no commit, branch or tag", "write the commit"
            )
            return None
        if re.fullmatch(r"[0-9a-fA-F]{40}", value):
            return value.lower()
        says = f"{shown(value)} is a branch, a tag or a short commit, which may move"
        self.told.say("publish", key, says, "write the commit, 40 hex digits")
        return value

    def _context(self, key: str, value: Any) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**8:
            return value
        digits = re.fullmatch(r"(\d+)([kK]?)", str(value).replace(",", "").replace("_", ""))
        meant = int(digits[1]) * (1024 if digits[2] else 1) if digits and len(digits[1]) < 9 else 0
        self.told.wrong(key, value, f"write context_length: {meant}" if meant else "")
        return None

    def _license(self, key: str, value: Any) -> str | None:
        if not isinstance(value, str) or fault_of_text(value, most=100):
            self.told.wrong(key, value, f"write license: {MODEL['license'].example}")
            return None
        known = licences.canonical(value)
        if known is None:
            says = f"{shown(value)} is no licence that this board knows"
            self.told.say("warning", key, says, licences.suggested(value))
            return value
        if known != value:
            self.told.say(
                "warning", key, f"{shown(value)} is written {known}", f"  license: {known}\n"
            )
        return known

    def _categories(self, key: str, value: Any) -> tuple[str, ...] | None:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.told.wrong(key, value, f"write categories: {MODEL['categories'].example}")
            return None
        kept = []
        for i, each in enumerate(value[:MOST_LISTED]):
            if each in CATEGORIES:
                kept.append(each)
                continue
            near = get_close_matches(each.lower(), CATEGORIES, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(CATEGORIES)}"
            self.told.say(
                "warning", f"{key}[{i}]", f"{shown(each)} is no category, and is left out", hint
            )
        return tuple(dict.fromkeys(kept))

    def _sender(self, key: str, value: Any) -> str | None:
        if not isinstance(value, str) or fault_of_text(value, most=100):
            bare = str(value).lstrip("@")
            fits = isinstance(value, str | int) and _HANDLE.fullmatch(bare)
            self.told.wrong(key, value, f'write submitted_by: "{bare}"' if fits else "")
            return None
        if not _HANDLE.fullmatch(value):
            says = f"{shown(value)} is no name of an account: letters, digits and single -"
            self.told.say("warning", key, says, "write your name on GitHub, without @")
        return value

    def _day(self, key: str, value: Any) -> str | None:
        try:
            day = date.fromisoformat(str(value)).isoformat()
        except ValueError:
            day = ""
        if day != value:  # Python reads other forms too, as weeks
            self.told.wrong(key, value, f'write submitted_date: "{day or "2026-11-29"}"')
        return day or None

    def _contact(self, key: str, value: Any) -> str | None:
        if isinstance(value, str) and value.isprintable() and _ADDRESS.fullmatch(value):
            return value
        self.told.say(
            "warning",
            key,
            f"{shown(value)} is no address, and is left out",
            "write you@example.org",
        )
        return None

    def _testing(self, key: str, value: Any) -> Wishes | None:
        if not isinstance(value, dict):
            self.told.wrong(key, value, f"write testing: {MODEL['testing'].example}")
            return None
        self.told.known(key, value, TESTING)
        priority = self.told.choice(f"{key}.priority", value.get("priority"), PRIORITIES)
        skip, devices = value.get("skip_safety", False), value.get("edge_devices", [])
        if not isinstance(skip, bool):
            says = f"it has to be true or false, not {shown(skip)}"
            self.told.say("error", f"{key}.skip_safety", says, "write skip_safety: false")
        if not isinstance(devices, list) or any(
            not isinstance(each, str) or fault_of_text(each, most=60) for each in devices
        ):
            says = f"it has to be a list of texts, not {shown(devices)}"
            self.told.say(
                "error", f"{key}.edge_devices", says, "write edge_devices: [raspberry-pi-5]"
            )
            devices = []
        return Wishes(
            priority=priority or "standard",
            skip_safety=skip is True,
            edge_devices=tuple(devices[:MOST_LISTED]),
        )


def _example() -> str:
    rows = [f"  {name}: {key.example}" for name, key in MODEL.items() if key.need != "never"]
    return "\n".join(["model:", *rows]) + "\n"
