"""``assay rust``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "rust",
    "Python to Rust, verified by the compiler and by tests.",
    {
        "adequacy": (
            "adequacy:adequacy",
            "try right answers and mutants with a corpus's tests; exit 1 where that fails",
        ),
        "corpus": (
            "corpus:corpus",
            "say what a corpus holds, and what is wrong with it; exit 1 if anything is",
        ),
        "evaluate": (
            "evaluate:evaluate",
            "ask models and rivals the tasks of task files, and say which of them does",
        ),
        "levels": (
            "levels:levels",
            "say which of ten levels each program has",
        ),
        "verify": (
            "verify:verify",
            "build a Rust program and run its tests; exit 1 unless all pass",
        ),
    },
)
"""What a command of this family says is read from its module only when it is called."""
