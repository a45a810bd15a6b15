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
        "event": (
            "event:event",
            "do one stage of a command on a pull request; exit 1 where it says no",
        ),
        "export": (
            "exporting:export",
            "write what was measured of a model for other places: records, values, a card, badges",
        ),
        "add": ("adding:add", "put a sealed run on a board, with who did it"),
        "build": ("building:build", "write the registry and the data of the page"),
        "serve": ("building:serve", "show the page to this machine alone"),
        "withdraw": ("adding:withdraw", "take a model or a run off a board"),
        "verify": (
            "building:verify",
            "make a board again from its archived runs; exit 1 if anything differs",
        ),
        "reported": ("quoting:reported", "quote a published table: numbers without records"),
        "sign": ("signing:sign", "sign a sealed run with a key of your own"),
    },
)
"""What a command says is read from its module only when it is called."""
