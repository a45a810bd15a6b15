"""The folder that transformers loads, made of a GGUF file alone: whole, once, and found again by digest."""

from __future__ import annotations

from pathlib import Path

from assay.kept import cache_folder, digest_of, kept_folder

MAKER = 1
"""Bump it when any byte of a folder could change."""


def as_folder(path: Path) -> Path:
    """Return a folder with ``config.json``, ``model.safetensors`` and the tokenizer of a GGUF file.

    What ``assay model convert`` writes, in the cache under the digest of the file.  Raises ``DataError``
    A205 for a file that is damaged or whose architecture is not known, ``AssayError`` A500 where the cache
    cannot be written.
    """
    name = f"{digest_of(path).sha256[:32]}-gguf-{MAKER}"
    return kept_folder(cache_folder() / "folders" / name, lambda made: _fill(made, path)) / "model"


def _fill(made: Path, path: Path) -> None:
    from ..converting.convert import convert

    convert(path, made / "model", to="safetensors")
