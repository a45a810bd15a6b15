"""A package of the package index, as its own record tells of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import cast

from .offers import MOST_FILES, Piece

SKIPPED = re.compile(r"\.dist-info/|\.pyc$|\.py$|(^|/)__pycache__/|^\.\.")
"""What is no file of a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The files of a package, by their path from where packages are installed."""

    pieces: Mapping[str, Piece]
    sizes: Mapping[str, int]
    digests: Mapping[str, str]
    """As the package's own record names them, in hex."""

    licence: str | None = None
    note: str = ""


def installed(name: str, version: str) -> Package | None:
    """Return the files of an installed package of that version; None where there is none."""
    try:
        there = distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
    if there.version != version or not there.files or len(there.files) > MOST_FILES:
        return None
    pieces, sizes, digests = {}, {}, {}
    for file in there.files:
        path = Path(str(file.locate()))
        if not SKIPPED.search(str(file)) and path.is_file():
            pieces[file.as_posix()] = Piece(path=path)
            sizes[file.as_posix()] = path.stat().st_size
            if file.hash is not None and file.hash.mode == "sha256":
                digests[file.as_posix()] = digest_in_record(file.hash.value)
    return Package(
        pieces=pieces,
        sizes=sizes,
        digests=known(digests),
        licence=licence_of(cast("Message", there.metadata)),
    )


def digest_in_record(value: str) -> str:
    """Return a digest as hex that a record writes in base64 without its padding; empty for none."""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return ""


def known(digests: Mapping[str, str]) -> dict[str, str]:
    """Return the digests that are whole."""
    return {name: digest for name, digest in digests.items() if len(digest) == 64}


def licence_of(head: Message) -> str | None:
    """Return the licence that a package's metadata declare, in a few words."""
    for key in ("License-Expression", "License"):
        said = str(head.get(key) or "").strip()
        if said and said.upper() != "UNKNOWN" and "\n" not in said and len(said) < 100:
            return said
    prefix = "License :: "
    named = [str(each) for each in head.get_all("Classifier", []) if str(each).startswith(prefix)]
    return named[0].rpartition(" :: ")[2] if named else None
