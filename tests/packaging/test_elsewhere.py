"""A system that is not Linux, as far as it can be shown here: what its Python lacks is taken from this one.

Covered: modules and calls that are missing.  Not covered: what behaves otherwise there, as renaming an open file.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

LESS = {
    "windows": """
import os, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"): sys.modules[name] = None
for name in ("fdatasync", "sched_getaffinity", "killpg", "fork", "getppid", "pidfd_open", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"):
    delattr(os, name)
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


@pytest.mark.slow
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


EVERYTHING = """
import importlib, pkgutil, assay
for module in pkgutil.walk_packages(assay.__path__, "assay."):
    if module.name in ("assay.__main__", "assay.engine.sandbox.zygote"):
        continue  # a program each; the second one is for inside of the sandbox
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        if error.name in sys.modules:  # what was taken, and not an extra that is absent here
            print(module.name, error)
"""


def test_on_windows_no_module_wants_what_is_not_there():
    code = LESS["windows"] + EVERYTHING
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]


def test_on_windows_a_model_file_is_looked_at_and_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    numpy = pytest.importorskip("safetensors.numpy", reason="the extra supply is not installed")
    model = tmp_path / "m.safetensors"
    numpy.save_file({"w": np.ones((2, 3), np.float32)}, model)
    looked = assay("windows", "model", "inspect", model)
    assert looked.returncode == 0, looked.stderr[-2000:]
    assert "6" in looked.stdout
    for words in (
        ["fetch", model.as_uri()],
        ["convert", model, "--to", "apr", "--out", tmp_path / "m.apr"],
    ):
        done = assay("windows", "model", *words)
        assert done.returncode == 3, (done.stdout, done.stderr[-2000:])
        assert "A500" in done.stderr
        assert "WSL 2" in done.stderr
    assert not (tmp_path / "m.apr").exists()


def test_on_windows_nothing_is_timed(tmp_path):
    pytest.importorskip("pyperf", reason="the extra perf is not installed")
    done = assay("windows", "perf", "run", "--suite", "control", "--quick", "--out", tmp_path)
    assert done.returncode == 3, (done.stdout, done.stderr[-2000:])
    assert "A500" in done.stderr
    assert "WSL 2" in done.stderr
