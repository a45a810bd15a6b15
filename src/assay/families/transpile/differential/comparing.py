"""A translation held to its original: the tests that generated inputs make, and what they tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.sandbox import Sandbox

from ..cases.kinds import Unmapped
from ..cases.signature import must_fail, signature_of
from ..cases.spelling import name_of
from ..cases.tests import tests_of
from ..corpus.program import Case, Program
from ..rust.reading import returned
from ..rust.verified import Verified
from .original import Generated, generated, shown
from .shim import shim

MODULE = "differential"
"""Of the tests beside those that were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a translation is to do as its original does."""

    program: Program
    found: Generated
    tests: str
    """In Rust, a module of their own; empty where nothing could be generated."""

    signature: str
    """The function that the translation must have."""

    def differences(self, found: Verified) -> list[str]:
        """Return what failing tests of it say, the shortest call first: what the original returns, and what came."""
        came = dict(_CAME.findall(found.test_log))
        said = []
        for name in found.failed:
            module, _, case = name.rpartition("::")
            if module.endswith(MODULE):
                wanted = told(self.program, self.found.cases[int(case.rpartition("_")[2]) - 1])
                got = _GOT.match(came.get(name, ""))
                said.append(f"{wanted}; got {got[1]}" if got else wanted)
        return sorted(said, key=len)


_CAME = re.compile(r"^---- (\S+) stdout ----\n\n.*panicked at .*\n(.*)$", re.MULTILINE)
_GOT = re.compile(r"got (.*), wanted ")


def comparisons(
    pairs: Sequence[tuple[Program, str]], count: int, *, sandbox: Sandbox | None = None
) -> list[Comparison]:
    """Return the tests that Rust programs must pass to do what Python programs do.

    Whether a function returns a ``Result`` is read from the Rust: then what the original refuses must be
    an ``Err`` or a panic; otherwise it is left out.  Where the function has other types than the original's
    annotations say (``i32`` for ``int``), arguments and result are converted (``shim``).

    Raises ``DataError`` A200 for what is no Python, and as ``generated`` does.
    """
    fallible = [_returns_result(program, rust) for program, rust in pairs]
    programs = [program for program, _ in pairs]
    found = generated(programs, count, sandbox=sandbox, fallible=fallible)
    return [
        _comparison(program, rust, each, fallible=fails)
        for (program, rust), each, fails in zip(pairs, found, fallible, strict=True)
    ]


def _comparison(program: Program, rust: str, found: Generated, *, fallible: bool) -> Comparison:
    if not found.cases:
        return Comparison(program=program, found=found, tests="", signature="")
    made = tests_of(replace(program, cases=found.cases, rust_tests=""), fallible=fallible)
    between = shim(rust, made.called) if made.called else ""
    parts = (
        f"mod {MODULE} {{",
        "#[allow(unused_imports)]",
        "use super::*;",
        between,
        made.tests,
        "}",
    )
    return Comparison(
        program=program, found=found, tests="\n".join(parts), signature=made.signature
    )


def _returns_result(program: Program, rust: str) -> bool:
    try:
        name = signature_of(program).name
    except Unmapped:
        return False
    return returned(rust, name_of(name)).startswith("Result")


def told(program: Program, case: Case) -> str:
    """Return a case as a person reads it.

    >>> from assay.families.transpile.corpus.program import Case, Program
    >>> twice = Program(id="twice", python="def twice(n: int) -> int: return 2 * n")
    >>> told(twice, Case(input=(2,), expected=4))
    'twice(2) is 4'
    """
    call = shown(signature_of(replace(program, cases=(case,))).name, case.input)
    return f"{call} fails" if must_fail(case) else f"{call} is {case.expected!r}"
