"""Every error code is raised somewhere, and nothing raises another."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from assay.core import errors
from assay.core.errors import CODES, AssayError
from runs import ROOT

SOURCE = ROOT / "src" / "assay"
KINDS = {k: v for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, AssayError)}


def raised() -> dict[str, list[str]]:
    """Return where each code stands in the source, spelled out or as the default of its kind."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        if path == SOURCE / "core" / "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            place = f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                code = node.value
                if len(code) == 4 and code[0] == "A" and code[1:].isdigit():
                    found[code].append(place)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                kind = KINDS.get(node.func.id)
                if kind is not None and not any(k.arg == "code" for k in node.keywords):
                    found[kind.default].append(place)
    return found


RAISED = raised()


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_raised_somewhere(code: str) -> None:
    assert RAISED.get(code), f"{code} ({CODES[code]}) is documented and never raised"


def test_nothing_raises_a_code_that_is_not_documented() -> None:
    assert {code: places for code, places in RAISED.items() if code not in CODES} == {}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_heading_in_the_documentation(code: str) -> None:
    page = ROOT / "docs" / "errors.md"
    assert f"# {code}" in page.read_text("utf-8")


def wrong_century(path: Path) -> list[str]:
    """Return errors whose code is of another kind than the error."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            kind = KINDS.get(node.func.id)
            for word in node.keywords:
                if kind and word.arg == "code" and isinstance(word.value, ast.Constant):
                    code = str(word.value.value)
                    if kind is not AssayError and code[:2] != kind.default[:2]:
                        found.append(
                            f"{path.relative_to(SOURCE)}:{node.lineno} {node.func.id} {code}"
                        )
    return found


EXCEPTIONS = ("PlanError A503", "RunError A000")
"""Another plan's folder is the user's mistake; what nobody expected is ours (exit status 3)."""


def test_a_code_belongs_to_its_kind_of_error() -> None:
    odd = [line for path in SOURCE.rglob("*.py") for line in wrong_century(path)]
    assert all(line.endswith(EXCEPTIONS) for line in odd), odd
