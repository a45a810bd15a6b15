"""The whole walk on the toy task: from a plan to a sealed run whose every number can be had again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay import Run, Status
from assay.core.errors import SealError
from assay.publish.running import run as run_plan
from assay.publish.verify import verify
from assay.store.manifest import Manifest, read_doc, write_doc
from assay.store.rundir import RunDir
from assay.store.seal import read_seal, seal
from runs import CHILD, SMOKE, copy_of, decisions, execute_plan, finish, start_child, write_plan

FAST = ("timing.blocks=2",)
TIMED = ("usd_per_1k", "latency_mean", "latency_p50", "latency_p95", "latency_p99")

DERIVE = """
import hashlib, json, sys
from assay import Run
from assay.publish.derive import derived_files
files = derived_files(Run.load(sys.argv[1]))
print(json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}))
"""


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of the smoke plan with everything that is derived from it."""
    from assay import load_plan

    return run_plan(load_plan(SMOKE, FAST), out=tmp_path_factory.mktemp("walk") / "run", workers=2)


def untimed(run: Run) -> list[dict[str, Any]]:
    """Return every estimate that a second run must give again."""
    rows = json.loads((run.path / "derived" / "summary.json").read_bytes())["systems"]
    return [row for row in rows if row["metric"] not in TIMED]


@pytest.mark.parametrize(("seed", "workers"), [("1", 1), ("12345", 3)])
def test_other_processes_decide_the_same(
    smoke: RunDir, tmp_path: Path, seed: str, workers: int
) -> None:
    child = start_child(
        SMOKE, tmp_path / f"else-{seed}", *FAST, workers=workers, PYTHONHASHSEED=seed
    )
    status, said = finish(child)
    assert status == 0, said
    again = RunDir(tmp_path / f"else-{seed}")
    assert decisions(again) == decisions(smoke)
    for folder in ("samples",):
        for path in (smoke.root / folder).rglob("*.jsonl"):
            twin = again.root / path.relative_to(smoke.root)
            assert twin.read_bytes() == path.read_bytes()
    one, two = read_doc(Manifest, smoke.manifest), read_doc(Manifest, again.manifest)
    assert one.model_copy(update={"run": ""}) == two.model_copy(update={"run": ""})


def test_a_second_run_gives_the_same_estimates_and_findings(derived: Run, smoke: RunDir) -> None:
    """All but what a clock measured, and what hangs on it."""
    again = Run.load(smoke.root)
    for system in again.results.cases["toy.errands"].tables:
        for metric in ("accuracy", "coverage", "risk", "invention_rate", "failure_rate"):
            assert again.estimate(metric, system) == derived.estimate(metric, system)
    assert again.results.findings == derived.results.findings
    assert len(untimed(derived)) >= 5 * 5


@pytest.mark.parametrize("seed", ["0", "77"])
def test_what_is_derived_is_the_same_bytes_in_every_process(derived: Run, seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DERIVE, str(derived.path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert done.returncode == 0, done.stderr
    from assay.store.canon import digest_file

    folder = derived.path / "derived"
    there = {
        str(p.relative_to(folder)): digest_file(p).removeprefix("sha256:")
        for p in folder.rglob("*")
        if p.is_file()
    }
    assert json.loads(done.stdout) == there


def test_the_smoke_plan_says_what_it_should(derived: Run) -> None:
    found = {f.claim.id: f.status for f in derived.results.findings}
    assert found["better"] is Status.SUPPORTED
    assert found["same-again"] is Status.SUPPORTED
    assert derived.estimate("determinism", "votes").value == 1.0
    assert derived.estimate("determinism", "last-word").value == 1.0


def test_an_intact_run_verifies(derived: Run) -> None:
    assert verify(derived.path) == []


def test_a_moved_run_verifies(derived: Run, tmp_path: Path) -> None:
    moved = copy_of(derived.dir, tmp_path / "somewhere else 🦀")
    for path in [*moved.root.rglob("*"), moved.root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert verify(moved.root) == []
    finally:
        for path in [moved.root, *moved.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_forged_number_is_named(derived: Run, tmp_path: Path) -> None:
    forged = copy_of(derived.dir, tmp_path / "forged")
    for name in ("summary.json", "summary.md", "claims.json", "metrics.jsonl", "CLAIM_AUDIT.md"):
        path = forged.derived / name
        before = path.read_text()
        place, digit = next((i, c) for i, c in enumerate(before) if c in "12345678")
        path.write_text(before[:place] + str(int(digit) + 1) + before[place + 1 :])
        assert [fault.path for fault in verify(forged.root)] == [f"derived/{name}"]
        path.write_text(before)
    (forged.derived / "best.json").write_text("{}")
    assert [fault.path for fault in verify(forged.root)] == ["derived/best.json"]
    (forged.derived / "best.json").unlink()
    (forged.derived / "paired.json").unlink()
    assert [fault.path for fault in verify(forged.root)] == ["derived/paired.json"]


def test_a_broken_run_cannot_be_loaded(smoke: RunDir, tmp_path: Path) -> None:
    run = copy_of(smoke, tmp_path / "broken")
    path = run.root / "records" / "toy.errands" / "votes" / "0-test.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(SealError) as caught:
        Run.load(run.root)
    assert caught.value.code == "A300"
    assert "records/toy.errands/votes/0-test.jsonl was changed after sealing" in caught.value.what


def test_an_unsealed_run_cannot_be_loaded(smoke: RunDir, tmp_path: Path) -> None:
    run = copy_of(smoke, tmp_path / "unsealed")
    run.seal.unlink()
    with pytest.raises(SealError, match="A301"):
        Run.load(run.root)


@pytest.mark.parametrize("version", [None, 0, 2])
def test_a_run_of_another_schema_cannot_be_loaded(
    smoke: RunDir, tmp_path: Path, version: int | None
) -> None:
    run = copy_of(smoke, tmp_path / "older")
    raw = json.loads(run.manifest.read_bytes())
    raw["schema_version"] = version
    run.manifest.write_text(json.dumps({k: v for k, v in raw.items() if v is not None}))
    with pytest.raises(SealError, match="A302"):
        Run.load(run.root)


def test_a_folder_that_is_no_run_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="A303"):
        Run.load(tmp_path)


def test_a_manifest_that_was_forged_and_sealed_again_needs_a_signature(
    smoke: RunDir, tmp_path: Path
) -> None:
    """What the seal does not cover, said as a test: who reseals is not found."""
    run = copy_of(smoke, tmp_path / "forged")
    manifest = read_doc(Manifest, run.manifest)
    write_doc(run.manifest, manifest.model_copy(update={"says": "The best system of all."}))
    sealed = read_seal(run)
    seal(run, decisions=sealed.decisions, incomplete=sealed.incomplete)
    assert Run.load(run.root).manifest.says == "The best system of all."


MOODY = """
    name: moody
    tasks: [{use: awkward.copy, options: {n: 12}}]
    timing: {processes: 2, blocks: 2, questions: 2}
    systems:
      - {name: steady, use: awkward.echo}
      - {name: moody, use: awkward.odd, options: {what: moody}}
      - {name: secret, use: awkward.odd, options: {what: counts_secretly}}
"""


def test_the_second_pass_tells_a_moody_system_from_a_steady_one(
    plugins: None, tmp_path: Path
) -> None:
    run = Run.load(execute_plan(write_plan(tmp_path, MOODY), tmp_path / "run").root)
    assert run.estimate("determinism", "steady").value == 1.0
    assert run.estimate("determinism", "moody").value == 0.0
    secret = run.estimate("determinism", "secret").value
    assert secret is not None
    assert secret < 1.0


def test_the_walk_needs_no_network(smoke: RunDir, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    # With a user namespace an ordinary user may, where the kernel allows one.
    tried = [
        subprocess.run(["unshare", how, "true"], capture_output=True, text=True, check=False)
        for how in ("-n", "-rn")
    ]
    able = next((one.args[1] for one in tried if not one.returncode), None)
    if able is None:
        pytest.skip(f"a network cannot be taken away here: {tried[-1].stderr.strip()}")
    out = tmp_path / "run"
    done = subprocess.run(
        ["unshare", able, sys.executable, "-c", CHILD, str(SMOKE), str(out), "2", *FAST],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert decisions(RunDir(out)) == decisions(smoke)
