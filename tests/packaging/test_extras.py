"""Where a package is missing, the extra that is named brings it: whoever says that command is not asked again."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assay.extras import Extra

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "assay"
FAMILIES = SOURCE / "families"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


installed = cache(metadata.packages_distributions)


@cache
def brought(extras: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the distributions that these extras bring with all that those need, and those that are not on this machine."""
    todo = [
        *PROJECT["dependencies"],
        *(line for name in extras.split(",") for line in EXTRAS[name]),
    ]
    found: set[str] = set()
    absent: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = Requirement(todo.pop())
        name = canonicalize_name(wanted.name)
        found.add(name)
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                needs = metadata.requires(name) or ()
            except metadata.PackageNotFoundError:
                absent.add(name)  # what it needs is not known
                continue
            for line in needs:
                marker = Requirement(line).marker
                if marker is None or marker.evaluate({"extra": extra}):
                    todo.append(line)
    return frozenset(found), frozenset(absent)


def names_of(tree: ast.Module, module: Path) -> dict[str, Extra]:
    """Return the functions that a module takes from its family's ``extras``, with the extra they speak of."""
    found: dict[str, Extra] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.level
            and node.module == "extras"
            and module.is_relative_to(FAMILIES)
        ):
            family = module.relative_to(FAMILIES).parts[0]
            extras = importlib.import_module(f"assay.families.{family}.extras")
            for alias in node.names:
                found[alias.asname or alias.name] = getattr(extras, alias.name).__self__
    return found


def asked(module: Path) -> set[tuple[str, str]]:
    """Return what a module asks of which extras: ``("intent", "sklearn")``."""
    tree = ast.parse(module.read_text("utf-8"))
    names, found = names_of(tree, module), set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name in names:
                own = names[name]
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Call(func=ast.Name(id="Extra"), args=[ast.Constant(value=name)]),
                    attr="load" | "require",
                ),
                args=args,
            ):
                own = Extra(name)
            case _:
                continue
        for argument in args:
            if isinstance(argument, ast.Constant):
                package = argument.value.partition(".")[0]
                if package not in sys.stdlib_module_names:
                    found.add((own.elsewhere.get(package, own.name), package))
    return found


ASKED = sorted(
    {
        each
        for module in SOURCE.rglob("*.py")
        if "data" not in module.parts
        for each in asked(module)
    }
)


def test_the_families_ask_for_packages():
    assert ("intent", "sklearn") in ASKED
    assert len(ASKED) > 20


@pytest.mark.parametrize(("extras", "package"), ASKED)
def test_the_extra_that_is_named_brings_the_package(extras, package):
    homes = installed().get(package)
    if homes is None:
        pytest.skip(f"{package} is not installed")
    found, absent = brought(extras)
    if found & {canonicalize_name(home) for home in homes}:
        return
    if absent:
        pytest.skip(f"not installed, and may bring {package}: {', '.join(sorted(absent))}")
    pytest.fail(f"{extras} lacks {package}")


def test_every_extra_that_a_message_names_is_there():
    named = set()
    for file in [*SOURCE.rglob("*.py"), *(ROOT / "docs").rglob("*.md")]:
        for group in re.findall(r"assay-eval\[([a-z,]+)\]", file.read_text("utf-8")):
            named |= set(group.split(","))
    assert named <= set(EXTRAS)
    assert len(named) > 10
