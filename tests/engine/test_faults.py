"""A broken system is recorded as what it is, and harms nobody beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from assay import PluginError
from assay.engine import asking
from assay.store.journal import repair
from assay.store.line import Line
from assay.store.rundir import RunDir
from assay.store.seal import faults, journals, read_seal
from assay.testing import FAULTS, HOSTILE, hash_of
from runs import decisions, evidence_of, execute_plan, lines_of, write_plan

HEAD = """\
name: broken
seeds: [0]
tasks: [{use: toy.errands, limit: 24}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {reply_s: 2, build_s: 60, deaths: 1}
"""
SOUND = """\
  - {name: votes, use: toy.votes}
  - {name: last-word, use: toy.last_word}
"""
ABORTING = ("doubled", "unknown")
"""These break the contract so that nothing they say can be trusted: the run stops."""

CALLED = {"silent": "silence"}
"""A system may not be called like a control."""

RARELY = {"huge": 12, "prints": 3, "too_few": 5}


def broken_plan() -> str:
    rows = [
        f"  - {{name: {CALLED.get(fault, fault)}, use: testing.faulty, "
        f"options: {{fault: {fault}, every: {RARELY.get(fault, 1)}}}}}\n"
        for fault in FAULTS
        if fault not in ABORTING
    ]
    rows.append("  - {name: dies-rarely, use: testing.faulty, options: {fault: dies, every: 12}}\n")
    claims = """\
claims:
  - {id: lost, says: It is right., system: disk, metric: accuracy, at_least: 0.0, over: []}
  - {id: kept, says: It is not all wrong., system: votes, metric: accuracy, at_least: 0.0, over: []}
"""
    return HEAD + "systems:\n" + SOUND + "".join(rows) + claims


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a sealed run in which nearly everything went wrong."""
    folder = tmp_path_factory.mktemp("broken")
    return execute_plan(write_plan(folder, broken_plan()), folder / "run")


def kinds(run: RunDir, system: str) -> Counter[tuple[str, str]]:
    """Return how often a system's replies were of which kind, and for which reason."""
    lines = lines_of(run, system).values()
    return Counter((line.decided.kind, line.decided.reason) for line in lines)


def outcomes(run: RunDir, system: str) -> set[str]:
    return {line.decided.outcome for line in lines_of(run, system).values()}


def test_every_fault_has_a_line_for_every_question(run: RunDir) -> None:
    asked = lines_of(run, "none").keys()
    assert len(asked) == 24
    for fault in set(FAULTS) - set(ABORTING):
        assert lines_of(run, CALLED.get(fault, fault)).keys() == asked


def test_a_run_full_of_broken_systems_is_sealed_and_intact(run: RunDir) -> None:
    assert faults(run) == []


def test_systems_beside_broken_ones_decide_the_same_as_without_them(
    run: RunDir, tmp_path: Path
) -> None:
    alone = execute_plan(write_plan(tmp_path, HEAD + "systems:\n" + SOUND), tmp_path / "run")
    for path, digest in decisions(alone).items():
        assert decisions(run)[path] == digest


def test_no_fault_is_an_answer_to_every_question(run: RunDir) -> None:
    assert kinds(run, "none") == {("answer", ""): 24}


def test_silence_is_a_decline_and_right_only_where_nothing_was_asked(run: RunDir) -> None:
    assert kinds(run, "silence") == {("bottom", "silent"): 24}
    assert outcomes(run, "silence") == {"withheld", "declined"}


@pytest.mark.parametrize("fault", ["empty", "too_few"])
def test_a_question_without_a_reply_has_failed(run: RunDir, fault: str) -> None:
    found = kinds(run, fault)
    assert found["failed", "no_reply"] >= 1
    assert set(found) <= {("failed", "no_reply"), ("answer", "")}
    assert "declined" not in outcomes(run, fault)


def test_an_empty_system_fails_everything(run: RunDir) -> None:
    assert kinds(run, "empty") == {("failed", "no_reply"): 24}


def test_a_system_that_raises_has_died_and_the_traceback_is_kept(run: RunDir) -> None:
    assert kinds(run, "raises") == {("failed", "died"): 24}
    first = next(iter(first_asked(run, "raises")))
    assert f"RuntimeError: cannot answer {first}" in evidence_of(run, "raises", first)
    assert "Traceback (most recent call last)" in evidence_of(run, "raises", first)


def first_asked(run: RunDir, system: str) -> list[str]:
    """Return samples in the order in which they were asked."""
    from assay.store.samples import read_samples

    known = lines_of(run, system)
    return [s.id for s in read_samples(run.samples("toy.errands", "test")) if s.id in known]


def test_a_system_that_is_killed_has_died_and_its_exit_status_is_kept(run: RunDir) -> None:
    assert kinds(run, "dies") == {("failed", "died"): 24}
    assert "exit status -9" in evidence_of(run, "dies", first_asked(run, "dies")[0])


def test_a_death_is_blamed_on_its_question_and_the_next_process_goes_on(run: RunDir) -> None:
    fatal = {name for name in first_asked(run, "dies-rarely") if hash_of(name) % 12 == 0}
    assert len(fatal) == 1, "as many deaths as the plan allows"
    for name, line in lines_of(run, "dies-rarely").items():
        assert (line.decided.kind == "failed") == (name in fatal)


def test_a_system_that_hangs_was_too_slow(run: RunDir) -> None:
    assert kinds(run, "hangs") == {("failed", "too_slow"): 24}
    assert "no sign of life for 2 s" in evidence_of(run, "hangs", first_asked(run, "hangs")[0])


def test_answers_to_the_wrong_questions_are_no_better_than_chance(run: RunDir) -> None:
    def right(system: str) -> int:
        return sum(line.decided.outcome == "correct" for line in lines_of(run, system).values())

    assert kinds(run, "shifted") == {("answer", ""): 24}
    assert right("shifted") <= right("random") + 6


def test_the_order_of_replies_does_not_matter(run: RunDir) -> None:
    by_system = {path.split("/")[2]: digest for path, digest in decisions(run).items()}
    assert by_system["reversed"] == by_system["none"]


def test_a_system_that_looks_for_the_target_sees_nothing(run: RunDir) -> None:
    assert kinds(run, "peeking") == {("bottom", "nothing_to_see"): 24}


def test_hostile_text_is_kept_as_it_is_and_does_no_harm(run: RunDir) -> None:
    said = {line.decided.value for line in lines_of(run, "hostile").values()}
    assert said == set(HOSTILE)
    assert outcomes(run, "hostile") == {"wrong", "invented"}


def test_a_long_answer_is_kept_whole(run: RunDir) -> None:
    said = [line.decided.value for line in lines_of(run, "huge").values()]
    assert {len(str(value)) for value in said} == {3, 5_000_000}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("non_finite", "non_finite"),
        ("bad_confidence", "bad_confidence"),
        ("not_json", "not_json"),
        ("build_raises", "not_built"),
    ],
)
def test_what_cannot_be_recorded_has_failed_with_its_reason(
    run: RunDir, fault: str, why: str
) -> None:
    assert kinds(run, fault) == {("failed", why): 24}
    assert outcomes(run, fault) == {"failed"}


def test_the_traceback_of_a_build_is_kept(run: RunDir) -> None:
    first = first_asked(run, "build_raises")[0]
    assert "RuntimeError: cannot be built" in evidence_of(run, "build_raises", first)


def test_a_system_that_prints_forged_replies_only_talks_to_its_log(run: RunDir) -> None:
    by_system = {path.split("/")[2]: digest for path, digest in decisions(run).items()}
    assert by_system["prints"] == by_system["none"]
    logs = b"".join(
        path.read_bytes() for path in (run.work / "logs" / "toy.errands" / "prints").iterdir()
    )
    assert b'{"reply": "forged"}' in logs


def test_a_full_disk_is_our_crash_and_the_cell_stays_incomplete(run: RunDir) -> None:
    assert kinds(run, "disk") == {("crash", "machine"): 24}
    assert read_seal(run).incomplete == ("toy.errands/disk/0-test",)
    assert "No space left on device" in evidence_of(run, "disk", first_asked(run, "disk")[0])


def test_a_full_disk_is_tried_three_times(run: RunDir) -> None:
    """Each try is a process of its own; the journal has one line per question all the same."""
    path = run.root / "records" / "toy.errands" / "disk" / "0-test.jsonl"
    assert len(repair(path).lines) == path.read_bytes().count(b"\n") == 24


def test_claims_on_an_incomplete_cell_stay_undecided(run: RunDir) -> None:
    from assay import Run, Status

    found = {f.claim.id: f for f in Run.load(run.root).results.findings}
    assert found["lost"].status is Status.UNDECIDED
    assert "not observed" in found["lost"].notes[0]
    assert found["kept"].status is Status.SUPPORTED


def test_a_stateful_system_answers_like_any_other_when_nothing_goes_wrong(run: RunDir) -> None:
    by_system = {path.split("/")[2]: digest for path, digest in decisions(run).items()}
    assert by_system["stateful"] == by_system["none"]


@pytest.mark.parametrize("fault", ABORTING)
def test_a_reply_that_names_no_open_question_stops_the_run_and_names_the_system(
    tmp_path: Path, fault: str
) -> None:
    row = f"  - {{name: culprit, use: testing.faulty, options: {{fault: {fault}, every: 3}}}}\n"
    plan = write_plan(tmp_path, HEAD + "systems:\n" + SOUND + row)
    with pytest.raises(PluginError) as caught:
        execute_plan(plan, tmp_path / "run")
    assert caught.value.code == "A402"
    assert "culprit" in caught.value.what
    assert caught.value.where == "toy.errands/culprit/0-test"
    assert caught.value.hint
    run = RunDir(tmp_path / "run")
    assert not run.seal.exists()
    for path in journals(run):
        assert repair(path).torn_bytes == 0


ODD = """\
name: odd
tasks: [{use: awkward.copy, options: {n: 8}}]
timing: {processes: 1, blocks: 1, questions: 1}
limits: {reply_s: 20, build_s: 60, deaths: 1}
systems:
"""
ODDITIES = {
    "whole_numbers": {("answer", ""): 8},
    "numpy_confidence": {("answer", ""): 8},
    "deep": {("failed", "not_json"): 8},
    "surrogate": {("failed", "not_json"): 8},
    "bad_proposal": {("failed", "bad_confidence"): 8},
    "reads_stdin": {("answer", ""): 8},
    "closes_pipes": {("failed", "died"): 8},
    "forges": {("failed", "died"): 8},
    "exits": {("failed", "died"): 8},
    "not_built": {("failed", "not_built"): 8},
    "disk_full_at_build": {("crash", "machine"): 8},
    "talks_for_ever": {("failed", "too_long"): 8},
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunDir]:
    """Return a run of systems that are odd rather than broken."""
    from runs import installed

    folder = tmp_path_factory.mktemp("odd")
    *odd, _ = ODDITIES
    rows = [f"  - {{name: {x}, use: awkward.odd, options: {{what: {x}}}}}\n" for x in odd]
    rows.append("  - {name: talks_for_ever, use: testing.faulty, options: {fault: huge}}\n")
    with pytest.MonkeyPatch.context() as patch, installed(patch):
        patch.setattr(asking, "LAST_BREATH_S", 0.2)
        patch.setattr(asking, "LINE_LIMIT", 1_000_000)
        yield execute_plan(write_plan(folder, ODD + "".join(rows)), folder / "run")


@pytest.mark.parametrize("what", ODDITIES)
def test_an_odd_system_is_recorded_as_what_it_is(odd: RunDir, what: str) -> None:
    assert kinds(odd, what) == ODDITIES[what]
    assert faults(odd) == []


def test_a_line_to_the_engine_that_is_no_message_ends_its_process_and_is_told(odd: RunDir) -> None:
    told = [
        evidence_of(odd, "forges", sample)
        for sample, line in lines_of(odd, "forges").items()
        if line.usage.at
    ]
    assert any("wrote what is no message" in each for each in told)


def test_whole_numbers_beside_an_answer_do_not_damage_the_journal(odd: RunDir) -> None:
    line: Line = lines_of(odd, "whole_numbers")["test-000"]
    assert (line.decided.confidence, line.usage.busy_s, line.usage.tokens_in) == (1.0, 0.0, 3)


def test_a_system_that_reads_its_input_does_not_read_ours(odd: RunDir) -> None:
    assert {line.decided.value for line in lines_of(odd, "reads_stdin").values()} == {""}


def test_a_disk_that_is_full_when_a_system_is_built_is_our_crash(odd: RunDir) -> None:
    assert read_seal(odd).incomplete == ("awkward.copy/disk_full_at_build/0-test",)


def test_a_system_that_builds_for_ever_is_not_built(plugins: None, tmp_path: Path) -> None:
    row = "  - {name: slow, use: awkward.odd, options: {what: builds_for_ever}}\n"
    path = write_plan(tmp_path, ODD.replace("build_s: 60", "build_s: 1") + row)
    assert kinds(execute_plan(path, tmp_path / "run"), "slow") == {("failed", "not_built"): 8}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("text_for_reply", "yielded str, not a Reply"),
        ("late_attempt", "a question not asked"),
        ("text_for_usage", "usage.busy_s is 'fast'"),
        ("nan_note", "the note 'loss' of a build is nan"),
    ],
)
def test_an_odd_system_that_breaks_the_contract_stops_the_run(
    plugins: None, tmp_path: Path, what: str, words: str
) -> None:
    row = f"  - {{name: culprit, use: awkward.odd, options: {{what: {what}}}}}\n"
    with pytest.raises(PluginError) as caught:
        execute_plan(write_plan(tmp_path, ODD + row), tmp_path / "run")
    assert caught.value.code == "A402"
    assert words in caught.value.what
    assert caught.value.where


BAD = ODD.replace("use: awkward.copy, options: {n: 8}", "use: awkward.bad, options: {fault: FAULT}")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nan_score", "score 'kl' is nan"),
        ("no_check", "yielded bool, not a Check"),
        ("too_few_checks", "returned"),
        ("too_many_checks", "returned"),
    ],
)
def test_a_verifier_that_breaks_the_contract_stops_the_run(
    plugins: None, tmp_path: Path, fault: str, words: str
) -> None:
    path = write_plan(
        tmp_path, BAD.replace("FAULT", fault) + "  - {name: echo, use: awkward.echo}\n"
    )
    with pytest.raises(PluginError, match="A402") as caught:
        execute_plan(path, tmp_path / "run")
    assert words in caught.value.what


@pytest.mark.slow
def test_no_reply_is_late_because_a_verifier_is_slow(plugins: None, tmp_path: Path) -> None:
    text = BAD.replace("FAULT", "slow").replace("reply_s: 20", "reply_s: 2")  # less than it takes
    rows = [f"  - {{name: {name}, use: awkward.echo}}\n" for name in ("echo", "again", "once-more")]
    begun = monotonic()
    run = execute_plan(write_plan(tmp_path, text + "".join(rows)), tmp_path / "run")
    assert monotonic() - begun > 2.5
    said = [line.decided for path in journals(run) for line in repair(path).lines]
    assert len(said) > 3 * 8
    assert {line.kind for line in said} <= {"answer", "bottom"}
    assert faults(run) == []


def test_an_answer_that_could_not_be_checked_is_our_crash_and_asked_again(
    plugins: None, tmp_path: Path
) -> None:
    text = BAD.replace("FAULT", "loses_some") + "  - {name: echo, use: awkward.echo}\n"
    path = write_plan(tmp_path, text)
    run = execute_plan(path, tmp_path / "run")
    assert outcomes(run, "echo") == {"correct", "crashed", "invented"}
    assert "awkward.bad/echo/0-test" in read_seal(run).incomplete
    run.seal.unlink()
    again = execute_plan(path, run.root)
    journal = again.root / "records" / "awkward.bad" / "echo" / "0-test.jsonl"
    assert journal.read_bytes().count(b"\n") > 8, "crashed questions were asked again"
    assert faults(again) == [], "lines that were superseded do not look like tampering"


def test_scores_and_evidence_of_a_verifier_are_kept(plugins: None, tmp_path: Path) -> None:
    text = BAD.replace("FAULT", "counts") + "  - {name: echo, use: awkward.echo}\n"
    run = execute_plan(write_plan(tmp_path, text), tmp_path / "run")
    assert lines_of(run, "echo")["test-000"].decided.checks == {"tests": 3.0}
    assert evidence_of(run, "echo", "test-000") == "[log]\n3 passed 🦀"
    assert faults(run) == []
