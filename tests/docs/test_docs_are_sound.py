"""Links lead somewhere, the tree in the README is the disk, and the project speaks of itself only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
MACHINE = re.compile(
    r"(?<![\w.~-])/(?:work|root|home|tmp|mnt|Users)/|\blocalhost\b|\b127\.0\.0\.1\b|\bindex-url\b"
)
"""Places on somebody's machine or network: nobody else can go there."""

HOSTS = {"api.openai.com", "arxiv.org", "cyclopts.readthedocs.io", "github.com", "pypi.org"}
"""Where links may lead."""

PROMISES = re.compile(
    r"\b(blazing|revolutionary|seamless|cutting[- ]edge|world[- ]class|effortless)", re.IGNORECASE
)


def test_every_relative_link_resolves(any_page, read):
    for link in any_page.links:
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (any_page.path.parent / target).resolve() if target else any_page.path
        assert path.exists(), f"{any_page}: {link}"
        if anchor:
            assert anchor in read(str(path.relative_to(ROOT))).anchors, f"{any_page}: {link}"


def test_no_page_names_a_machine_or_promises_too_much(any_page):
    for pattern in (MACHINE, PROMISES):
        found = pattern.search(any_page.text)
        assert found is None, f"{any_page}: {found[0]!r}"


def test_every_page_links_to_public_places_only(any_page):
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s)>\"\'`]+", any_page.text)}
    assert hosts - HOSTS == set(), any_page


@pytest.mark.parametrize("kind", ["*.py", "*.yaml", "*.toml", "*.txt", "Makefile"])
def test_no_file_that_is_shipped_names_a_machine(kind):
    folders = ("src", "plans", "tools", "examples", ".github", ".ci")
    files = [*ROOT.glob(kind), *(p for f in folders for p in (ROOT / f).rglob(kind))]
    for path in files:
        found = MACHINE.search(path.read_text("utf-8"))
        assert found is None, f"{path.relative_to(ROOT)}: {found[0]!r}"


def test_every_page_of_the_manual_is_on_its_map(read):
    linked = {
        (ROOT / "docs" / link.partition("#")[0]).resolve() for link in read("docs/index.md").links
    }
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"}
    assert {p.name for p in pages - linked} == set()


def test_every_page_begins_with_its_title(manual_page):
    assert manual_page.text.startswith("# ")


def test_every_change_is_one_sentence_with_a_kind(change):
    assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed)\.md", change.path.name)
    said = change.text.strip()
    assert "\n\n" not in said
    assert said.endswith(".")
    assert re.search(r"\. [A-Z]", said) is None, f"{change} has more than one sentence"


# --- the tree in the README -----------------------------------------------------------------


def tree(text: str) -> list[str]:
    """Return the paths of a fenced tree: the first word of each line."""
    found = re.search(r"^```tree\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        pytest.fail("README.md has no ```tree block")
    return [line.split()[0] for line in found[1].splitlines() if line.strip()]


def tracked() -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a checkout")
    return done.stdout.splitlines()


def test_every_path_in_the_tree_of_the_readme_exists(read):
    for path in tree(read("README.md").text):
        assert (ROOT / path).exists(), path
        assert path.endswith("/") == (ROOT / path).is_dir(), f"{path}: folders end with a slash"


@pytest.mark.parametrize("below", ["", "src/assay/"])
def test_every_tracked_entry_is_in_the_tree_of_the_readme(below, read):
    listed = tree(read("README.md").text)
    entries = {
        below + path.removeprefix(below).partition("/")[0]
        for path in tracked()
        if path.startswith(below)
    }
    # What every package has needs no line.
    entries -= {f"src/assay/{name}" for name in ("__init__.py", "__main__.py", "py.typed")}
    missing = {
        entry
        for entry in entries
        if not any(path.rstrip("/") == entry or path.startswith(f"{entry}/") for path in listed)
    }
    assert missing == set()
