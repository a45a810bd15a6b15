"""The Rust compiler of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assay import AssayError, PluginError

INSTALL = "install Rust with rustup, or apt-get install rustc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A compiler, as it is found and as it says it is."""

    rustc: Path
    """The compiler itself, not what chooses one."""

    root: Path
    """Its sysroot: compiler and standard library."""

    version: str
    """As ``rustc --version`` prints it."""


@cache
def toolchain() -> Toolchain:
    """Find the compiler on the PATH, or by ``$RUSTC``.

    Raises ``PluginError`` A401 where there is none; ``AssayError`` A500 where it does not run.
    """
    named = os.environ.get("RUSTC") or shutil.which("rustc")
    if not named:
        raise PluginError("rustc is not installed", hint=INSTALL, code="A401")
    root = Path(_said(named, "--print", "sysroot"))
    rustc = root / "bin" / "rustc"
    if not rustc.is_file():
        rustc = Path(named).resolve()
    return Toolchain(rustc=rustc, root=root, version=_said(named, "--version"))


def _said(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise AssayError(
            f"{' '.join(argv)} ended with status {error.returncode}: {said[0] if said else ''}",
            hint=INSTALL,
            code="A500",
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssayError(f"{argv[0]} cannot be run: {error}", hint=INSTALL, code="A500") from error
    return done.stdout.strip()
