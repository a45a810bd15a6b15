"""A Python program to translate, and what is known of its translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

JSON: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Arguments, and what the program makes of them."""

    input: tuple[JSON, ...]
    expected: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One entry of a corpus."""

    id: str
    python: str
    cases: tuple[Case, ...] = ()
    python_tests: str = ""
    """A test file of its own, as directories of examples have."""

    rust_tests: str = ""
    rust: str = ""
    """A translation that is right, where there is one."""

    origin: str = ""
    """File and line, or folder."""

    @property
    def lines(self) -> int:
        """Return the lines of the program that are not empty."""
        return sum(1 for line in self.python.splitlines() if line.strip())

    @property
    def tested(self) -> bool:
        """Whether anything tells if a translation is right."""
        return bool(self.cases or self.rust_tests or self.python_tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Programs in order of their ids."""

    form: str
    """How they were written: ``jsonl``, ``directory`` or ``humaneval-x``."""

    programs: Sequence[Program]
