"""``assay view``: where it listens, what it says, how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from .conftest import ASSAY, Say, spawn


def started(*words: object) -> tuple[subprocess.Popen[str], str]:
    """Start the command; return it and its address."""
    child = subprocess.Popen(
        [ASSAY, "view", *map(str, words), "--port", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    line = child.stderr.readline()
    found = re.match(r"(http://127\.0\.0\.1:\d+/)  the runs in (.*) \(Ctrl-C ends it\)\n", line)
    assert found, line
    return child, found[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_quietly(home: Path, how: signal.Signals) -> None:
    child, address = started(home / "runs")
    try:
        with urlopen(address) as answer:
            page = answer.read().decode()
        assert "first" in page
        assert "second" in page
    finally:
        child.send_signal(how)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (0, "Ended.\n", "")


def test_one_run_is_shown_with_those_beside_it(first: Path) -> None:
    child, address = started(first)
    try:
        with urlopen(f"{address}run/first") as answer:
            assert "every file as it was" in answer.read().decode()
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)


def test_a_port_that_is_taken_is_said(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = spawn("view", home / "runs", "--port", taken.getsockname()[1], "--no-browser")
    assert said.code == 3
    assert said.err.startswith("A500 cannot listen: Address already in use")
    assert "--port 0" in said.err


def test_a_folder_that_is_none_is_said(tmp_path: Path, say: Say) -> None:
    (tmp_path / "file").touch()
    for wrong in ("nowhere", "file"):
        said = say("view", tmp_path / wrong)
        assert (said.code, said.out) == (2, "")
        assert "is no folder" in said.err
