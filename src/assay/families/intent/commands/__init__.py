"""``assay intent``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "intent",
    "Map a prompt to an action: train a small model, measure it, ask it.",
    {
        "audit": (
            "audit:audit",
            "check labelled prompts: leaks, contradictions, balance, baselines; exit 1 if not sound",
        ),
        "split": (
            "audit:split",
            "write a split that shares no group",
        ),
        "train": (
            "train:train",
            "make a mapper of labelled prompts",
        ),
        "bench": (
            "bench:bench",
            "measure a mapper beside its rivals, at each threshold",
        ),
        "ask": (
            "ask:ask",
            "say what one request asks for, and what the rails say",
        ),
        "serve": (
            "serve:serve",
            "answer requests over HTTP, on this machine",
        ),
        "rails": (
            "suites:rails",
            "put canonical situations through the rails; exit 1 where one is wrong",
        ),
        "e2e": (
            "suites:e2e",
            "handle requests from prompt to ledger; exit 1 where that goes wrong",
        ),
    },
)
"""What a command of this family says is read from its module only when it is called."""
