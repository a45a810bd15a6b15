"""One measurement, whole: suites and peers timed, and written with the machine that they were timed on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ... import __version__
from ...store.machine import git, machine, threads
from .contest import load
from .document import About, SuiteFacts, write
from .peers import Peer, time_peers
from .suite import CONTROL
from .suites import load_suite
from .timing import QUICK, WHOLE, require_timers, time_suites

NAMED = (
    "gguf",
    "moocore",
    "msgspec",
    "numba",
    "numpy",
    "onnxruntime",
    "pandas",
    "paretoset",
    "pydantic",
    "pymoo",
    "pyperf",
    "safetensors",
    "scikit-learn",
    "scipy",
    "sentence-transformers",
    "statsmodels",
    "tokenizers",
    "torch",
    "transformers",
    "xllamacpp",
)
"""Packages whose versions numbers depend on."""


def measure(
    names: Sequence[str],
    out: Path,
    *,
    peers: Sequence[Peer] = (),
    sizes: tuple[int, ...] = (),
    quick: bool = False,
    processes: int | None = None,
    command: str,
    say: Callable[[str], None],
) -> Path:
    """Time suites, and peers; return the file, which is new in ``out`` and named by the time of day.

    The control is timed beside every suite.

    Raises ``PluginError`` A401 without pyperf, A400 for a suite that is broken, ``RunError`` A500 for a disk that says
    no, and for a system that tells no processor time of other processes.
    """
    require_timers()
    suites = {name: load_suite(name) for name in dict.fromkeys((CONTROL, *names))}
    begun, start, before = datetime.now(UTC), time.monotonic(), load()
    effort = QUICK if quick else WHOLE
    if processes is not None:
        effort = replace(effort, processes=processes)
    grown = {name: sizes or suite.sizes[: 1 if quick else None] for name, suite in suites.items()}
    timed = time_suites(suites, grown, effort=effort, say=say)
    facts = {
        name: SuiteFacts(
            version=suite.version,
            says=suite.says,
            when=begun.isoformat(timespec="seconds"),
            load=before,
            quick=quick,
        )
        for name, suite in suites.items()
    }
    beside = time_peers(peers, quick=quick, say=say)
    about = About(
        version=__version__,
        when=begun.isoformat(timespec="seconds"),
        minutes=round((time.monotonic() - start) / 60, 1),
        command=command,
        quick=quick,
        machine=machine(),
        packages=_packages(),
        threads=threads(),
        git=git(Path.cwd()),
        suites=facts,
        rows=timed.rows,
        absent=timed.absent,
        peers=beside,
    )
    path = _new(out, begun.strftime("%Y%m%dT%H%M%SZ"))
    write(path, timed.document, about)
    return path


def _new(out: Path, name: str) -> Path:
    """Return a file that is not there: two measurements may begin in one second."""
    path, number = out / f"{name}.json", 1
    while path.exists():
        number += 1
        path = out / f"{name}-{number}.json"
    return path


def _packages() -> dict[str, str]:
    found = {}
    for name in NAMED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
