"""Folder names are the architecture, and a machine checks it."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from runs import ROOT

SOURCE = ROOT / "src" / "assay"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "data" not in p.relative_to(SOURCE).parts)
"""What stands in a folder ``data`` is read, never imported: programs to translate, for one."""

HARD, SOFT = 500, 300
MAY_BE_LONGER_THAN_SOFT: tuple[str, ...] = ()
"""None.  A module of more lines is two modules; write the reason here if one really is not."""


def name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_opens_with_one_sentence(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.count("\n")
    assert lines <= HARD
    assert lines <= SOFT or name(path) in MAY_BE_LONGER_THAN_SOFT
    doc = ast.get_docstring(ast.parse(text))
    assert doc, "a module says what it is"
    first = doc.splitlines()[0]
    assert first.rstrip("`").endswith((".", "?", ":")) or "``" in first


OUTERMOST = "cli/main.py"
"""The last line of the program turns what nobody expected into A000, and says so."""


IN_THE_SANDBOX = {"engine/sandbox/zygote.py", "families/transpile/differential/driver.py"}
"""These run inside it, as the outermost part of a program that nobody has read: what that raises, it has done."""

CARRIED = {"engine/checking.py"}
"""What is caught in a thread here is raised where the thread is waited for."""


@pytest.mark.parametrize("path", [p for p in MODULES if name(p) not in IN_THE_SANDBOX], ids=name)
def test_no_module_catches_whatever_comes(path: Path) -> None:
    """A failure of ours is an error; a failure of a system happens in its own process."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path}:{node.lineno}: bare except"
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {one.id for one in caught if isinstance(one, ast.Name)}
            raises = [n for n in ast.walk(node) if isinstance(n, ast.Raise)]
            if "Exception" in names:
                assert name(path) == OUTERMOST, f"{path}:{node.lineno}"
            if names & {"Exception", "BaseException"}:
                assert raises or name(path) in CARRIED, (
                    f"{path}:{node.lineno}: whatever is caught goes on"
                )
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "suppress":
            names = {one.id for one in node.args if isinstance(one, ast.Name)}
            assert not names & {"Exception", "BaseException"}, f"{path}:{node.lineno}"


BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_called_by_what_it_holds(path: Path) -> None:
    words = set(path.stem.split("_"))
    assert not words & (BANNED | {"enhanced", "new", "old", "v2"})


PURE = ("core", "stats", "analysis")
IMPURE = {"open", "print", "input", "exec", "eval"}
CLOCKS = {"time", "datetime", "logging", "socket", "subprocess", "tempfile"}


@pytest.mark.parametrize("path", [p for p in MODULES if name(p).split("/")[0] in PURE], ids=name)
def test_numbers_come_from_arguments_only(path: Path) -> None:
    """No file, no clock, no log in the layers that compute."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE, f"{path}:{node.lineno}"
        if isinstance(node, ast.Import):
            assert not {a.name.partition(".")[0] for a in node.names} & CLOCKS
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).partition(".")[0] not in CLOCKS


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_generator_of_random_numbers_is_global(path: Path) -> None:
    """`random.random()` and `np.random.normal()` have a state that nobody passed in."""
    allowed = {"Random", "Generator", "default_rng", "PCG64", "SeedSequence", "BitGenerator"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        if node.func.attr == "SystemRandom":
            continue  # asks the machine on purpose, so that nobody can know the draw
        if owner in ("random", "np.random", "numpy.random"):
            assert node.func.attr in allowed, f"{path}:{node.lineno}"
            assert node.args or node.keywords, f"{path}:{node.lineno}: no seed is given"


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--config",
            str(ROOT / ".importlinter"),
            "--no-cache",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


GROUPS = ("assay.tasks", "assay.recipes", "assay.prices", "assay.commands", "assay.sections")
POINTS = [
    point
    for group in (
        *GROUPS,
        "assay.benchmarks",
        "assay.board",
        "assay.imports",
        "assay.formats",
        "assay.repositories",
    )
    for point in metadata.entry_points(group=group)
    if point.dist is not None and point.dist.name == "assay-eval"
]


@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p.group}:{p.name}")
def test_every_entry_point_of_ours_loads(point: metadata.EntryPoint) -> None:
    extras = {"onnx", "onnxruntime", "safetensors", "sklearn", "tokenizers", "xllamacpp"}
    try:
        loaded = point.load()
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in extras:
            pytest.skip(f"its extra is not installed: {error.name}")
        raise
    assert callable(loaded) or point.group == "assay.commands"


def test_the_entry_points_that_are_installed_are_those_of_pyproject() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    written = {
        (group, entry, value)
        for group, entries in project["entry-points"].items()
        for entry, value in entries.items()
    }
    assert {(p.group, p.name, p.value) for p in POINTS} == written
