"""What is let in: a file is what it holds, whatever it is called.

*Covered*: safetensors, GGUF, ONNX and APR files, their heads checked whole; SentencePiece models; JSON,
templates and plain text, read through.  Everything else is refused, and what runs code when it is read says
so: pickles of every protocol and in every archive, programs, scripts, Lambda layers.  A weights file that can
also be read as an archive is refused.  *Not covered*: what a model answers; templates, which are data here and
are rendered by a sandbox of Jinja's where they are used; faults of the libraries that read what is let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from assay import DataError
from assay.visible import plain

from ..faults import Fault, damaged
from ..formats.looks import HEAD, looks_like
from ..formats.mapped import Mapped
from ..formats.opening import APR_MAGICS, open_file
from .looking import OverrunError, begins_as_pickle, code_in, is_archive, names_out
from .messages import is_saved_model, is_sentencepiece
from .texts import LONGEST, check_json, check_template, text_of

Kind: TypeAlias = Literal[
    "safetensors", "gguf", "onnx", "apr", "sentencepiece", "json", "jinja", "text"
]
WEIGHTS = {".safetensors": "safetensors", ".gguf": "gguf", ".onnx": "onnx", ".apr": "apr"}
_PROGRAMS = frozenset(
    f".{suffix}"
    for suffix in (
        *("py", "pyw", "pyx", "sh", "bash", "zsh", "fish", "ps1", "bat", "cmd", "vbs"),
        *("js", "mjs", "cjs", "rb", "pl", "lua", "php"),
    )
)
"""Names that are loaded as programs by their names."""

_PAGES = ("a web page", "a pointer of Git LFS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A file was let in."""

    kind: Kind
    """What it holds."""

    notes: tuple[str, ...] = ()
    """What a careful reader should know, a sentence each."""


def admit(path: Path, *, name: str) -> Admitted:
    """Look through a file, and let it in or not; ``name`` is what it is to be called.

    Raises ``DataError`` A206 for code and A205 for what is damaged or no format that is let in,
    ``PluginError`` A403 where there is no file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "part"
    >>> _ = path.write_bytes(b'{"hidden_size": 64}')
    >>> admit(path, name="config.json").kind
    'json'
    """
    mapped = Mapped(path)
    try:
        return _admitted(mapped, plain(name))
    finally:
        mapped.close()


def _admitted(mapped: Mapped, name: str) -> Admitted:
    data = mapped.data.obj
    assert isinstance(data, mmap)  # what Mapped is about
    suffix, path = PurePosixPath(name.lower()).suffix, mapped.path
    try:
        code = code_in(data)
        outside = names_out(data)
    except OverrunError as error:
        raise damaged(Fault.OVERSIZED, path, str(error)) from None
    if code is not None:
        raise _holds_code(str(code), path, name)
    if outside:
        raise damaged(Fault.OUTSIDE, path, f"a member is called {plain(outside[:80])!r}")
    text = text_of(data)
    if text is not None:
        return _text(text, suffix, path, name)
    if is_saved_model(mapped):
        raise _holds_code(
            "the file is a SavedModel of TensorFlow, whose graph reads and writes files", path, name
        )
    weights = _weights(path)
    if weights is not None and (archive := is_archive(data)):
        what = f"it is {weights.kind} to some readers and {archive} to others"
        raise damaged(Fault.NONSENSE, path, what)
    if weights is not None:
        return _called(weights, suffix, name)
    if is_sentencepiece(mapped) and suffix not in WEIGHTS:
        return Admitted(kind="sentencepiece")
    head = bytes(data[:HEAD])
    if begins_as_pickle(data):
        raise _holds_code("the file begins as a pickle, and is damaged", path, name)
    if len(data) > LONGEST and b"\0" not in head:
        raise damaged(Fault.OVERSIZED, path, f"a text has {LONGEST:,} bytes at most")
    raise damaged(Fault.UNKNOWN_FORMAT, path, f"{name}: {looks_like(head)}")


def _weights(path: Path) -> Admitted | None:
    """Return which weights a file holds; None where it holds none.  A205 where they are damaged."""
    try:
        with open_file(path) as model:
            kind: Kind = model.header.format  # type: ignore[assignment]  # as the readers name them
            return Admitted(kind=kind, notes=model.header.notes)
    except DataError as error:
        if error.what.startswith(Fault.UNKNOWN_FORMAT.value):
            return None
        if error.what.startswith(Fault.INCOMPLETE.value):  # the head was read; the rest comes later
            with path.open("rb") as file:
                kind = "apr" if file.read(4) in APR_MAGICS else "onnx"
            return Admitted(kind=kind, notes=("its weights are in files beside it",))
        raise


def _called(found: Admitted, suffix: str, name: str) -> Admitted:
    if WEIGHTS.get(suffix) == found.kind:
        return found
    return Admitted(
        kind=found.kind, notes=(*found.notes, f"it is called {name} and is {found.kind}")
    )


def _text(text: str, suffix: str, path: Path, name: str) -> Admitted:
    seems = looks_like(text[:HEAD].encode()[:HEAD])
    if suffix in _PROGRAMS:
        raise _holds_code(f"the file is a program by its name ({suffix})", path, name)
    if suffix in WEIGHTS and (weights := _weights(path)) is not None:
        return _called(weights, suffix, name)
    if suffix in WEIGHTS or seems.startswith(_PAGES):
        raise damaged(Fault.UNKNOWN_FORMAT, path, f"{name}: {seems}")
    if suffix == ".json":
        return Admitted(kind="json", notes=check_json(text, path))
    if suffix in (".jinja", ".jinja2", ".j2"):
        check_template(text, path)
        return Admitted(kind="jinja")
    return Admitted(kind="text")


def _holds_code(what: str, path: Path, name: str) -> DataError:
    return DataError(
        plain(what),
        where=f"{path} ({name})" if path.name != name else str(path),
        hint="take the safetensors, GGUF or ONNX file of the same model; of a checkpoint of torch"
        " --unsafe-allow-pickle makes one",
        code="A206",
    )
