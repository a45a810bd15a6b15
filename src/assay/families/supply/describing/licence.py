"""Under which licence a model comes, and where that is said."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..header import ModelFile

_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "NOTICE")
_KEYS = ("general.license", "general.license.name", "license", "licence", "data_license")
_LINE = re.compile(r"^(license|license_name):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_LONGEST = 10_000


def licence_of(model: ModelFile) -> dict[str, str] | None:
    """Return what is said of the licence and where: metadata first, then README.md, then a file.

    Whether it is right is for a person to say; *not to be trusted when* money hangs on it.
    """
    metadata = model.header.metadata
    properties = metadata.get("properties")  # of an ONNX file
    for source in (metadata, properties if isinstance(properties, Mapping) else {}):
        for key in _KEYS:
            if isinstance(said := source.get(key), str) and said.strip():
                return {"says": said.strip()[:200], "from": f"the file, {key}"}
    sides = model.header.side_files
    if "README.md" in sides:
        text = model.side_file("README.md")[:_LONGEST].decode("utf-8", "replace")
        front = text[3:].partition("\n---")[0] if text.startswith("---") else ""
        found = dict(_LINE.findall(front))
        if said := found.get("license_name") or found.get("license"):
            return {"says": said.strip("\"'"), "from": "README.md"}
    for name in _FILES:
        if name in sides:
            text = model.side_file(name)[:_LONGEST].decode("utf-8", "replace")
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            return {"says": (lines or ["(empty)"])[0][:200], "from": name}
    return None
