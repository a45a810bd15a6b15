"""A model file is opened by what it holds, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..faults import Fault, damaged
from ..header import ModelFile
from .folder import open_folder
from .gguf_file import MAGIC, open_gguf
from .looks import HEAD, looks_like
from .mapped import Mapped
from .onnx_file import looks_like_onnx, open_onnx
from .safetensors_file import looks_like_safetensors, open_safetensors

APR_MAGICS = (b"APR!", b"APRN", b"APR1", b"APR2", b"APR\0", b"APNR")


def open_model(path: Path) -> ModelFile:
    """Open a model file of any format, or the folder of a safetensors model, its head checked whole.

    Nothing of the weights is read: the file is mapped.  Close what is returned, or use ``with``.

    Raises ``DataError`` A205 with a sentence for each fault of the file, ``PluginError`` A403 where
    there is none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "called.gguf"
    ...     head = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    ...     _ = path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    ...     with open_model(path) as model:
    ...         model.header.format, model.numbers("a").tolist()
    ('safetensors', [0.0])

    *Not to be trusted when* the weights matter: only a digest, or what the model answers, tells
    whether they are the right ones.
    """
    if path.is_dir():
        return open_folder(path, open_file, looks_like_manifest)
    return open_file(path)


def open_file(path: Path) -> ModelFile:
    """Open a model that is one file; raises what ``open_model`` raises."""
    mapped = Mapped(path)
    try:
        head = bytes(mapped.data[:HEAD])
        onnx = looks_like_onnx(mapped)
    finally:
        mapped.close()
    if head[:4] in APR_MAGICS:
        from .apr import open_apr

        return open_apr(path)
    if head[:4] == MAGIC:
        return open_gguf(path)
    if looks_like_safetensors(head):
        return open_safetensors(path)
    if onnx:
        return open_onnx(path)
    if looks_like_manifest(head):
        from .apr import open_shards

        return open_shards(path)
    raise damaged(Fault.UNKNOWN_FORMAT, path, looks_like(head))


def looks_like_manifest(head: bytes) -> bool:
    """Whether a file that begins so is the list of the shards of an APR model."""
    return head.lstrip()[:1] == b"{" and b'"shard_count"' in head and b'"shards"' in head


def describe(path: Path, *, context: int | None = None) -> dict[str, Any]:
    """Return what a model says of itself, as ``assay model inspect --json`` prints it.

    ``context`` is how many tokens the memory is reckoned for; 4,096, or as many as the model takes,
    where it is left out.  Every file is read once, for its sha256.  Raises what ``open_model`` raises.
    """
    from ..describing.description import description

    with open_model(path) as model:
        return description(model, context=context)
