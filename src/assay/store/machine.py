"""The machine, the packages and the commit that a run stands on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every system's process asks for its memory, and few need more of this
    from pydantic import JsonValue

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "CUDA_VISIBLE_DEVICES",
)
_NAME_OR_VERSION = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def peak_bytes() -> int | None:
    """Return the most memory that this process has had since it was started; None where nobody counts.

    Not ``ru_maxrss``: that is handed on to a process that is started by a larger one.
    """
    try:
        said = Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return None
    for line in said.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def machine() -> dict[str, JsonValue]:
    """Return CPU, memory, GPU and operating system."""
    return {
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
        "cpus_usable": usable_cpus(),
        "memory_mb": _memory_mb(),
        "gpus": list(_gpus()),
        "os": platform.platform(),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
    }


def usable_cpus() -> int:
    """Return how many cores this process may use; where the system does not say, how many it has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def packages() -> dict[str, str]:
    """Return every installed distribution and its version, sorted.

    Only the head of what a distribution says is read: most of it is a description, and every run asks.
    """
    found = {}
    for dist in metadata.distributions():
        text = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or ""
        said = dict(_NAME_OR_VERSION.findall(text.partition("\n\n")[0]))
        if name := said.get("Name"):
            found[name.lower().replace("_", "-")] = said.get("Version", "")
    return dict(sorted(found.items()))


def threads() -> dict[str, str]:
    """Return the thread settings that were in force."""
    return {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}


def git(folder: Path) -> dict[str, JsonValue]:
    """Return commit and dirty flag of the checkout that holds ``folder``; empty outside of one.

    The folder may come from somebody else, and its settings name programs for git to start: none of them is.
    Where only such a program could tell what was changed, ``dirty`` is None.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    if _has_filters(folder):
        return {"commit": commit, "dirty": None}
    status = _git(folder, "status", "--porcelain", "--ignore-submodules=dirty")
    return {"commit": commit, "dirty": bool(status) if status is not None else None}


def _has_filters(folder: Path) -> bool:
    """Whether the checkout itself names programs that git pipes its files through; the user's own may."""
    named = _git(folder, "config", "--list", "--show-scope", "--name-only")
    own = ("local\tfilter.", "worktree\tfilter.")
    return named is None or any(line.startswith(own) for line in named.splitlines())


_HARMLESS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_READS_ONLY = {"GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": "none"}
"""The index is not written (which calls a hook), and nothing is fetched."""


def _git(folder: Path, *arguments: str) -> str | None:
    if shutil.which("git") is None:
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_HARMLESS, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
            env=os.environ | _READS_ONLY,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu_name() -> str:
    said = [_text_of(Path(path)) for path in ("/proc/cpuinfo", "/proc/device-tree/model")]
    return cpu_named(*said) or platform.processor() or platform.machine()


def cpu_named(cpuinfo: str, device: str) -> str:
    r"""Return what ``/proc/cpuinfo`` and the device tree call a processor; empty where they do not say.

    ARM processors have numbers for a name, and machines of one architecture are not of one kind.

    >>> cpu_named("model name\t: Xeon\n", "")
    'Xeon'
    >>> cpu_named("CPU implementer\t: 0x41\nCPU part\t: 0xd0b\n", "Raspberry Pi 5 Model B\0")
    'ARM 0x41 0xd0b, Raspberry Pi 5 Model B'
    """
    told: dict[str, list[str]] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        told.setdefault(key.strip(), []).append(value.strip())
    numbers = [*told.get("CPU implementer", [])[:1], *sorted(set(told.get("CPU part", [])))]
    name = next(iter(told.get("model name", [])), "") or " ".join(
        ["ARM", *numbers] if numbers else []
    )
    board = device.rstrip("\0").strip()
    return ", ".join(part for part in (name, board) if part)


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError):
        return None


def _gpus() -> tuple[str, ...]:
    if shutil.which("nvidia-smi") is None:
        return ()
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(done.stdout.strip().splitlines()) if done.returncode == 0 else ()
