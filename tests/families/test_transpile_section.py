"""The ten levels in every report of a run that asked them: circles, shares, the composite score."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from assay import Answer, Bottom, PlanError, Report, Run, Sample
from assay.cli.reporting import report_run
from assay.families.transpile.levels import LEVELS
from assay.families.transpile.sections.levels import Standing, levels
from assay.families.transpile.tasks.composite import COMPOSITE, tag_of
from assay.publish.derive import derive
from publish.harm import CONTROLS, Writing, write_run
from runs import execute_plan
from rust_here import needs_rust

EACH = 5


def asked(numbers: tuple[int, ...] = tuple(range(1, 11))) -> list[Sample]:
    """Return as many samples of other splits as of test, then five of each level."""
    there = [level for level in LEVELS if level.number in numbers]
    test = [
        Sample(
            id=f"{tag_of(level)}-{k}",
            input=f"{tag_of(level)} {k}",
            target=Answer("right"),
            tags=frozenset({tag_of(level), level.difficulty}),
        )
        for level in there
        for k in range(EACH)
    ]
    before = [Sample(id=f"b{i:03}", input="?", target=Answer("right")) for i in range(len(test))]
    return before + test


def written(folder: Path, samples: list[Sample]) -> Run:
    """Return a run in which `strong` is right up to level 5, needs a second turn at level 4, and
    is half right at level 6.
    """

    def strong(i: int, _seed: int) -> Answer:
        level, k = i // EACH + 1, i % EACH
        return Answer("right" if level <= 5 or (level == 6 and k < 2) else "wrong")

    def earlier(system: str, i: int) -> tuple[Answer, ...]:
        return (Answer("first"),) if system == "strong" and i // EACH + 1 == 4 and i % EACH else ()

    what = Writing(
        samples=samples,
        replies={
            "strong": strong,
            **{name: lambda _i, _seed: Bottom("no") for name in CONTROLS},
        },
        timed=False,
        task="transpile.py2rs",
        earlier=earlier,
    )
    return Run.load(write_run(folder, what).root)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("runs") / "levels", asked())


def test_circles_say_all_some_or_none(run: Run) -> None:
    section = levels(run)
    assert section is not None
    strong = section.facts["transpile.py2rs"]["strong"]
    assert strong["levels_1_10"] == "●●●◐●◐○○○○"
    assert [each["mark"] for each in strong["levels"]] == list("●●●◐●◐○○○○")
    assert [each["right_in_a_later_turn"] for each in strong["levels"]] == [0, 0, 0, 8, *[0] * 6]


def test_the_composite_score_weighs_levels(run: Run) -> None:
    found = run.estimate(COMPOSITE.name, "strong")
    assert found.value == pytest.approx(100 * (1 + 1.5 + 2 + 3 + 4 + 5 * 0.4) / 68.5)
    assert found.low < found.value < found.high
    assert run.estimate(COMPOSITE.name, "silent").value == 0.0
    assert 15 < run.estimate(COMPOSITE.name, "silent").high < 30


def test_a_tag_alone_is_estimated_as_the_whole_is(run: Run) -> None:
    some = run.estimate("accuracy", "strong", tag="L6")
    assert (some.value, some.n, some.n_groups, some.n_seeds) == (0.4, EACH, EACH, 2)
    assert run.estimate("accuracy", "strong", tag="Trivial").n == 2 * EACH
    with pytest.raises(PlanError) as caught:
        run.estimate("accuracy", "strong", tag="L11")
    assert caught.value.code == "A103"
    assert "L10" in caught.value.hint


def test_a_level_without_programs_is_left_out_and_says_so(tmp_path: Path) -> None:
    run = written(tmp_path / "few", asked((1, 10)))
    section = levels(run)
    assert section is not None
    assert section.facts["transpile.py2rs"]["strong"]["levels_1_10"] == "●········●"
    assert "2 levels with a weight of 21 were asked" in Report(run).markdown()


def test_it_stands_in_markdown_on_the_page_and_in_json(run: Run, tmp_path: Path) -> None:
    report = Report(run)
    for text in (report.markdown(), report.html()):
        assert "The ten levels of Py2Rs" in text
        assert "●●●◐●◐○○○○" in text
        assert "L10 Metaprogramming" in text
    report_run(run.path, None, tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text("utf-8"))["sections"]["levels"]
    assert found["transpile.py2rs"]["strong"]["composite"]["metric"] == "composite"
    assert found["transpile.py2rs"]["silent"]["control"] is True


def test_the_report_is_the_same_when_it_is_made_again(run: Run) -> None:
    derive(run, run.dir.derived)
    assert run.verify() == []


def test_a_run_without_the_task_has_no_such_section(tmp_path: Path) -> None:
    what = Writing(
        samples=asked((1,)), replies={"echo": lambda _i, _seed: Bottom("no")}, timed=False
    )
    other = Run.load(write_run(tmp_path / "other", what).root)
    assert levels(other) is None
    assert "Py2Rs" not in Report(other).markdown()


@pytest.mark.parametrize(
    ("value", "later", "mark"),
    [(1.0, 0, "●"), (1.0, 2, "◐"), (0.4, 0, "◐"), (0.0, 0, "○"), (None, 0, "·")],
)
def test_a_level_is_full_only_at_the_first_turn(
    run: Run, value: float | None, later: int, mark: str
) -> None:
    right = replace(run.estimate("accuracy", "strong"), value=value)
    assert Standing(level=LEVELS[0], right=right, later=later).mark == mark


@needs_rust
@pytest.mark.slow
def test_a_real_run_has_the_table(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    prints, maps = (
        "print('a')  # {}",
        "def f(xs: list[int]) -> list[int]:\n    return [x + {} for x in xs]",
    )
    for k in range(4):
        said = {
            "hello": (prints, [{"input": [], "expected": "a\n"}]),
            "lists": (maps, [{"input": [[n]], "expected": [n + k]} for n in (0, 1, -5)]),
        }
        for name, (source, cases) in said.items():
            (corpus / f"{name}{k}.py").write_text(source.format(k))
            (corpus / f"{name}{k}.json").write_text(json.dumps(cases))
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        yaml.safe_dump(
            {
                "name": "levels",
                "seeds": [0],
                "tasks": [{"use": "transpile.py2rs", "options": {"path": "corpus"}}],
                "systems": [{"name": "rules", "use": "transpile.rules"}],
                "timing": {"questions": 2},
            }
        )
    )
    run = Run.load(execute_plan(plan, tmp_path / "run").root)
    derive(run, run.dir.derived)
    assert run.verify() == []
    section = levels(run)
    assert section is not None
    assert section.facts["transpile.py2rs"]["rules"]["levels_1_10"] == "●··○······"
