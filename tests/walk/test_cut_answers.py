"""Answers that were cut at ``max_tokens`` are counted, and every reader of their numbers is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("openai")

from assay import Run
from assay.cli.main import main
from assay.publish.verify import verify
from faulty_endpoint import faulty_endpoint
from runs import write_plan

pytestmark = pytest.mark.slow

PLAN = """
    name: cut
    timing: {{processes: 0}}
    tasks:
      - {{use: lm.labelled, options: {{path: rows.jsonl, user: "{{text}}"}}}}
    systems:
      - name: served
        use: lm.openai
        options: {{base_url: "{url}", model: m, key: ""}}
      - {{name: program, use: lm.command, options: {{argv: [{python}, -c, "print('yes')"]}}}}
    claims:
      - {{id: good, says: It is mostly right, system: served, metric: accuracy, at_least: 0.5}}
      - {{id: whole, says: Hardly an answer is cut, system: served, metric: cut_rate, at_most: 0.9}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("cut")
    rows = [
        {"text": f"{('go on', 'cut at')[k % 2]} {k}", "label": ("yes", "no")[k // 20]}
        for k in range(40)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with faulty_endpoint() as server:
        plan = PLAN.format(url=server.url, python=sys.executable)
        path = write_plan(folder, plan)
        out = folder / "run"
        assert main(["run", str(path), "--out", str(out), "--workers", "1"]) == 0
        yield Run.load(out)


def test_the_rate_is_measured_where_it_is_known_and_nowhere_else(made: Run) -> None:
    [case] = made.results.cases.values()
    column = case.tables["served"].extra["cut"]
    said = {
        s.id: s.input["prompt"] for [samples] in [made.results.samples.values()] for s in samples
    }
    cut = [said[sample].startswith("cut at") for sample in case.tables["served"].samples]
    assert column.tolist() == [list(map(float, cut))]
    estimate = case.estimate("served", "cut_rate")
    assert (estimate.value, estimate.n) == (sum(cut) / len(cut), len(cut))
    assert case.estimate("program", "cut_rate").value is None
    assert all(case.estimate(control, "cut_rate").value is None for control in case.controls)


def test_every_text_says_it_beside_its_numbers_and_what_to_do(made: Run) -> None:
    assert verify(made.path) == []
    for file in ("report.md", "report.html", "summary.md", "CLAIM_AUDIT.md", "summary.json"):
        text = (made.dir.derived / file).read_text()
        assert "were cut at max_tokens" in text, file
        assert "raise max_tokens" in text, file
        assert "of program" not in text.partition("were cut")[0][-40:], file


@pytest.mark.parametrize("command", ["gate", "report"])
def test_the_terminal_says_it(made: Run, command: str, capsys) -> None:
    main([command, str(made.path)])
    assert "were cut at max_tokens" in " ".join(capsys.readouterr().out.split())
