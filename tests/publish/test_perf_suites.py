"""Every benchmark that is shipped does its work; what it times is what it says."""

from __future__ import annotations

import pytest

from assay import PluginError
from assay.benchmarks import Benchmark, Suite
from assay.publish.perf.own.fronts import points
from assay.publish.perf.suites import load_suite, suite_names
from assay.store.journal import read_lines

SMALL = {"front": (50,), "records": (1000,), "stats": ()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


def named(suite: str) -> list[str]:
    return [one.name for one in load_suite(suite).at(SMALL[suite])]


@pytest.mark.parametrize(("suite", "name"), [(s, name) for s in SMALL for name in named(s)])
def test_a_benchmark_of_the_core_does_its_work(suite, name, folder):
    [one] = [each for each in load_suite(suite).at(SMALL[suite]) if each.name == name]
    work = one.make(folder)
    for _ in range(1 if suite == "records" else 2):
        work()


def test_a_second_process_finds_what_the_first_one_made(folder):
    made = {one.name: one for one in load_suite("records").at((1000,))}
    assert made["read-1000"].make(folder)() == 1000
    before = (folder / "1000.jsonl").stat().st_mtime_ns
    assert made["resume-1000"].make(folder)() == 1000
    assert (folder / "1000.jsonl").stat().st_mtime_ns == before
    assert len(list(read_lines(folder / "1000.jsonl"))) == 1000


def test_the_points_of_a_front_are_what_their_kind_says():
    from assay.core.metric import Better
    from assay.stats.frontier import non_dominated

    stands = {
        kind: non_dominated(points(kind, 200, 2), [Better.HIGHER] * 2).sum()
        for kind in ("random", "all-on-it", "ties")
    }
    assert stands["all-on-it"] == 200
    assert 1 <= stands["random"] < 50


@pytest.mark.heavy
@pytest.mark.parametrize("suite", ["lm", "mapper", "science", "verify"])
def test_the_benchmarks_of_a_family_work_or_say_what_is_missing(suite, tmp_path):
    for one in load_suite(suite).at(()):
        try:
            work = one.make(tmp_path)
        except PluginError as error:
            hint = error.hint
        else:
            work()
            continue
        assert hint  # the row says what to install


def test_every_suite_names_what_it_does_once_and_has_a_version():
    for name in suite_names():
        suite = load_suite(name)
        benchmarks = suite.at(())
        assert benchmarks
        assert suite.version
        assert len({one.name for one in benchmarks}) == len(benchmarks)
        assert all(one.says and one.n >= 1 for one in benchmarks)


@pytest.mark.parametrize("name", ["Sort", "a b", "", "-a", "a/b", "a_b"])
def test_a_name_that_no_result_could_carry_is_refused(name):
    with pytest.raises(PluginError):
        Benchmark(name=name, says="it", make=lambda _: lambda: None)


def test_points_of_one_curve_are_made_for_the_sizes_that_are_asked_for():
    def grown(size: int) -> tuple[Benchmark, ...]:
        return (Benchmark(name=f"b-{size}", says="it", make=lambda _: lambda: None, of="b"),)

    suite = Suite(version="1", says="it", benchmarks=(), grows=grown, sizes=(10, 20))
    assert [one.name for one in suite.at(())] == ["b-10", "b-20"]
    assert [one.name for one in suite.at((5,))] == ["b-5"]
