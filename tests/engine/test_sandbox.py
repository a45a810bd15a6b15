"""Programs that nobody has read: held in time, memory, processes, output, files, network, environment."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, PlanError, sandbox
from assay.engine.sandbox.bubblewrap import bubblewrap
from assay.engine.sandbox.found import sandbox_name, sandbox_rule
from assay.engine.sandbox.supervise import supervise
from assay.sandbox import Ended, How, Job, Limits, Unsafe, find_sandbox

HELD = bubblewrap()
TIGHT = Limits(wall_s=20, cpu_s=10, memory_mb=512, processes=32, output_kb=64, disk_mb=16)
needs_sandbox = pytest.mark.skipif(isinstance(HELD, str), reason=f"no sandbox: {HELD}")
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
needs_python = pytest.mark.skipif(PYTHON is None, reason="the system has no python3 of its own")


BOMB = "x = bytearray(1 << 30)"
BOMBS = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        x = bytearray(150 << 20)
        x[::4096] = b'1' * len(x[::4096])
        time.sleep(20)
time.sleep(20)"""


def held(*argv, limits=TIGHT, **more) -> Ended:
    return find_sandbox().run(Job(argv=argv, limits=limits, **more))


def shell(script, **more) -> Ended:
    return held("/bin/sh", "-c", script, **more)


@needs_sandbox
def test_a_program_gets_its_input_and_its_status_comes_back():
    ended = shell("wc -c; echo here >&2; exit 7", stdin=b"asked" * 100_000)
    assert (ended.how, ended.status) == (How.EXITED, 7)
    assert (ended.stdout, ended.stderr) == (b"500000\n", b"here\n")
    assert not ended.well
    assert held("/bin/true").well


@needs_sandbox
def test_input_that_nobody_reads_harms_nobody():
    assert held("/bin/true", stdin=b"x" * 1_000_000).well


@needs_sandbox
def test_it_sees_no_users_no_home_and_no_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "of mine")
    ended = shell("env; cat /etc/passwd; ls /root /home; ls /")
    assert b"SECRET" not in ended.stdout
    assert b"root:" not in ended.stdout
    assert b"home" not in ended.stdout.split()
    names = {line.split(b"=")[0] for line in ended.stdout.splitlines() if b"=" in line}
    assert names <= {b"PATH", b"HOME", b"PWD"}


@needs_sandbox
def test_it_may_only_write_where_it_was_told_to(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "kept").write_text("as it was")
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    tmp_path.chmod(0o755)
    ended = shell(
        "echo x > /given/kept; echo x > /usr/x; echo x > /x; rm -rf /given/* ; echo made > /out/file",
        reads={tmp_path / "in": "/given"},
        writes=out,
    )
    assert ended.stderr.count(b"\n") >= 3
    assert (tmp_path / "in" / "kept").read_text() == "as it was"
    assert (out / "file").read_text() == "made\n"
    assert not Path("/usr/x").exists()


@needs_sandbox
@needs_python
def test_it_reaches_no_network_not_even_this_machine():
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        reach = f"import socket; socket.create_connection(('localhost', {port}), 2)"
        ended = held(PYTHON, "-c", reach)
        assert ended.status == 1
        subprocess.run([sys.executable, "-c", reach], check=True)  # out here it can be reached


@needs_sandbox
def test_it_cannot_signal_what_holds_it():
    ended = shell("kill -9 1; kill -9 $PPID; kill -9 -1; echo alive")
    assert ended.stdout == b"alive\n"


@needs_sandbox
def test_it_has_no_rights_that_its_user_has_not():
    ended = shell("grep -h Cap /proc/self/status; id -u")
    *capabilities, user = ended.stdout.split(b"\n")[:-1]
    assert {line.split()[1] for line in capabilities} == {b"0" * 16}
    assert int(user) >= 60_000


@needs_sandbox
@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "limits", "how"),
    [
        ("while :; do :; done", Limits(wall_s=30, cpu_s=1), How.CPU),
        ("sleep 100", Limits(wall_s=0.5), How.WALL),
        ("yes", Limits(wall_s=30, output_kb=64), How.OUTPUT),
        ("yes >&2", Limits(wall_s=30, output_kb=64), How.OUTPUT),
        ("kill -11 $$", TIGHT, How.SIGNALLED),
    ],
)
def test_what_goes_over_a_limit_is_stopped_and_named(script, limits, how):
    ended = shell(script, limits=limits)
    assert (ended.how, ended.well) == (how, False)
    assert len(ended.stdout) + len(ended.stderr) <= limits.output_kb * 1024


@needs_sandbox
def test_a_fork_bomb_runs_out_of_processes_and_leaves_none():
    mark = token_hex(8)
    shell(f": {mark}; f(){{ f|f& }}; f; sleep 1", limits=Limits(wall_s=10, processes=20))
    assert left(mark) == 0


@needs_sandbox
def test_what_it_leaves_in_the_background_ends_with_it():
    mark = token_hex(8)
    ended = shell(f"(setsid sh -c ': {mark}; sleep 50; :' &); echo done")
    assert ended.stdout == b"done\n"
    assert ended.wall_s < 10
    assert left(mark) == 0


@needs_sandbox
@needs_python
@pytest.mark.parametrize("program", [BOMB, BOMBS], ids=["one process", "many"])
def test_a_memory_bomb_does_not_get_what_it_asks_for(program):
    mark = token_hex(8)
    ended = held(PYTHON, "-c", f"{program}  # {mark}")
    assert b"MemoryError" in ended.stderr or ended.how is How.MEMORY
    assert left(mark) == 0


@needs_sandbox
def test_files_cannot_fill_the_disk():
    ended = shell("for i in 1 2 3 4 5 6; do head -c 8000000 /dev/zero > /tmp/$i; done; du -s /tmp")
    assert b"No space left" in ended.stderr
    assert int(ended.stdout.split()[0]) <= TIGHT.disk_mb * 1024
    long = shell("head -c 100000000 /dev/zero > /tmp/long")
    assert not long.well


@needs_sandbox
def test_two_at_once_see_nothing_of_each_other():
    found = []

    def look():
        found.append(shell("echo mine > /tmp/mine; sleep 0.2; ls /tmp; ls -d /proc/[0-9]* | wc -l"))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ended.stdout.split()[0] == b"mine" for ended in found)
    assert all(int(ended.stdout.split()[1]) < 8 for ended in found)


def test_a_program_that_is_not_there_says_nothing_about_an_answer():
    with pytest.raises(AssayError, match="A500 /no/such/program cannot be started"):
        supervise(["/no/such/program"], env={}, limits=TIGHT)


def test_without_a_sandbox_time_output_and_environment_are_still_held(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "of mine")
    (tmp_path / "file").write_text("read")
    job = Job(argv=("/bin/cat", "/given/file"), reads={tmp_path: "/given"})
    assert Unsafe().run(job).stdout == b"read"
    ended = Unsafe().run(Job(argv=("/bin/sh", "-c", "env; yes"), limits=TIGHT))
    assert ended.how is How.OUTPUT
    assert b"SECRET" not in ended.stdout
    start = time.monotonic()
    ended = Unsafe().run(Job(argv=("/bin/sleep", "100"), limits=Limits(wall_s=0.2)))
    assert ended.how is How.WALL
    assert time.monotonic() - start < 10


@given(
    st.sampled_from(["wall_s", "cpu_s", "memory_mb", "processes", "output_kb", "disk_mb"]),
    st.sampled_from([0, -1, float("nan"), float("inf")]),
)
def test_a_limit_that_nothing_could_run_under_is_refused(name, value):
    with pytest.raises(PlanError, match=f"A102 the limit {name} is"):
        Limits(**{name: value})


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine on which no sandbox is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    bubblewrap.cache_clear()
    yield
    bubblewrap.cache_clear()


def test_where_no_sandbox_works_nothing_runs_unless_the_plan_says_so(bare: None):
    with pytest.raises(AssayError, match="--unsafe-no-sandbox"):
        find_sandbox()
    with sandbox_rule("required"), pytest.raises(AssayError, match="A500"):
        find_sandbox()
    with sandbox_rule("none"):
        assert isinstance(find_sandbox(), Unsafe)
        with sandbox_rule("required"), pytest.raises(AssayError, match="A500"):
            find_sandbox()
        assert isinstance(find_sandbox(), Unsafe)
    with pytest.raises(AssayError, match="A500"):
        find_sandbox()
    assert (sandbox_name("none"), sandbox_name("required")) == ("none", "")


@needs_sandbox
def test_a_sandbox_that_works_is_used_whatever_the_plan_allows():
    with sandbox_rule("none"):
        assert find_sandbox().name == "bubblewrap"
    assert sandbox_name("none") == ""


def test_the_public_module_names_what_families_need():
    assert set(sandbox.__all__) >= {"Job", "Limits", "Ended", "How", "find_sandbox"}


def left(mark: str) -> int:
    """Count the processes whose command line holds a mark: other tests run sandboxes, too."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                count += mark.encode() in (entry / "cmdline").read_bytes()
    return count
