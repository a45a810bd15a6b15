"""``assay watch``: a frame for a log, a screen for a terminal, of real runs."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.cli.watch_lines import frame
from assay.cli.watching import whole
from assay.publish.watched import Moment, Phase, Watching
from assay.store.rundir import RunDir
from assay.visible import JOINERS, UNSAFE
from going import run_in_progress

from .conftest import ASSAY, Say, spawn

PLAN = """\
name: going
says: One of its systems never answers
tasks: [{use: toy.errands, limit: 60}]
systems:
  - {name: last-word, use: toy.last_word}
  - {name: asleep, use: awkward.odd, options: {what: sleeps_for_ever}, limit: 30}
timing: {processes: 1, blocks: 2, questions: 1}
limits: {reply_s: 600}
"""


@pytest.fixture(scope="module")
def going(tmp_path_factory) -> Iterator[RunDir]:
    with run_in_progress(tmp_path_factory.mktemp("going"), PLAN) as run:
        yield run


def test_one_frame_is_plain_text(going: RunDir, say: Say) -> None:
    said = say("watch", going.root, "--once")
    assert (said.code, said.err) == (0, "")
    assert "\x1b" not in said.out
    assert re.search(r"going +run +asking", said.out)
    assert re.search(r"last-word +60 of 60 +0\.\d\d \[0\.\d\d, 0\.\d\d\]", said.out)
    assert re.search(r"asleep +0 of 30 +- ", said.out)
    assert "hold at every look" in said.out


def test_json_is_one_moment(going: RunDir) -> None:
    said = spawn("watch", going.root, "--json").json
    assert said["phase"] == "asking"
    assert said["questions"] - said["replies"] == 30
    [asleep] = [one for one in said["systems"] if one["system"] == "asleep"]
    assert asleep["right"] is None
    assert asleep["cells"] == [
        {
            "split": "test",
            "seed": 0,
            "replies": 0,
            "questions": 30,
            "finished": False,
            "right": None,
        }
    ]


def test_without_a_terminal_it_says_frames_until_nobody_writes_the_run(home: Path) -> None:
    quiet = {"cwd": home, "stderr": subprocess.DEVNULL, "text": True}
    child = subprocess.Popen(
        [ASSAY, "run", "small.yaml", "--out", "runs/watched"], stdout=subprocess.DEVNULL, **quiet
    )
    try:
        watching = Watching(home / "runs" / "watched")
        while watching.look().phase is Phase.NOT_BEGUN:
            assert child.poll() is None
        child.send_signal(
            signal.SIGSTOP
        )  # it is written, and not finished, until two frames are said
        words = [ASSAY, "watch", "runs/watched", "--every", "0.2"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, **quiet) as said:
            for _ in range(2):
                while not next(said.stdout).startswith("small  watched  "):
                    pass
            child.send_signal(signal.SIGCONT)
            rest = said.stdout.read()
        assert (child.wait(60), said.returncode) == (0, 0)
    finally:
        child.kill()
    assert "small  watched  sealed" in rest
    assert "Read it: assay report runs/watched" in rest


def test_a_sealed_run_is_one_frame(first: Path) -> None:
    said = spawn("watch", first)
    assert (said.code, said.out.count("sealed")) == (0, 1)
    assert f"Read it: assay report {first}" in said.out


def test_one_frame_does_not_believe_a_seal(copy: Path, say: Say) -> None:
    with (copy / "records/toy.errands/votes/0-test.jsonl").open("ab") as file:
        file.write(b" ")
    said = say("watch", copy, "--once")
    assert said.code == 0
    assert "the seal was not checked: `assay verify RUN` does" in said.out


def test_a_run_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    said = spawn("watch", tmp_path / "later")
    assert said.code == 0
    assert "not begun" in said.out
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize("option", ["--once", "--json"])
def test_one_frame_of_no_run_is_an_error(tmp_path: Path, say: Say, option: str) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        said = say("watch", folder, option)
        assert said.code == 2
        assert "A303" in (said.out if option == "--json" else said.err)
    assert not (tmp_path / "absent").exists()


def test_one_frame_of_a_run_that_is_prepared_is_no_error(tmp_path: Path, say: Say) -> None:
    with RunDir(tmp_path / "soon").writing():
        said = say("watch", tmp_path / "soon", "--once")
    assert (said.code, "a process prepares it" in said.out) == (0, True)


def test_a_folder_of_other_things_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    said = spawn("watch", tmp_path)
    assert (said.code, said.err[:4]) == (2, "A303")


def test_names_of_strangers_do_not_act_on_the_terminal(going: RunDir, tmp_path: Path) -> None:
    run = _hostile(going, tmp_path)
    text = "\n".join(map(_text, frame(whole(Watching(run)))))
    assert "[red]" in text
    said = spawn("watch", run, "--once")
    bad = {c for c in said.out if unicodedata.category(c) in UNSAFE and c not in f"\n{JOINERS}"}
    assert (said.code, bad) == (0, set())
    assert "\\x1b[31m" in said.out


def _text(line: object) -> str:
    if isinstance(line, tuple):
        return "".join(map(_text, line))
    return line if isinstance(line, str) else line.text


def _hostile(going: RunDir, folder: Path) -> Path:
    """Return a copy of a run whose texts mean harm."""
    import shutil

    copy = Path(
        shutil.copytree(going.root, folder / "hostile", ignore=shutil.ignore_patterns("cache"))
    )
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["name"] = "\x1b[31mred\x1b[0m\x1b]0;title\x07"
    manifest["says"] = "[red]markup[/red] [@click=app.quit]x[/] \u202egnp"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    journal = next((copy / "records").glob("*/last-word/0-test.jsonl"))
    line = json.loads(journal.read_text().splitlines()[0])
    line["decided"] |= {"outcome": "failed", "kind": "failed", "reason": "\x1b[2J[bold]boo"}
    journal.write_text(json.dumps(line) + "\n")
    return copy


# --- the screen ------------------------------------------------------------------------------------


def drive(run: Path, steps, *, size=(120, 40)):
    """Show a run on a screen that nobody sees, and do something with it."""
    from assay.cli.watch_screen import WatchScreen

    async def go() -> object:
        screen = WatchScreen(Watching(run), every=0.2)
        async with screen.run_test(size=size) as pilot:
            while screen.moment is None:
                await pilot.pause(0.02)
            return await steps(screen, pilot)

    pytest.importorskip("textual", reason="the extra watch is not installed")
    return asyncio.run(go())


async def appears(screen, pilot, *texts: str) -> str:
    """Wait until texts stand on the screen; return what stands there."""
    for _ in range(200):
        if all(text in shown(screen) for text in texts):
            break
        await pilot.pause(0.02)
    found = shown(screen)
    assert all(text in found for text in texts), found
    return found


def shown(screen) -> str:
    """Return the letters that stand on the screen."""
    drawing = screen.export_screenshot()
    letters = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    return " ".join(letters).replace("&#160;", " ")


def test_the_screen_shows_a_run_in_progress(going: RunDir) -> None:
    async def steps(screen, pilot):
        table = screen.query_one("#systems")
        assert [str(table.get_row_at(i)[0]) for i in range(2)] == ["last-word", "asleep"]
        assert str(table.get_row_at(1)[1]) == "0 of 30"
        assert screen.query_one("#bar").progress == pytest.approx(
            screen.moment.there / screen.moment.asked
        )
        await appears(screen, pilot, "60 of 60", "asleep", "hold at every look")

    drive(going.root, steps)


def test_keys_open_the_seeds_of_a_system_and_end_it(going: RunDir) -> None:
    async def steps(screen, pilot):
        cells = screen.query_one("#cells")
        assert not cells.display
        await pilot.press("down", "enter")
        assert cells.display
        assert [str(c) for c in cells.get_row_at(0)] == ["test", "seed 0", "not begun", "-"]
        await pilot.press("enter")
        assert not cells.display
        dark = screen.theme
        await pilot.press("l")
        assert screen.theme != dark
        await pilot.press("q")
        await pilot.pause()
        assert not screen.is_running

    drive(going.root, steps)


def test_the_screen_ends_by_itself_when_the_run_is_sealed(first: Path) -> None:
    async def steps(screen, pilot) -> Moment:
        while screen.is_running:
            await pilot.pause(0.02)
        return screen.moment

    assert drive(first, steps).phase is Phase.SEALED


def test_the_screen_waits_for_a_run_that_is_not_there(tmp_path: Path) -> None:
    async def steps(screen, pilot):
        await appears(screen, pilot, "not begun", "there is no such folder yet")
        assert screen.is_running

    drive(tmp_path / "later", steps)


def test_names_of_strangers_are_no_markup_on_the_screen(going: RunDir, tmp_path: Path) -> None:
    async def steps(screen, pilot):
        harm = ("[red]markup[/red]", "[@click=app.quit]x[/]", "\\x1b[31mred", "\\x1b[2J[bold]boo")
        text = await appears(screen, pilot, *harm)
        assert "\x1b" not in text

    drive(_hostile(going, tmp_path), steps)


def test_a_narrow_screen_still_has_every_number(going: RunDir) -> None:
    async def steps(screen, pilot):
        await pilot.press("end")
        assert screen.query_one("#systems").row_count == len(screen.moment.systems)

    drive(going.root, steps, size=(40, 12))
