"""What every test has: a place for compiled code, a sealed run, and plugins that misbehave."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
for folder in (TESTS / "fuzz", TESTS):
    if str(folder) not in sys.path:
        sys.path.insert(
            0, str(folder)
        )  # tests say `from strategies import ...`, harnesses `import driver`

import runs  # noqa: E402  (it stands beside this file)
from assay.store.rundir import RunDir  # noqa: E402

collect_ignore_glob = [
    "fuzz/fuzz_*.py",
    "fuzz_*.py",
    "elsewhere.py",
    "*_elsewhere.py",
]  # scripts, run by tests

settings.register_profile(
    "assay",
    derandomize=True,  # a test fails for everybody or for nobody
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("assay")


def pytest_configure(config: pytest.Config) -> None:
    # A job in the background of a script ignores Ctrl-C, and so would every program that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Hundreds of workers are started here; none of them should compile what another has.
    cache = getattr(config, "cache", None)  # there is none under `-p no:cacheprovider`
    if cache is not None:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(cache.mkdir("pycache")))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their place, not by what they are: those that a compressor dates would be other tests a second later."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a sealed run of plans/smoke.yaml.  Read it, or copy it and break the copy."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with (shared / "smoke.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one pytest-xdist worker makes it for all
        return runs.execute_plan(runs.SMOKE, shared / "smoke", "timing.blocks=2")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install tests/plugins for this test, in this process and in its children."""
    with runs.installed(monkeypatch):
        yield
