"""What the documentation shows, works: its code, its plans, its commands."""

from __future__ import annotations

import doctest
import json
import warnings

import pytest
from cyclopts import CycloptsError

from assay import Run
from assay.cli.commands import COMMANDS, make_app, plugin_commands
from assay.engine.plan import load_plan
from assay.publish.derive import data_files

GLOBAL = ("--json", "--debug", "--help", "--version")


def test_every_python_block_runs_after_those_above_it(python_page, workplace):
    # A reader types a page from top to bottom, so that is what is done here.
    space = {"__name__": "page"}
    parser = doctest.DocTestParser()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for block in python_page.blocks:
        if block.language != "python":
            continue
        if ">>>" in block.body:
            test = parser.get_doctest(block.body, space, str(block), str(block.page), block.line)
            runner.run(test, clear_globs=False)
            space.update(test.globs)
        else:
            exec(compile(block.body, str(block), "exec", dont_inherit=True), space)
    assert runner.summarize(verbose=False).failed == 0


def test_every_yaml_block_that_is_a_plan_loads(yaml_block, tmp_path):
    if not yaml_block.body.startswith(("name:", "#")) or "tasks:" not in yaml_block.body:
        pytest.skip("not a plan")
    path = tmp_path / "plan.yaml"
    path.write_text(yaml_block.body, "utf-8")
    load_plan(path)


def test_every_command_that_is_shown_exists_with_its_options(command, words):
    _, line = command
    _, *said = words(line)
    if not said or said[0] in GLOBAL:
        return
    plugins = plugin_commands()
    assert said[0] in (*COMMANDS, *plugins), f"there is no command {said[0]!r}"
    asked = [word for word in said if word not in GLOBAL]
    if "--help" in said:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            make_app(plugins).parse_args(asked, print_error=False, exit_on_error=False)
        except CycloptsError as error:
            pytest.fail(f"{line}: {error}")


@pytest.mark.slow
def test_the_walk_shows_what_a_run_holds(smoke, read):
    """Samples, decisions, findings and the seal on the page are those of a fresh run."""
    lines = [
        json.loads(line)
        for block in read("docs/walk.md").blocks
        if block.language == "json"
        for line in block.body.splitlines()
    ]
    journals = list((smoke.root / "records").rglob("*-test.jsonl"))
    decided = [
        json.loads(raw)["decided"] for path in journals for raw in path.read_bytes().splitlines()
    ]
    samples = (smoke.root / "samples/toy.errands/test.jsonl").read_bytes().splitlines()
    computed = data_files(Run.load(smoke.root).results)
    metrics = json.loads(computed["summary.json"])["systems"]
    claims = json.loads(computed["claims.json"])
    for line in lines:
        if "decided" in line:
            assert line["decided"] in decided
        elif "input" in line:
            assert line in [json.loads(raw) for raw in samples]
        else:
            there = claims if "status" in line else metrics
            assert any({**row, **line} == row for row in there), line
    [said] = [
        line for line in read("docs/walk.md").text.splitlines() if line.startswith("Ship votes")
    ]
    assert said == json.loads(computed["summary.json"])["says"]
