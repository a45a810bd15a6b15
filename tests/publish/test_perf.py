"""Two measurements are compared, and judged, by what their processes support."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError, PlanError
from assay.publish.perf.baseline import set_baseline
from assay.publish.perf.compared import Told, compare, ratio
from assay.publish.perf.document import newest, read
from assay.publish.perf.judging import false_alarms, judge
from assay.publish.perf.page import page, publish
from assay.publish.perf.peers import peers_of, time_peers
from publish.measured import MACHINE, drawn, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def then(tmp_path):
    return read(write(tmp_path / "then.json", drawn(1)))


def told(found):
    return {row.name: row.told for row in found.rows}


@given(st.lists(st.floats(1e-9, 1e3), min_size=2, max_size=12), st.floats(0.01, 100))
def test_a_ratio_is_that_of_the_geometric_means_whatever_the_unit(times, factor):
    found = ratio([factor * each for each in times], times)
    if found.value is not None:
        assert found.value == pytest.approx(factor)
        low, high = found.interval()
        assert low <= found.value <= high


def test_a_measurement_beside_itself_tells_nothing(then):
    found = compare(then, then)
    assert set(told(found).values()) == {Told.UNTOLD}
    assert all(row.found.value == pytest.approx(1) for row in found.rows)


@pytest.mark.parametrize(("slow", "word"), [(1.3, Told.SLOWER), (0.7, Told.FASTER)])
def test_what_changed_is_told_and_nothing_else(then, tmp_path, slow, word):
    now = read(write(tmp_path / "now.json", drawn(2, slow=slow)))
    found = told(compare(then, now))
    assert found.pop("calm/b0") is word
    assert set(found.values()) == {Told.UNTOLD}


def test_what_the_machine_took_longer_is_not_told_of_the_code(then, tmp_path):
    """The hour is 1.3 times as slow for all, and one benchmark 1.7 times."""
    seconds = {name: [1.3 * each for each in times] for name, times in drawn(2).items()}
    seconds["calm/b3"] = [1.3 * each for each in seconds["calm/b3"]]
    found = compare(then, read(write(tmp_path / "now.json", seconds)))
    assert [name for name, word in told(found).items() if word is Told.SLOWER] == ["calm/b3"]
    assert found.drift[1] > 1.3
    assert any("control/python, which is none of assay's code" in said for said in found.read_with)


def test_without_a_control_in_both_that_is_said(then, tmp_path):
    seconds = {name: times for name, times in drawn(2).items() if name.startswith("calm")}
    found = compare(then, read(write(tmp_path / "now.json", seconds)))
    assert found.drift == (1.0, 1.0)
    assert "No control was measured in both" in found.read_with[0]
    assert found.only_then == ()


def test_the_clock_is_the_one_that_is_asked_for(tmp_path):
    seconds = drawn(3, many=1)
    then = read(write(tmp_path / "a.json", seconds))
    both = [compare(then, then, clock=clock).rows[0].now_s for clock in ("cpu", "wall")]
    assert both[1] == pytest.approx(2 * both[0])


def test_of_unchanged_code_hardly_any_comparison_says_that_it_changed(tmp_path):
    """Size of the whole comparison, by simulation: at most 5 % by design."""
    wrong = 0
    files = [read(write(tmp_path / f"{k}.json", drawn(k, many=6, processes=8))) for k in range(120)]
    for one, other in zip(files[::2], files[1::2], strict=True):
        wrong += any(each is not Told.UNTOLD for each in told(compare(one, other)).values())
    assert wrong <= 9  # of 60: 3 expected, 10 with probability 0.001


def test_another_machine_is_refused_unless_machines_are_what_is_compared(then, tmp_path):
    other = MACHINE | {"cpu": "Another CPU"}
    now = read(write(tmp_path / "now.json", drawn(2), machine=other))
    with pytest.raises(DataError, match="different machines: cpu was 'Some CPU'") as caught:
        compare(then, now)
    assert caught.value.code == "A203"
    assert "--across-machines" in caught.value.hint
    caveat = compare(then, now, across=True).read_with[0]
    assert caveat.startswith("The machines differ: cpu")


def test_memory_that_a_kernel_keeps_makes_no_other_machine(then, tmp_path):
    now = read(write(tmp_path / "now.json", drawn(2), machine=MACHINE | {"memory_mb": 23_990}))
    assert not [said for said in compare(then, now).read_with if "machines" in said]
    less = read(write(tmp_path / "less.json", drawn(2), machine=MACHINE | {"memory_mb": 16_000}))
    with pytest.raises(DataError, match="memory_mb"):
        compare(then, less)


def test_a_suite_of_another_version_does_other_work(then, tmp_path):
    suites = {"calm": {"version": "2", "says": "timed", "when": "2026", "load": ""}}
    now = read(write(tmp_path / "now.json", drawn(2), suites=suites))
    with pytest.raises(DataError, match="the suite calm was of version 1, and is of version 2"):
        compare(then, now, across=True)


def test_measurements_with_nothing_in_common_are_refused(then, tmp_path):
    now = read(write(tmp_path / "now.json", {"other/one": [1.0, 2.0]}))
    with pytest.raises(DataError, match="no benchmark in common"):
        compare(then, now)


def test_packages_and_systems_that_differ_are_said(then, tmp_path):
    machine = MACHINE | {"os": "Linux-6.2", "python": "3.12.1"}
    now = read(write(tmp_path / "now.json", drawn(2), machine=machine, packages={"numpy": "2.5.0"}))
    said = " ".join(compare(then, now).read_with)
    for word in ("Linux-6.1, then Linux-6.2", "3.11.7, then 3.12.1", "numpy 2.4.6 -> 2.5.0"):
        assert word in said


def test_the_gate_is_open_where_nothing_changed_and_closed_where_one_thing_did(then, tmp_path):
    same, _ = judge(then, read(write(tmp_path / "same.json", drawn(2))))
    assert same.passes
    slow, _ = judge(then, read(write(tmp_path / "slow.json", drawn(2, slow=1.5))))
    [failed] = [check for check in slow.checks if not check.passes]
    assert (failed.name, failed.why) == (
        "calm/b0",
        "is more than 25% slower than in the baseline",
    )
    assert failed.estimate.low > 1.25


def test_what_is_not_shown_does_not_pass(then, tmp_path):
    now = read(write(tmp_path / "now.json", drawn(2, noise=0.5, processes=3)))
    found, _ = judge(then, now)
    assert not found.passes
    assert any("is not shown to be at most 25% slower" in check.why for check in found.checks)


def test_a_benchmark_that_is_gone_fails_and_one_that_is_new_is_said(then, tmp_path):
    seconds = drawn(2)
    del seconds["calm/b3"]
    gone = [{"name": "calm/b3", "says": "what is timed", "why": "no compiler"}]
    now = write(tmp_path / "now.json", {**seconds, "calm/new": [1.0, 1.1]}, absent=gone)
    found, said = judge(then, read(now))
    [failed] = [check for check in found.checks if not check.passes]
    assert failed.why == "is in the baseline, and was not measured now: no compiler"
    assert "Not in the baseline: calm/new" in said


def test_a_margin_that_is_none_is_refused(then):
    for margin in (0.0, float("inf"), float("nan")):
        with pytest.raises(PlanError, match="no share above 0"):
            judge(then, then, margin=margin)


def test_false_alarms_are_few_where_times_are_calm_and_many_where_they_are_not():
    calm, wild = (drawn(4, noise=noise, processes=6) for noise in (0.01, 0.4))
    few = false_alarms(calm, drawn(5, noise=0.01, processes=6), margin=0.25, trials=40)
    many = false_alarms(wild, drawn(5, noise=0.4, processes=6), margin=0.25, trials=40)
    assert few.rate.count == 0
    assert many.rate.count >= 39


def test_the_rate_of_false_alarms_is_about_that_of_the_gate_itself(tmp_path):
    """Times at which the gate is closed for nothing in about half of all cases."""
    noise, pairs = 0.1, 60
    files = [read(write(tmp_path / f"{k}.json", drawn(k, noise=noise))) for k in range(2 * pairs)]
    gates = [judge(a, b)[0] for a, b in zip(files[:3], files[3:6], strict=True)]
    measured = np.mean([gate.alarms.rate.value for gate in gates])
    truly = np.mean(
        [
            any(row.found.p_at_most(1.25) > 0.025 / 8 for row in compare(a, b).rows)
            for a, b in zip(files[::2], files[1::2], strict=True)
        ]
    )
    assert 0.05 < truly < 0.99
    assert measured == pytest.approx(truly, abs=0.2)


def test_the_newest_is_the_one_that_was_measured_last_whatever_it_is_called(tmp_path):
    write(tmp_path / "z.json", drawn(1), when="2026-11-28T08:00:00+00:00")
    wanted = write(tmp_path / "a.json", drawn(2), when="2026-11-29T08:00:00+00:00")
    (tmp_path / "zz.json").write_text("{}")
    assert newest(tmp_path) == wanted
    kept = set_baseline(tmp_path, tmp_path / "deep" / "baseline.json")
    assert (tmp_path / "deep" / "baseline.json").read_bytes() == wanted.read_bytes()
    assert kept.source == wanted


def test_a_comparison_with_a_quick_look_says_so(tmp_path):
    whole = read(write(tmp_path / "whole.json", drawn(1)))
    quick = read(write(tmp_path / "quick.json", drawn(2), quick=True))
    for then, now, said in (
        (whole, quick, "The later one was a quick look"),
        (quick, whole, "The earlier one was a quick look"),
        (quick, quick, "Both were a quick look"),
    ):
        assert any(said in each for each in compare(then, now).read_with)
        assert any(said in each for each in judge(then, now)[1])
    assert not any("quick" in each for each in compare(whole, whole).read_with)


def test_a_quick_look_is_no_baseline(tmp_path):
    quick = write(tmp_path / "quick.json", drawn(1), quick=True)
    with pytest.raises(DataError, match="quick look"):
        set_baseline(quick, tmp_path / "baseline.json")
    assert not (tmp_path / "baseline.json").exists()


def test_a_folder_without_measurements_says_how_one_is_made(tmp_path):
    with pytest.raises(DataError, match="no measurement") as caught:
        set_baseline(tmp_path, tmp_path / "baseline.json")
    assert "assay perf run --out" in caught.value.hint


@given(data=st.data())
def test_a_file_that_was_cut_or_changed_is_refused_in_words(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("cut") / "m.json", drawn(1, many=2, processes=3))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DataError, match="no measurement of performance"):
        read(path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d.pop("assay"), "pyperf wrote it, not assay"),
        (lambda d: d["assay"].update(schema_version=2), "schema_version"),
        (lambda d: d["benchmarks"][0]["runs"][0]["metadata"].update(cpu_s=-1), "seconds of CPU"),
        (lambda d: d["benchmarks"][0]["runs"][0].update(values=["a"]), "values"),
        (lambda d: d["benchmarks"][0]["runs"][0].update(values=[-1.0]), "seconds of wall time"),
        (lambda d: d["benchmarks"][0]["runs"][0].update(values=[-1, 3]), "seconds of wall time"),
        (lambda d: d["benchmarks"][0]["runs"][0].update(values=[1e308] * 3), "of wall time"),
        (lambda d: d["benchmarks"].append(d["benchmarks"][0]), "stands twice"),
        (lambda d: d["benchmarks"].pop(0), "is not what its times come to"),
        (lambda d: d["benchmarks"][0]["runs"].pop(), "is not what its times come to"),
        (lambda d: d["assay"]["rows"][0]["cpu"].update(median=1e-9), "not what its times"),
        (lambda d: d["assay"]["rows"][0]["wall"].update(high=9e9), "not what its times"),
        (lambda d: d.update(more=1), "more"),
    ],
)
def test_a_file_of_another_kind_is_told_from_a_measurement(tmp_path, change, word):
    path = write(tmp_path / "m.json", drawn(1))
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=word):
        read(path)


def test_the_page_says_how_times_grow_and_what_is_not_there(tmp_path):
    seconds = {"grown/seal-10": [1e-3, 1.1e-3, 0.9e-3], "grown/seal-1000": [1e-1, 1.1e-1, 0.9e-1]}
    path = write(tmp_path / "m.json", seconds)
    document = json.loads(path.read_text())
    for row, n in zip(document["assay"]["rows"], (10, 1000), strict=True):
        row.update(of="seal", n=n)
    document["assay"]["absent"] = [
        {"name": "grown/rust", "says": "built", "why": "no compiler | <b>"},
        {"name": "grown/odd", "says": "run", "why": "ValueError", "broke": True},
    ]
    path.write_text(json.dumps(document))
    text = page(read(path), "m.json")
    assert "CPU grows: seal as n^1.00 from 10 to 1,000." in text
    assert "| rust | built | not measured: no compiler \\| &lt;b&gt; | | | |" in text
    assert "| odd | run | **broke**: ValueError | | | |" in text


def test_a_page_lies_beside_the_file_that_it_is_made_of(tmp_path):
    path = write(tmp_path / "m.json", drawn(1))
    kept = publish(read(path), path, tmp_path / "pages" / "RESULTS.md")
    assert kept.read_bytes() == path.read_bytes()
    text = (tmp_path / "pages" / "RESULTS.md").read_text()
    assert text == page(read(kept), kept.as_posix())


PROGRAM = """
import json, sys
print("a library that prints")
print("skipped: torch not installed", file=sys.stderr)
print("noise", file=sys.stderr)
times = {"median": 1.0, "low": 0.5, "high": 2.0}
row = {"what": "sort", "n": 1, "rounds": 3, "cpu": times, "wall": times, "note": str(sys.argv[1:])}
slow = {"median": 0.5, "low": 0.4, "high": 0.6}
print(json.dumps([{**row, "who": "assay"}, {**row, "who": "peer", "cpu_ratio": slow, "wall_ratio": times}]))
"""


def test_programs_of_peers_are_run_in_the_order_of_their_list(tmp_path):
    (tmp_path / "peers.yaml").write_text("two: the second first\none: the first\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(PROGRAM)
    heard = []
    found = time_peers(peers_of(tmp_path), quick=True, say=heard.append)
    assert [peer.name for peer in found] == ["two", "one"]
    assert len(heard) == 2
    assert [peer.skipped for peer in found] == ["skipped: torch not installed"] * 2
    assert found[0].rows[0].note == "['--json', '--quick']"
    assert [row.lost for row in found[0].rows] == ["", "we lose on CPU"]
    text = page(read(write(tmp_path / "m.json", drawn(1), peers=[found[0].model_dump()])), "m.json")
    assert text.count("we lose") == 1 + text.count("rows that we lose")


@pytest.mark.parametrize(
    ("listed", "word"),
    [
        (None, "cannot be read"),
        ("- one\n", "a sentence for each"),
        ("../one: it\n", "a sentence for each"),
        ("two: it\n", "no program two.py"),
    ],
)
def test_a_list_of_peers_that_cannot_be_followed_says_why(tmp_path, listed, word):
    if listed is not None:
        (tmp_path / "peers.yaml").write_text(listed)
    (tmp_path / "one.py").write_text("")
    with pytest.raises(PlanError, match=word):
        peers_of(tmp_path)


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("raise SystemExit('it broke')", "exit status 1): it broke"),
        ("print('[]x')", "it printed no rows"),
        ("print('[{}]')", "it printed no rows"),
        ("", "it printed no rows"),
    ],
)
def test_a_program_that_breaks_costs_nothing_but_its_own_rows(tmp_path, program, word):
    (tmp_path / "peers.yaml").write_text("one: it\ntwo: it\n")
    (tmp_path / "one.py").write_text(program)
    (tmp_path / "two.py").write_text(PROGRAM)
    one, two = time_peers(peers_of(tmp_path), quick=False, say=lambda _: None)
    assert word in one.broke
    assert (one.rows, two.broke, len(two.rows)) == ((), "", 2)
    path = write(tmp_path / "m.json", drawn(1), peers=[one.model_dump()])
    assert "**broke**: " in page(read(path), "m.json")


def test_the_programs_in_the_repository_are_all_there():
    assert len(peers_of(ROOT / "bench")) == 11
