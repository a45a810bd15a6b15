"""Which sandbox this machine has, and what is done where it has none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from ...core.errors import AssayError
from .bubblewrap import bubblewrap
from .job import Sandbox
from .unsafe import Unsafe

Rule: TypeAlias = Literal["required", "none"]

_ALLOWED = "ASSAY_RUNS_WITHOUT_SANDBOX"
"""Set while a run goes on whose plan says ``limits.sandbox: none``: systems' processes inherit it."""


def find_sandbox() -> Sandbox:
    """Return the sandbox of this machine.

    Raises ``AssayError`` A500 where none works: a program that nobody has read does not run without
    one unless somebody says so (``Unsafe``, or ``--unsafe-no-sandbox`` of ``assay run``).
    """
    found = bubblewrap()
    if not isinstance(found, str):
        return found
    if os.environ.get(_ALLOWED) == "yes":
        return Unsafe()
    raise AssayError(
        f"no sandbox works here: {found}",
        hint="install bubblewrap, and run `assay doctor`; or run as you with --unsafe-no-sandbox",
        code="A500",
    )


def sandbox_name(rule: Rule) -> str:
    """Return ``none`` where programs may run without a sandbox, and would; otherwise nothing."""
    return "none" if rule == "none" and isinstance(bubblewrap(), str) else ""


@contextmanager
def sandbox_rule(rule: Rule) -> Iterator[None]:
    """Let programs run without a sandbox while the block runs, if that is the rule and none works."""
    before = os.environ.pop(_ALLOWED, None)
    if rule == "none":
        os.environ[_ALLOWED] = "yes"
    try:
        yield
    finally:
        os.environ.pop(_ALLOWED, None)
        if before is not None:
            os.environ[_ALLOWED] = before
