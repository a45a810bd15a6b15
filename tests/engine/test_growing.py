"""A run of more seeds, or of some of them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import PlanError, SealError
from assay.engine.growing import grow, seeds_of
from assay.publish.run import Run
from assay.publish.running import run
from assay.store.manifest import Provenance, read_doc
from assay.store.rundir import RunDir
from assay.store.seal import read_seal
from runs import execute_plan, resolve_plan, write_plan

PLAN = """
    name: grows
    seeds: {seeds}
    tasks: [{{use: toy.errands}}]
    timing: {{processes: 1, blocks: 1, questions: 1}}
    systems:
      - {{name: votes, use: toy.votes, options: {{bag: {bag}}}, abstain: {{utility: {{wrong: -4}}}}}}
      - {{name: careful, of: votes, abstain: {{utility: {{wrong: -9}}}}}}
      - {{name: last, use: toy.last_word}}
"""


def plan(folder: Path, seeds: list[int], *, bag: float = 0.8, name: str = "plan.yaml") -> Path:
    return write_plan(folder, PLAN.format(seeds=seeds, bag=bag), name)


def mtimes(run_: RunDir, seed: int) -> dict[str, int]:
    return {
        str(p.relative_to(run_.root)): p.stat().st_mtime_ns
        for p in (run_.root / "records").glob(f"*/*/{seed}-*")
    }


@pytest.fixture(scope="module")
def of_three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The decisions of a run that had three seeds from the start."""
    folder = tmp_path_factory.mktemp("three")
    return dict(read_seal(execute_plan(plan(folder, [4, 1, 7]), folder / "run")).decisions)


def test_a_run_that_grew_decided_what_one_run_of_all_seeds_decides(
    tmp_path: Path, of_three: dict[str, str]
) -> None:
    made = execute_plan(plan(tmp_path, [4, 1]), tmp_path / "run")
    assert seeds_of(made) == [4, 1]
    kept = mtimes(made, 4) | mtimes(made, 1)
    more = plan(tmp_path, [4, 1, 7])
    grow(made, resolve_plan(more), again=())
    again = execute_plan(more, made.root)
    assert dict(read_seal(again).decisions) == of_three
    assert mtimes(again, 4) | mtimes(again, 1) == kept, "finished seeds were written again"
    history = read_doc(Provenance, again.provenance).attempts
    assert [entry["how"] for entry in history] == ["new", "more seeds", "new"]
    assert history[1]["seeds"] == [4, 1, 7]


def test_seeds_that_are_asked_again_decide_the_same_and_others_are_kept(
    tmp_path: Path, of_three: dict[str, str]
) -> None:
    all_three = plan(tmp_path, [4, 1, 7])
    made = execute_plan(all_three, tmp_path / "run")
    kept, before = mtimes(made, 4) | mtimes(made, 7), mtimes(made, 1)
    grow(made, resolve_plan(all_three), again=(1,))
    again = execute_plan(all_three, made.root)
    assert dict(read_seal(again).decisions) == of_three
    assert mtimes(again, 4) | mtimes(again, 7) == kept
    assert not set(mtimes(again, 1).values()) & set(before.values())
    assert Run.load(again.root).provenance.attempts[1]["again"] == [1]


def test_a_run_that_is_stopped_while_it_grows_goes_on(
    tmp_path: Path, of_three: dict[str, str]
) -> None:
    made = execute_plan(plan(tmp_path, [4, 1]), tmp_path / "run")
    more = plan(tmp_path, [4, 1, 7])
    grow(made, resolve_plan(more), again=())
    # Here the process ends: nothing was asked.  The next one just runs the new plan.
    finished = run(more, out=made.root)
    assert dict(read_seal(finished.dir).decisions) == of_three
    assert finished.verify() == []
    told = (finished.dir.derived / "report.md").read_text("utf-8")
    assert "| 2 | more seeds |" in told, "an attempt that was never sealed looks like a stopped one"


def test_nothing_is_done_where_there_is_no_run(tmp_path: Path) -> None:
    grow(RunDir(tmp_path / "none"), resolve_plan(plan(tmp_path, [1])), again=(1,))
    assert not (tmp_path / "none").exists()


def test_a_run_that_has_all_of_its_seeds_keeps_its_seal_and_its_history(tmp_path: Path) -> None:
    same = plan(tmp_path, [4, 1])
    made = execute_plan(same, tmp_path / "run")
    before = {p: p.read_bytes() for p in made.root.rglob("*") if p.is_file()}
    grow(made, resolve_plan(same), again=())
    assert {p: p.read_bytes() for p in made.root.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("seeds", "bag", "code"), [([4, 1, 7], 0.5, "A503"), ([4], 0.8, "A503"), ([1, 7], 0.8, "A503")]
)
def test_a_run_that_differs_in_more_than_added_seeds_is_left_as_it_is(
    tmp_path: Path, seeds: list[int], bag: float, code: str
) -> None:
    made = execute_plan(plan(tmp_path, [4, 1]), tmp_path / "run")
    seal = made.seal.read_bytes()
    other = plan(tmp_path, seeds, bag=bag, name="other.yaml")
    with pytest.raises(PlanError) as caught:
        grow(made, resolve_plan(other), again=())
    assert caught.value.code == code
    assert made.seal.read_bytes() == seal


def test_an_edited_run_does_not_grow(tmp_path: Path) -> None:
    made = execute_plan(plan(tmp_path, [4]), tmp_path / "run")
    path = next((made.root / "records").glob("*/votes/4-test.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"correct"', b'"wrong"', 1))
    with pytest.raises(SealError):
        grow(made, resolve_plan(plan(tmp_path, [4, 1])), again=())
    assert made.seal.is_file()


def test_a_plan_with_a_limit_does_not_grow(tmp_path: Path) -> None:
    text = PLAN.format(seeds=[1], bag=0.8).replace("toy.errands}", "toy.errands, limit: 20}")
    limited = write_plan(tmp_path, text)
    made = execute_plan(limited, tmp_path / "run")
    with pytest.raises(PlanError) as caught:
        grow(made, resolve_plan(limited), again=())
    assert caught.value.code == "A104"
