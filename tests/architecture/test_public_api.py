"""What `import assay` gives, what it costs, and that every name is explained."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys

import pytest

import assay

PUBLIC = [
    "Answer",
    "Artifact",
    "AssayError",
    "Better",
    "Bottom",
    "Built",
    "Cell",
    "Check",
    "Claim",
    "Contrast",
    "Crash",
    "DataError",
    "Estimate",
    "Failed",
    "Finding",
    "Metric",
    "Needs",
    "OUTCOME_METRICS",
    "Outcome",
    "Over",
    "PlanError",
    "PluginError",
    "Published",
    "Question",
    "Railed",
    "Ratio",
    "Recipe",
    "Record",
    "Relation",
    "Reply",
    "Report",
    "Run",
    "SameAnswer",
    "Sample",
    "Statistic",
    "Status",
    "System",
    "Task",
    "Usage",
    "Verdict",
    "Verifier",
    "compare",
    "front",
    "load_plan",
    "load_tasks",
    "run",
    "verify_rust",
    "weigh",
]
"""Whoever changes this list changes the promise of version 1; say why in the changelog."""


def test_the_public_names_are_these_and_sorted() -> None:
    assert assay.__all__ == PUBLIC
    assert sorted(PUBLIC) == PUBLIC
    assert dir(assay) == PUBLIC


def test_there_are_at_most_forty_eight_public_names() -> None:
    assert len(PUBLIC) <= 48


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_there_and_explained(name: str) -> None:
    value = getattr(assay, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert value.__doc__
        assert not value.__doc__.startswith(f"{name}("), "dataclasses wrote this"
    else:
        # A constant, or another name for a type, is explained by the string below it.
        source = inspect.getsource(importlib.import_module(f"assay.{assay._MODULE[name]}"))
        _, found, below = re.split(
            rf"^({name}(?:: TypeAlias)? = )", source, maxsplit=1, flags=re.MULTILINE
        )
        assert found
        assert '"""' in below


def test_every_public_name_is_listed_where_a_type_checker_looks() -> None:
    source = inspect.getsource(assay)
    for name in PUBLIC:
        assert f" import {name} as {name}\n" in source


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = assay.Nothing


def modules_after(code: str) -> set[str]:
    """Return the packages that a fresh Python has loaded after some code."""
    code += (
        "\nimport sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


HEAVY = {"numpy", "scipy", "pydantic", "msgspec", "yaml", "cyclopts", "rich", "jinja2", "torch"}


def test_importing_assay_imports_no_package_but_itself() -> None:
    bare = modules_after("pass")
    assert modules_after("import assay") - bare - sys.stdlib_module_names == {"assay"}


def test_importing_a_noun_imports_no_heavy_package() -> None:
    loaded = modules_after("from assay import Answer, Bottom, Recipe, Reply, Sample, Task, Usage")
    assert not loaded & HEAVY


def test_a_worker_imports_nothing_that_only_statistics_need() -> None:
    """It starts hundreds of times in a large plan.  What only checks options is loaded where there are some."""
    loaded = modules_after(
        "import assay.engine.worker\nfrom assay.engine.plugins import make_recipe"
        "\nfrom pathlib import Path\nmake_recipe('toy.votes', {}, where='', base=Path())"
    )
    assert loaded & HEAVY == {"msgspec"}
    assert "asyncio" not in loaded


def test_nothing_is_printed_and_nothing_warns_when_all_of_it_is_imported() -> None:
    code = "import assay\nfor name in assay.__all__: getattr(assay, name)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
