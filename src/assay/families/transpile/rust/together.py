"""Programs built as modules of one crate, each tested in a process of its own.

A verdict is the one that the program gets alone: a program that might mean something else as a module
(``modular``) is built alone, and so is every program that the compiler complains about when it is built
beside others; those that nobody complained about are built again without it.  A build that fails and names
nobody is halved.  Every program's tests run in a sandbox and process of their own, with a test that must
fail of their own, within the limits of one program.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TypeAlias

from assay import AssayError
from assay.sandbox import How

from .joined import Crate
from .modular import why_alone, why_not_beside
from .outcomes import complaints, tested
from .running import ROOT, TESTED, Means
from .verified import Verified

MOST = 24
"""Programs in a crate."""

LEAST = 2
Found: TypeAlias = Verified | AssayError
"""What became of a program, or of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """A crate that could be built: where it is, and its programs, as modules of it."""

    folder: Path
    members: Mapping[int, Crate]
    wall_s: float


def may_share(code: str, tests: str | None) -> bool:
    """Whether a program and its tests mean the same as a module beside others.

    >>> may_share("fn f() {}", "#[test] fn t() { f() }"), may_share("fn f() { crate::g() }", "")
    (True, False)
    """
    return why_not_beside(code) is None and (tests is None or why_alone(tests, inside=1) is None)


def together(
    means: Means,
    shared: Mapping[int, Crate],
    alone: Mapping[int, Crate],
    *,
    verify: Callable[[Crate], Verified],
    workers: int,
) -> dict[int, Found]:
    """Return what became of programs, by their numbers.

    Those that are ``shared`` are built beside each other; those that are ``alone``, and those that cannot
    be built beside others, go through ``verify``.
    """
    with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        # The folder holds the test programs until the last one has run.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="assay-rust-")))
        folder.chmod(0o755)  # the user inside the sandbox is another one
        waiting = {n: pool.submit(_held, verify, crate) for n, crate in alone.items()}
        parts = [
            {f"s_{secrets.token_hex(12)}": (n, shared[n]) for n in numbers}
            for numbers in _parts(list(shared), workers)
        ]
        for crates in pool.map(lambda part: list(_built(means, part, folder)), parts):
            for each in crates:
                for n, crate in each.members.items():
                    waiting[n] = pool.submit(_run, means, each, crate)
        for n in shared.keys() - waiting.keys():
            waiting[n] = pool.submit(_held, verify, shared[n])
        return {n: future.result() for n, future in waiting.items()}


def _parts(numbers: list[int], workers: int) -> Iterator[list[int]]:
    """Divide programs evenly, so that no crate has too many and every worker has one."""
    count = max(-(-len(numbers) // MOST), min(workers, len(numbers) // LEAST))
    return (numbers[k::count] for k in range(count))


def _built(means: Means, part: Mapping[str, tuple[int, Crate]], folder: Path) -> Iterator[_Built]:
    """Yield crates that could be built; programs that are in none are to be verified alone."""
    if len(part) < LEAST:
        return
    place = Path(mkdtemp(dir=folder))
    files = {f"{name}.rs": crate.source for name, (_, crate) in part.items()}
    files[ROOT] = "".join(f"mod {name};\n" for name in part)
    try:
        ended = means.build(place, files, TESTED)
    except AssayError:
        return  # if the machine failed, each program's own build says it
    if ended.well:
        members = {n: crate.within(name) for name, (n, crate) in part.items()}
        yield _Built(folder=place, members=members, wall_s=ended.wall_s)
        return
    if ended.how is not How.EXITED:
        return  # one of them may have taken all there was
    blamed = {Path(file).stem for each in complaints(ended.stderr) for file in each.files}
    names = list(part)
    rest = [name for name in names if name not in blamed]
    half = len(rest) // 2
    for chosen in [rest] if len(rest) < len(names) else [rest[:half], rest[half:]]:
        yield from _built(means, {name: part[name] for name in chosen}, folder)


def _run(means: Means, crate: _Built, member: Crate) -> Found:
    """Run the tests of one program of a crate."""
    many = len(crate.members)
    try:
        ended = means.test(crate.folder, member)
    except AssayError as error:
        return error
    return replace(tested(member, ended, build_s=crate.wall_s / many), beside=many - 1)


def _held(verify: Callable[[Crate], Verified], crate: Crate) -> Found:
    try:
        return verify(crate)
    except AssayError as error:
        return error
