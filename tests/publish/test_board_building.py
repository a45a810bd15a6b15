"""What is built into the page: equal files equal bytes, other people's text as text, nothing made up."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.core.metric import Better, Origin
from assay.publish.board.adding import withdraw
from assay.publish.board.assets import page_files
from assay.publish.board.building import as_json, build, document
from assay.publish.board.card import Card
from assay.publish.board.cards import card_of, read_card, write_card
from assay.publish.board.cohorts import cohorts_of
from assay.publish.board.home import Board
from assay.publish.board.measuring import TOKENS, column_of
from assay.publish.board.verifying import Outcome, verify_board
from assay.publish.run import Run
from assay.store.manifest import Manifest, read_doc, write_doc
from assay.store.rundir import RunDir
from assay.store.seal import read_seal, seal
from publish.board_runs import CPU, WHO, board_at, crash_at, put, right_at, run_of

COLUMN = "accuracy@toy.errands"
DOCS = Path(__file__).parents[2] / "docs" / "board.md"
CLAIM = {"id": "good", "says": "It is good", "system": "strong", "metric": "accuracy",
         "at_least": 0.5}  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[RunDir, RunDir]:
    """Two runs of the same samples on the same machine: one of two systems, one of a third."""
    folder = tmp_path_factory.mktemp("two")
    systems = {"strong": right_at(0.95), "twin": right_at(0.93), "broken": crash_at(right_at(1), 3)}
    one = run_of(folder / "one", systems, claims=[CLAIM])
    return one, run_of(folder / "two", {"weak": right_at(0.4)})


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, two) -> Path:
    board = board_at(tmp_path_factory.mktemp("boards") / "board", "strong", "weak", "unasked")
    put(board, two[0], "strong:F16=strong")
    put(board, two[1], "weak=weak", action="publish")
    return board


@pytest.fixture
def board(tmp_path, made_once) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "board"))


def row_of(made: dict[str, Any], system: str) -> dict[str, Any]:
    return next(r for c in made["cohorts"] for r in c["rows"] if r["system"] == system)


def test_rows_of_two_runs_of_the_same_samples_stand_in_one_cohort_and_are_paired(board):
    made = document(board)
    (cohort,) = made["cohorts"]
    systems = [row["system"] for row in cohort["rows"]]
    assert systems[:4] == ["strong", "twin", "weak", "broken"], "best first, unmeasured last"
    assert sorted(systems[4:]) == ["constant", "random", "silent"], "controls once, not twice"
    strong, weak = (row_of(made, s)["ranks"][COLUMN] for s in ("strong", "weak"))
    assert (strong, weak["band"]) == ({"best": 1, "worst": 2, "band": 1}, 2)
    i, j = systems.index("strong"), systems.index("weak")
    (pair,) = [p for p in cohort["pairs"][COLUMN] if p[:2] == [i, j]]
    gap = (
        row_of(made, "strong")["cells"][COLUMN]["value"]
        - row_of(made, "weak")["cells"][COLUMN]["value"]
    )
    assert pair[2] == pytest.approx(gap)
    assert 0 < pair[3] < pair[2] < pair[4]


def test_a_front_over_two_runs_needs_all_of_quality_dollars_and_latency(board):
    (cohort,) = document(board)["cohorts"]
    assert cohort["front"]["objectives"][0] == COLUMN
    standing = {row["system"]: row["standing"] for row in cohort["rows"]}
    assert standing["strong"] == "on"
    assert standing["silent"] is None
    assert standing["broken"] is None, "what was not measured stands nowhere"


def test_a_row_of_one_run_can_beat_a_row_of_another(tmp_path):
    """Better, cheaper and faster by far: shown without a block or a run in common."""
    board = board_at(tmp_path / "board")
    put(board, run_of(tmp_path / "one", {"fast": right_at(0.95)}))
    put(board, run_of(tmp_path / "two", {"pad": right_at(0.9), "slow": right_at(0.3)}))
    (cohort,) = document(board)["cohorts"]
    standing = {row["system"]: row["standing"] for row in cohort["rows"]}
    assert (standing["fast"], standing["slow"]) == ("on", "beaten")
    assert standing["pad"] != "beaten", "as fast as the fast one, as far as anybody can tell"


def test_what_crashed_has_a_reason_and_no_number(board):
    row = row_of(document(board), "broken")
    assert set(row["cells"][COLUMN]) == {"why"}
    assert COLUMN not in row["ranks"]


def test_a_model_without_a_run_has_no_row_and_no_number(board):
    build(board)
    made = json.loads((board / "site" / "board.json").read_bytes())
    unasked = next(m for m in made["models"] if m["id"] == "unasked")
    assert (unasked["state"], unasked["runs"], unasked["badges"]) == ("pending", [], [])
    old = json.loads((board / "site" / "leaderboard.json").read_bytes())
    assert {m["id"] for m in old["models"]} == {"strong", "weak"}
    assert {type(s) for m in old["models"] for s in m["scores"].values()} == {type(None)}
    assert {(m["id"], m["rank"], m["energy_kwh"]) for m in old["models"]} == {
        ("strong", 1, None),
        ("weak", 2, None),
    }
    assert old["metadata"] == {
        "last_updated": "2026-11-29",
        "total_models": 2,
        "schema_version": "2.0.0",
    }


def test_equal_files_give_equal_bytes_and_verify_says_so(board, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    build(board, site=first)
    build(board, site=second)
    names = sorted(str(p.relative_to(first)) for p in first.rglob("*") if p.is_file())
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]
    build(board)
    assert {c.outcome for c in verify_board(board)} == {Outcome.SAME}


@pytest.mark.parametrize("what", ["card", "archive", "gone", "registry", "page", "badge"])
def test_verify_names_what_was_changed(what, board):
    build(board)
    home = Board(board)
    path = home.cards()[0]
    card = read_card(path)
    match what:
        case "card":
            (part,) = card.parts
            measured = part.systems["weak" if "weak" in part.systems else "strong"]["toy.errands"]
            measured.numbers["accuracy"] = measured.numbers["accuracy"].model_copy(
                update={"value": 0.99}
            )
            write_card(card, path)
        case "archive":
            path = home.archive(card.seal)
            path.write_bytes(home.archive(read_card(home.cards()[1]).seal).read_bytes())
        case "gone":
            home.archive(card.seal).unlink()
        case "registry":
            path = home.registry
            path.write_bytes(path.read_bytes().replace(b'"tested"', b'"published"'))
        case "page":
            path = board / "site" / "board.js"
            path.write_bytes(path.read_bytes() + b" ")
        case "badge":
            path = board / "site" / "badges" / "stranger.svg"
            path.write_text("<svg/>")
    wrong = {c.path: c.why for c in verify_board(board) if c.outcome is Outcome.DIFFERS}
    assert wrong
    told = (
        "models/results"
        if what in ("card", "archive", "gone")
        else path.relative_to(board).as_posix()
    )
    (why,) = [w for p, w in wrong.items() if p.startswith(told)]
    assert why
    if what == "card":
        assert ".numbers.accuracy.value" in why


def test_a_withdrawn_model_leaves_no_number_behind(board):
    build(board)
    assert list((board / "site" / "badges").glob("strong-*"))
    withdraw(board, "strong", who=WHO)
    build(board)
    made = json.loads((board / "site" / "board.json").read_bytes())
    assert all(row["model"] != "strong" for c in made["cohorts"] for row in c["rows"])
    assert not list((board / "site" / "badges").glob("strong-*"))
    strong = next(m for m in made["models"] if m["id"] == "strong")
    assert (strong["state"], strong["claims"], strong["runs"]) == ("withdrawn", [], [])


def test_a_signed_run_is_shown_as_signed_by_a_key_that_the_board_trusts(tmp_path):
    pytest.importorskip("model_signing")
    from assay.publish.board.signing import sign_run
    from key_pairs import key_pair

    board = board_at(tmp_path / "board", "strong")
    run = run_of(tmp_path / "run", {"strong": right_at(0.9)})
    private, public = key_pair(tmp_path)
    sign_run(run.root, private)
    added = put(board, run, "strong=strong")
    assert document(board)["models"][0]["runs"][0]["signed"] is None, "a key nobody trusts"
    (board / "models" / "keys").mkdir()
    shutil.copy(public, board / "models" / "keys" / "lab.pub")
    signed = document(board)["models"][0]["runs"][0]["signed"]
    assert signed["fingerprint"].startswith("SHA256:")
    assert signed["algorithm"]
    forged = put(board, run_of(tmp_path / "other", {"strong": right_at(1.0)}), "strong=strong")
    home = Board(board)
    for ending in ("tar.xz", "sig.json"):
        theirs, its = (f"{a.card.seal[:16]}.{ending}" for a in (added, forged))
        shutil.copy(home.runs / theirs, home.runs / its)
    runs = {run["seal"]: run["signed"] for run in document(board)["models"][0]["runs"]}
    assert runs[added.card.seal], "as before"
    assert runs[forged.card.seal] is None, "the archive and the signature of another run"


def test_another_machine_is_another_cohort(board, tmp_path):
    other = run_of(tmp_path / "other", {"weak": right_at(0.4)}, machine={**CPU, "cpus_usable": 8})
    put(board, other, "weak=weak")
    made = document(board)
    assert len(made["cohorts"]) == 2
    assert len({c["hardware"]["id"] for c in made["cohorts"]}) == 2


@pytest.mark.parametrize("origin", [Origin.REPORTED, Origin.SIMULATED])
def test_what_was_not_measured_never_stands_with_what_was(origin, board, tmp_path):
    run = run_of(tmp_path / "told", {"told": right_at(0.99)})
    manifest = read_doc(Manifest, run.manifest)
    facts = manifest.systems["told"].model_copy(update={"origin": origin})
    systems = {**manifest.systems, "told": facts}
    write_doc(run.manifest, manifest.model_copy(update={"systems": systems}))
    before = read_seal(run)
    seal(run, decisions=dict(before.decisions), incomplete=before.incomplete)
    put(board, run, "unasked=told")
    build(board)
    old = json.loads((board / "site" / "leaderboard.json").read_bytes())["models"]
    assert [m["rank"] for m in old if m["id"] == "unasked"] == [None]
    assert [m["latency_ms"] for m in old if m["id"] == "unasked"] == [None]
    made = document(board)
    if origin is Origin.SIMULATED:
        assert all(row["system"] != "told" for c in made["cohorts"] for row in c["rows"])
        return
    where = {row["system"]: c["id"] for c in made["cohorts"] for row in c["rows"]}
    assert where["told"] != where["strong"]
    assert row_of(made, "told")["origin"] == "reported"


def test_hostile_text_is_kept_as_text_and_cannot_leave_the_script(harmed: Run, tmp_path):
    board = board_at(tmp_path / "board")
    put(board, harmed.dir)
    build(board)
    data = (board / "site" / "board.json").read_bytes()
    script = (board / "site" / "board.js").read_bytes()
    assert script == b"globalThis.BOARD = " + data.rstrip(b"\n") + b";\n"
    assert b"<" not in script
    assert script.isascii()
    texts = list(_texts(json.loads(data)))
    assert any("<script>window.harmed=1</script>" in text for text in texts)
    assert all(
        re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028\u200b]", t) is None for t in texts
    )


def test_json_for_a_script_is_the_same_value():
    value = {"a<b": "</script><!--\u2028\u2029é\ud800", "n": [1, 2.5, None, True]}
    data = as_json(value)
    assert b"<" not in data
    assert json.loads(data) == value


def test_many_cards_of_one_run_s_shape_are_ranked_together(two):
    """Cards alone make a board: no run, no plugin, no data set."""
    card = card_of(Run.load(two[0].root))
    cards = [card.model_copy(update={"seal": f"{i:064x}"}) for i in range(3)]
    (cohort,) = cohorts_of(cards, names={}, hidden=frozenset())
    ranks = [r["ranks"].get(COLUMN) for r in cohort["rows"] if r["system"] == "strong"]
    assert ranks == [{"best": 1, "worst": 6, "band": 1}] * 3, "equal rows share everything"


def test_a_run_that_may_stop_early_has_numbers_and_no_rank(two):
    card = card_of(Run.load(two[0].root)).model_copy(update={"stopped": True})
    (cohort,) = cohorts_of([card], names={}, hidden=frozenset())
    strong = next(r for r in cohort["rows"] if r["system"] == "strong")
    assert strong["cells"][COLUMN]["value"] is not None
    assert (strong["ranks"], strong["standing"], cohort["front"]) == ({}, None, None)


def _seen_otherwise(card: Card, metric: str, **facts: object) -> Card:
    """Return a card whose column of a metric has other facts."""
    tasks = {
        name: task.model_copy(
            update={
                "columns": tuple(
                    c.model_copy(update=facts) if c.metric == metric else c for c in task.columns
                )
            }
        )
        for name, task in card.tasks.items()
    }
    return card.model_copy(update={"tasks": tasks})


def test_systems_that_are_spelled_alike_keep_their_own_rows_and_badges(tmp_path):
    board = board_at(tmp_path / "board", "m")
    told = {"q4_1": right_at(0.9), "q4-1": right_at(0.5)}
    put(board, run_of(tmp_path / "run", told), "m=q4_1", "m=q4-1")
    (cohort,) = document(board)["cohorts"]
    rows = {row["system"]: row for row in cohort["rows"]}
    assert rows["q4_1"]["id"] != rows["q4-1"]["id"]
    build(board)
    for system, share in (("q4_1", "0.90"), ("q4-1", "0.50")):
        badge = board / "site" / "badges" / f"{rows[system]['id']}.svg"
        assert f"m, {system}: " in badge.read_text("utf-8")
        assert rows[system]["cells"][COLUMN]["value"] == pytest.approx(float(share), abs=0.05)


def test_nothing_is_ranked_where_neither_way_is_better(two):
    card = _seen_otherwise(card_of(Run.load(two[0].root)), "accuracy", better="none")
    (cohort,) = cohorts_of([card], names={}, hidden=frozenset())
    (column,) = [c for c in cohort["columns"] if c["id"] == COLUMN]
    assert (column["better"], cohort["front"]) == ("none", None)
    assert not any(COLUMN in row["ranks"] or COLUMN in row["flags"] for row in cohort["rows"])


def test_a_metric_of_which_neither_way_is_better_says_so_on_its_column():
    signed = replace(TOKENS, name="side", better=Better.NONE)
    assert column_of(signed, "safety").better == "none"


def test_a_task_with_other_options_is_another_cohort(two):
    """A scorer is an option too, and changes no sample."""
    card = card_of(Run.load(two[0].root))
    tasks = {n: t.model_copy(update={"settings": "other"}) for n, t in card.tasks.items()}
    other = card.model_copy(update={"seal": "f" * 64, "tasks": tasks})
    assert len(cohorts_of([card, other], names={}, hidden=frozenset())) == 2
    same = card.model_copy(update={"seal": "f" * 64})
    assert len(cohorts_of([card, same], names={}, hidden=frozenset())) == 1


def test_dollars_of_other_prices_are_shown_and_not_ranked(two):
    """One price table against another is no finding about models."""
    card = card_of(Run.load(two[0].root))
    other = card.model_copy(update={"seal": "f" * 64, "prices": card.prices + ", twice"})
    (cohort,) = cohorts_of([card, other], names={}, hidden=frozenset())
    usd = [c["id"] for c in cohort["columns"] if c["unit"] == "usd"]
    strong = [row for row in cohort["rows"] if row["system"] == "strong"]
    assert usd
    assert all(row["cells"][name]["value"] > 0 for row in strong for name in usd)
    assert not any(name in row["ranks"] for row in strong for name in usd)
    assert all(row["ranks"][COLUMN]["band"] == 1 for row in strong), "what has no price is ranked"
    assert cohort["front"] is None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


MAPS = ("cells", "ranks", "flags", "pairs")
"""Keys whose members are named by columns."""


def _keys(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            if at.rpartition(".")[2] in MAPS:
                yield from _keys(each, f"{at}{{}}")
            else:
                yield from _keys(each, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and value and not at.startswith("reported"):
        for each in value:
            yield from _keys(each, f"{at}[]")
    elif at.rpartition(".")[2] not in MAPS:
        yield at


def test_every_key_of_board_json_is_documented_and_every_documented_key_is_written(board, smoke):
    put(board, smoke, "unasked:F16=votes")
    section = DOCS.read_text("utf-8").partition("## board.json")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([^`]+)`", row)} - {"key"}
    written = {key.replace("reported", "reported[]") for key in _keys(document(board), "")}
    leaves = {
        key for key in written if not any(d.startswith((f"{key}.", f"{key}[")) for d in documented)
    }
    assert leaves - documented == set(), "what is written is documented"
    never_here = {
        "models[].runs[].signed.fingerprint",
        "models[].runs[].signed.algorithm",
        "cohorts[].tasks[].caveats[]",
        "models[].categories[]",
    }
    assert documented - written == never_here, "what is documented is written"


def test_a_card_is_all_that_a_board_reads_of_a_run(board, two, tmp_path):
    """The page does not change when archives are gone, but for the word that they are there."""
    before = document(board)
    for path in Board(board).runs.glob("*"):
        path.unlink()
    after = document(board)
    assert after["cohorts"] == before["cohorts"]
    gone = [run["recomputed"] for m in after["models"] for run in m["runs"]]
    there = [run["recomputed"] for m in before["models"] for run in m["runs"]]
    assert (set(gone), set(there)) == ({False}, {True})


def test_a_card_without_an_archive_is_not_called_recomputed(board):
    home = Board(board)
    for path in home.cards():
        write_card(read_card(path).model_copy(update={"archive": None}), path)
        home.archive(path.stem).unlink()
    made = document(board)
    assert {run["recomputed"] for m in made["models"] for run in m["runs"]} == {None}
    build(board)
    outcomes = {c.outcome for c in verify_board(board)}
    assert outcomes == {Outcome.SAME, Outcome.UNKNOWN}


def test_a_board_of_one_s_own_has_the_whole_page(board):
    build(board)
    made = {p.relative_to(board / "site").as_posix() for p in (board / "site").rglob("*")}
    assert made >= {*page_files(), "board.js", "board.json"}
    assert "index.html" in made
    assert {"board.js"}.isdisjoint(page_files())


def test_a_package_of_assay_brings_every_file_of_the_page():
    told = tomllib.loads((DOCS.parents[1] / "pyproject.toml").read_text("utf-8"))
    wheel = told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    brought = {source.removeprefix("site/") for source in wheel if source.startswith("site/")}
    assert {name.partition("/")[0] for name in page_files()} == brought
