"""Links lead somewhere, the tree in the README is the disk, and the project speaks of itself only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r"/work/|/tmp/v\b|/root/|/home/[a-z]|localhost|127\.0\.0\.1|index-url"
    r"|\bartifactory\b|\bnexus\b|\bproxy\.|\bAI assistant\b|\bChatGPT\b|\bClaude\b",
    re.IGNORECASE,
)
PROMISES = re.compile(r"\b(blazing|revolutionary|seamless|cutting[- ]edge|world[- ]class|effortless)", re.I)


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
    for pattern in (FORBIDDEN, PROMISES):
        found = pattern.search(any_page.text)
        assert found is None, f"{any_page}: {found[0]!r}"


def test_every_page_of_the_manual_is_on_its_map(read):
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in read("docs/index.md").links}
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"}
    assert {p.name for p in pages - linked} == set()


def test_every_page_begins_with_one_title(any_page):
    if any_page.path.parent.name == "changes":
        return
    assert any_page.text.startswith("# "), any_page


def test_every_change_is_one_sentence_with_a_kind(any_page):
    if any_page.path.parent.name != "changes":
        return
    assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed)\.md", any_page.path.name)
    said = any_page.text.strip()
    assert "\n\n" not in said
    assert said.endswith(".")
    assert re.search(r"\. [A-Z]", said) is None, f"{any_page} has more than one sentence"


# --- the tree in the README -----------------------------------------------------------------


def tree(text: str) -> list[str]:
    """Return the paths of a fenced tree: one name per line, indented by its folder, then # words."""
    found = re.search(r"^```tree\n(.*?)^```$", text, re.M | re.S)
    if found is None:
        pytest.fail("README.md has no ```tree block")
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for line in found[1].splitlines():
        names = line.partition("#")[0].rstrip()
        if not names.strip():
            continue
        depth = len(names) - len(names.lstrip())
        above = [(d, folder) for d, folder in above if d < depth]
        before = "".join(folder for _, folder in above)
        listed = names.split()
        paths += [before + name for name in listed]
        if len(listed) == 1 and listed[0].endswith("/"):
            above.append((depth, listed[0]))
    return paths


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
    listed = {path.rstrip("/") for path in tree(read("README.md").text)}
    entries = {
        below + path.removeprefix(below).partition("/")[0]
        for path in tracked()
        if path.startswith(below)
    }
    assert entries - listed == set()
