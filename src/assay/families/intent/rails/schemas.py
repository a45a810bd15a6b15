"""The JSON schemas of policies and contexts, as text: ``python -m assay.families.intent.rails.schemas``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .context import Context
from .documents import Document
from .policy import Policy

KINDS: Mapping[str, type[Document]] = {"policy": Policy, "context": Context}


def schemas() -> Mapping[str, str]:
    """Return file name to text; ``docs/schemas`` holds exactly these.

    >>> sorted(schemas())
    ['context.json', 'policy.json']
    """
    return {
        f"{name}.json": json.dumps(kind.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, kind in KINDS.items()
    }


def main(folder: Path) -> None:
    """Write the schemas into a folder."""
    for name, text in schemas().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
