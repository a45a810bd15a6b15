"""Write what assay and all its extras are made of, as CycloneDX: equal environments give equal bytes.

    make sbom

Reads the environment that ``make`` made with ``cyclonedx-py`` (of ``tools/audit.txt``, in an environment of its
own), and leaves out what nobody who installs assay gets: the packages that only develop it, and paths of this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAME = "assay-eval"


def main(python: str, out: str) -> int:
    """Write the document, and hold it to the schema."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "all.json"
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--sv", "1.6", "-o", made, python]  # fmt: skip
        subprocess.run(list(map(str, command)), check=True, cwd=ROOT)
        document = json.loads(made.read_bytes())
    text = json.dumps(shipped(document), sort_keys=True, indent=1, ensure_ascii=True) + "\n"
    if (fault := fault_of(text)) is not None:
        sys.exit(f"not valid: {fault}")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(text, "utf-8")
    print(f"{out}: {text.count(chr(34) + 'purl' + chr(34))} packages, valid as CycloneDX 1.6")
    return 0


def shipped(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of an environment as one of assay: it is the root, and what it needs is all there is."""
    components = {part["bom-ref"]: part for part in document["components"]}
    needs = {each["ref"]: sorted(each.get("dependsOn", ())) for each in document["dependencies"]}
    [root] = [ref for ref, part in components.items() if part["name"] == NAME]
    found, left = {root}, [root]
    while left:
        fresh = [ref for ref in needs.get(left.pop(), ()) if ref in components and ref not in found]
        found.update(fresh)
        left += fresh
    kept = sorted(found - {root})
    return {
        "$schema": document["$schema"],
        "bomFormat": document["bomFormat"],
        "specVersion": document["specVersion"],
        "version": 1,
        "metadata": {**document["metadata"], "component": plain(components[root], "application")},
        "components": [plain(components[ref], "library") for ref in kept],
        "dependencies": [{"ref": ref, "dependsOn": [n for n in needs.get(ref, ()) if n in found]} for ref in sorted(found)],
    }  # fmt: skip


def plain(part: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a component without addresses of files here."""
    links: Sequence[Mapping[str, Any]] = part.get("externalReferences", ())
    kept = [link for link in links if not str(link.get("url", "")).startswith("file:")]
    rest = {
        key: value for key, value in part.items() if key not in ("externalReferences", "properties")
    }
    return {**rest, "type": kind, **({"externalReferences": kept} if kept else {})}


def fault_of(text: str) -> str | None:
    """Return what the schema says against a document; None where it is valid."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if found is None else str(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
