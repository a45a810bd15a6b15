"""What this layer may know and cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import assay.stats

MODULES = sorted(Path(assay.stats.__file__).parent.glob("*.py"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(("." if node.level else "") + (node.module or ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_the_core_and_libraries_for_arrays_and_fronts(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        allowed = top in {"", "numpy", "scipy", "moocore", "__future__", *sys.stdlib_module_names}
        assert allowed or name.startswith("assay.core"), name
        assert top not in {"os", "pathlib", "io", "time", "datetime", "logging", "random"}, name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


def test_importing_every_module_imports_neither_scipy_nor_moocore() -> None:
    names = ", ".join(f"assay.stats.{path.stem}" for path in MODULES if path.stem != "__init__")
    code = f"import sys, {names}; print(any(name.startswith(('scipy', 'moocore')) for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
