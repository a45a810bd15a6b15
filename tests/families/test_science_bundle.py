"""A network leaves its run as a bundle, and says there what its records say."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay import PluginError, Report, Run
from assay.cli.main import main
from assay.runs import Place
from runs import execute_plan, write_plan

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

PLAN = """
name: bundled
says: Networks that leave their run
seeds: [0, 1]
tasks:
  - {use: science.dose, options: {train: 600, tune: 80, calibration: 150, test: 80}}
  - {use: science.ik, options: {train: 150, tune: 30, calibration: 30, test: 30}}
systems:
  - {name: two-heads, use: science.two_heads, options: {epochs: 15, rate: 0.01, batch: 64, hidden: [16], spread: true}}
  - {name: careful, of: two-heads, abstain: {coverage: 0.1}}
  - {name: intervals, use: science.softmax, options: {epochs: 10, rate: 0.01, batch: 64, hidden: [16], gate: own}}
  - {name: own, use: science.projective, options: {epochs: 10, rate: 0.01, batch: 64, hidden: [16], gate: own, direction: joint}}
  - {name: frozen, use: science.projective, options: {epochs: 3, hidden: [16], activation: silu,
     gate: never, direction: frozen, values: arsinh}}
timing: {processes: 1, blocks: 1, questions: 1}
claims:
  - {id: answers, says: It answers, task: science.dose, system: careful, metric: coverage, at_least: 0.0}
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("bundled")
    out = folder / "runs" / "one"
    execute_plan(write_plan(folder, PLAN), out, workers=1)
    return Run.load(out)


def bundled(ran: Run, system: str, folder: Path, task: str = "science.dose", seed: int = 0):
    from assay.families.science.export.bundle import bundle

    return bundle(Place.of(ran, system, seed=seed, task=task), folder, samples=60)


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(word) for word in words])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("task", ["science.dose", "science.ik"])
@pytest.mark.parametrize("system", ["two-heads", "careful", "intervals", "own", "frozen"])
def test_a_bundle_says_what_the_records_of_its_run_say(ran, system, task, tmp_path):
    made = bundled(ran, system, tmp_path, task, seed=1)
    facts = {one.against: one for one in made.held}
    assert list(facts) == ["records", "numpy", "torch"]
    for one in made.held:
        assert one.agrees, one
        assert one.rows == 60
    assert not made.found.taught_again
    if task == "science.dose":
        assert 0 < facts["records"].values <= 60


def test_a_report_over_two_domains_has_the_figures_of_both(ran):
    files = Report(ran).files()
    for task in ("science.dose", "science.ik"):
        drawn = {Path(name).stem for name in files if name.startswith(f"figures/{task}/")}
        assert {"risk_coverage", "error_coverage", "confusion"} <= drawn


def test_an_operating_point_declines_more_than_its_network(ran, tmp_path):
    whole = bundled(ran, "two-heads", tmp_path / "a")
    careful = bundled(ran, "careful", tmp_path / "b")
    gates = [made.found.deployed.gate.tau for made in (whole, careful)]
    assert gates[0] < gates[1]
    assert whole.held[0].values > careful.held[0].values
    assert whole.found.digest == careful.found.digest


def test_metadata_names_everything_that_it_is_from(ran, tmp_path):
    bundled(ran, "own", tmp_path)
    told = json.loads((tmp_path / "metadata.json").read_bytes())
    assert (told["schema_name"], told["schema_version"]) == ("assay.bundle", 1)
    assert set(told["files"]) == {"model.onnx", "VALIDATION.md", "VALIDATION.json"}
    origin, model = told["origin"], told["model"]
    facts = ran.manifest.tasks["science.dose"]
    assert origin["data"] == {name: split.digest for name, split in facts.splits.items()}
    assert (origin["system"], origin["of"], origin["seed"]) == ("own", "own", 0)
    assert model["gate"]["tau_train"] == 0.05
    assert model["gate"]["tau_infer"] == 0.025
    assert model["reasons"] == ["above", "below"]
    assert model["inputs"][0]["columns"][0]["name"] == "response at 10^-9 mol/l"
    assert model["outputs"][0]["columns"] == [{"name": "log10 of the IC50", "unit": "log10(mol/l)"}]
    assert str(ran.path) not in json.dumps(told)


def test_a_network_whose_file_is_gone_or_changed_is_taught_again_the_same(ran, tmp_path):
    before = bundled(ran, "frozen", tmp_path / "before")
    for name, spoil in (("gone", shutil.rmtree), ("changed", _change)):
        folder = tmp_path / name
        shutil.copytree(ran.path, folder)
        spoil(folder / "cache" / "work")
        after = bundled(Run.load(folder), "frozen", tmp_path / f"{name}-bundle")
        assert after.found.taught_again
        assert after.found.digest == before.found.digest
        one, other = (made.folder / "model.onnx" for made in (before, after))
        assert one.read_bytes() == other.read_bytes()


def _change(folder: Path) -> None:
    for path in folder.rglob("network.safetensors"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)


def test_another_network_than_the_sealed_one_is_refused(ran, tmp_path):
    cells = tuple(
        cell.model_copy(
            update={"made": tuple(f.model_copy(update={"digest": "sha256:0"}) for f in cell.made)}
        )
        for cell in ran.provenance.cells
    )
    other = replace(ran, provenance=ran.provenance.model_copy(update={"cells": cells}))
    with pytest.raises(PluginError) as caught:
        bundled(other, "intervals", tmp_path)
    assert caught.value.code == "A403"
    assert not list(tmp_path.iterdir())


def test_a_bundle_that_does_not_say_what_the_records_say_is_told(ran):
    from assay.families.science.export.found import find
    from assay.families.science.export.graph import graph_of
    from assay.families.science.export.validation import held, report

    place = Place.of(ran, "two-heads", task="science.dose")
    found = find(place)
    weights = {name: w + 0.01 for name, w in found.deployed.weights.items()}
    graph = graph_of(replace(found.deployed, weights=weights))
    asked = list(ran.read("two-heads", task="science.dose"))
    checked = held(graph, found.deployed, asked, None)
    assert not any(one.agrees for one in checked)
    text, data = report(checked, "two-heads")
    assert b"do not ship it" in text
    assert json.loads(data)["agrees"] is False


def test_the_graph_runs_by_itself(ran, tmp_path):
    import onnxruntime

    bundled(ran, "own", tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    x = np.array([s.input for s, _ in ran.read("own", task="science.dose")])
    decoded, bottom, *_ = session.run(None, {"features": x})
    assert np.isnan(decoded[:, 0]).tolist() == bottom.tolist()
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["reasons"]) == ["above", "below"]


def test_the_command_writes_beside_the_run_and_the_report_finds_back(ran, capsys, tmp_path):
    code, out, _ = said(capsys, "science", "bundle", ran.path, "--task", "science.dose",
                        "--system", "careful", "--samples", 20, "--json")  # fmt: skip
    facts = json.loads(out)
    folder = Path(facts["bundle"])
    assert (code, facts["agrees"], folder.parent) == (0, True, ran.path.parent)
    code, out, _ = said(capsys, "report", folder, "--json")
    facts = json.loads(out)
    assert (code, facts["run"]) == (0, str(ran.path))
    points = {point["system"]: point for point in facts["operating_points"]}
    assert list(points) == ["careful", "two-heads"]
    assert points["careful"]["bundled"]
    assert list(points["careful"]["claims"]) == ["answers"]
    assert points["two-heads"]["claims"] == {}
    assert points["two-heads"]["threshold"] is None
    page = tmp_path / "bundle.html"
    assert said(capsys, "report", folder, "--output", page)[0] == 0
    assert "Operating points" in page.read_text()
    away = Path(shutil.copytree(folder, tmp_path / "a" / "b" / "c" / "away"))
    assert said(capsys, "report", away)[2].startswith("A303")
    assert said(capsys, "report", away, "--among", ran.path.parent)[0] == 0
    (away / "model.onnx").write_bytes(b"")
    code, _, err = said(capsys, "report", away, "--among", ran.path.parent)
    assert (code, err[:4]) == (2, "A200")
    metadata = away / "metadata.json"
    metadata.write_text(metadata.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    assert said(capsys, "report", away)[2].startswith("A302 schema version 2")
    metadata.write_text('{"schema_name": "assay.bundle"')
    assert said(capsys, "report", away)[2].startswith("A200 the metadata cannot be read")


def test_of_several_networks_the_one_that_ships_is_bundled(ran, capsys, tmp_path):
    ships = ran.decision["science.dose"]["ship"]
    words = ["--task", "science.dose", "--samples", 5, "--out", tmp_path / "out", "--json"]
    code, out, _ = said(capsys, "science", "bundle", ran.path, *words)
    facts = json.loads(out)
    if ships in ("two-heads", "careful", "intervals", "own", "frozen"):
        assert (code, facts["system"]) == (0, ships)
    else:
        assert facts["error"]["hint"].startswith("say which with --system")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--system", "constant"], "A104", "name a system of science.two_heads"),
        (["--system", "oracle"], "A103", "there are: "),
        (["--system", "own", "--seed", "7"], "A104", "its seeds are: 0, 1"),
        (["--system", "own", "--out", "."], "A106", "name a new folder"),
    ],
)
def test_what_cannot_be_bundled_is_said(ran, capsys, words, code, hint):
    got, _, err = said(capsys, "science", "bundle", ran.path, "--task", "science.dose", *words)
    assert (got, err[:4]) == (2, code)
    assert hint in err
