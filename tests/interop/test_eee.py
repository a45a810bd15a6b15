"""Every Eval Ever: files of its own tools are read, runs go out and come back the same."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.cli.main import main
from assay.core.errors import DataError, PlanError, SealError
from assay.core.metric import Origin
from assay.engine.foreign import open_log
from assay.publish.interop.eee_aggregate import schema
from assay.publish.interop.export import export_eee
from assay.publish.interop.settings import Choice
from assay.publish.interop.take import Taken, take_in
from assay.publish.run import Run
from assay.publish.verify import verify
from publish.harm import harmful, write_run

LOGS = Path(__file__).parents[1] / "data" / "imports"


def taken(path: Path, out: Path) -> Taken:
    return take_in(open_log("eee", path, {}), path, out=out, choice=Choice())


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
         "integer": int, "number": (int, float)}  # fmt: skip


def faults(value: Any, rules: dict[str, Any], root: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value is not what a JSON schema says; the keywords that these schemas use."""
    if "$ref" in rules:
        rules = root["$defs"][rules["$ref"].rpartition("/")[2]]
    told = rules.get("type", [])
    told = told if isinstance(told, list) else [told]
    if told and not any(_is_a(value, kind) for kind in told):
        return [f"{at}: is no {told}"]
    found = [f"{at}: {value!r} breaks {key}" for key in rules if _breaks(value, key, rules, root)]
    if isinstance(value, dict):
        known, others = rules.get("properties", {}), rules.get("additionalProperties", True)
        found += [f"{at}: lacks {key}" for key in rules.get("required", []) if key not in value]
        found += [f"{at}: unknown {key}" for key in value if key not in known and others is False]
        for key, one in value.items():
            rule = known.get(key, others if isinstance(others, dict) else {})
            found += faults(one, rule, root, f"{at}.{key}")
    if isinstance(value, list):
        for i, one in enumerate(value):
            found += faults(one, rules.get("items", {}), root, f"{at}[{i}]")
    return found


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _breaks(value: Any, key: str, rules: dict[str, Any], root: dict[str, Any]) -> bool:
    match key:
        case "oneOf":
            return sum(not faults(value, one, root) for one in rules[key]) != 1
        case "enum":
            return value not in rules[key]
        case "const":
            return value != rules[key]
        case "pattern":
            return not re.search(rules[key], value)
        case "minimum":
            return value is not None and value < rules[key]
    return False


def all_faults(folder: Path) -> list[str]:
    """Return what is wrong with every file below a folder."""
    found = []
    for file in sorted(folder.rglob("*.json")):
        rules = dict(schema("eval"))
        found += faults(json.loads(file.read_text()), rules, rules, file.name)
    for file in sorted(folder.rglob("*.jsonl")):
        rules = dict(schema("instance_level_eval"))
        for raw in file.read_text().split("\n")[:-1]:
            found += faults(json.loads(raw), rules, rules, file.name)
    return found


def test_the_check_of_the_schema_passes_the_tools_own_files_and_can_fail():
    assert all_faults(LOGS / "eee") == []
    rules = dict(schema("eval"))
    [file, *_] = (LOGS / "eee").rglob("*.json")
    good = json.loads(file.read_text())
    assert faults({**good, "colour": "red"}, rules, rules)
    assert faults({**good, "model_info": {"name": "x"}}, rules, rules)


def test_files_of_the_tool_are_read_with_its_numbers(tmp_path):
    run = taken(LOGS / "eee", tmp_path / "r").run
    assert verify(run.path) == []
    assert run.estimate("accuracy", "fixture-adder", task="sums_mc-acc").value == 0.85
    assert run.estimate("accuracy", "fixture-adder", task="digits_gen-digit").value == 1.0
    assert run.estimate("accuracy", "fixture-adder", task="digits_gen-first").value == 0.0
    assert run.manifest.systems["fixture-adder"].origin is Origin.REPORTED


def test_aggregates_alone_are_published_only(tmp_path):
    for file in (LOGS / "eee").rglob("*.json"):
        value = json.loads(file.read_text())
        del value["detailed_evaluation_results"]
        (tmp_path / file.name).write_text(json.dumps(value))
    made = taken(tmp_path, tmp_path / "r")
    assert (made.published, made.run.results.cases) == (4, {})
    assert verify(made.run.path) == []
    assert main(["report", str(made.run.path)]) == 0
    assert main(["front", str(made.run.path)]) == 0
    assert main(["gate", str(made.run.path)]) == 2


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run with every outcome, two seeds, groups, samples without an answer."""
    return Run.load(write_run(tmp_path_factory.mktemp("runs") / "harm", harmful()).root)


def test_what_goes_out_fits_the_schema_and_is_the_same_each_time(sealed, tmp_path):
    files = export_eee(sealed, tmp_path / "a")
    export_eee(sealed, tmp_path / "b")
    assert all_faults(tmp_path / "a") == []
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()


def test_a_run_that_goes_out_and_comes_back_decided_the_same(sealed, tmp_path):
    export_eee(sealed, tmp_path / "out")
    back = taken(tmp_path / "out", tmp_path / "back").run
    assert verify(back.path) == []
    tested = [n for n, s in sealed.manifest.systems.items() if not s.control]
    before = {(c.task, c.system, c.seed): c.decisions for c in sealed.provenance.cells
              if c.system in tested and c.split == "test"}  # fmt: skip
    after = {(c.task, c.system, c.seed): c.decisions for c in back.provenance.cells
             if c.system != "silent"}  # fmt: skip
    assert after == before
    for task, facts in sealed.manifest.tasks.items():
        assert back.manifest.tasks[task].splits["test"].groups == facts.splits["test"].groups


def test_an_imported_csv_goes_out_and_comes_back_the_same_to_the_sample(tmp_path):
    rows = [f"a,q{i},{i % 2},g{i // 3},{s},0.00{i},1.5" for s in (0, 4) for i in range(9)]
    path = tmp_path / "x.csv"
    path.write_text("system,sample,correct,group,seed,cost,seconds\n" + "\n".join(rows))
    run = take_in(open_log("csv", path, {}), path, out=tmp_path / "r", choice=Choice()).run
    export_eee(run, tmp_path / "out", developer="us")
    back = taken(tmp_path / "out", tmp_path / "back").run
    assert back.manifest.tasks["x"].splits == run.manifest.tasks["x"].splits
    assert back.provenance.cells == run.provenance.cells
    for metric in ("accuracy", "reported_usd_per_1k", "reported_latency_mean"):
        assert back.estimate(metric, "a").value == pytest.approx(run.estimate(metric, "a").value)


def test_an_edited_file_of_instances_is_refused(tmp_path):
    shutil.copytree(LOGS / "eee", tmp_path / "log")
    [file, *_] = sorted((tmp_path / "log").rglob("*.jsonl"))
    file.write_text(file.read_text().replace('"score": 0.0', '"score": 1.0', 1))
    with pytest.raises(DataError, match="checksum") as caught:
        taken(tmp_path / "log", tmp_path / "r")
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("path", "name"), [("data/../../../etc/passwd", "passwd"), ("9" * 300, "9" * 300)]
)
def test_a_path_that_leads_elsewhere_is_only_a_name(tmp_path, path, name):
    shutil.copytree(LOGS / "eee", tmp_path / "log")
    for file in (tmp_path / "log").rglob("*.json"):
        value = json.loads(file.read_text())
        value["detailed_evaluation_results"]["file_path"] = path
        file.write_text(json.dumps(value))
    with pytest.raises(DataError, match=f"'{name}' do not stand beside it"):
        taken(tmp_path / "log", tmp_path / "r")


def test_other_schema_versions_are_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"schema_version": "0.1.0"}')
    with pytest.raises(DataError, match="schema version"):
        taken(tmp_path, tmp_path / "r")


def test_the_export_of_an_unknown_system_or_into_a_full_folder_is_refused(sealed, tmp_path):
    with pytest.raises(PlanError, match="A103"):
        export_eee(sealed, tmp_path / "a", systems=["nobody"])
    (tmp_path / "mine").touch()
    with pytest.raises(SealError, match="A303"):
        export_eee(sealed, tmp_path)


def test_the_command_exports(sealed, tmp_path, capsys):
    assert main(["export", "eee", str(sealed.path), "--out", str(tmp_path / "a"), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert all(Path(file).is_file() for file in files)
