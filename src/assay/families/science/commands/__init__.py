"""``assay science``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "science",
    "Networks that may answer that there is no value: runs over seeds, and what they ship as.",
    {
        "bundle": (
            "bundle:bundle",
            "write a network of a run as ONNX; exit 1 unless it says what the records say",
        ),
        "parity": (
            "parity:parity",
            "say how right systems of a run are at equal coverage, and draw it",
        ),
        "run": (
            "run:run",
            "run dose, rf or ik over seeds, and say what its claims came to",
        ),
    },
)
"""What a command of this family says is read from its module only when it is called."""
