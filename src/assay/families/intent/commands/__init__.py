"""``assay intent``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from cyclopts import App, Parameter

COMMANDS = {
    "audit": "audit:audit",
    "split": "audit:split",
    "train": "train:train",
    "bench": "bench:bench",
    "ask": "ask:ask",
    "serve": "serve:serve",
    "rails": "suites:rails",
    "e2e": "suites:e2e",
}
"""Name to module and function.  A function parses, calls one public function, returns a page."""

SAYS = {
    # What a command's own docstring says is read only when its module is imported.
    "ask": "say what one request asks for, and what the rails say",
    "audit": "check labelled prompts: leaks, contradictions, balance, baselines; exit 1 if not sound",
    "bench": "measure a mapper beside its rivals, at each threshold",
    "e2e": "handle requests from prompt to ledger; exit 1 where that goes wrong",
    "rails": "put canonical situations through the rails; exit 1 where one is wrong",
    "serve": "answer requests over HTTP, on this machine",
    "split": "write a split that shares no group",
    "train": "make a mapper of labelled prompts",
}

app = App(
    name="intent",
    help="\n".join(
        [
            "Map a prompt to an action: train a small model, measure it, ask it.",
            "",
            *(f"* {name}: {SAYS.get(name, '')}" for name in sorted(COMMANDS)),
        ]
    ),
    default_parameter=Parameter(negative="", show_default=False),
)
for _name, _home in COMMANDS.items():
    app.command(f"{__name__}.{_home}", name=_name)
