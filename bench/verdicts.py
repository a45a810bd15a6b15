"""Verdicts on Rust programs: built together, one by one, looked up, and by cargo for each.

*Covered*: 40 programs of HumanEval-X with its own tests, half of them broken by us: ten mutants that compile and
fail, five with a type that is wrong, five cut off.  Every contender must reach the same verdicts
(passes, fails, does not compile), or the benchmark fails.  CPU is that of this process and of all it started,
sandboxes included; cargo has none.  ``ASSAY_DATA`` names the folder that holds ``humaneval_x_py_rust``.
*Not covered*: other machines' linkers; dependencies, of which there are none; doctests, which cargo looks for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from contest import SOURCE, adopt_orphans, all_of_it, contest, given, tell

sys.path.insert(0, str(SOURCE))

from assay.families.transpile.corpus.program import Program
from assay.families.transpile.corpus.reading import read_corpus
from assay.families.transpile.rust.kept import Kept
from assay.families.transpile.rust.mutants import mutants_of
from assay.families.transpile.rust.toolchain import toolchain
from assay.families.transpile.rust.verified import Stand
from assay.families.transpile.rust.verify import Workbench

HERE = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ASSAY_DATA") or HERE.parent / "shared" / "data")
FILE = DATA / "humaneval_x_py_rust" / "humaneval_x_py_rust.jsonl"
MANY = 40

Pairs: TypeAlias = Sequence[tuple[str, str]]
SHORT = {
    Stand.PASSES: "passes", Stand.TESTS_FAIL: "fails", Stand.DOES_NOT_COMPILE: "does not compile",
}  # fmt: skip


def main() -> None:
    quick, as_json = given()
    try:
        chain = toolchain()
        bench = Workbench.of(60)
    except Exception as error:  # noqa: BLE001  (whatever is absent here, it is said)
        print(f"skipped: {error}", file=sys.stderr)
        tell([], as_json=as_json)
        return
    if not FILE.is_file():
        print(f"skipped: there is no {FILE}; set ASSAY_DATA", file=sys.stderr)
        tell([], as_json=as_json)
        return
    adopt_orphans()
    pairs = broken_half(bench, 6 if quick else MANY)
    with tempfile.TemporaryDirectory() as folder:
        kept = replace(bench, kept=Kept(Path(folder) / "verdicts"))
        wanted = said(kept, pairs)
        sides = {
            "assay, together": lambda: same(wanted, said(bench, pairs)),
            "assay, one by one": lambda: same(
                wanted, [SHORT[bench.verify(*p).stand] for p in pairs]
            ),
            "assay, looked up": lambda: same(wanted, said(kept, pairs)),
            "cargo build && cargo test": lambda: same(wanted, by_cargo(chain.root, pairs)),
        }
        rows = contest(
            "verdicts, half of them on broken programs",
            sides,
            n=len(pairs),
            rounds=1 if quick else 3,
            each=all_of_it,
            for_scale=("assay, one by one", "assay, looked up"),
        )
    rows = [
        replace(row, note=f"{row.n / row.cpu.median:.3g} verdicts per CPU second; {row.note}")
        for row in rows
    ]
    tell(rows, as_json=as_json)


def broken_half(bench: Workbench, many: int) -> list[tuple[str, str]]:
    """Return programs with their tests; every second one is broken, each time in another way."""
    programs = sorted(read_corpus(FILE).programs, key=lambda program: int(program.id))
    tested = [each for each in programs if "#[test]" in each.rust_tests][: 2 * many]
    found = bench.verify_all([(each.rust, each.rust_tests) for each in tested])
    right = [p for p, each in zip(tested, found, strict=True) if each.passed]
    made: list[tuple[str, str]] = []
    ways: list[Callable[[Program], str | None]] = [
        lambda program: mutant(bench, program),
        lambda program: program.rust + '\nfn broken() -> i64 { "no number" }\n',
        lambda program: mutant(bench, program),
        lambda program: program.rust[: len(program.rust) * 3 // 4],
    ]
    for program in right:
        if len(made) == many:
            break
        code = ways[len(made) // 2 % 4](program) if len(made) % 2 else program.rust
        if code is not None:
            made.append((code, program.rust_tests))
    return made


def mutant(bench: Workbench, program: Program) -> str | None:
    """Return a program with one fault that its tests see; None where no mutant is one."""
    called = re.findall(r"fn (\w+)", program.rust)[-1]
    mutants = [each.code for each in mutants_of(program.rust, called)][1:6]
    found = bench.verify_all([(code, program.rust_tests) for code in mutants])
    fails = (c for c, each in zip(mutants, found, strict=True) if each.stand is Stand.TESTS_FAIL)
    return next(fails, None)


def said(bench: Workbench, pairs: Pairs) -> list[str]:
    return [SHORT[each.stand] for each in bench.verify_all(pairs)]


def same(wanted: list[str], found: list[str]) -> str:
    """Return how many verdicts of each kind there are; end where one is another."""
    if wanted != found:
        differ = [k for k, (a, b) in enumerate(zip(wanted, found, strict=True)) if a != b]
        sys.exit(f"verdicts differ: {[(k, wanted[k], found[k]) for k in differ]}")
    return ", ".join(f"{count} {kind}" for kind, count in Counter(found).items())


def by_cargo(root: Path, pairs: Pairs) -> list[str]:
    """Give each program a package and a target folder of its own, build it and run its tests."""
    found = []
    for code, tests in pairs:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "src").mkdir()
            (place / "Cargo.toml").write_text(
                '[package]\nname = "answer"\nversion = "0.1.0"\nedition = "2021"\n', "utf-8"
            )
            inside = f"#[cfg(test)]\nmod tests {{ use super::*;\n{tests}\n}}\n"
            (place / "src" / "lib.rs").write_text(f"{code}\n{inside}", "utf-8")
            found.append(cargo(root, place))
    return found


def cargo(root: Path, place: Path) -> str:
    environment = {**os.environ, "RUSTC": str(root / "bin/rustc"), "CARGO_NET_OFFLINE": "true"}
    environment["RUSTFLAGS"] = "--cap-lints=allow"
    for words in (["build", "--quiet"], ["test", "--quiet"]):
        done = subprocess.run(
            [root / "bin/cargo", *words],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and "could not compile" in done.stderr:
            return "does not compile"
    ran = re.search(r"test result: ok\. ([1-9]\d*) passed", done.stdout)
    return "passes" if done.returncode == 0 and ran else "fails"


if __name__ == "__main__":
    main()
