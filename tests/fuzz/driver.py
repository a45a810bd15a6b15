"""Run one harness under atheris: ``python tests/fuzz/fuzz_X.py SECONDS --corpus DIR [--found DIR]``.

A harness gives bytes to begin with and a function that reads bytes; out of that may come a value, or an
``AssayError`` that has a code.  Anything else is a crash: it ends the program with its input in ``--found``,
or, with ``--go-on``, is kept there once for each place where it happens, and the search goes on.  An input that takes more than ten
seconds, or memory beyond a gigabyte and a half, ends the program.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import trees

from assay.core.errors import AssayError

Read = Callable[[bytes], None]
SECONDS, MEGABYTES = 10, 1_500
LARGEST = 64 << 10
"""Bytes of one input."""

SHARED = Path("/dev/shm")
sys.path.append(str(Path(__file__).parents[1]))  # harnesses use what other tests use


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """A reader under test."""

    read: Read
    """Raises what must not be raised."""

    seeds: Callable[[], Iterable[bytes]]
    trees: bool = True
    """Inputs are JSON, which is changed as a tree, and seldom byte by byte."""

    quick: int = 100
    """How many made-up inputs an ordinary test tries: a tenth of a second or two."""


def instrumented(name: str, *packages: str) -> AbstractContextManager[None]:
    """Import what is under test so that atheris sees which lines run; plainly, when a test imports the harness."""
    if name != "__main__":
        return nullcontext()
    if HOME not in os.environ:
        apart()
    import atheris

    made: AbstractContextManager[None] = atheris.instrument_imports(include=list(packages))
    return made


def apart() -> NoReturn:
    """Say the command again in a process of its own, and clean up behind it: libFuzzer ends without."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)  # theirs to obey: they say what they did, and end
    home = new_folder()
    done = subprocess.run(
        [sys.executable, *sys.argv], env={**os.environ, HOME: str(home)}, check=False
    )
    sys.exit(done.returncode)


def new_folder() -> Path:
    """Return a folder of this process, in memory where there is some for files."""
    home = os.environ.get(HOME) or (SHARED if SHARED.is_dir() else None)
    folder = tempfile.TemporaryDirectory(prefix="assay-fuzz-", dir=home)
    _FOLDERS.append(folder)
    return Path(folder.name)


HOME = "ASSAY_FUZZ_HOME"
"""Names the folder of everything that a fuzzer writes: it ends without cleaning up, so its parent does."""

_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def judged(read: Read, data: bytes) -> None:
    """Read; an error of ours is an outcome, if it says what, and where its code is explained."""
    try:
        read(data)
    except AssayError as error:
        outcome = error
    else:
        return
    if not (re.fullmatch(r"A\d\d\d", outcome.code) and outcome.what and outcome.hint):
        raise AssertionError(f"no code, nothing said, or no hint: {outcome}") from outcome
    str(outcome).encode("utf-8", "surrogatepass")


def bundle(files: dict[str, Any]) -> bytes:
    """Return several files as one input: text as text, anything else as JSON, a list as lines where a name says so."""
    return json.dumps(files).encode()


_PLAIN = re.compile(r"[\w.-]{1,120}(/[\w.-]{1,120}){0,4}")


def unbundled(data: bytes, into: Path) -> list[Path]:
    """Write the files of an input; a name that is none is left out, for what names files is not under test."""
    try:
        files = json.loads(data)
    except (ValueError, RecursionError):
        files = {"a.json": data.decode("utf-8", "surrogateescape")}
    written = []
    for name, value in files.items() if isinstance(files, dict) else ():
        if not _PLAIN.fullmatch(name) or ".." in name.split("/") or "." in name.split("/"):
            continue
        path = into / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_bytes(name, value))
        except OSError:  # a file where a folder should be
            continue
        written.append(path)
    return written


def each_file(data: bytes, into: Path, one: Callable[[Path], object]) -> None:
    """Read each file of an input, and remove it."""
    for path in unbundled(data, into):
        try:
            one(path)
        finally:
            path.unlink()


def file_bytes(name: str, value: Any) -> bytes:
    """Return what a file of an input holds."""
    if isinstance(value, str):
        return raw(value)
    if isinstance(value, list) and name.endswith("l"):
        return b"".join(file_bytes("line", each) + b"\n" for each in value)
    return trees.deepened(json.dumps(value).encode())


def raw(text: str) -> bytes:
    """Return a text as bytes; halves of surrogate pairs stand for bytes that are no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def main(harness: Harness) -> None:
    """Fuzz for as long as the command line says."""
    import atheris

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--found", type=Path)
    parser.add_argument("--go-on", action="store_true")
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=int, default=SECONDS, help="seconds for one input")
    asked = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)  # numpy's: what is no number came through
    found = asked.found or asked.corpus.with_name(asked.corpus.name + "-found")
    for folder in (asked.corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    begin = list(harness.seeds())
    for number, data in enumerate(begin):
        (asked.corpus / f"seed-{number}").write_bytes(data)
    seen: set[str] = set()

    def one(data: bytes) -> None:
        try:
            judged(harness.read, data)
        except Exception as error:
            if not asked.go_on:
                raise
            keep(error, data, found, seen)

    # What is patient with one input does not keep it as slow either: at the lowest priority most of it is waiting.
    flags = [
        f"-max_total_time={asked.seconds}", f"-runs={asked.runs}", f"-seed={asked.seed}", f"-timeout={asked.patience}",
        f"-report_slow_units={asked.patience}",
        f"-rss_limit_mb={MEGABYTES}", f"-max_len={LARGEST}", "-print_final_stats=1", "-reload=0", "-len_control=0", f"-artifact_prefix={found}/",
    ]  # fmt: skip

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        # libFuzzer lets go of what reaches no new branch; a reader without branches would never be reached again.
        given = begin[seed // 8 % len(begin)] if seed % 4 == 0 else data
        return trees.mutated(given, most, seed)

    how: dict[str, Any] = {"custom_mutator": mutated} if harness.trees else {}
    atheris.Setup([sys.argv[0], str(asked.corpus), *flags], one, **how)
    atheris.Fuzz()


def place_of(error: Exception) -> str:
    """Return where a reader crashed: the innermost line of assay, and what was raised there."""
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    last = next((f for f in reversed(frames) if "/assay/" in f.filename), frames[-1])
    return f"{type(error).__name__} {last.filename.rpartition('/assay/')[2]}:{last.lineno}"


def keep(error: Exception, data: bytes, found: Path, seen: set[str]) -> None:
    """Keep an input whose crash was not seen before."""
    place = place_of(error)
    if place in seen:
        return
    seen.add(place)
    name = hashlib.sha256(place.encode()).hexdigest()[:12]
    path = found / f"crash-{name}"
    if not path.exists():
        path.write_bytes(data)
        told = "".join(traceback.format_exception(error))[-4_000:]
        path.with_suffix(".txt").write_text(f"{place}\n{told}", "utf-8", "backslashreplace")
    sys.stderr.write(f"CRASH {place}: {str(error)[:200]!r} -> {path}\n")
