"""``assay baseline``: which run, or measurement, later ones must not be worse than."""

from __future__ import annotations

from ...pages import commands_app

app = commands_app(
    __name__,
    "baseline",
    "The run, or measurement, that later ones must not be worse than.",
    {
        "set": (
            "setting:set_",
            "write the file that makes a run, or a measurement, the baseline of `assay gate`",
        )
    },
)
"""What a command says is read from its module only when it is called."""
