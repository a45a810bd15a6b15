"""``assay perf``: how fast assay is here, what changed, and a page of it."""

from __future__ import annotations

from ...pages import commands_app

app = commands_app(
    __name__,
    "perf",
    "How fast assay is on this machine, and what changed.",
    {
        "run": ("running:run", "time suites of benchmarks, and peers, into a dated JSON file"),
        "compare": ("comparing:compare", "say what became faster or slower between two files"),
        "report": ("reporting:report", "write a file as a page in Markdown"),
    },
)
"""What a command says is read from its module only when it is called."""
