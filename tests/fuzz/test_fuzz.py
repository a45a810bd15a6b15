"""Every reader of what strangers wrote gives a value, or an error of ours with a code, whatever it is given.

Without atheris: the corpus, and changes that are made up from a seed.  With it, see ``driver.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import driver
import pytest
import trees

from assay import AssayError

HERE = Path(__file__).parent
HARNESSES = sorted(path.stem for path in HERE.glob("fuzz_*.py"))
CORPUS = HERE / "corpus"
MOST = 4_096
"""Bytes of a file of the corpus."""


def of(name: str) -> driver.Harness:
    if name == "fuzz_signature":
        pytest.importorskip("model_signing", reason="the extra `sign` is not installed")
    found = import_module(name).HARNESS
    assert isinstance(found, driver.Harness)
    return found


@pytest.mark.parametrize("name", HARNESSES)
def test_what_once_crashed_a_reader_is_read_or_refused(name):
    files = sorted((CORPUS / name.removeprefix("fuzz_")).glob("*"))
    harness = of(name)
    for data in [*harness.seeds(), *(file.read_bytes() for file in files)]:
        driver.judged(harness.read, data)


@pytest.mark.parametrize("name", HARNESSES)
def test_made_up_changes_are_read_or_refused(name):
    harness = of(name)
    begin = list(harness.seeds())
    for number in range(harness.quick):
        data = trees.mutated(begin[number % len(begin)], driver.LARGEST, 1_000 + number)
        driver.judged(harness.read, data)


def test_the_corpus_is_small_and_each_file_of_it_is_of_a_harness():
    for folder in CORPUS.iterdir():
        assert f"fuzz_{folder.name}" in HARNESSES
        for file in folder.iterdir():
            assert file.stat().st_size <= MOST, file


def test_an_error_without_a_hint_is_no_outcome_and_neither_is_any_other():
    def refuse(_: bytes) -> None:
        raise AssayError("it is so", hint="try this", code="A200")

    def mumble(_: bytes) -> None:
        raise AssayError("it is so", code="A200")

    def fall(_: bytes) -> None:
        raise KeyError("x")

    driver.judged(refuse, b"")
    with pytest.raises(AssertionError):
        driver.judged(mumble, b"")
    with pytest.raises(KeyError):
        driver.judged(fall, b"")


def test_changes_of_a_tree_are_the_same_under_one_seed_and_most_are_trees():
    data = driver.bundle({"a.json": {"x": [1, "two", None]}, "b.jsonl": [{"y": 0.5}]})
    made = [trees.mutated(data, driver.LARGEST, seed) for seed in range(200)]
    assert made == [trees.mutated(data, driver.LARGEST, seed) for seed in range(200)]
    assert len(set(made)) > 150
    assert sum(each.startswith(b"{") for each in made) > 120


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["fuzz_documents", "fuzz_archive"])
def test_atheris_goes_deeper_than_what_it_was_given(name, tmp_path):
    pytest.importorskip("atheris")
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py", "60", "--runs", "500", "--seed", "1", "--corpus", tmp_path / "corpus"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 500 runs" in done.stderr
    covered = [int(number) for number in re.findall(r"cov: (\d+)", done.stderr)]
    assert covered[-1] > covered[0]
