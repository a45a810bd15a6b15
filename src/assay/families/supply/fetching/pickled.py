"""A pickle that was fetched, made into safetensors by a process that can harm nothing."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..keeping.cache import ModelCache
from ..keeping.kept import Kept
from ..keeping.notes import Origin
from ..keeping.parts import open_part
from .heads import Head, Heads
from .scratch import scratch


def made_of(digest: str, heads: Heads) -> str | None:
    """Return the sha256 of what a pickle was made into; None where it was not, as far as is known."""
    return heads.read(_key(digest)).sha256


def name_of(pickle: str) -> str:
    """Return what a pickle is called once it is none.

    >>> name_of("encoder/pytorch_model.bin")
    'encoder/pytorch_model.safetensors'
    """
    return str(PurePosixPath(pickle).with_suffix(".safetensors"))


def make(
    pickle: Path, origin: Origin, digest: str, *, into: ModelCache, heads: Heads
) -> tuple[Kept, str]:
    """Make a safetensors file of a pickle, and place it; return it with a sentence on what was done.

    Call it while nobody else has the part of the pickle.  Raises what ``unpickle`` raises.
    """
    from ..admitting.unpickling import unpickle

    with (
        scratch(into.folder / "unpickling") as folder,
        open_part(into.incoming, _key(digest)) as part,
    ):
        made = unpickle(pickle, folder / "model.safetensors")
        part.file.truncate(0)
        with made.path.open("rb") as file:
            shutil.copyfileobj(file, part.file)
        part.file.flush()
        os.fsync(part.file.fileno())
        name = name_of(origin.name)
        heads.write(_key(digest), Head(sha256=made.artifact.digest.removeprefix("sha256:")))
        kept = into.adopt(part, replace(origin, name=name))
        left = f"; left out: {', '.join(made.left_out[:5])}" if made.left_out else ""
        says = (
            f"{origin.name} is a pickle (sha256 {digest}): its {made.tensors} tensors were made into"
            f" {name} ({made.artifact.made_by}){left}"
        )
        return replace(kept, name=name), says


def _key(digest: str) -> str:
    return f"unpickled-{digest}"
