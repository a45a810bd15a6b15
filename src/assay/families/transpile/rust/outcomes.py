"""What a compiler and a test program said, read into how far a program came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from assay import AssayError
from assay.sandbox import Ended, How

from .joined import Crate
from .running import ROOT
from .verified import Stand, Verified

FAILED_TESTS = 101
"""Exit status of a test program in which a test failed."""

LONGEST_LOG = 20_000
"""Characters of a log that are kept: its beginning."""

_RESULT = re.compile(
    r"^test result: FAILED\. (\d+) passed; (\d+) failed; (\d+) ignored; .*$", re.MULTILINE
)
SAYS_RESULT = "test result: "
"""What only the test runner says, and says once.  It writes these words in one piece, and nothing can be taken back
from its output: where they stand a second time, the program has said them."""

_LISTED = re.compile(r"^    (\S+)$", re.MULTILINE)
_FAILED = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. .*?FAILED$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error that the compiler names."""

    code: str
    """Its class, such as ``E0308``; empty where it has none."""

    message: str
    text: str
    """As people see it."""

    files: frozenset[str]
    """Every file that it points into."""


def complaints(stderr: bytes) -> list[Complaint]:
    """Return the errors of a build, in order."""
    found = []
    for line in stderr.splitlines():
        try:
            said: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a panic of the compiler, which prints plain text beside its errors
        if isinstance(said, dict) and str(said.get("level", "")).startswith("error"):
            found.append(
                Complaint(
                    code=str(_inner(said, "code").get("code") or ""),
                    message=str(said.get("message", "")),
                    text=str(said.get("rendered") or ""),
                    files=frozenset(_files(said)),
                )
            )
    return found


def _files(said: Any) -> Iterator[str]:
    """Yield the files of a message, of its notes, and of the macros that made what it is about."""
    for span in _listed(said, "spans"):
        at = span
        while isinstance(at, dict):
            yield str(at.get("file_name", ""))
            at = _inner(at, "expansion").get("span")
    for child in _listed(said, "children"):
        yield from _files(child)


def _inner(said: Any, key: str) -> dict[str, Any]:
    found = said.get(key) if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def _listed(said: Any, key: str) -> list[Any]:
    found = said.get(key) if isinstance(said, dict) else None
    return found if isinstance(found, list) else []


def built(ended: Ended) -> Verified | None:
    """Return what a build that did not succeed says of the program; None where it did.

    Raises ``AssayError`` A500 where the machine failed.
    """
    if ended.well:
        return None
    if (found := over(ended, "building")) is not None:
        return found
    errors = complaints(ended.stderr)
    if not errors and b"rustc interrupted by SIG" in ended.stderr:
        return Verified(
            stand=Stand.DOES_NOT_COMPILE,
            why="the compiler crashes on it",
            build_log=_text(ended.stderr)[:LONGEST_LOG],
            build_s=ended.wall_s,
        )
    if not errors:
        raise AssayError(
            f"rustc ended with {ended.status} and named no error: {_text(ended.stderr)[:200]}",
            hint="run `assay doctor`; is there a linker (cc)?",
            code="A500",
        )
    first = next((each for each in errors if each.code), errors[0])
    if "linker" in first.message and "not found" in first.message:
        raise AssayError(
            first.message, hint="install a C compiler: apt-get install gcc", code="A500"
        )
    return Verified(
        stand=Stand.DOES_NOT_COMPILE,
        why=first.message,
        error=first.code,
        build_log="".join(each.text for each in errors)[:LONGEST_LOG],
        build_s=ended.wall_s,
    )


def tested(crate: Crate, ended: Ended, *, build_s: float) -> Verified:
    """Return what a test program that ended says of the program."""
    log = _text(ended.stdout) + _text(ended.stderr)
    said = partial(Verified, test_log=_plain(log, crate), build_s=build_s, test_s=ended.wall_s)
    if (found := over(ended, "testing")) is not None:
        return said(stand=found.stand, why=found.why)
    if (text := _text(ended.stdout)).count(SAYS_RESULT) > 1:
        why = "it prints what a test runner prints"
        return said(stand=Stand.TESTS_FAIL, why=why, failed=())
    results, all_failed = _RESULT.findall(text), _failures(text)
    failed = tuple(name.removeprefix(crate.home) for name in all_failed if name != crate.canary)
    due = len(crate.names) - len(crate.ignored)
    passed, wrong, _ = map(int, results[-1]) if results else (0, 0, 0)
    to_the_end = ended.status == FAILED_TESTS and crate.canary in all_failed
    if not to_the_end or passed + wrong != due + 1:
        why = f"the program ended before its tests did, with status {ended.status}"
        return said(stand=Stand.TESTS_FAIL, why=why, failed=failed)
    if due == 0:
        return said(stand=Stand.NO_TESTS, why="every test is ignored")
    if wrong > 1 or failed:
        why = f"{wrong - 1} of {due} tests fail: {', '.join(failed[:5])}"
        return said(stand=Stand.TESTS_FAIL, why=why, ran=due, failed=failed)
    return said(stand=Stand.PASSES, ran=due)


def _failures(text: str) -> dict[str, None]:
    """Return the names of tests that failed, in order: as they ran, and as they are listed at the end."""
    _, _, listed = text.rpartition("\nfailures:\n")
    return dict.fromkeys([*_FAILED.findall(text), *_LISTED.findall(listed)])


def over(ended: Ended, doing: str) -> Verified | None:
    """Return the limit that a program went over; None where it did not."""
    match ended.how:
        case How.EXITED | How.SIGNALLED:
            return None
        case How.WALL | How.CPU:
            return Verified(stand=Stand.TIMED_OUT, why=f"{doing}: {ended.how}")
        case _:
            return Verified(stand=Stand.OVER_A_LIMIT, why=f"{doing}: {ended.how}")


def _plain(log: str, crate: Crate) -> str:
    """Return a log without names that were drawn for this run."""
    log = log.replace(crate.canary, "(a test that must fail)")
    if crate.home:
        module = crate.home.removesuffix("::")
        log = log.replace(crate.home, "").replace(f"/{module}.rs", f"/{ROOT}")
    return log[:LONGEST_LOG]


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
