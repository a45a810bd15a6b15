"""A system that is not Linux, as far as it can be shown here: what its Python lacks is taken from this one.

Covered: modules and calls that are missing.  Not covered: what behaves otherwise there, as renaming an open file.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

LESS = {
    "windows": """
import os, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"): sys.modules[name] = None
for name in ("fdatasync", "sched_getaffinity", "killpg", "fork", "getppid", "pidfd_open"): delattr(os, name)
for name in ("SIGKILL", "SIGALRM", "SIGXCPU", "pidfd_send_signal"): delattr(signal, name)
""",
    "macos": """
import os, signal
for name in ("fdatasync", "sched_getaffinity", "pidfd_open"): delattr(os, name)
del signal.pidfd_send_signal
""",
}
MAIN = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if sys.modules.get(name, 0) is None else found(name, package)
from assay.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def assay(system: str, *words: object, cwd=None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LESS[system] + MAIN, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("system", LESS)
def test_a_run_is_read_reported_and_verified_there(system, smoke, tmp_path):
    there = shutil.copytree(smoke.root, tmp_path / "run")
    for words in (["--help"], ["plan", "plans/smoke.yaml"], ["report", there], ["verify", there]):
        done = assay(system, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr[-2000:])


@pytest.mark.long
def test_a_run_is_made_where_macos_lacks_what_linux_has(tmp_path):
    done = assay(
        "macos",
        "run",
        "plans/smoke.yaml",
        "--out",
        tmp_path / "run",
        "--set",
        "timing.blocks=2",
        "--set",
        "seeds=[0, 1]",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "SEAL").is_file()


def test_on_windows_a_run_is_refused_in_words(tmp_path):
    done = assay("windows", "run", "plans/smoke.yaml", "--out", tmp_path / "run")
    assert done.returncode == 3, done.stderr[-2000:]
    assert "A500" in done.stderr
    assert "WSL 2" in done.stderr
    assert "Traceback" not in done.stderr
