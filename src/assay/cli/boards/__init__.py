"""``assay board``: each command is in a module that is imported when it is called."""

from __future__ import annotations

from ...pages import commands_app

app = commands_app(
    __name__,
    "board",
    "A leaderboard of models: from a file that people send to a page that claims no more than was measured.",
    {
        "check": (
            "check:check",
            "say everything that keeps a submission from the board; exit 1 if it has errors",
        ),
        "plan": (
            "planning:plan",
            "write the plan that measures a submission",
        ),
        "reported": ("quoting:reported", "quote a published table: numbers without records"),
        "sign": ("signing:sign", "sign a sealed run with a key of your own"),
    },
)
"""What a command says is read from its module only when it is called."""
