"""A path in a recipe's options names the same file from another folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.errors import PlanError
from assay.engine.moving import moved_options
from assay.engine.plugins import check_options, known
from assay.engine.policy import PolicyRecipe
from assay.publish.policy import policy_at, policy_facts
from assay.publish.run import Run
from assay.publish.running import run
from assay.store.canon import pretty
from runs import write_plan

PLAN = """
    name: reads
    seeds: [0]
    tasks: [{use: awkward.copy, options: {n: 20}}]
    systems:
      - {name: reader, use: awkward.reader, options: {words: words.txt}}
      - {name: plain, use: awkward.reader}
    timing: {processes: 1, blocks: 1, questions: 1}
    cascades: [{order: [reader, plain]}]
"""


@pytest.mark.parametrize("given", ["words.txt", "./words", "sub/words.txt", "../words.txt"])
@pytest.mark.parametrize("to", ["plans", "plans/sub", "elsewhere/deep", "."])
def test_a_moved_path_names_the_same_file(plugins, tmp_path: Path, given: str, to: str) -> None:
    base, there = tmp_path / "plans", tmp_path / to
    for folder in (base / "sub", there):
        folder.mkdir(parents=True, exist_ok=True)
    (base / given).write_text("word 0")
    moved = moved_options("awkward.reader", {"words": given}, base=base, to=there)
    assert not Path(moved["words"]).is_absolute()
    reader = known("assay.recipes")["awkward.reader"].load()
    read = check_options(reader, "awkward.reader", moved, where="", base=there)["words"]
    assert read.resolve() == (base / given).resolve()


@pytest.mark.parametrize("given", ["plain", "/there/words.txt"])
def test_names_and_absolute_paths_stay(plugins, tmp_path: Path, given: str) -> None:
    options = {"words": given}
    assert moved_options("awkward.reader", options, base=tmp_path, to=Path("/")) == options


def test_a_path_where_nothing_is_is_refused(plugins, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there is nothing at") as caught:
        moved_options("awkward.reader", {"words": "words.txt"}, base=tmp_path, to=tmp_path)
    assert caught.value.code == "A104"


def test_a_policy_written_elsewhere_finds_the_files_of_its_stages(plugins, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "words.txt").write_text("word 0")
    run(write_plan(plans, PLAN), out=tmp_path / "run", workers=1)
    made = Run.load(tmp_path / "run")
    [sweep] = made.cascades()
    facts = policy_facts(sweep, sweep.options[0], made.manifest)
    for folder in (plans, tmp_path / "policies" / "new"):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "policy.json"
        path.write_bytes(
            pretty(policy_at(facts, made.manifest, base=made.plan_folder, to=path.parent))
        )
        recipe = PolicyRecipe(file=path)
        assert {a.kind for a in recipe.loads()} >= {"policy", "words"}
    [reader] = [s for s in json.loads(path.read_text())["stages"] if s["system"] == "reader"]
    assert reader["options"] == {"words": "../../plans/words.txt"}
