"""The registry is a function of the files beside it, and the history is only ever added to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.core.errors import DataError, PlanError, RunError, SealError
from assay.publish.board.adding import withdraw
from assay.publish.board.building import build, document
from assay.publish.board.card import FileCard
from assay.publish.board.cards import Placing, card_of
from assay.publish.board.events import Event, append_event, read_events
from assay.publish.board.home import Board
from assay.publish.board.mapping import place_systems
from assay.publish.board.older import KEPT
from assay.publish.board.registry import build_registry, registry_bytes
from assay.publish.run import Run
from assay.store.canon import digest_file
from assay.store.manifest import ArtifactFacts, Manifest, read_doc
from assay.store.rundir import RunDir
from publish.board_runs import WHO, board_at, put, right_at, run_of


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDir:
    where = tmp_path_factory.mktemp("runs") / "one"
    return run_of(where, {"first": right_at(0.9), "second": right_at(0.5)})


@pytest.fixture
def board(tmp_path) -> Path:
    return board_at(tmp_path / "board", "first", "second", "third")


def states(board: Path) -> dict[str, str]:
    return {m.id: m.state for m in build_registry(board).models}


def test_a_model_is_pending_tested_published_withdrawn_and_tested_again(board, run):
    assert set(states(board).values()) == {"pending"}
    put(board, run, "first:F16=first", "second:Q8_0=second")
    assert states(board) == {"first": "tested", "second": "tested", "third": "pending"}
    put(board, run, action="publish", at="2026-11-29T13:00:00Z")
    assert states(board)["first"] == "published"
    withdraw(board, "first", who=WHO)
    assert states(board) == {"first": "withdrawn", "second": "published", "third": "pending"}
    with pytest.raises(PlanError, match="withdrawn already"):
        withdraw(board, "first", who=WHO)
    shown = {row["model"] for c in document(board)["cohorts"] for row in c["rows"]}
    assert shown == {"second", None}
    put(board, run)
    assert states(board)["first"] == "tested"
    told = [(e.action, e.model) for e in read_events(Board(board).events)]
    assert told == [
        ("test", "first"),
        ("test", "second"),
        ("publish", "first"),
        ("publish", "second"),
        ("withdraw", "first"),
        ("test", "first"),
    ]


def test_the_same_command_twice_changes_no_byte(board, run):
    def everything() -> dict[str, bytes]:
        files = (p for p in (board / "models").rglob("*") if p.is_file())
        return {str(p): p.read_bytes() for p in files}

    put(board, run, "first=first")
    before = everything()
    again = put(board, run, at="2027-01-01T00:00:00Z")
    assert everything() == before
    assert again.note
    assert again.placed["first"].model == "first"


def test_a_run_can_be_withdrawn_by_the_digits_of_its_seal(board, run):
    seal = put(board, run, "first=first").card.seal
    assert withdraw(board, seal[:8], who=WHO) == f"the run {seal[:16]}"
    assert states(board)["first"] == "pending"
    assert document(board)["cohorts"] == []
    with pytest.raises(PlanError, match="no model or run"):
        withdraw(board, seal[:7], who=WHO)


def test_the_registry_is_the_same_bytes_wherever_and_whenever_it_is_built(board, run, tmp_path):
    put(board, run, "first=first")
    made = registry_bytes(build_registry(board))
    assert Board(board).registry.read_bytes() == made
    Board(board).registry.unlink()
    moved = tmp_path / "elsewhere"
    board.rename(moved)
    for path in (moved / "models").rglob("*"):
        os.utime(path, (0, 0))
    assert registry_bytes(build_registry(moved)) == made
    assert str(tmp_path).encode() not in made


def test_models_of_the_documented_older_registry_are_pending_and_bring_no_score(board):
    home = Board(board)
    old = {
        "models": [
            {
                "id": "x",
                "name": "Old/Model 1B",
                "parameters": "1.1B",
                "context_window": 4096,
                "aggregate_score": 81.5,
                "safety": {"gdpr": True},
                "date_added": "2026-01-14T10:00:00Z",
                "rank": 1,
            },
            {"name": "first", "aggregate_score": 99.0},
        ],
        "metadata": {"schema_version": "2.0.0", "total_models": 2},
    }
    home.registry.write_text(json.dumps(old))
    built = build(board)
    assert built.kept == home.models / KEPT
    assert json.loads(built.kept.read_text()) == old
    by_id = {m.id: m for m in build_registry(board).models}
    one = by_id["old-model-1b"]
    assert (one.state, one.parameters, one.context_length) == ("pending", 1_100_000_000, 4096)
    assert (one.submission, one.added) == (None, "2026-01-14")
    assert by_id["first"].submission == "models/submissions/first.yaml", "the submission wins"
    assert b"81.5" not in home.registry.read_bytes()
    assert b"99" not in (home.site / "leaderboard.json").read_bytes()
    before = home.registry.read_bytes()
    assert build(board).kept is None
    assert home.registry.read_bytes() == before


def test_a_registry_of_schema_0_is_made_again(board):
    Board(board).registry.write_text('{"schema_version": 0, "models": {}}')
    build(board)
    made = json.loads(Board(board).registry.read_bytes())
    assert made["schema_version"] == 1
    assert len(made["models"]) == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"schema_version": 2, "models": []}', SealError),
        ('{"schema_version": true, "models": []}', SealError),
        ('{"metadata": {"schema_version": "3.0.0"}, "models": []}', SealError),
        ('{"models": []}', DataError),
        ("[]", DataError),
        ("{", DataError),
        ('{"metadata": {"schema_version": "2.0.0"}, "models": {}}', DataError),
        ('{"metadata": {"schema_version": "2.0.0"}, "models": [{"id": 1}]}', DataError),
    ],
)
def test_a_registry_that_is_newer_or_damaged_is_not_touched(text, kind, board):
    Board(board).registry.write_text(text)
    with pytest.raises(kind) as raised:
        build(board)
    assert raised.value.hint
    assert Board(board).registry.read_text() == text
    assert not Board(board).site.exists()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"run": "a" * 64}, "which has no card"),
        ({"model": "fourth"}, "which has no submission"),
    ],
)
def test_an_event_that_names_what_is_not_there_says_so(event, says, board):
    told = Event.model_validate({"at": WHO.at, "by": "x", "action": "test", **event})
    append_event(Board(board).events, told)
    with pytest.raises(DataError, match=says):
        build_registry(board)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "no",
        '{"action":"test","at":"today","by":"x"}',
        '{"action":"delete","at":"2026-11-29T12:00:00Z","by":"x"}',
        '{"action":"test","at":"2026-11-29T12:00:00Z","by":"x","run":"../../etc"}',
        '{"action":"test","at":"2026-11-29T12:00:00Z","by":"x","admin":true}',
    ],
)
def test_a_damaged_history_is_named_by_its_line_and_nothing_is_added(line, board):
    path = Board(board).events
    good = Event(at=WHO.at, by="x", action="submit", model="first")
    append_event(path, good)
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"events\.jsonl:2"):
        append_event(path, good)
    assert path.read_bytes() == before


def test_a_run_is_not_added_to_a_board_with_a_damaged_history(board, run):
    Board(board).events.write_bytes(b"boo\n")
    with pytest.raises(DataError, match="this is no event"):
        put(board, run, "first=first")
    assert not Board(board).results.exists()


def test_events_that_are_there_stay_byte_for_byte(tmp_path):
    path = tmp_path / "events.jsonl"
    old = b'{"by":"somebody", "action":"submit","at":"2026-11-29T12:00:00Z"}'
    path.write_bytes(old)
    append_event(path, Event(at=WHO.at, by="x", action="submit", why="<b>\u2028"))
    assert path.read_bytes().startswith(old + b"\n")
    assert [e.by for e in read_events(path)] == ["somebody", "x"]


def test_two_submissions_of_one_id_and_one_with_errors_are_named(board):
    folder = board / "models" / "submissions"
    (folder / "twin.yml").write_text((folder / "first.yaml").read_text())
    with pytest.raises(DataError, match="two submissions are called 'first'"):
        build_registry(board)
    (folder / "twin.yml").write_text("model: {}")
    with pytest.raises(DataError, match="assay board check"):
        build_registry(board)


def test_a_second_writer_is_kept_out_and_changes_nothing(board, run):
    with Board(board).writing(), pytest.raises(RunError, match="A501"):
        put(board, run, "first=first")
    assert not Board(board).results.exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("first", "does not say which system"),
        ("=first", "does not say which system"),
        ("fourth=first", "no submission is called 'fourth'"),
        ("first=fourth", "no system under test is called 'fourth'"),
        ("first=silent", "no system under test is called 'silent'"),
        ("first:Q4=first", "no quantisation 'Q4'"),
    ],
)
def test_a_wrong_mapping_says_what_there_is(given, says, board, run):
    with pytest.raises(PlanError, match=says) as raised:
        put(board, run, given)
    assert raised.value.hint
    assert not Board(board).results.exists()


@pytest.mark.parametrize("plan", ["second", "second-open"])
def test_a_plan_that_is_called_like_a_model_maps_its_systems(plan, board, tmp_path):
    systems = {"q8_0": right_at(0.9), "rival": right_at(0.5)}
    ends = {"second": "", "second-open": " Here: Second, suite open 1"}
    says = f"What is made of questions?{ends[plan]}"
    added = put(board, run_of(tmp_path / "run", systems, name=plan, says=says))
    assert {name: (p.model, p.quantisation, p.mapped) for name, p in added.placed.items()} == {
        "q8_0": ("second", "Q8_0", "plan")
    }
    suite = {"name": "open", "version": "1", "says": "What is made of questions?"}
    assert added.card.suite == (suite if plan == "second-open" else None)
    (cohort,) = document(board)["cohorts"]
    assert cohort["suite"]["name"] == ("open" if plan == "second-open" else "second")


def test_a_system_is_known_by_the_bytes_that_it_loaded(board, run):
    folder = board / "models" / "submissions"
    (folder / "weights.gguf").write_bytes(b"GGUF" * 100)
    text = (folder / "third.yaml").read_text()
    told = text.replace("format: gguf,", "format: gguf, source: 'file:weights.gguf',").replace(
        ", file: third-q8_0.gguf", ""
    )
    (folder / "third.yaml").write_text(told)
    manifest = read_doc(Manifest, run.manifest)
    loaded = ArtifactFacts(
        digest=digest_file(folder / "weights.gguf"), kind="weights", size=400, source="file:x"
    )
    facts = manifest.systems["first"].model_copy(update={"files": (loaded,)})
    holding = manifest.model_copy(update={"systems": {**manifest.systems, "first": facts}})
    placed = place_systems(holding, board=board, cards=())
    assert placed == {"first": Placing(model="third", quantisation="Q8_0", mapped="digest")}
    (folder / "weights.gguf").write_bytes(b"FUGG" * 100)
    assert place_systems(holding, board=board, cards=()) == {}, "the same size is not enough"
    card = card_of(Run.load(run.root), placed={"first": placed["first"]})
    known = card.systems["first"].model_copy(
        update={"files": (FileCard(digest=loaded.digest, kind="weights", size=400),)}
    )
    other = card.model_copy(update={"systems": {**card.systems, "first": known}})
    assert place_systems(holding, board=board, cards=[other]) == placed, "as another run says"


def test_what_a_killed_command_left_is_completed_by_the_same_command(board, run):
    added = put(board, run, "first=first")
    home = Board(board)
    whole = home.registry.read_bytes(), home.events.read_bytes()
    for after in (home.registry, home.events, home.card(added.card.seal)):
        after.unlink()  # each is written after the next, whole or not at all
        registry = build_registry(board)
        assert {m.state for m in registry.models} <= {"pending", "tested"}
        document(board)
    put(board, run, "first=first")
    assert (home.registry.read_bytes(), home.events.read_bytes()) == whole


@pytest.mark.parametrize("harm", [lambda raw: raw[:500], lambda _: b'{"schema_version": 0}'])
def test_a_damaged_card_is_made_again_as_its_message_says(harm, board, run):
    added = put(board, run, "first=first")
    card = Board(board).card(added.card.seal)
    whole = card.read_bytes()
    card.write_bytes(harm(whole))
    with pytest.raises((DataError, SealError), match="add") as told:
        build_registry(board)
    assert "assay board add RUN" in str(told.value) or "add the run again" in str(told.value)
    put(board, run, "first=first")
    assert card.read_bytes() == whole


def test_a_quantisation_that_nobody_names_is_not_assumed(board, run):
    """Files may have been made of the one that was submitted."""
    assert put(board, run, "first=first").placed["first"].quantisation is None


def test_two_forms_that_differ_in_a_mark_are_each_their_own(board, tmp_path):
    path = board / "models" / "submissions" / "first.yaml"
    path.write_text(
        path.read_text("utf-8") + "    - {name: q8-0, format: gguf, file: other.gguf}\n", "utf-8"
    )
    told = run_of(tmp_path / "run", {"q8_0": right_at(0.9), "q8-0": right_at(0.5)})
    placed = put(board, told, "first=q8_0", "first=q8-0").placed
    assert {name: p.quantisation for name, p in placed.items()} == {"q8_0": "Q8_0", "q8-0": "q8-0"}


def test_a_file_that_was_made_of_a_submitted_one_is_named_by_its_precision(board, run):
    """The submission need not have it: its digest stands in the card."""
    assert put(board, run, "first:Q4_K_M=first").placed["first"].quantisation == "Q4_K_M"
