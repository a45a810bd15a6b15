"""Verdicts that were reached before, kept by what they are verdicts on.

*Covered*: two processes that keep the same verdict at once, a process that is killed while it writes,
files that are damaged or were put in another's place (each says what it is about, and has a digest:
what does not match is verified again), verdicts that say something of the machine's load (*timed
out*, *went over a limit*, programs that ended before their tests did: never kept), another compiler,
other flags or limits, another version of these rules (all part of the name).  *Not covered*: who can
write to the folder can write a verdict with its digest; a program that passes now and then passes for
ever once it did, and so do its twins among other attempts; another linker or C library.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .running import FLAGS, TESTED, Means
from .verified import Stand, Verified

SCHEMA = 1
KEPT = frozenset({Stand.PASSES, Stand.TESTS_FAIL, Stand.DOES_NOT_COMPILE, Stand.NO_TESTS})
_RULES = ("joined", "outcomes", "reading", "running", "shadows", "together", "verify")
"""Modules that decide: a verdict of other rules is none of ours."""


def verdicts_folder() -> Path:
    """Return ``$ASSAY_CACHE/rust-verdicts``, or the same in ``~/.cache/assay``.

    >>> verdicts_folder().name
    'rust-verdicts'
    """
    named = os.environ.get("ASSAY_CACHE")
    home = Path(named).resolve() if named else Path.home() / ".cache" / "assay"
    return home / "rust-verdicts"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of verdicts, one file each.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     kept = Kept(Path(folder))
    ...     kept.put("ab" * 32, Verified(stand=Stand.PASSES, ran=2))
    ...     kept.get("ab" * 32).ran, kept.get("cd" * 32)
    (2, None)
    """

    folder: Path

    def get(self, key: str) -> Verified | None:
        """Return the verdict of a key; None where there is none that is whole."""
        try:
            said = json.loads(self._path(key).read_bytes())
            if said["digest"] != _digest(key, said["verdict"]):
                return None
            stand = Stand(said["verdict"]["stand"])
            found = Verified(
                **{**said["verdict"], "stand": stand, "failed": tuple(said["verdict"]["failed"])}
            )
        except (OSError, ValueError, KeyError, TypeError):  # absent or damaged
            return None
        return replace(found, kept=True) if _may_be_kept(found) else None

    def put(self, key: str, found: Verified) -> None:
        """Keep a verdict, if it says something of the program alone.

        Where the folder cannot be written nothing is kept: that costs time, and no verdict.
        """
        if not _may_be_kept(found):
            return
        verdict = asdict(replace(found, kept=False))
        text = json.dumps({"digest": _digest(key, verdict), "verdict": verdict})
        path = self._path(key)
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_text(text, "utf-8")
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"


def key_of(means: Means, code: str, tests: str | None) -> str:
    """Return the name of the verdict on a program and its tests: a digest of all that decides it.

    The name of the test that must fail is not among it: it is drawn anew each time.
    """
    parts: list[Any] = [
        SCHEMA,
        _rules(),
        means.toolchain.version,
        str(means.toolchain.root),
        [*FLAGS, *TESTED],
        means.sandbox.name,
        asdict(means.limits),
        asdict(means.within),
        code,
        tests,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _may_be_kept(found: Verified) -> bool:
    # A test program that left early may have been ended by somebody: then `ran` is 0.
    return found.stand in KEPT and (found.stand is not Stand.TESTS_FAIL or found.ran > 0)


def _digest(key: str, verdict: Any) -> str:
    return hashlib.sha256(f"{key}\n{json.dumps(verdict, sort_keys=True)}".encode()).hexdigest()


@cache
def _rules() -> str:
    """Return a digest of the code that decides."""
    found = hashlib.sha256()
    for name in _RULES:
        found.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    for package in ("tree-sitter", "tree-sitter-rust"):
        with suppress(PackageNotFoundError):
            found.update(version(package).encode())
    return found.hexdigest()
