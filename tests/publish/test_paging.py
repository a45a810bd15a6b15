"""A page is a piece of the whole list, whatever is asked for; the list is what a slow reading finds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Run, Sample
from assay.core.errors import PlanError, SealError
from assay.core.verdict import Outcome
from assay.publish.paging.pages import Pages
from assay.publish.paging.searching import said
from assay.publish.paging.wanted import Order, Wanted
from assay.store.canon import digest_file
from assay.store.rundir import RunDir
from publish.harm import TASK, Writing, write_run

RIGHT = {Outcome.CORRECT, Outcome.DECLINED}
WORDS = ("swap", 'a "quoted" word', "Ünïcode", "tab\tbed", "back\\slash", "SHOUT")
REPLIES = {
    "one": lambda i, seed: Answer("ab"[(i * 7 + seed) % 5 > 2], (i * 37 % 100) / 100),
    "two": lambda i, _: Bottom("low", Answer("a", 0.4)) if i % 3 else Answer("b", None),
    "constant": lambda _i, _s: Answer("a", 1.0),
}
SYSTEMS = tuple(REPLIES)


def made(i: int) -> Sample:
    return Sample(
        id=f"{(i * 77) % 120:03}",  # not in the order of the file
        input={"text": WORDS[i % 6], "n": i} if i % 4 == 0 else f"{WORDS[i % 6]} {i}",
        target=Bottom("nothing_asked") if i % 5 == 0 else Answer("ab"[i % 2]),
        group=f"g{i // 4}",
        tags=frozenset({"even" if i % 2 == 0 else "odd"} | ({"rare"} if i % 50 == 3 else set())),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    what = Writing(
        samples=[made(i) for i in range(120)],
        replies=REPLIES,
        max_risk={"one": 0.5},
        timed=False,
    )
    return write_run(tmp_path_factory.mktemp("runs") / "paged", what)


@pytest.fixture(scope="module")
def pages(run: RunDir) -> Pages:
    return Pages.open(run.root)


@pytest.fixture(scope="module")
def slow(run: RunDir) -> dict[str, tuple[Sample, dict[str, list[Outcome]], dict[str, float]]]:
    """Return each sample with what the systems came to, in the plainest way."""
    loaded = Run.load(run.root)
    tables = loaded.results.cases[TASK].tables
    found = {}
    for sample in loaded.results.samples[TASK]:
        at = {s: t.samples.index(sample.id) for s, t in tables.items()}
        outcomes = {
            s: [tuple(Outcome)[code] for code in t.outcome[:, at[s]]] for s, t in tables.items()
        }
        found[sample.id] = (
            sample,
            outcomes,
            {s: t.confidence[0, at[s]] for s, t in tables.items()},
        )
    return found


wanted = st.builds(
    Wanted,
    system=st.sampled_from(("", *SYSTEMS)),
    outcomes=st.frozensets(st.sampled_from(Outcome), max_size=3),
    tag=st.sampled_from(("", "even", "odd", "rare")),
    against=st.sampled_from(("", *SYSTEMS)),
    apart=st.booleans(),
    text=st.sampled_from(
        ("", "SWAP", "ünï", '"quoted"', "tab\t", "\\", "nothing_asked", "zebra", "1")
    ),
    order=st.sampled_from(Order),
)


def meets(what: Wanted, sample: Sample, outcomes: dict[str, list[Outcome]]) -> bool:
    rivals = [what.system] if what.system else ["one", "two"]
    right = {system: found[0] in RIGHT for system, found in outcomes.items()}
    return (
        (not what.outcomes or any(what.outcomes & set(outcomes[s]) for s in rivals))
        and (not what.tag or what.tag in sample.tags)
        and (not what.against or len({right[s] for s in [*rivals, what.against]}) > 1)
        and (not what.apart or right["one"] != right["two"])
        and what.text.lower() in said(sample)
    )


@given(what=wanted, size=st.integers(1, 70))
def test_the_pages_of_a_list_are_the_list_that_a_slow_reading_finds(what, size, pages, slow):
    found = pages.find(what)
    by_page = [
        shown.sample.id
        for number in range(1, found.count(size) + 1)
        for shown in found.page(number, size=size)
    ]
    expected = [
        name for name, (sample, outcomes, _) in slow.items() if meets(what, sample, outcomes)
    ]
    assert sorted(by_page) == sorted(expected)
    assert len(found) == len(expected)
    assert found.page(found.count(size) + 1, size=size) == ()


@given(what=wanted)
def test_every_order_is_the_one_that_it_is_called_by(what, pages, slow):
    names = [shown.sample.id for shown in pages.find(what).page(1, size=200)]
    rivals = [what.system] if what.system else ["one", "two"]

    def sure(name: str) -> float:
        known = [slow[name][2][s] for s in rivals if slow[name][2][s] == slow[name][2][s]]
        return max(known, default=-1.0)

    def apart(name: str) -> tuple[int, int, str]:
        right = [slow[name][1][s][0] in RIGHT for s in ("one", "two")]
        return -min(sum(right), 2 - sum(right)), sum(right), name

    match what.order:
        case Order.ID:
            assert names == sorted(names)
        case Order.APART:
            assert names == sorted(names, key=apart)
        case Order.SURE:
            assert [sure(n) for n in names] == sorted(map(sure, names), reverse=True)
        case Order.UNSURE:
            known = [sure(n) for n in names if sure(n) >= 0]
            assert known == sorted(known)
            assert [sure(n) for n in names][: len(known)] == known, "the silent come last"


def test_a_shown_sample_is_the_whole_sample_with_every_reply_as_shipped(pages, slow):
    for shown in pages.find().page(1, size=200):
        sample, outcomes, _ = slow[shown.sample.id]
        assert shown.sample == sample
        assert {s.system: list(s.outcomes.values()) for s in shown.said} == outcomes
        one = pages.one(sample.id)
        assert [list(s.lines) for s in one.said] == [[0, 1]] * 3
        assert all(line.decided.sample == sample.id for s in one.said for line in s.lines.values())
        assert [s.lines[0] for s in one.said] == [s.lines[0] for s in shown.said]


def test_outcomes_are_counted_over_all_seeds(pages, slow):
    for system in SYSTEMS:
        every = [o for _, outcomes, _ in slow.values() for o in outcomes[system]]
        assert pages.outcomes[system] == {o: every.count(o) for o in Outcome if o in every}


@pytest.mark.parametrize(
    "what", [Wanted(system="three"), Wanted(against="three"), Wanted(tag="none")]
)
def test_a_name_that_is_not_there_is_an_error_that_says_what_is(what, pages):
    with pytest.raises(PlanError) as caught:
        pages.find(what)
    assert caught.value.code == "A103"
    assert "known: " in caught.value.hint


def test_a_sample_that_is_not_there_is_named(pages):
    for name in ("", "zzz", "000x"):
        with pytest.raises(PlanError, match="no test sample"):
            pages.one(name)


@pytest.fixture
def copy(run: RunDir, tmp_path: Path) -> RunDir:
    shutil.copytree(run.root, tmp_path / "copy")
    Pages.open(tmp_path / "copy")
    return RunDir(tmp_path / "copy")


def shelf_of(run: RunDir) -> Path:
    [folder] = (run.work / "shelves" / digest_file(run.seal).removeprefix("sha256:")).iterdir()
    return folder


def test_what_is_kept_is_opened_without_reading_the_run(copy):
    before = {p.name: p.stat().st_mtime_ns for p in shelf_of(copy).iterdir()}
    assert len(Pages.open(copy.root)) == 60
    assert {p.name: p.stat().st_mtime_ns for p in shelf_of(copy).iterdir()} == before


@pytest.mark.parametrize("kind", ["apart.npy", "label.json", "reply-0-0.npy"])
@pytest.mark.parametrize("harm", ["cut", "turned", "gone"])
def test_a_damaged_index_is_made_again(kind, harm, copy, pages):
    file = shelf_of(copy) / kind
    data = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "turned":
            file.write_bytes(data[:-9] + bytes([data[-9] ^ 64]) + data[-8:])
        case "gone":
            file.unlink()
    assert Pages.open(copy.root).find().page(1) == pages.find().page(1)
    assert file.is_file()


def test_the_first_opening_chooses_thresholds_and_computes_nothing_else(run, tmp_path, pages):
    shutil.copytree(run.root, tmp_path / "new", ignore=shutil.ignore_patterns("cache"))
    called = set()

    def seen(frame, event, _):
        if event == "call":
            called.add((frame.f_globals.get("__name__"), frame.f_code.co_name))

    sys.setprofile(seen)
    try:
        opened = Pages.open(tmp_path / "new")
    finally:
        sys.setprofile(None)
    assert opened.find().page(1, size=60) == pages.find().page(1, size=60)
    assert ("assay.analysis.thresholds", "choose") in called
    others = {"infer", "claims", "decision", "flags", "vacuity", "fronts", "redraws"}
    assert not {at for at in called if at[0] in {f"assay.analysis.{name}" for name in others}}
    assert ("assay.stats.resamples", "draw") not in called


def test_a_file_that_was_edited_since_is_not_shown(copy):
    journal = next((copy.root / "records").glob("*/*/*-test.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b'"a"', b'"b"', 1))
    with pytest.raises(SealError, match="changed after it was sealed"):
        Pages.open(copy.root)


def test_where_nothing_can_be_kept_the_index_goes_with_its_reader(run, tmp_path, pages):
    shutil.copytree(run.root, tmp_path / "bare", ignore=shutil.ignore_patterns("cache"))
    (tmp_path / "bare" / "cache").write_text("a file where a folder should be", "utf-8")
    opened = Pages.open(tmp_path / "bare")
    assert opened.find().page(1) == pages.find().page(1)
    assert (opened.dir.root / "cache").is_file()
