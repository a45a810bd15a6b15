"""What a source has: files by name, with all that is known of them before a byte is moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from assay import DataError, PluginError

from .web import Address

ALL = "*"
"""The pattern that stands for whatever can be read."""

MOST_FILES = 10_000
UNREAD = {
    **dict.fromkeys((".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"), "a pickle"),
    **dict.fromkeys((".h5", ".msgpack", ".ot", ".tflite", ".npz", ".npy", ".mlmodel"), "weights"),
    **dict.fromkeys((".py", ".sh", ".so", ".dll", ".exe", ".jar", ".pyc"), "code"),
    **dict.fromkeys((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".nemo"), "an archive"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".mp4", ".pdf"), "an image"),
    **dict.fromkeys((".parquet", ".arrow", ".wav", ".mp3", ".flac"), "data"),
}
"""Endings that say that a file is of no format that is admitted.  A file's content decides in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file of this machine, or a file inside a zip archive of this machine."""

    path: Path
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file of a source."""

    name: str
    """Inside the source, with ``/`` between folders."""

    at: Address | tuple[Piece, ...]
    """Pieces follow each other."""

    size: int | None = None
    sha256: str | None = None
    """As the source names it."""

    git_oid: str | None = None
    """As git names the bytes: the sha1 of a head and them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a source has."""

    resolved: str
    """The source with its commit."""

    offers: tuple[Offer, ...]
    licence: str | None = None
    commit: str | None = None
    notes: tuple[str, ...] = ()


Patterns: TypeAlias = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which of the names are meant."""

    names: tuple[str, ...]
    left_out: tuple[str, ...]
    """What ``*`` does not stand for, with the reason."""


def choose(names: Iterable[str], patterns: Patterns, *, where: str) -> Chosen:
    """Choose names by patterns.

    Raises ``PluginError`` A405 where a pattern fits none, with the nearest name.

    >>> choose(["model.safetensors", "pytorch_model.bin"], ["*"], where="")
    Chosen(names=('model.safetensors',), left_out=('pytorch_model.bin (a pickle by its name)',))
    >>> choose(["model.safetensors", "pytorch_model.bin"], ["*.bin"], where="").names
    ('pytorch_model.bin',)
    """
    there = sorted(names)
    chosen: set[str] = set()
    left_out: list[str] = []
    for pattern in patterns:
        fits = [name for name in there if fnmatchcase(name, pattern)]
        if pattern == ALL:
            left_out = [f"{name} ({why} by its name)" for name in fits if (why := _unread(name))]
            fits = [name for name in fits if not _unread(name)]
        if not fits:
            raise _nothing(pattern, there, where)
        chosen.update(fits)
    told = tuple(each for each in left_out if each.rpartition(" (")[0] not in chosen)
    return Chosen(names=tuple(sorted(chosen)), left_out=told)


def _unread(name: str) -> str | None:
    return UNREAD.get(PurePosixPath(name).suffix.lower())


def _nothing(pattern: str, there: Sequence[str], where: str) -> PluginError:
    if pattern == ALL:
        has = ", ".join(there[:5]) or "nothing"
        return PluginError(
            f"nothing there can be read by its name: it has {has}",
            where=where,
            hint="name what you mean with --file",
            code="A405",
        )
    near = get_close_matches(pattern, there, n=1)
    some = f"there are {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}"
    return PluginError(
        f"there is no file {pattern!r}",
        where=where,
        hint=f"did you mean {near[0]!r}?" if near else some,
        code="A405",
    )


def check_name(name: str, *, where: str) -> str:
    """Return a name that stays inside a folder.  Raises ``DataError`` A200 for others.

    >>> check_name("1_Pooling/config.json", where="")
    '1_Pooling/config.json'
    >>> check_name("../../etc/passwd", where="hf:org/name@main")
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A200 '../../etc/passwd' is no name of a file inside a folder
      at: hf:org/name@main
      try: do not use this source: such a name is made to write elsewhere
    """
    parts = name.split("/")
    if (
        name.isprintable()
        and "\\" not in name
        and len(name) < 1000
        and not any(part in ("", ".", "..") for part in parts)
    ):
        return name
    raise DataError(
        f"{name!r} is no name of a file inside a folder",
        where=where,
        hint="do not use this source: such a name is made to write elsewhere",
        code="A200",
    )
