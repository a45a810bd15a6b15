"""Formats of this family, for whoever loads a model: the entry points ``assay.formats``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Apr:
    r"""APR files, version 2: tensors, metadata and the tokenizer in one file.

    >>> [Apr().recognises(head) for head in (b"APR\0\x02\0", b"APR2\x02", b"GGUF")]
    [True, True, False]
    """

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as an APR file of any layout does."""
        return head[:4] in (b"APR\0", b"APR2", b"APR1", b"APRN", b"APR!", b"APNR")

    def parameters(self, path: Path) -> int:
        """Return how many numbers the model has.  Raises ``DataError`` A205 for a damaged file."""
        from ..formats.apr import open_apr

        with open_apr(path) as model:
            return model.header.parameters

    def as_folder(self, path: Path) -> Path:
        """Return the folder that transformers loads, as ``apr_folder.as_folder`` makes it.

        Raises ``DataError`` A207 and A208 as ``check_passport``, where a passport stands beside the file.
        """
        from ..passport import check_passport
        from .apr_folder import as_folder

        check_passport(path)
        return as_folder(path)


@dataclass(frozen=True, slots=True)
class Gguf:
    r"""GGUF files of Llama, Qwen 2 and Gemma decoders, unpacked to safetensors.

    >>> Gguf().recognises(b"GGUF\x03")
    True
    """

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as a GGUF file does."""
        return head[:4] == b"GGUF"

    def parameters(self, path: Path) -> int:
        """Return how many numbers the model has.  Raises ``DataError`` A205 for a damaged file."""
        from ..formats.gguf_file import open_gguf

        with open_gguf(path) as model:
            return model.header.parameters

    def as_folder(self, path: Path) -> Path:
        """Return the folder that transformers loads, as ``assay model convert`` writes it.

        Raises ``DataError`` A207 and A208 as ``check_passport``, where a passport stands beside the file.
        """
        from ..passport import check_passport
        from .gguf_folder import as_folder

        check_passport(path)
        return as_folder(path)
