"""The paths of a newcomer are walked: every command of these pages is typed, and says what the page shows.

In a ``console`` block a line that begins with ``$`` is typed, and what stands below it is what it prints; ``...`` alone
on a line stands for any lines.  A ``python`` block runs.  Any other block that begins with a comment that holds
nothing but a file's name is written to that file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"(?:#|//) ([\w.-]+\.\w+)\n")
MASKS = (
    (r"\b\d{8}T\d{6}Z\S*", "RUN"),
    (r"\$[\d.,]+(?:e-?\d+)?", "$N"),
    (r"\b[\d.,]+ (?:µs|ms|s|min|h|MB|MiB|GB)\b", "N UNIT"),
    (r"\b[\d.,]+ times (?:less|more)", "N times"),
    (r"\b[\d.]+ ?% of resamples", "N % of resamples"),
    (r"\b\d+ process(?:es)?\b", "N processes"),
    (r"\b(?:sha256:|seal )[0-9a-f]+", "DIGEST"),
    (r"[ \t]+", " "),
)
"""What belongs to a day and a machine: seconds, dollars that rest on them, names of runs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a reader types, and what it prints."""

    where: str
    kind: str
    text: str
    shown: str = ""


def steps(page) -> Iterator[Step]:
    """Yield what a reader types, from top to bottom."""
    for block in page.blocks:
        if block.language == "python":
            yield Step(str(block), "python", block.body)
        elif block.language == "console":
            for part in re.split(r"^(?=\$ )", block.body, flags=re.MULTILINE):
                if part.startswith("$ "):
                    typed = re.match(r"\$ ((?:.*\\\n)*.*)\n?", part)
                    assert typed
                    yield Step(str(block), "shell", typed[1], part[typed.end() :])
        elif named := NAMED.match(block.body):
            yield Step(str(block), named[1], block.body)


def masked(text: str) -> str:
    """Return a text without what differs from day to day and from machine to machine."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def is_as_shown(shown: str, said: str) -> bool:
    """Whether a text is what a page shows; ``...`` stands for any lines."""
    parts = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n"
        for line in masked(shown).splitlines()
    ]
    return re.fullmatch("".join(parts), masked(said) + "\n") is not None


def typed(step: Step, folder: Path) -> str:
    """Type a command as a reader would, beside the files of the page; return what it prints."""
    scripts = Path(sys.executable).parent
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "PYTEST_CURRENT_TEST")}
    env |= {"PATH": f"{scripts}{os.pathsep}{env['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", step.text], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{step.where}: {step.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def walk(page, folder: Path) -> None:
    """Type a page from top to bottom in an empty folder."""
    space = {"__name__": "page"}
    for step in steps(page):
        if step.kind == "python":
            exec(compile(step.text, step.where, "exec", dont_inherit=True), space)
        elif step.kind == "shell":
            said = typed(step, folder)
            if step.shown.strip():
                assert is_as_shown(step.shown, said), f"{step.where}: {step.text}\n{said}"
        else:
            (folder / step.kind).write_text(step.text, "utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder to type in."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # logs of other tools that pages begin with
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_minutes_are_as_the_page_says(read, folder):
    walk(read("docs/start/five-minutes.md"), folder)


@pytest.mark.long
@pytest.mark.timeout(1800)  # eleven minutes were seen, beside twenty other processes
def test_one_hour_is_as_the_page_says(read, folder):
    walk(read("docs/start/one-hour.md"), folder)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_way_from_other_tools_is_as_the_page_says(read, folder):
    walk(read("docs/migrate.md"), folder)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["lm", "science"])
def test_the_tutorial_of_a_family_is_as_the_page_says(read, folder, name):
    walk(read(f"docs/tutorials/{name}.md"), folder)


@pytest.mark.slow
def test_the_tutorial_of_supply_is_as_the_page_says(read, folder):
    walk(read("docs/tutorials/supply.md"), folder)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("rustc") is None, reason="there is no rustc here")
def test_the_tutorial_of_transpile_is_as_the_page_says(read, folder):
    walk(read("docs/tutorials/transpile.md"), folder)


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ("right 0.72\n...\nend", "right 0.72\na\nb\nend", True),
        ("right 0.72", "right 0.73", False),
        ("it took 1.2 s and $0.004", "it took 88 ms and $0.1", True),
        ("one\n...", "two\nthree", False),
    ],
)
def test_what_is_compared_is_all_but_seconds_and_dollars(shown, said, same):
    assert is_as_shown(shown, said) is same
