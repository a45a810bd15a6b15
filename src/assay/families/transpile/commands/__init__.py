"""``assay rust``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from cyclopts import App, Parameter

COMMANDS = {
    "adequacy": "adequacy:adequacy",
    "corpus": "corpus:corpus",
    "levels": "levels:levels",
    "verify": "verify:verify",
}
"""Name to module and function.  A function parses, calls one public function, returns a page."""

SAYS = {
    # What a command's own docstring says is read only when its module is imported.
    "adequacy": "try right answers and mutants with a corpus's tests; exit 1 where that fails",
    "corpus": "say what a corpus holds, and what is wrong with it; exit 1 if anything is",
    "levels": "say which of ten levels each program has",
    "verify": "build a Rust program and run its tests; exit 1 unless all pass",
}

app = App(
    name="rust",
    help="\n".join(
        [
            "Python to Rust, verified by the compiler and by tests.",
            "",
            *(f"* {name}: {SAYS.get(name, '')}" for name in sorted(COMMANDS)),
        ]
    ),
    default_parameter=Parameter(negative="", show_default=False),
)
for _name, _home in COMMANDS.items():
    app.command(f"{__name__}.{_home}", name=_name)
