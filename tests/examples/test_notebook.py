"""The notebook that is shown runs from top to bottom, in a kernel of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "first_look.ipynb"


@pytest.mark.heavy
def test_the_notebook_runs_and_shows_what_it_says_it_shows(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="jupyter is not installed")
    nbclient = pytest.importorskip("nbclient", reason="jupyter is not installed")
    (tmp_path / "plans").mkdir()
    shutil.copy(ROOT / "plans" / "smoke.yaml", tmp_path / "plans")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    kept = [_kinds(cell) for cell in notebook.cells]
    nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert [_kinds(cell) for cell in notebook.cells] == kept
    shown = next(cell for cell in notebook.cells if cell.source.endswith("\nsmoke"))
    page = shown.outputs[0].data["text/html"]
    assert "Ship votes" in page
    assert "✓ supported" in page
    assert (tmp_path / "runs" / "first-look" / "SEAL").is_file()


def _kinds(cell) -> list[list[str]]:
    return [sorted(output.get("data", {})) for output in cell.get("outputs", ())]
