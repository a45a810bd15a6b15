"""``assay model convert``: a model file of another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from assay import Artifact
from assay.pages import Page, check_file


def convert(
    source: Path,
    /,
    *,
    to: str,
    out: Path,
    quantise: str | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Write a model as APR, safetensors, GGUF or ONNX, in little memory; whole or not at all.

    Parameters
    ----------
    source
        A safetensors, APR or GGUF file, a model folder, or the folder of a classifier head.
    to
        apr, safetensors, gguf or onnx (classifier heads).
    out
        The file to write; a folder for safetensors, unless the name ends in .safetensors.
    quantise
        The type of the numbers: f32, f16, bf16, and per format q8, q4, q4_k, q6_k (apr) or q8_0 to q4_k_m
        (gguf).  Without it every tensor keeps its own.
    force
        Replace what stands there.
    """
    from ..converting.convert import convert as write

    check_file("--out", out)
    made = write(source, out, to=to, quantise=quantise, force=force)
    size = sum(parent.size for parent in made.parents)
    lines: list[str | tuple[str, ...]] = [
        f"{made.path}: {to}, {made.artifact.size:,} bytes, sha256 {made.sha256}",
        f"from {len(made.parents)} file{'s' if len(made.parents) > 1 else ''}, {size:,} bytes:",
        *((f"  {p.source}", f"{p.size:,}", p.digest) for p in made.parents),
    ]
    lines += made.notes
    if made.settings["quantise"] not in ("as it is", "f32"):
        lines.append(f"what it answers: assay model validate {made.path} --against {source}")
    facts = {
        "path": str(made.path),
        "artifact": _facts(made.artifact),
        "parents": [_facts(parent) for parent in made.parents],
        "settings": dict(made.settings),
        "notes": list(made.notes),
    }
    return Page(lines=lines, facts=facts)


def _facts(artifact: Artifact) -> dict[str, Any]:
    return {
        "digest": artifact.digest,
        "kind": artifact.kind,
        "size": artifact.size,
        "source": artifact.source,
        "parents": list(artifact.parents),
        "made_by": artifact.made_by,
        "license": artifact.license,
    }
