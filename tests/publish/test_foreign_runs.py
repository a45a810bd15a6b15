"""A run of somebody else may hold what no run has: nothing waits for it, and nothing is written outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay import Run
from assay.cli.main import main
from assay.core.errors import SealError
from assay.publish.bundle import is_bundle
from assay.publish.derive import derive
from assay.publish.query import query
from assay.publish.viewing.asgi import NotThereError, Views
from assay.publish.viewing.shelf import Shelf
from assay.publish.watched import Phase, Watching
from assay.store.folders import replace_folder
from assay.store.rundir import RunDir
from assay.store.seal import faults, read_seal, seal
from publish.harm import TASK

WITHIN_S = 60
REPLACES = """
import sys
from pathlib import Path
from assay.store.folders import replace_folder
for _ in range(40):
    replace_folder(Path(sys.argv[1]), {f"{i}/a": b"x" for i in range(20)})
"""


@pytest.fixture
def run(bare: Run, tmp_path: Path) -> RunDir:
    """Return a copy of a small sealed run, in a folder of its own."""
    shutil.copytree(bare.path, tmp_path / "runs" / "r")
    return RunDir(tmp_path / "runs" / "r")


def in_time(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or raise what it raises; fail where it waits for somebody."""
    came: list[Any] = []

    def ask() -> None:
        try:
            came.append(call())
        except BaseException as error:  # noqa: BLE001  (raised below, in the test's own thread)
            came.append(error)

    asked = threading.Thread(target=ask, daemon=True)
    asked.start()
    asked.join(WITHIN_S)
    assert came, "it waits for a pipe that nobody writes to"
    if isinstance(came[0], BaseException):
        raise came[0]
    return came[0]


def seal_again(run: RunDir, **documents: Any) -> None:
    """Change documents of a run, and seal what there is now."""
    before = read_seal(run)
    for name, value in documents.items():
        (run.root / f"{name}.json").write_text(json.dumps(value))
    seal(run, decisions=before.decisions, incomplete=before.incomplete)


def pipe(path: Path) -> None:
    """Put a pipe that nobody writes to in the place of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def test_pages_of_a_folder_do_not_wait_for_a_pipe_in_a_run(run: RunDir) -> None:
    pipe(run.derived / "summary.json")
    pipe(run.derived / "report.html")
    views = Views(Shelf(run.root.parent))
    assert "sealed" in in_time(views.runs)
    with pytest.raises(NotThereError):
        in_time(lambda: views.report("r"))


@pytest.mark.parametrize("name", ["plan.yaml", f"samples/{TASK}/test.jsonl", "provenance.json"])
def test_who_watches_does_not_wait_for_a_pipe_in_a_run(run: RunDir, name: str) -> None:
    run.seal.unlink()
    pipe(run.root / name)
    assert in_time(Watching(run.root).look).phase is Phase.STOPPED


@pytest.mark.parametrize("name", ["SEAL", "manifest.json"])
def test_a_document_without_end_is_not_read_to_its_end(name: str, run: RunDir) -> None:
    os.truncate(run.root / name, 1 << 40)  # of holes alone: it takes no disk
    with pytest.raises(SealError, match="has more than"):
        Run.load(run.root)


def test_a_pipe_where_records_should_be_is_a_fault(run: RunDir) -> None:
    name = f"records/{TASK}/echo/7-test.jsonl"
    pipe(run.root / name)
    assert [fault.path for fault in in_time(lambda: faults(run))] == [name]


@pytest.mark.parametrize("kept", ["tables", "shelves"])
def test_a_pipe_where_something_was_kept_makes_it_be_made_again(run: RunDir, kept: str) -> None:
    loaded = Run.load(run.root)

    def ask() -> Any:
        if kept == "tables":
            return query(loaded, "SELECT count(*) FROM samples", limit=1).rows
        return main(["samples", str(run.root), "--task", TASK])

    first = in_time(ask)
    [label] = (run.work / kept).rglob("digests.json" if kept == "tables" else "label.json")
    pipe(label)
    assert in_time(ask) == first


def test_a_folder_with_a_pipe_where_a_bundle_describes_itself_is_no_bundle(tmp_path: Path) -> None:
    pipe(tmp_path / "metadata.json")
    assert in_time(lambda: is_bundle(tmp_path)) is False


@pytest.mark.parametrize(
    "name",
    [
        f"timing/{TASK}/x.jsonl",
        f"timing/{TASK}/².jsonl",
        f"records/{TASK}/echo/x.jsonl",
        f"records/{TASK}/echo/00-test.jsonl",
        f"records/{TASK}/echo/-1-test.jsonl",
        f"records/{TASK}/ec\nho/0-test.jsonl",
        f"samples/{TASK}/a b.jsonl",
    ],
)
def test_a_file_that_no_run_has_is_named_also_when_it_was_sealed(run: RunDir, name: str) -> None:
    path = run.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(next((run.root / "samples").rglob("test.jsonl")), path)
    seal_again(run)
    with pytest.raises(SealError) as caught:
        Run.load(run.root)
    assert caught.value.code == "A300"
    assert "nothing that a run has" in caught.value.what


def test_folders_where_files_should_be_are_named(run: RunDir) -> None:
    (run.root / "timing" / TASK / "0.jsonl").mkdir(parents=True)
    assert [fault.path for fault in faults(run)] == [f"timing/{TASK}/0.jsonl"]


def test_records_of_a_system_that_the_manifest_lacks_are_told(run: RunDir) -> None:
    manifest = json.loads(run.manifest.read_bytes())
    del manifest["systems"]["echo"]
    seal_again(run, manifest=manifest)
    with pytest.raises(SealError, match="A300 there are records of echo"):
        Run.load(run.root)


def test_a_system_that_ran_under_no_seed_is_told(run: RunDir) -> None:
    manifest = json.loads(run.manifest.read_bytes())
    manifest["systems"]["echo"]["seeds"] = []
    seal_again(run, manifest=manifest)
    with pytest.raises(SealError, match=r"A300 systems\.echo\.seeds"):
        Run.load(run.root)


def test_a_claim_on_a_system_that_the_run_does_not_have_is_told(run: RunDir) -> None:
    claim = {"id": "c", "says": "It is.", "system": "nobody", "metric": "accuracy", "at_least": 0.5}
    plan = yaml.safe_load(run.plan.read_text())
    run.plan.write_text(yaml.safe_dump({**plan, "claims": [claim]}))
    seal_again(run)
    loaded = Run.load(run.root)
    with pytest.raises(SealError, match="A300 claim 'c' is on 'nobody'"):
        _ = loaded.results


def test_a_task_of_the_manifest_that_the_plan_lacks_is_read_from_nowhere(run: RunDir) -> None:
    manifest = json.loads(run.manifest.read_bytes())
    manifest["tasks"]["x/../../../elsewhere"] = manifest["tasks"][TASK]
    seal_again(run, manifest=manifest)
    with pytest.raises(SealError, match="A300 the task x/"):
        Run.load(run.root)


def with_tokens(run: RunDir, digits: int) -> None:
    """Let every reply of a system have taken a number of tokens with so many digits, and seal it."""
    path = run.root / "records" / TASK / "echo" / "0-test.jsonl"
    said = f'"usage":{{"tokens_out":1{"0" * digits},'
    path.write_text(path.read_text().replace('"usage":{', said))
    seal_again(run)


def test_counts_that_no_table_holds_are_not_there_in_sql(run: RunDir) -> None:
    with_tokens(run, 20)
    sql = "SELECT count(tokens_out), count(*) FROM records WHERE system = 'echo'"
    assert query(Run.load(run.root), sql, limit=1).rows == ((0, 20),)


def test_who_watches_passes_over_counts_that_no_float_can_be(run: RunDir) -> None:
    with_tokens(run, 400)
    run.seal.unlink()
    assert Watching(run.root).look().there > 0


@pytest.mark.parametrize("name", ["derived", ".derived.PID.new", ".derived.new"])
def test_a_link_where_the_report_goes_leads_no_writer_out(
    run: RunDir, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "summary.json").write_text("mine")
    shutil.rmtree(run.derived, ignore_errors=True)
    # Where this process makes its folder ready; the name of a test is the same in every process.
    (run.root / name.replace("PID", str(os.getpid()))).symlink_to(tmp_path / "mine")
    derive(Run.load(run.root), run.derived)
    assert [p.read_text() for p in (tmp_path / "mine").iterdir()] == ["mine"]
    assert (run.derived / "summary.json").is_file()
    assert not run.derived.is_symlink()


def test_a_link_where_something_is_kept_leads_no_writer_out(run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    shutil.rmtree(run.work, ignore_errors=True)
    run.work.symlink_to(tmp_path / "mine")
    assert query(Run.load(run.root), "SELECT count(*) FROM samples", limit=1).rows == ((40,),)
    assert main(["samples", str(run.root), "--task", TASK]) == 0
    assert list((tmp_path / "mine").iterdir()) == []


def test_two_that_replace_a_folder_at_once_both_succeed(tmp_path: Path) -> None:
    folder, files = tmp_path / "made", {f"{i}/a": b"x" for i in range(20)}
    beside = subprocess.Popen([sys.executable, "-c", REPLACES, str(folder)])
    while beside.poll() is None:
        replace_folder(folder, files)
    assert beside.returncode == 0
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("a")) == sorted(files)
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_what_a_process_that_was_killed_left_beside_a_folder_goes_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    mine = {name: tmp_path / f".made.{name}.new" for name in ("1", "2", "3")}
    for path in mine.values():
        (path / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (link := tmp_path / ".made.4.new").symlink_to(tmp_path / "elsewhere")
    for path in (mine["1"], mine["2"], link):
        os.utime(path, (0, 0), follow_symlinks=False)
    replace_folder(tmp_path / "made", {"a": b"x"})
    assert {p.name for p in tmp_path.iterdir()} == {"made", "elsewhere", ".made.3.new"}


def test_a_time_that_no_calendar_has_is_shown_as_the_last_one(tmp_path: Path) -> None:
    class Late(type(tmp_path)):  # type: ignore[misc]
        """A file of a disk that holds larger times than most."""

        def stat(self, **_: Any) -> os.stat_result:
            return os.stat_result((0,) * 8 + (10**14, 0))

    assert RunDir(Late(tmp_path)).begun() == datetime(9999, 1, 1, tzinfo=UTC)
