"""``assay rust verify``: whether a Rust program compiles and passes its tests."""

from __future__ import annotations

from pathlib import Path

from assay.pages import Page, wrong_option

from .levels import Flag


def verify(
    *,
    source: Path,
    tests: Path | None = None,
    compile_only: Flag = False,
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
    timeout
        Seconds for the build, and again for the tests.
    unsafe_no_sandbox
        Run it as you, with your files and your network, where no sandbox works.
    """
    from assay.sandbox import Unsafe

    from ..rust.fences import rust_in
    from ..rust.verified import Stand
    from ..rust.verify import Workbench

    if compile_only and tests is not None:
        raise wrong_option("--tests", "nothing runs with --compile-only", "leave one of them out")
    check_timeout(timeout)
    code = rust_in(_read(source, "--source"))
    beside = None if tests is None else _read(tests, "--tests")
    if beside is not None and not beside.strip():
        raise wrong_option("--tests", f"{tests} is empty", "leave it out, or write a #[test]")
    bench = Workbench.of(timeout, Unsafe() if unsafe_no_sandbox else None)
    found = bench.compile(code) if compile_only else bench.verify(code, beside)
    lines = [f"{source}: {found.stand}"]
    if found.why:
        lines.append(f"  {f'{found.error}: ' if found.error else ''}{found.why}")
    for log in (found.build_log, found.test_log):
        if log and not found.passed:
            lines += ["", *log.rstrip().splitlines()]
    if found.passed:
        lines.append(f"  {found.ran} {'test' if found.ran == 1 else 'tests'} passed")
    if unsafe_no_sandbox:
        lines.append("  it ran without a sandbox")
    well = found.passed or (compile_only and found.stand is Stand.UNTESTED)
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
            "rustc": bench.toolchain.version,
            "sandbox": bench.sandbox.name,
        },
        code=0 if well else 1,
    )


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
