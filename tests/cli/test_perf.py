"""``assay perf`` times what is installed; ``assay gate --family performance`` judges it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from assay.publish.perf.document import read, summary
from publish.measured import drawn, write
from runs import installed

from .conftest import ASSAY, Said, Say

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def timed(tmp_path_factory) -> tuple[Path, Said]:
    """The plugin's suite, timed once, by the command as a shell says it."""
    out = tmp_path_factory.mktemp("perf")
    words = ["perf", "run", "--suite", "timed", "--sizes", "1000", "--quick", "--json"]
    done = subprocess.run(
        [ASSAY, *words, "--out", out, "--page", out / "P.md"],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(TESTS / "plugins"),
            "TIMED_MORE": "child,absent,broken,asleep",
        },
        timeout=280,
        check=False,
    )
    return out, Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def measured(timed):
    [path] = timed[0].glob("2*.json")
    return path


@pytest.mark.slow
def test_every_benchmark_has_a_row_with_medians_or_one_that_says_why_not(timed):
    _, said = timed
    assert said.code == 1  # one broke
    rows = {row["name"]: row for row in said.json["rows"]}
    controls = {"control/python", "control/arrays"}
    assert set(rows) - controls == {"timed/sort", "timed/child", "timed/asleep", "timed/sum-1000"}
    assert controls < set(rows)
    for row in rows.values():
        assert row["cpu"]["low"] <= row["cpu"]["median"] <= row["cpu"]["high"]
        assert (row["processes"], row["values"]) == (3, 6)
    gone = {row["name"]: row for row in said.json["absent"]}
    assert gone["timed/absent"]["why"] == "numbers are not installed; try: pip install numbers"
    assert not gone["timed/absent"]["broke"]
    assert gone["timed/broken"]["why"] == "ValueError: it does not work"
    assert gone["timed/broken"]["broke"]


@pytest.mark.slow
def test_seconds_of_cpu_are_those_of_children_too_and_not_those_of_sleep(measured):
    seconds = {clock: read(measured).seconds(clock) for clock in ("cpu", "wall")}
    assert min(seconds["cpu"]["timed/child"]) > 0.005
    assert max(seconds["cpu"]["timed/asleep"]) < 0.001 <= min(seconds["wall"]["timed/asleep"])


@pytest.mark.slow
def test_rows_are_what_the_processes_come_to(measured):
    found = read(measured)
    for clock in ("cpu", "wall"):
        seconds = found.seconds(clock)
        for row in found.assay.rows:
            made = summary(seconds[row.name])
            assert getattr(row, clock).median == pytest.approx(made.median)
            assert getattr(row, clock).mad == pytest.approx(made.mad)


@pytest.mark.slow
def test_pyperf_reads_the_file_and_finds_the_same_times(measured):
    pyperf = pytest.importorskip("pyperf")
    suite = pyperf.BenchmarkSuite.load(str(measured))
    found = read(measured).seconds("wall")
    assert set(suite.get_benchmark_names()) == set(found)
    for name, times in found.items():
        runs = [run for run in suite.get_benchmark(name).get_runs() if run.values]
        assert [sum(r.values) / len(r.values) for r in runs] == pytest.approx(list(times))


@pytest.mark.slow
def test_the_file_names_the_machine_and_neither_its_host_nor_its_paths(measured):
    text = measured.read_text("utf-8")
    about = json.loads(text)["assay"]
    assert about["machine"]["cpus"] >= 1
    assert about["command"] == "assay perf run --suite timed --sizes 1000 --quick"
    for word in ("hostname", "python_executable", "boot_time", str(Path(sys.executable).parent)):
        assert word not in text
    assert f'"{platform.node()}"' not in text


@pytest.mark.slow
def test_the_page_is_made_of_the_copy_beside_it(timed, measured, say: Say):
    out, _ = timed
    assert (out / "P.json").read_bytes() == measured.read_bytes()
    text = (out / "P.md").read_text("utf-8")
    assert "A quick look, no measurement" in text
    assert "| broken | what fails | **broke**: ValueError: it does not work | | | |" in text
    printed = say("perf", "report", out / "P.json")
    assert printed.out.strip() == text.strip()


@pytest.mark.slow
def test_work_that_takes_longer_is_called_slower(measured, tmp_path, monkeypatch, say: Say):
    monkeypatch.setenv("TIMED_N", "8000")
    with installed(monkeypatch):
        words = ("--suite", "timed", "--quick", "--sizes", "1000,100", "--processes", "4")
        done = say("perf", "run", *words, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "round 4 of 4" in done.err
    [now] = tmp_path.glob("*.json")
    rows = read(now).assay.rows
    assert [row.name for row in rows[2:]] == ["timed/sort", "timed/sum-100", "timed/sum-1000"]
    assert {row.processes for row in rows} == {4}
    found = say("perf", "compare", measured, now, "--json").json
    told = {row["name"]: (row["told"], row["ratio"]) for row in found["benchmarks"]}
    assert told["timed/sort"][0] == "slower"
    assert 2 < told["timed/sort"][1] < 9
    assert "timed/child" in found["only_before"]
    assert found["only_after"] == ["timed/sum-100"]


@pytest.fixture
def baseline(tmp_path: Path, say: Say) -> Path:
    write(tmp_path / "perf" / "a.json", drawn(1))
    out = tmp_path / "bench" / "baseline.json"
    said = say("baseline", "set", "--family", "performance", tmp_path / "perf", "--out", out)
    assert said.code == 0, said.err
    return out


def test_the_gate_is_open_for_the_same_code_and_closed_where_it_is_slower(
    say: Say, baseline, tmp_path
):
    for slow, code in ((1.0, 0), (2.0, 1)):
        now = write(tmp_path / f"{slow}.json", drawn(2, slow=slow))
        said = say("gate", now, "--family", "performance", "--baseline", baseline, "--json")
        assert said.code == code, said.out
        assert (said.json["family"], said.json["passes"]) == ("performance", code == 0)
        failed = [check["name"] for check in said.json["checks"] if not check["passes"]]
        assert failed == ["calm/b0"] * code
        assert said.json["false_alarms"]["trials"] == 200


def test_its_verdict_is_written_where_that_of_a_run_is(say: Say, baseline, tmp_path):
    now = write(tmp_path / "now.json", drawn(2, slow=2.0))
    files = {
        f"--{name}": tmp_path / "out" / name for name in ("junit", "sarif", "summary", "comment")
    }
    words = [word for pair in files.items() for word in pair]
    said = say(
        "gate", now, "--family", "performance", "--baseline", baseline, "--annotations", *words
    )
    assert said.code == 1
    why = "is more than 25% slower than in the baseline"
    case = ET.parse(files["--junit"]).find(".//testcase[@name='calm/b0']/failure")
    assert why in case.get("message")
    [result] = json.loads(files["--sarif"].read_text())["runs"][0]["results"]
    assert result["ruleId"] == "slower-than-baseline"
    assert why in result["message"]["text"]
    assert files["--comment"].read_text().startswith("<!-- assay-gate performance -->")
    assert "Digest of the measurement: `sha256:" in files["--summary"].read_text()
    assert said.out.startswith("::error file=")
    assert (
        "title=assay gate%3A not shown to be as fast as the baseline::calm/b0"
        in said.out.splitlines()[0]
    )


def test_a_family_that_is_not_that_of_the_file_is_a_clear_error(
    say: Say, baseline, first: Path, tmp_path
):
    as_performance = say("gate", first, "--family", "performance", "--baseline", baseline)
    assert (as_performance.code, as_performance.err[:4]) == (2, "A200")
    assert "this is a run's folder, and no measurement of performance" in as_performance.err
    as_run = say("gate", baseline, "--baseline", first)
    assert (as_run.code, as_run.err[:4]) == (2, "A106")
    assert "judged with --family performance" in as_run.err
    against_a_run = say("gate", baseline, "--family", "performance", "--baseline", first)
    assert (against_a_run.code, against_a_run.err[:4]) == (2, "A200")
    without = say("gate", baseline, "--family", "performance")
    assert (without.code, without.err[:4]) == (2, "A106")
    set_wrong = say("baseline", "set", first, "--family", "performance", "--out", tmp_path / "b")
    assert (set_wrong.code, set_wrong.err[:4]) == (2, "A200")


def test_a_comparison_is_written_as_rows_and_counts(say: Say, baseline, tmp_path):
    now = write(tmp_path / "now.json", drawn(2, slow=2.0))
    said = say("perf", "compare", baseline, now)
    assert said.code == 0
    row = next(line for line in said.out.splitlines() if "calm/b0" in line)
    assert row.endswith("slower")
    assert said.last == "1 slower, 0 faster, of 8; of 7 it cannot be told."


def test_machines_are_compared_only_when_asked(say: Say, baseline, tmp_path):
    now = write(tmp_path / "now.json", drawn(2), machine={"cpu": "Another"})
    said = say("perf", "compare", baseline, now)
    assert (said.code, said.err[:4]) == (2, "A203")
    assert say("perf", "compare", baseline, now, "--across-machines").code == 0
    gated = say("gate", now, "--family", "performance", "--baseline", baseline)
    assert (gated.code, gated.err[:4]) == (2, "A203")


WRONG = {
    "gate a --family performance --baseline b": (
        "A200",
        "name a JSON file that `assay perf run` wrote",
    ),
    "baseline set absent --family performance": (
        "A200",
        "name a JSON file that `assay perf run` wrote",
    ),
    "perf compare a b": ("A200", "name a JSON file that `assay perf run` wrote"),
    "perf report a": ("A200", "name a JSON file that `assay perf run` wrote"),
    "perf run --suite sats": ("A103", "did you mean 'stats'?"),
    "perf run --suite stats --peers absent": ("A100", "check the path"),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_not_there_is_said_with_its_code_before_anything_is_timed(
    say: Say, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, hint = WRONG[words]
    said = say(*words.split())
    assert (said.code, said.err[:4], said.out) == (2, code, "")
    assert hint in said.err
    assert not list(tmp_path.iterdir())


def test_without_pyperf_the_command_says_what_to_install(tmp_path):
    """A folder that shadows the package by one that cannot be found."""
    hidden = "import sys; sys.modules['pyperf'] = None; from assay.cli.main import main; "
    words = ["perf", "run", "--suite", "front", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden} sys.exit(main({words!r}))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[:4]) == (2, "A401")
    assert "pip install 'assay-eval[perf]'" in done.stderr


def test_suites_are_listed(say: Say):
    found = {row["name"] for row in say("ls", "benchmarks", "--json").json["benchmarks"]}
    assert {"front", "lm", "mapper", "records", "science", "stats", "verify"} <= found
