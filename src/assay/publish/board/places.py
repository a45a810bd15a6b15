"""Where the files of a quantization are, as a submission may say it.

*Covered*: a path that leaves its folder, a source that reaches into this machine, addresses of web servers.
*Not covered*: what is there: see ``looking``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from .naming import fault_of_text
from .notes import shown

if TYPE_CHECKING:
    from .sent import Quantization, Submission

_PACKAGE = re.compile(
    r"pypi:[A-Za-z0-9][\w.-]*(?:\{\d{1,4}\.\.\d{1,4}\})?[\w.-]*==[A-Za-z0-9][\w.+!-]*#(?P<path>[^#]+)",
    re.ASCII,
)
_HUB = re.compile(
    r"hf:(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})@(?P<revision>[\w.+/-]{1,128})",
    re.ASCII,
)
_WILD = re.compile(r"[*?\[\]{}]")

FORMS = "hf:org/name@commit, pypi:package==version#path or file:path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A source, and the file in it that is meant."""

    source: str
    """With a scheme: ``hf:``, ``pypi:`` or ``file:``."""

    file: str | None
    """None for every file of the model."""

    @property
    def scheme(self) -> str:
        """``hf``, ``pypi`` or ``file``."""
        return self.source.partition(":")[0]

    @property
    def commit(self) -> str | None:
        """The commit of a repository of the Hub, where one is named."""
        revision = self.source.rpartition("@")[2]
        pinned = self.scheme == "hf" and re.fullmatch(r"[0-9a-f]{40}", revision)
        return revision if pinned else None


def place_of(submission: Submission, quantization: Quantization) -> Place:
    """Return where the files of a quantization are.

    >>> from assay.publish.board.sent import Quantization, Submission
    >>> q8 = Quantization(name="Q8", format="gguf", file="m.gguf")
    >>> sent = Submission(name="m", family="m", hf_repo="org/m", revision=None, parameters=10**6,
    ...     architecture="llama", quantizations=(q8,))
    >>> place_of(sent, q8)
    Place(source='hf:org/m@main', file='m.gguf')
    """
    source, file = quantization.source, quantization.file
    if source is None:
        return Place(source=f"hf:{submission.hf_repo}@{submission.revision or 'main'}", file=file)
    if source.startswith("file:") and file is None:
        path = source.removeprefix("file:")
        if quantization.format in ("gguf", "onnx"):
            return Place(source=source, file=PurePosixPath(path).name)
    return Place(source=source, file=file)


def check_file(file: object) -> tuple[str, str] | None:
    """Return what is wrong with a path inside a source, and what to write; None where nothing is.

    >>> check_file("onnx/model.onnx")
    >>> check_file("../../etc/passwd")
    ("'../../etc/passwd' leaves its folder", 'write a path inside the repository')
    """
    inside = "write a path inside the repository"
    if not isinstance(file, str):
        return f"it is a path, not {shown(file)}", inside
    if fault := _odd(file):
        return fault, inside
    if _leaves(file):
        return f"{shown(file)} leaves its folder", inside
    if _WILD.search(file):
        return f"{shown(file)} is a pattern, and one file is meant", "write the name of the file"
    return None


def check_source(source: object) -> tuple[str, str] | None:
    """Return what is wrong with a source, and what to write; None where nothing is.

    >>> check_source("hf:org/name@main")
    >>> check_source("https://example.org/m.gguf")[0]
    "'https://example.org/m.gguf' is no source that a submission may name"
    """
    if not isinstance(source, str):
        return f"it is a source, not {shown(source)}", f"write {FORMS}"
    if fault := _odd(source, allow="{}*?[]=@#"):
        return fault, f"write {FORMS}"
    if source.startswith("file:"):
        path = source.removeprefix("file:")
        if not path or _leaves(path):
            return (
                f"{shown(source)} is not inside the submission's folder",
                "put the file beside the submission, and write file:name",
            )
        return None
    if found := _HUB.fullmatch(source):
        return (f"{shown(source)} is no source", FORMS) if ".." in source else None
    if (found := _PACKAGE.fullmatch(source)) and not _leaves(found["path"]):
        return None
    hint = f"write {FORMS}"
    if re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        hint = f"write hf:{source}@COMMIT"
    elif source.startswith("pypi:") and "==" not in source:
        hint = "name the version, too: pypi:package==1.0#path/inside"
    elif source.startswith("hf:") and "@" not in source:
        hint = f"name the commit, too: {source[:100]}@COMMIT"
    return f"{shown(source)} is no source that a submission may name", hint


def _leaves(path: str) -> bool:
    parts = path.split("/")
    windows = PureWindowsPath(path)
    return (
        "\\" in path
        or bool(windows.drive)
        or path.startswith(("/", "~"))
        or any(part in ("", ".", "..") for part in parts)
    )


def _odd(text: str, *, allow: str = "") -> str | None:
    """Return what is wrong with the characters of a path."""
    if not text or len(text) > 300:
        return f"it has {len(text):,} characters" if text else "it is blank"
    bare = text.replace("\\", "/")
    for char in f"{allow}*?[]{{}}~=@#!%":  # told apart later, or harmless in a path
        bare = bare.replace(char, "_")
    return fault_of_text(bare, most=300)
