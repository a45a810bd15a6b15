"""A run with hundreds of requests in flight: killed, gone on with, and deciding what it would have decided."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("openai")

from assay.store.journal import repair
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals
from many_endpoint import answer_to, many_endpoint
from runs import decisions, execute_plan, finish, lines_of, start_child, write_plan

PLAN = """\
name: remote
tasks: [{use: lm.labelled, options: {path: rows.jsonl, user: "{text}"}}]
timing: {processes: 0}
systems:
  - name: served
    use: lm.openai
    options: {base_url: "URL", model: m, key: "", max_tokens: 8, parallel: PARALLEL, retries: 9}
"""


def plan(folder: Path, url: str, *, rows: int, parallel: int) -> Path:
    texts = [f"review number {i}" for i in range(rows)]
    lines = (json.dumps({"text": text, "label": answer_to(text)}) + "\n" for text in texts)
    (folder / "rows.jsonl").write_text("".join(lines))
    return write_plan(folder, PLAN.replace("URL", url).replace("PARALLEL", str(parallel)))


@pytest.mark.slow
def test_requests_of_a_run_fill_every_place_also_where_a_chunk_ends(tmp_path: Path) -> None:
    """The server answers nobody before 300 ask at once: more than one request of the engine holds."""
    with many_endpoint(0.0, gather=300) as server:
        run = execute_plan(plan(tmp_path, server.url, rows=480, parallel=300), tmp_path / "run")
        assert server.told()["most"] == 300
    lines = lines_of(run, "served")
    assert len(lines) > 300
    assert {line.decided.outcome for line in lines.values()} == {"correct"}


@pytest.mark.long
def test_a_run_that_is_killed_asks_nothing_again_that_it_has_kept(tmp_path: Path) -> None:
    parallel, pause = 40, Event()
    with many_endpoint(0.02, faults=0.1, seed=5) as server:
        path = plan(tmp_path, server.url, rows=700, parallel=parallel)
        run, kept, before = RunDir(tmp_path / "run"), set[str](), {}
        for goal in (120, 300):
            child = start_child(path, run.root)
            while len(server.told()["answered"]) < goal and child.poll() is None:
                pause.wait(0.2)
            child.kill()
            finish(child)
            before = server.told()["asked"]
            for one in journals(run):
                if one.parent.name == "served":
                    kept |= {key[0] for key in repair(one).last}
        assert kept
        status, said = finish(start_child(path, run.root))
        assert status == 0, said
        told = server.told()
        prompts = {
            row["id"]: row["input"]["prompt"]
            for row in map(json.loads, run.samples("lm.labelled", "test").read_text().splitlines())
        }
        assert all(told["asked"][prompts[name]] == before[prompts[name]] for name in kept)
        answered = told["answered"]
        assert set(answered) == set(prompts.values()), "nothing is lost"
        twice = sum(times - 1 for times in answered.values())
        assert twice <= 2 * (parallel + 64 + 64), "at most what was under way, and a pile"
    with many_endpoint(0.0) as steady:
        whole = execute_plan(plan(tmp_path, steady.url, rows=700, parallel=8), tmp_path / "whole")
    assert decisions(run) == decisions(whole)
    assert faults(run) == []
