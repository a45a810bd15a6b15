"""An archive of a stranger is the run that was ordered, or it is refused: each way of forging one."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import AssayError, DataError
from assay.publish.board.archive import packed, unpack
from assay.publish.board.chatops import admitting
from assay.publish.board.chatops.admitting import Source, admit
from assay.publish.board.chatops.artifacts import member
from assay.store.journal import decisions_of, read_lines
from assay.store.line import encode
from assay.store.manifest import ArtifactFacts, Manifest, read_doc, write_doc
from assay.store.rundir import cell_of
from assay.store.seal import journals, seal

from .conftest import toy_plan
from .github import GoneError

PLAN = toy_plan("toy-model-toy")
NOTHING = Source(digests=frozenset(), sizes=frozenset())


def sealed_again(run):
    """Seal a run as a forger would: everything in it agrees with its seal."""
    decided = {str(p.relative_to(run.root)): decisions_of(read_lines(p)) for p in journals(run)}
    incomplete = tuple(
        sorted(str(cell_of(run.root, run.root / n)) for n, made in decided.items() if made.crashed)
    )
    seal(run, decisions={n: made.digest for n, made in decided.items()}, incomplete=incomplete)


def journal(run):
    return next(p for p in journals(run) if "q8_0" in str(p))


def rewrite(path, lines):
    path.write_bytes(b"".join(encode(line) for line in lines))


def with_first(path, **changes):
    first, *rest = read_lines(path)
    rewrite(
        path,
        [
            msgspec.structs.replace(
                first, decided=msgspec.structs.replace(first.decided, **changes)
            ),
            *rest,
        ],
    )


def manifest(run, **changes):
    write_doc(run.manifest, read_doc(Manifest, run.manifest).model_copy(update=changes))


def easier_targets(run):
    path = run.samples("toy.errands", "test")
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    rows[0]["target"] = next(r["target"] for r in rows if r["target"] != rows[0]["target"])
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def cheaper(run):
    doc = read_doc(Manifest, run.manifest)
    prices = json.loads(json.dumps(doc.prices))
    assert isinstance(prices, dict)
    manifest(run, prices={**prices, "date": "1999-01-01"})


def loaded_another(run):
    doc = read_doc(Manifest, run.manifest)
    file = ArtifactFacts(digest="sha256:" + "0" * 64, kind="weights", size=1)
    facts = doc.systems["q8_0"].model_copy(update={"files": (file,)})
    manifest(run, systems={**doc.systems, "q8_0": facts})


def one_more_system(run):
    path = journal(run)
    other = path.parent.with_name("better") / path.name
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())


FORGED = {
    "records of right answers only": (
        lambda run: rewrite(
            journal(run), [x for x in read_lines(journal(run)) if x.decided.outcome == "correct"]
        ),
        "does not answer each question once",
    ),
    "a record twice": (
        lambda run: rewrite(
            journal(run), [*read_lines(journal(run)), next(read_lines(journal(run)))]
        ),
        "does not answer each question once",
    ),
    "a record of another question": (
        lambda run: with_first(journal(run), sample="test/999-0"),
        "does not answer each question once",
    ),
    "a record in another group": (
        lambda run: with_first(journal(run), group="pattern/999"),
        "does not answer each question once",
    ),
    "a second attempt": (
        lambda run: with_first(journal(run), attempt=1),
        "does not answer each question once",
    ),
    "easier right answers": (easier_targets, "are not the samples of the task"),
    "fewer samples": (
        lambda run: run.samples("toy.errands", "train").unlink(),
        "samples of other tasks or splits",
    ),
    "another plan": (
        lambda run: run.plan.write_bytes(PLAN.replace(b"40", b"20")),
        "its plan is not the one",
    ),
    "the same plan spelled otherwise": (
        lambda run: run.plan.write_bytes(yaml.safe_dump(yaml.safe_load(PLAN)).encode()),
        "its plan is not the one",
    ),
    "the plan of another model": (
        lambda run: run.plan.write_bytes(toy_plan("other-model-toy")),
        "its plan is not the one",
    ),
    "overrides": (
        lambda run: manifest(run, overrides=("--limit 5",)),
        "other rules than the plan's",
    ),
    "no sandbox": (lambda run: manifest(run, sandbox="none"), "other rules than the plan's"),
    "other prices": (cheaper, "something else of prices"),
    "another seed of resampling": (lambda run: manifest(run, rng=1), "something else of rng"),
    "another digest of the plan": (
        lambda run: manifest(run, plan="sha256:" + "0" * 64),
        "something else of plan",
    ),
    "other files loaded": (loaded_another, "something else of"),
    "a system that was not asked for": (one_more_system, "other systems, seeds or splits"),
    "numbers without records": (
        lambda run: run.published.write_text('{"schema_version": 1, "numbers": []}'),
        "numbers without records",
    ),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_run_that_was_changed_and_sealed_again_is_refused(sealed, tmp_path, how):
    forge, why = FORGED[how]
    run = unpack(sealed, tmp_path / "forged")
    forge(run)
    sealed_again(run)
    path = tmp_path / "run.tar.xz"
    path.write_bytes(packed(run))
    with pytest.raises(AssayError, match=why):
        admit(path, PLAN, NOTHING, tmp_path / "into")


def test_an_edited_record_breaks_the_seal(sealed, tmp_path):
    run = unpack(sealed, tmp_path / "forged")
    with_first(journal(run), confidence=0.99)
    path = tmp_path / "run.tar.xz"
    path.write_bytes(packed(run))
    with pytest.raises(AssayError, match="was changed after sealing"):
        admit(path, PLAN, NOTHING, tmp_path / "into")


def test_the_honest_run_is_admitted_with_every_number(sealed, tmp_path):
    admitted = admit(sealed, PLAN, NOTHING, tmp_path / "into")
    assert admitted.archive == hashlib.sha256(sealed.read_bytes()).hexdigest()
    assert admitted.run.estimate("accuracy", "q8_0").n == 40


def test_a_verdict_that_the_verifier_does_not_give_is_found_by_verifying_again(world, sealed):
    event = world.event()
    assert world.do("gate", event).go
    order = world.out
    run = unpack(sealed, world.tmp / "forged")
    wrong = [x for x in read_lines(journal(run)) if x.decided.outcome == "wrong"]
    assert wrong
    rewrite(
        journal(run),
        [
            replace_outcome(line) if line.decided.outcome == "wrong" else line
            for line in read_lines(journal(run))
        ],
    )
    sealed_again(run)
    (order / "run.tar.xz").write_bytes(packed(run))
    done = world.do("recheck", event, artifact=order, token=None)
    assert done.reason == "changed"
    assert done.facts["changed"] == len(wrong)


def replace_outcome(line):
    checks = {**line.decided.checks}
    return msgspec.structs.replace(
        line, decided=msgspec.structs.replace(line.decided, outcome="correct", checks=checks)
    )


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([("sha256:" + "b" * 64, 5, ())], "a file that the model's source does not have"),
        ([("sha256:" + "b" * 64, 7, ())], "none of the files that the model's source names"),
        ([("sha256:" + "b" * 64, 5, ("sha256:" + "c" * 64,))], "does not have"),
    ],
)
def test_files_must_be_those_of_the_models_source(sealed, tmp_path, files, says):
    run = unpack(sealed, tmp_path / "run")
    source = Source(digests=frozenset({"sha256:" + "a" * 64}), sizes=frozenset({7}))
    doc = read_doc(Manifest, run.manifest)

    def holding(*files):
        made = tuple(
            ArtifactFacts(digest=d, kind="weights", size=s, parents=p) for d, s, p in files
        )
        facts = doc.systems["q8_0"].model_copy(update={"files": made})
        return doc.model_copy(update={"systems": {"q8_0": facts}})

    good = ("sha256:" + "a" * 64, 9, ())
    admitting._require_files(run, holding(good, ("sha256:" + "d" * 64, 7, ())), source)
    admitting._require_files(run, holding(good, ("sha256:" + "e" * 64, 5, (good[0],))), source)
    with pytest.raises(AssayError, match=says):
        admitting._require_files(run, holding(*files), source)


def test_an_artifact_that_is_no_run_is_refused():
    def zipped(*members, method=zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as file:
            for name, data in members:
                file.writestr(name, data)
        return buffer.getvalue()

    bomb = zipped(("run.tar.xz", bytes(30_000_000)))
    assert len(bomb) < 100_000
    for data, why in [
        (b"", "no zip"),
        (b"PK\x05\x06" + bytes(18), "something else"),
        (zipped(("../run.tar.xz", b"x")), "something else"),
        (zipped(("run.tar.xz", b"x"), ("more", b"x")), "something else"),
        (bomb, "more than 20,000,000 bytes"),
        # zipfile would unpack these whole before it looks how much was asked for.
        (zipped(("run.tar.xz", bytes(99)), method=zipfile.ZIP_BZIP2), "another way than GitHub"),
        (zipped(("run.tar.xz", bytes(99)), method=zipfile.ZIP_LZMA), "another way than GitHub"),
        (zipped(("run.tar.xz", b"x" * 500))[:60], "no zip"),
    ]:
        with pytest.raises(AssayError, match=why):
            member(data, "a test")


@given(
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    harm=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=6),
)
@settings(max_examples=300)
def test_no_damage_to_an_artifact_is_an_error_of_ours(method, harm):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("run.tar.xz", b"sealed" * 20)
    data = bytearray(buffer.getvalue())
    for at, value in harm:
        data[at % len(data)] = value
    with suppress(DataError):
        assert len(member(bytes(data), "a test")) <= 20_000_000


STRANGE = {
    "nothing": (lambda w: None, "it kept no sealed run"),
    "two": (lambda w: [w.github.keep(8801, b"x"), w.github.keep(8801, b"y")], "2 sealed runs"),
    "one that is gone": (lambda w: w.github.keep(8801, b"x", expired=True), "is gone"),
    "one that is too large": (
        lambda w: w.github.keep(8801, b"x", size_in_bytes=10**9),
        "more than 20,000,000 bytes",
    ),
    "other bytes": (
        lambda w: w.github.keep(8801, b"x", digest="sha256:" + "0" * 64),
        "other bytes",
    ),
    "another run's": (lambda w: w.github.keep(8802, b"x"), "it kept no sealed run"),
    "no archive": (lambda w: w.github.keep(8801, b"x" * 5000), "no xz file"),
}


@pytest.mark.parametrize("how", STRANGE)
def test_a_benchmark_that_left_no_sound_run_is_said_to_have_come_to_nothing(world, how):
    keep, why = STRANGE[how]
    event = world.event()
    assert world.do("gate", event).go
    keep(world)
    done = world.do("report", event)
    assert done.reason == "not-verified"
    assert "came to nothing" in world.github.said()[-1]
    assert why in world.github.said()[-1].replace("\\", "")
    assert "assay-board" not in world.github.said()[-1]


@pytest.mark.parametrize("word", ["failure", "cancelled", "skipped", ""])
def test_a_run_whose_answers_were_not_verified_again_is_not_reported(world, sealed, word):
    event = world.event()
    assert world.do("gate", event).go
    world.github.keep(8801, sealed.read_bytes())
    assert world.do("report", event, rechecked=word).reason == "not-verified"


def test_a_benchmark_that_nobody_ordered_is_not_reported(world, sealed):
    event = world.event()
    world.github.keep(8801, sealed.read_bytes())
    assert world.do("report", event).reason == "not-ordered"
    assert world.do("gate", event, run=8802).go
    assert world.do("report", event).reason == "not-ordered"
    assert len(world.github.said()) == 1


def test_the_token_goes_to_the_api_and_nowhere_else(world, sealed):
    assert world.tested(sealed).go
    stored = [row for row in world.github.asked if row[1].startswith("/stored/")]
    assert stored
    assert not any(has_token for *_, has_token in stored)
    assert all(has_token for _, path, has_token in world.github.asked if path.startswith("/repos"))
    assert "ghs_" not in repr(world.stages[-1])


def test_a_file_is_fetched_only_from_where_it_may_be(world, sealed):
    event = world.event()
    assert world.do("gate", event).go
    world.github.keep(8801, sealed.read_bytes())
    for there in ("file:///etc/passwd", "http://example.org/x", "ftp://a/b", ""):
        world.github.fail("/zip$", GoneError(302, "", location=there))
        assert world.do("report", event).reason == "not-verified"
        assert "may not be fetched from" in world.github.said()[-1]


def test_stages_without_a_token_take_only_what_was_ordered(world):
    event = world.event()
    assert world.do("gate", event).go
    order = world.out
    for stage in ("evaluate", "recheck"):
        with pytest.raises(AssayError, match="there is no order"):
            world.do(stage, event, artifact=world.tmp, token=None)
    (order / "submission.yaml").write_bytes(b"model: {}\n")
    with pytest.raises(AssayError, match="not the submission that was ordered"):
        world.do("evaluate", event, artifact=order, token=None)
    with pytest.raises(AssayError, match="there is no token"):
        world.do("gate", event, token=None)
    assert replace(world.stages[-1].around, token=None) == world.stages[-1].around
