"""The list of what assay is made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def loaded(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(name: str, **more: object):
    return {
        "bom-ref": f"{name}==1",
        "name": name,
        "version": "1",
        "purl": f"pkg:pypi/{name}@1",
        **more,
    }


WHOLE = {
    "$schema": "s",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"tools": {}},
    "components": [
        part("numpy"),
        part("pytest"),
        part("scipy", properties=[{"name": "x", "value": "y"}]),
        part("assay-eval", externalReferences=[{"type": "distribution", "url": "file:///home/me/assay"}, {"type": "vcs", "url": "https://example.org"}]),
    ],
    "dependencies": [
        {"ref": "assay-eval==1", "dependsOn": ["scipy==1", "gone==1"]},
        {"ref": "scipy==1", "dependsOn": ["numpy==1"]},
        {"ref": "numpy==1"},
        {"ref": "pytest==1", "dependsOn": ["assay-eval==1"]},
    ],
}  # fmt: skip


def test_only_what_assay_needs_is_listed_and_no_path_of_the_machine():
    made = loaded("sbom").shipped(WHOLE)
    assert [each["name"] for each in made["components"]] == ["numpy", "scipy"]
    assert made["metadata"]["component"]["name"] == "assay-eval"
    assert "file:" not in str(made)
    assert "https://example.org" in str(made)
    assert {d["ref"]: d["dependsOn"] for d in made["dependencies"]} == {
        "assay-eval==1": ["scipy==1"],
        "numpy==1": [],
        "scipy==1": ["numpy==1"],
    }


def test_the_order_in_which_packages_are_found_does_not_matter():
    turned = {
        **WHOLE,
        "components": WHOLE["components"][::-1],
        "dependencies": WHOLE["dependencies"][::-1],
    }
    assert loaded("sbom").shipped(turned) == loaded("sbom").shipped(WHOLE)


def test_what_looks_for_holes_is_pinned_exactly_and_complete():
    lines = (ROOT / "tools" / "audit.txt").read_text("utf-8").splitlines()
    names = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert all("==" in line for line in lines if not line.startswith("#"))
    assert {"pip_audit", "cyclonedx-bom"} <= names


def test_known_holes_are_asked_for_every_week_and_silence_is_a_failure():
    check = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yaml").read_text("utf-8"))
    steps = [step.get("run") for step in check["jobs"]["audit"]["steps"]]
    assert {"make audit", "make sbom"} <= set(steps)
    assert check[True]["schedule"]  # YAML 1.1 reads `on` as a truth
    make = (ROOT / "Makefile").read_text("utf-8")
    [line] = [line for line in make.splitlines() if "bin/pip-audit" in line]
    assert "--strict" in line
    assert "-r constraints.txt" in line
