"""``assay rust verify``: whether a Rust program compiles and passes its tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay.pages import Page, wrong_option

from .levels import Flag

if TYPE_CHECKING:
    from assay.sandbox import Sandbox

    from ..differential.comparing import Comparison
    from ..rust.doctests import Doctests
    from ..rust.verified import Verified

EXAMPLES = 100
"""Generated calls, unless a number is given."""

SHOWN = 5
"""Differences that are shown; ``--json`` has all."""


def verify(
    *,
    source: Path,
    tests: Path | None = None,
    compile_only: Flag = False,
    python: Path | None = None,
    differential: int | None = None,
    doctests: Flag = False,
    timeout: float = 20.0,
    unsafe_no_sandbox: Flag = False,
) -> Page:
    """Build a Rust program in a sandbox, run its tests, say how far it comes.

    Exit status 0 only when it compiles, at least one test ran and all passed; with --compile-only,
    when it compiles. Otherwise 1. A failure of the machine is no verdict: exit status 3.

    Parameters
    ----------
    source
        The program: Rust, or Markdown with Rust in a fenced block.
    tests
        Tests, which are joined as `mod tests { use super::*; ... }`. Without them, the program's own
        tests run.
    compile_only
        Only compile it: "compiles, untested".
    python
        The Python original: both are given generated arguments, and must return the same. The
        function that is called like the file is called, or else the last one; the types of its
        parameters must be annotated. What the original refuses
        is left out, unless the Rust returns a `Result`: then that must fail, too.
    differential
        How many arguments are generated; 100 unless given.
    doctests
        Run the examples of its documentation, too; one that fails is a failure.
    timeout
        Seconds for the build, and again for the tests.
    unsafe_no_sandbox
        Run it as you, with your files and your network, where no sandbox works.
    """
    from assay.sandbox import Unsafe

    from ..rust.fences import rust_in
    from ..rust.verified import Stand
    from ..rust.verify import Workbench

    _check(tests, python, differential, compile_only=compile_only, doctests=doctests)
    check_timeout(timeout)
    code = rust_in(_read(source, "--source"))
    beside = None if tests is None else _read(tests, "--tests")
    if beside is not None and not beside.strip():
        raise wrong_option("--tests", f"{tests} is empty", "leave it out, or write a #[test]")
    bench = Workbench.of(timeout, Unsafe() if unsafe_no_sandbox else None)
    compared: Comparison | None = None
    if python is not None:
        compared = _compared(python, code, differential or EXAMPLES, bench.sandbox)
        beside = "\n".join(filter(None, (compared.tests, beside)))
    found = bench.compile(code) if compile_only else bench.verify(code, beside)
    differences = compared.differences(found) if compared else []
    lines = [f"{source}: {found.stand}", *_said(found)]
    if compared is not None:
        lines += _told(str(python), compared, differences, found)
    if not found.passed and not differences:
        lines += _logs(found)
    examples = bench.doctests(code) if doctests and found.passed else None
    if examples is not None:
        lines += _examples(examples)
    if unsafe_no_sandbox:
        lines.append("  it ran without a sandbox")
    told_well = examples is None or examples.well
    well = (found.passed and told_well) or (compile_only and found.stand is Stand.UNTESTED)
    return Page(
        lines=lines,
        facts={
            "source": str(source),
            "stand": str(found.stand),
            "passed": found.passed,
            "why": found.why,
            "error": found.error,
            "ran": found.ran,
            "failed": list(found.failed),
            "build_s": found.build_s,
            "test_s": found.test_s,
            "build_log": found.build_log,
            "test_log": found.test_log,
            "generated": len(compared.found.cases) if compared else 0,
            "differences": differences,
            "doctests_passed": list(examples.passed) if examples else [],
            "doctests_failed": list(examples.failed) if examples else [],
            "rustc": bench.toolchain.version,
            "sandbox": bench.sandbox.name,
        },
        code=0 if well else 1,
    )


def _check(
    tests: Path | None,
    python: Path | None,
    differential: int | None,
    *,
    compile_only: bool,
    doctests: bool,
) -> None:
    if compile_only and tests is not None:
        raise wrong_option("--tests", "nothing runs with --compile-only", "leave one of them out")
    if differential is not None:
        if python is None:
            raise wrong_option("--differential", "there is no original", "give it with --python")
        if differential < 1:
            raise wrong_option("--differential", f"{differential} is no number", "give 1 or more")
    if compile_only and doctests:
        raise wrong_option(
            "--doctests", "nothing runs with --compile-only", "leave one of them out"
        )
    if compile_only and python is not None:
        raise wrong_option("--python", "nothing runs with --compile-only", "leave one of them out")


def _compared(python: Path, code: str, count: int, sandbox: Sandbox) -> Comparison:
    from ..corpus.program import Program
    from ..differential.comparing import comparisons

    original = Program(id=python.stem, python=_read(python, "--python"), origin=str(python))
    [compared] = comparisons([(original, code)], count, sandbox=sandbox)
    found = compared.found
    if not found.cases:
        raise wrong_option(
            "--python",
            f"nothing can be compared with {python}: {found.why}",
            "see `assay rust verify --help` for what is called, or give --tests",
        )
    return compared


def _said(found: Verified) -> list[str]:
    if found.passed:
        return [f"  {found.ran} {'test' if found.ran == 1 else 'tests'} passed"]
    return [f"  {f'{found.error}: ' if found.error else ''}{found.why}"] if found.why else []


def _examples(examples: Doctests) -> list[str]:
    if examples.well:
        count = len(examples.passed)
        return [
            f"  {count or 'no'} {'doctest' if count == 1 else 'doctests'}{' passed' * (count > 0)}"
        ]
    said = examples.why or f"doctests fail: {', '.join(examples.failed)}"
    return [f"  {said}", "", *examples.log.rstrip().splitlines()]


def _logs(found: Verified) -> list[str]:
    lines: list[str] = []
    for log in filter(None, (found.build_log, found.test_log)):
        lines += ["", *log.rstrip().splitlines()]
    return lines


def _told(python: str, compared: Comparison, differences: list[str], found: Verified) -> list[str]:
    """Return what the comparison with the original says."""
    count = len(compared.found.cases)
    lines = [f"  compared with {python} on {count:,} generated calls"]
    lines += [f"  left out, as {why}: {n:,}" for why, n in compared.found.left_out]
    if str(found.stand) == "does not compile":
        lines.append(f"  the function that is called: {compared.signature}")
    if differences:
        lines.append(f"  they differ on {len(differences):,}; in the original")
        lines += [f"    {each}" for each in differences[:SHOWN]]
    return lines


def check_timeout(timeout: float) -> None:
    """Raise ``PlanError`` A106 for seconds that are none."""
    if not 0 < timeout < 1e6:
        raise wrong_option("--timeout", f"{timeout:g} is no time", "give seconds above 0")


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise wrong_option(
            option, f"{path} is not UTF-8: {error.reason}", "save it as UTF-8"
        ) from None
    except OSError as error:
        raise wrong_option(
            option, f"{path} cannot be read: {error.strerror or error}", "check the path"
        ) from None
