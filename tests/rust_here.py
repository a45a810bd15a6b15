"""Where Rust can be verified; where it cannot, tests skip and say so."""

from __future__ import annotations

import shutil

import pytest

from assay.engine.sandbox.bubblewrap import bubblewrap

needs_rust = pytest.mark.skipif(
    shutil.which("rustc") is None or isinstance(bubblewrap(), str),
    reason="rustc or a sandbox is absent",
)
