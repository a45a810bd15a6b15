"""A CSV of records becomes a sealed run that reports, compares, gates and verifies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.main import main
from assay.core.errors import DataError, PlanError, SealError
from assay.core.metric import Origin
from assay.engine.foreign import open_log
from assay.engine.ledger import seen
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve
from assay.publish import grounds
from assay.publish.gate import gate
from assay.publish.interop import csv_log
from assay.publish.interop.names import file_name
from assay.publish.interop.settings import Choice, read_settings
from assay.publish.interop.take import Taken, take_in
from assay.publish.verify import verify
from assay.store.rundir import NAME

HEAD = "system,sample,correct\n"


def taken(folder: Path, text: str | bytes, *, out: str = "run", **choice: object) -> Taken:
    """Import a CSV of this text."""
    path = folder / "answers.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return take_in(open_log("csv", path, {}), path, out=folder / out, choice=Choice(**choice))


def two(n: int = 40, extra: str = "") -> str:
    """Return n records each of a good and a bad system."""
    rows = [f"good,q{i},{int(i % 10 != 0)}{extra}" for i in range(n)]
    return "\n".join(rows + [f"bad,q{i},{int(i % 2)}{extra}" for i in range(n)]) + "\n"


def settings(folder: Path, text: str) -> object:
    path = folder / "claims.yaml"
    path.write_text(text)
    return read_settings(path)


CLAIM = """\
claims:
  - {id: ahead, says: good is ahead, system: good, against: bad, metric: accuracy, at_least: 0.0}
"""


def test_an_imported_run_is_sealed_reported_and_verified(tmp_path):
    run = taken(tmp_path, HEAD + two()).run
    assert verify(run.path) == []
    assert {s.origin for n, s in run.manifest.systems.items() if n != "silent"} == {Origin.REPORTED}
    estimate = run.estimate("accuracy", "good")
    assert (estimate.value, estimate.n, estimate.origin) == (0.9, 40, Origin.REPORTED)
    assert "reported" in (run.path / "derived" / "report.md").read_text()


def test_the_log_itself_is_named_by_its_digest(tmp_path):
    [file] = taken(tmp_path, HEAD + two()).run.manifest.systems["good"].files
    assert (file.kind, file.source, file.size) == ("log", "answers.csv", len(HEAD + two()))


def test_claims_are_weighed_and_the_gate_follows_them(tmp_path):
    run = taken(tmp_path, HEAD + two(), settings=settings(tmp_path, CLAIM)).run
    assert [f.status.value for f in run.results.findings] == ["supported"]
    assert gate(run).passes
    turned = CLAIM.replace("good, against: bad", "bad, against: good")
    other = taken(tmp_path, HEAD + two(), out="b", settings=settings(tmp_path, turned)).run
    assert not gate(other).passes


def test_a_claim_that_names_what_the_log_lacks_points_into_the_file(tmp_path):
    text = CLAIM.replace("system: good", "system: god")
    with pytest.raises(PlanError, match=r"A103 .*no system is called 'god'") as caught:
        taken(tmp_path, HEAD + two(), settings=settings(tmp_path, text))
    assert caught.value.where.endswith("claims.yaml:2")
    assert not (tmp_path / "run").exists()


def test_tasks_and_systems_are_not_for_the_person_to_say(tmp_path):
    with pytest.raises(PlanError, match=r"A101 .*'tasks'"):
        settings(tmp_path, "tasks: []\n")


def test_reported_costs_make_a_front_of_reported_systems(tmp_path):
    rows = [f"a,q{i},{int(i % 9 > 0)},{0.002 + i * 1e-5},2.0" for i in range(60)]
    rows += [f"b,q{i},{int(i % 8 > 0)},{0.0001 + i * 1e-6},0.1" for i in range(60)]
    text = "system,sample,correct,cost,seconds\n" + "\n".join(rows)
    run = taken(tmp_path, text).run
    front = run.results.fronts[0]
    assert [o for o, _ in front.objectives] == ["accuracy", "reported_usd_per_1k"]
    assert {p.system for p in front.points} == {"a", "b"}
    assert all(e.origin is Origin.REPORTED for p in front.points for e in p.at.values())
    cost = run.estimate("reported_usd_per_1k", "a").value
    assert cost == pytest.approx(1000 * (0.002 + 59 / 2 * 1e-5))


def test_an_imported_run_is_never_timed_or_asked_again(tmp_path):
    run = taken(tmp_path, HEAD + two()).run
    assert run.results.cases["answers"].timed == {}
    assert main(["verify", str(run.path), "--rerun", "2"]) == 1
    with pytest.raises(Exception, match="a reported system cannot be asked"):
        resolve(load_plan(run.dir.plan))


def test_without_a_better_control_than_silence_the_import_says_so(tmp_path):
    alone = taken(tmp_path, HEAD + two())
    assert any("--control" in note for note in alone.notes)
    told = taken(tmp_path, HEAD + two(), out="b", controls=("bad",))
    assert not any("--control" in note for note in told.notes)
    assert told.run.results.cases["answers"].controls == {"bad", "silent"}


def test_a_score_is_scored_and_never_right_or_wrong(tmp_path):
    text = "system,sample,score\n" + "\n".join(f"a,q{i},{i / 10}" for i in range(11))
    run = taken(tmp_path, text).run
    case = run.results.cases["answers"]
    assert list(case.metrics) == ["score"]
    assert run.estimate("score", "a").value == pytest.approx(0.5)


def test_declines_and_failures_count_as_what_they_are(tmp_path):
    run = taken(tmp_path, HEAD + "a,1,1\na,2,0\na,3,withheld\na,4,failed\n").run
    values = {m: run.estimate(m, "a").value for m in ("accuracy", "coverage", "failure_rate")}
    assert values == {"accuracy": 0.25, "coverage": 0.5, "failure_rate": 0.25}


def test_seeds_and_groups_and_tasks_are_kept(tmp_path):
    text = "system,sample,correct,task,group,seed\n" + "".join(
        f"a,q{i},{(i + s) % 2},{t},g{i // 2},{s}\n"
        for t in ("x", "y") for s in (0, 7) for i in range(8)
    )  # fmt: skip
    run = taken(tmp_path, text).run
    assert run.manifest.systems["a"].seeds == (0, 7)
    estimate = run.estimate("accuracy", "a", task="y")
    assert (estimate.n, estimate.n_groups, estimate.n_seeds) == (8, 4, 2)


def test_a_system_that_lacks_samples_is_compared_on_those_it_has(tmp_path):
    made = taken(tmp_path, HEAD + two() + "good,extra,1\n")
    assert any("bad lacks 1 of the 41 samples" in note for note in made.notes)
    case = made.run.results.cases["answers"]
    assert case.compare("good", "bad", "accuracy").n == 40


def test_names_that_are_no_file_names_are_told(tmp_path):
    made = taken(tmp_path, HEAD + "meta/llama 3,q1,1\nmeta/llama 3,q2,0\n")
    assert "'meta/llama 3' is called meta-llama-3" in made.notes
    assert made.run.manifest.systems["meta-llama-3"].options["name"] == "meta/llama 3"


@given(st.text(max_size=120))
def test_any_text_becomes_a_file_name(text):
    made = file_name(text)
    assert NAME.fullmatch(made)
    assert file_name(made) == made


WRONG = {
    "": ":1",
    "system,sample\na,b\n": ":1",
    "system,sample,correct,color\na,b,1,2\n": ":1",
    "system,sample,correct,sample\na,b,1,2\n": ":1",
    HEAD + "a,q1,1\na,q2,maybe\n": ":3",
    HEAD + "a,q1,1\na,q2,0.5\n": ":3",
    HEAD + "a,q1,1\na,q1,1\n": ":3",
    HEAD + "a,q1,1\na,q2\n": ":3",
    HEAD + "a,,1\n": ":2",
    HEAD + 'a,"q\n1",1\na,q2,x\n': ":4",
    HEAD + 'a,"q1,1\n': ":2",
    HEAD + "silent,q1,1\n": ":2",
    "system,sample,correct,cost\na,q1,1,nan\n": ":2",
    "system,sample,correct,cost\na,q1,1,-1\n": ":2",
    "system,sample,correct,seconds\na,q1,1,inf\n": ":2",
    "system,sample,correct,tokens\na,q1,1,1.5\n": ":2",
    "system,sample,correct,seed\na,q1,1,-1\n": ":2",
    "system,sample,correct,seed\na,q1,1,٣\n": ":2",
    f"system,sample,correct,seed\na,q1,1,{'1' * 5000}\n": ":2",
    "system,sample,score\na,q1,1.2\n": ":2",
    "system,sample,score\na,q1,nan\n": ":2",
    "system,sample,correct,group\na,q1,1,g\nb,q1,1,h\n": ":3",
    HEAD + "a b,q1,1\na/b,q1,1\n": ":3",
    HEAD + "A,q1,1\na,q1,1\n": ":3",
    "task,system,sample,correct\nSums,a,q1,1\nsums,a,q1,1\n": ":3",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text[-24:]))
def test_what_is_wrong_is_named_by_its_line_and_nothing_is_left(text, tmp_path):
    with pytest.raises(DataError) as caught:
        taken(tmp_path, text)
    assert caught.value.where.endswith("answers.csv" + WRONG[text])
    assert caught.value.hint
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answers.csv"]


@pytest.mark.parametrize("text", [(HEAD + "é,q1,1\n").encode("latin-1"), (HEAD + "a,q1,1\n").encode("utf-16")])  # fmt: skip
def test_other_encodings_are_refused(text, tmp_path):
    with pytest.raises(DataError, match="not UTF-8"):
        taken(tmp_path, text)


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + HEAD.encode() + b"a,q1,1\r\na,q2,TRUE\r\n",
                                  b'System , SAMPLE,correct\n"a","q,1",1\n\na,q2,1.0\n'])  # fmt: skip
def test_what_spreadsheets_write_is_read(text, tmp_path):
    assert taken(tmp_path, text).run.estimate("accuracy", "a").value == 1.0


def test_a_partial_grid_says_what_to_take(tmp_path):
    text = "system,sample,correct,task\na,q1,1,x\nb,q1,1,y\na,q1,1,y\n"
    with pytest.raises(DataError, match="no record of b on x") as caught:
        taken(tmp_path, text)
    assert "--task" in caught.value.hint
    assert set(taken(tmp_path, text, tasks=("y",)).run.manifest.systems) == {"a", "b", "silent"}


@pytest.mark.parametrize(
    "text",
    [
        "system,sample,correct\n" + "a" * 5000,
        "system,sample,correct\na,b,1\na,c,1" + ',"\n"' * 3000,
    ],
)
def test_a_row_without_end_is_not_read_to_its_end(tmp_path, text, monkeypatch):
    monkeypatch.setattr(csv_log, "MAX_LINE", 4096)
    with pytest.raises(DataError, match="a row is longer than"):
        taken(tmp_path, text)


def test_other_samples_under_another_seed_are_refused(tmp_path):
    with pytest.raises(DataError, match="other samples"):
        taken(tmp_path, "system,sample,correct,seed\na,q1,1,0\na,q2,1,1\n")


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(SealError, match="A303"):
        taken(tmp_path, HEAD + two())
    assert (tmp_path / "run" / "mine.txt").read_text() == "mine"


def test_equal_logs_give_equal_decisions(tmp_path):
    a = taken(tmp_path, HEAD + two(), out="a").run
    shuffled = HEAD + "".join(sorted(two().splitlines(keepends=True)))
    b = taken(tmp_path, shuffled, out="b").run
    assert a.provenance.cells == b.provenance.cells
    assert a.manifest.tasks == b.manifest.tasks


def test_the_command_imports_below_runs_and_ls_shows_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("answers.csv").write_text(HEAD.replace(",", ";") + two().replace(",", ";"))
    assert main(["import", "csv", "answers.csv", "--set", "delimiter=';'", "--control", "bad"]) == 0
    assert main(["ls", "runs"]) == 0
    assert "sealed" in capsys.readouterr().out
    [folder] = [p for p in Path("runs").iterdir() if p.is_dir()]
    assert main(["report", str(folder)]) == 0
    assert main(["compare", str(folder), str(folder)]) == 0
    assert main(["report", "runs", "--output", "all.html"]) == 0


@pytest.mark.parametrize("words", [("import", "cvs", "x.csv"), ("import", "csv", "none.csv"),
                                   ("import", "csv", "."), ("import", "csv", "x.csv", "--set", "delimiter=ab"),
                                   ("import", "csv", "x.csv", "--set", "colour=red"),
                                   ("import", "csv", "x.csv", "--control", "nobody"),
                                   ("import", "csv", "x.csv", "--task", "nothing"),
                                   ("export", "csv", "x", "--out", "y")])  # fmt: skip
def test_a_wrong_command_line_is_an_error_of_the_user(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text(HEAD + two())
    assert main(list(words)) == 2
    assert "try:" in capsys.readouterr().err
    assert [p.name for p in Path().iterdir() if p.name != "runs"] == ["x.csv"]
    assert not list(Path().glob("runs/*"))


def test_a_reader_of_a_third_party_comes_through_the_same_door(tmp_path, plugins):
    path = tmp_path / "log.txt"
    path.write_text("fox jumps over yes\nfox runs away no\n")
    made = take_in(
        open_log("awkward.rows", path, {"seed": 3}), path, out=tmp_path / "r", choice=Choice()
    )
    assert made.run.estimate("accuracy", "fox").value == 0.5
    assert made.run.manifest.systems["fox"].seeds == (3,)
    assert made.run.manifest.systems["fox"].files[0].made_by == "awkward 1.0"
    path.write_text("fox jumps over yes\nfox jumps away no\n")
    with pytest.raises(DataError, match="stands twice") as caught:
        take_in(open_log("awkward.rows", path, {}), path, out=tmp_path / "s", choice=Choice())
    assert caught.value.where == f"{path}, row 2"


def test_a_reader_that_returns_no_log_is_named(tmp_path, plugins):
    path = tmp_path / "log.txt"
    path.touch()
    with pytest.raises(Exception, match=r"A400 .*returned int"):
        open_log("awkward.number", path, {})


def test_a_log_without_a_permission_is_an_error_with_its_name(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text(HEAD + two())
    path.chmod(0)
    if os.access(path, os.R_OK):
        path.unlink()
        path.mkdir()
    with pytest.raises(DataError) as caught:
        take_in(open_log("csv", path, {}), path, out=tmp_path / "r", choice=Choice())
    assert str(path) in caught.value.where


@pytest.mark.parametrize(("sign", "said"), [(";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_another_separator_is_named_where_the_head_shows_one(sign, said, tmp_path):
    with pytest.raises(DataError) as caught:
        taken(tmp_path, (HEAD + two()).replace(",", sign))
    assert caught.value.hint == f"its separator is another one: --set delimiter={said}"


def test_a_margin_of_ones_own_leaves_the_cost_to_the_log(tmp_path):
    found = settings(tmp_path, "ship: {margin: 0.2}\n")
    text = HEAD.replace("correct", "correct,seconds") + two(extra=",0.5")
    ship = taken(tmp_path, text, settings=found).run.loaded.plan.ship
    assert (ship.margin, ship.cheapest) == (0.2, "reported_latency_mean")


def test_the_ledger_knows_the_systems_of_an_import(tmp_path):
    taken(tmp_path, HEAD + two())
    (one,) = seen(tmp_path)
    assert (one.plans, one.systems) == (1, 2)


def test_what_would_change_an_imported_decision_is_imported_not_run(tmp_path):
    run = taken(tmp_path, HEAD + two(400)).run
    told = [command for _, command in grounds.commands(run.results, "answers")]
    assert told
    assert all(command.startswith("assay import") for command in told)


def test_a_file_whose_samples_are_all_one_group_says_why_nothing_is_shipped(tmp_path):
    text = HEAD.replace("\n", ",group\n") + two(extra=",everyone")
    [decision] = taken(tmp_path, text).run.decision.values()
    assert decision["why"] == "no system has a reported accuracy: one group holds everything"
