"""Every mistake that this family tells of comes with something to try."""

from __future__ import annotations

import ast

import pytest

from runs import ROOT

SOURCES = sorted((ROOT / "src/assay/families/intent").rglob("*.py"))
ERRORS = ("AssayError", "DataError", "PlanError", "PluginError")
WITHOUT = {
    "encoders/graph.py",  # which weight of a model is wrong; whoever opens it knows the folder
    "heads/weights.py",  # said again by `not_a_mapper`, which has the hint
}


def raised(tree):
    return [
        node.exc
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id in ERRORS
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: "/".join(p.parts[-2:]))
def test_an_error_that_is_raised_has_a_hint(path):
    without = [
        error.lineno
        for error in raised(ast.parse(path.read_text("utf-8")))
        if not any(keyword.arg == "hint" for keyword in error.keywords)
    ]
    name = path.relative_to(ROOT / "src/assay/families/intent").as_posix()
    assert (not without) == (name not in WITHOUT), without
