"""``assay lm``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "lm",
    "Language models: what they can be asked, and what they take.",
    {
        "edge": (
            "edge:edge",
            "measure latency, throughput, memory, load time and energy of models on this machine",
        ),
        "score": (
            "score:score",
            "put the categories of sealed runs into one number, for display",
        ),
        "quantisation": (
            "quantisation:quantisation",
            "compare the same model at several precisions: flips, scores, divergence, memory, speed",
        ),
        "tasks": (
            "tasks:tasks",
            "list the categories, or every task of lm-evaluation-harness that a pattern matches",
        ),
    },
)
"""What a command of this family says is read from its module only when it is called."""
