"""Sealed runs that no engine made."""

from __future__ import annotations

import pytest

from assay.core.reply import Answer, Bottom
from assay.core.sample import Sample
from assay.publish.report import Report
from assay.publish.run import Run
from publish.harm import CONTROLS, Writing, harmful, write_run


@pytest.fixture(scope="session")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a sealed run full of hostile text."""
    return Run.load(write_run(tmp_path_factory.mktemp("runs") / "harm", harmful()).root)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a sealed run without seeds, timing, claims, confidences or classes."""
    samples = [Sample(id=f"{i:03}", input={"n": i}, target=Answer({"n": i})) for i in range(40)]
    said = {
        "echo": lambda i, _seed: Answer({"n": i + 20}),
        **{name: lambda _i, _seed: Bottom("no") for name in CONTROLS},
    }
    what = Writing(samples=samples, replies=said, seeds=(0,), timed=False)
    return Run.load(write_run(tmp_path_factory.mktemp("runs") / "bare", what).root)


@pytest.fixture(scope="session")
def report(harmed: Run) -> Report:
    """Return the report of that run, made once."""
    return Report(harmed)
