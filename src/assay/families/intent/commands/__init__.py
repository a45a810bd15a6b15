"""``assay intent``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from cyclopts import App, Parameter

COMMANDS = {
    "serve": "serve:serve",
    "ask": "ask:ask",
    "audit": "audit:audit",
    "bench": "bench:bench",
    "split": "audit:split",
    "train": "train:train",
}
"""Name to module and function.  A function parses, calls one public function, returns a page."""

app = App(
    name="intent",
    help="Map a prompt to an action: train a small model, and ask it.",
    default_parameter=Parameter(negative="", show_default=False),
)
for _name, _home in COMMANDS.items():
    app.command(f"{__name__}.{_home}", name=_name)
