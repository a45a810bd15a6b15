"""The quantizations of a submission, each with the file that it is."""

from __future__ import annotations

import re
from typing import Any

from ...engine.resolve import CONTROLS
from .keys import FORMATS, QUANTIZATION
from .naming import system_name
from .notes import shown
from .places import check_file, check_source
from .sent import Quantization
from .told import Told, kind_of

MOST_LISTED = 32
_PINNED = re.compile(r"@[0-9a-f]{40}$")


def quantizations(told: Told, key: str, value: Any) -> tuple[Quantization, ...] | None:
    """Return what is to be measured; None, with notes, where one of them cannot be read."""
    if not isinstance(value, list) or not value:
        told.wrong(
            key,
            value,
            "  quantizations:\n    - {name: Q8_0, format: gguf, file: model-q8_0.gguf}\n",
        )
        return None
    if len(value) > MOST_LISTED:
        told.say("error", key, f"{len(value)} quantizations; {MOST_LISTED} are the most", "")
        return None
    read = [_quantization(told, f"{key}[{i}]", each) for i, each in enumerate(value)]
    seen: dict[str, str] = {}
    for i, each in enumerate(read):
        if each is None:
            continue
        if system_name(each.name) in CONTROLS:
            says = f"{shown(each.name)} is the name of a control, which stands beside every system"
            told.say("error", f"{key}[{i}].name", says, "give it another name, as Q8_0")
            read[i] = None
        other = seen.get(system_name(each.name))
        seen[system_name(each.name)] = each.name
        if other is not None:
            says = f"{shown(each.name)} and {shown(other)} would be one system of the plan"
            told.say("error", f"{key}[{i}].name", says, "give each a name of its own")
            read[i] = None
    return None if None in read else tuple(each for each in read if each is not None)


def _quantization(told: Told, key: str, value: Any) -> Quantization | None:
    if not isinstance(value, dict):
        meant = (
            f"    - {{name: {shown(value)}, format: gguf, file: ...}}\n"
            if isinstance(value, str)
            else ""
        )
        told.say("error", key, f"a quantization is a mapping, not {kind_of(value)}", meant)
        return None
    told.known(key, value, QUANTIZATION)
    name = told.text(value, "name", most=60, place=key)
    form = told.choice(f"{key}.format", value.get("format"), FORMATS)
    file, source = value.get("file"), value.get("source")
    bad = [
        check_file(file) if file is not None else None,
        check_source(source) if source is not None else None,
    ]
    for which, fault in zip(("file", "source"), bad, strict=True):
        if fault:
            told.say("error", f"{key}.{which}", *fault)
    if name is None or form is None or any(bad):
        return None
    if form in ("gguf", "onnx") and file is None and (source is None or source.startswith("hf:")):
        says = f"it does not say which file of the repository is the {form.upper()} one"
        told.say("error", f"{key}.file", says, f"      file: model-{system_name(name)}.{form}\n")
        return None
    if source is not None and source.startswith("hf:") and not _PINNED.search(source):
        says = "the source is a branch, a tag or a short commit, which may move"
        told.say("publish", f"{key}.source", says, "write the commit, 40 hex digits")
    return Quantization(name=name, format=form, file=file, source=source)
