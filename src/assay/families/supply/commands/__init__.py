"""``assay model``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "model",
    "Model files: fetch, look into, convert, and accept on what they answer.",
    {},
)
"""What a command of this family says is read from its module only when it is called."""
