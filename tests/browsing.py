"""Debian's Chromium, driven by playwright; a test without either is skipped, and says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser, or skip and say what is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((path for path in map(shutil.which, names) if path), None)
    if path is None:
        pytest.skip("no chromium on the PATH (apt-get install chromium)")
    with api.sync_playwright() as started:
        held = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield held
        held.close()
