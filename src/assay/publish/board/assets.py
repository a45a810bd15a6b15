"""The page itself: files that are the same on every board, beside which the data is built."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import PluginError

INSTALLED = Path(__file__).with_name("page")
CHECKOUT = Path(__file__).parents[4] / "site"
KINDS = (".html", ".css", ".js", ".svg")
DATA = ("board.js", "badges")
"""Looks like files of the page, and is built."""


def page_files() -> dict[str, Path]:
    """Return the files of the page by their path below ``site/``: installed, or of the checkout.

    Raises ``PluginError`` A400 where the installation has no page.

    >>> "index.html" in page_files()
    True
    """
    for folder in (INSTALLED, CHECKOUT):
        if (folder / "index.html").is_file():
            return {
                name.as_posix(): path
                for path in sorted(folder.rglob("*"))
                if path.suffix in KINDS and (name := path.relative_to(folder)).parts[0] not in DATA
            }
    raise PluginError(
        "this installation of assay has no page for boards",
        where=str(INSTALLED),
        hint="install assay again; the data is in `assay board build --json`",
    )
