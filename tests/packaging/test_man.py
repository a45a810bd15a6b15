"""The manual page: what `man assay` shows once a wheel is installed."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("hatchling", reason="the page is written where wheels are built")


@pytest.fixture(scope="module")
def page() -> str:
    return runpy.run_path(str(ROOT / "tools" / "man.py"))["written"]()


def sections(manual: str) -> dict[str, str]:
    """Return the text below each command of the manual, which the docs' tests hold to the code."""
    parts = re.split(r"^## `([a-z0-9 -]+)`$", manual, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {name: text for name, text in found.items() if not name.startswith("-")}


def shown(page: str) -> str:
    """Return the page's words without roff's signs."""
    plain = re.sub(r"\\f[BIR]|\\&", "", page).replace("\\(ti", "~").replace("\\(ha", "^")
    return plain.replace("\\-", "-").replace("\\`", "`").replace("\\e", "\\")


def test_the_page_names_every_command_with_each_option(page):
    text = shown(page)
    commands = sections((ROOT / "docs" / "commands.md").read_text("utf-8"))
    assert len(commands) > 60
    for name, section in commands.items():
        assert f"\n.SS assay {name}\n" in text
        own = text.partition(f"\n.SS assay {name}\n")[2].partition("\n.SS ")[0]
        for option in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE):
            assert re.search(rf"^\.TP\n{re.escape(option)}( \(|$)", own, re.MULTILINE), (
                name,
                option,
            )


def test_examples_can_be_copied_from_the_page(page):
    assert (
        "\\-\\-labels billing,bug,question" in page
    )  # a bare "-" is set as a hyphen that no shell reads
    assert "$ assay init --from prompts.csv" in shown(page)


def test_groff_has_nothing_to_warn_of(page):
    groff = shutil.which("groff") or pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z", "-k"],
        input=page,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
