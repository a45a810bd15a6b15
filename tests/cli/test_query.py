"""``assay query``: SQL over a sealed run's records, and over nothing else."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import Answer, Cell, Crash, Outcome, Record, Run, Usage, Verdict
from assay.store.canon import digest_file
from assay.store.journal import Writer, decision_digest, read_lines
from assay.store.parquet import TABLES, tables
from assay.store.rundir import RunDir
from assay.store.seal import journals, read_seal, seal
from assay.visible import cell

from .conftest import Say

duckdb = pytest.importorskip("duckdb")
COUNT = "SELECT system, split, count(*) n FROM records GROUP BY ALL ORDER BY ALL"


@pytest.fixture
def run(first: Path, tmp_path: Path) -> Path:
    """Return a copy of a sealed run, its tables not made yet."""
    shutil.copytree(first, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "cache" / "tables", ignore_errors=True)
    return tmp_path / "run"


def kept(run: Path) -> list[Path]:
    return sorted((run / "cache" / "tables").iterdir())


def test_the_tables_hold_what_the_journals_hold(say: Say, run: Path) -> None:
    columns = 'task, system, seed, split, sample, attempt, "group", outcome, confidence, busy_s'
    said = say("query", run, f"SELECT {columns} FROM records", "--limit", 10**6, "--json")
    records = Run.load(run).records
    wanted = list(zip(*(records[c.strip(' "')].tolist() for c in columns.split(",")), strict=True))
    found = [tuple(row) for row in said.json["rows"]]
    assert Counter(map(_without_nan, found)) == Counter(map(_without_nan, wanted))


def _without_nan(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(None if str(value) == "nan" else value for value in row)


def test_values_reasons_and_samples_can_be_joined(say: Say, run: Path) -> None:
    sql = (
        "SELECT count(*) FROM records r JOIN samples s USING (task, split, sample) "
        "WHERE r.outcome = 'correct' AND r.value = s.answer"
    )
    [[joined]] = say("query", run, sql, "--json").json["rows"]
    [[right]] = say(
        "query", run, "SELECT count(*) FROM records WHERE outcome = 'correct'", "--json"
    ).json["rows"]
    assert joined == right > 0
    [[timed]] = say("query", run, "SELECT count(*) FROM timing", "--json").json["rows"]
    assert timed == sum(len(p.read_bytes().splitlines()) for p in run.glob("timing/*/*.jsonl")) > 0


def test_a_table_is_printed_and_says_when_there_is_more(say: Say, run: Path) -> None:
    said = say("query", run, COUNT)
    assert said.code == 0
    assert "last-word" in said.out
    assert "more" not in said.out
    said = say("query", run, "SELECT * FROM records", "--limit", 2)
    assert len(said.out.splitlines()) == 5
    assert "The first 2 rows" in said.last
    said = say("query", run, "SELECT * FROM records WHERE false")
    assert said.last.strip() == "no rows"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_every_row_is_written_whatever_the_limit(
    say: Say, run: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"it's [all].{suffix}"
    n = sum(len(p.read_bytes().splitlines()) for p in journals(RunDir(run)))
    said = say("query", run, "SELECT * FROM records", "--limit", 1, "--output", output, "--json")
    assert said.json == {"output": str(output), "rows": n}
    assert [p.name for p in tmp_path.iterdir() if p.name != "run"] == [output.name]
    if suffix == "csv":
        with output.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == n
        assert list(rows[0]) == list(TABLES["records"])
    else:
        found = duckdb.from_parquet(str(tmp_path / "it's [[]all].parquet"))
        assert (found.columns, len(found.fetchall())) == (list(TABLES["records"]), n)


FORMULAS = ("=1+1", "@SUM(1)", "+1 (555) 0100", "-x", "\t=1", "\uff1d1", " =1", "\r=1")
"""What a spreadsheet would run, and what it may run after cutting or widening."""


def test_no_text_in_a_csv_is_a_formula_and_numbers_stay_as_they_are(
    say: Say, run: Path, tmp_path: Path
) -> None:
    texts = [*FORMULAS, "plain", "-1.5", "'quoted", "a=b"]
    rows = ", ".join(
        "(chr({}), -2)".format(") || chr(".join(str(ord(c)) for c in t)) for t in texts
    )
    sql = f"SELECT text, number FROM (VALUES {rows}) AS t(text, number)"
    for suffix in ("csv", "parquet"):
        done = say("query", run, sql, "--output", tmp_path / f"o.{suffix}", "--json")
        assert done.json["rows"] == len(texts)
    with (tmp_path / "o.csv").open(encoding="utf-8", newline="") as file:
        shown = [tuple(row.values()) for row in csv.DictReader(file)]
    assert shown == [(cell(t) if t != "-1.5" else t, "-2") for t in texts]
    assert [t for t, _ in shown if t.startswith("'")] == [f"'{t}" for t in FORMULAS] + ["'quoted"]
    whole = duckdb.from_parquet(str(tmp_path / "o.parquet")).fetchall()
    assert [t for t, _ in whole] == texts


def test_a_text_of_another_type_is_no_formula_in_a_csv_either(
    say: Say, run: Path, tmp_path: Path
) -> None:
    sql = (
        "SELECT '=1+1'::BLOB AS a, union_value(x := '=1+1') AS b, '=1+1'::ENUM('=1+1') AS c,"
        " INTERVAL '-1 day' AS d, ['=1'] AS e, NULL::BLOB AS f, -2::HUGEINT AS g, -1.5::DECIMAL(4, 1) AS h,"
        " 3::UTINYINT AS i, -1e300 AS j, true AS k, DATE '2026-01-02' AS l"
    )
    say("query", run, sql, "--output", tmp_path / "o.csv")
    with (tmp_path / "o.csv").open(encoding="utf-8", newline="") as file:
        [_, shown] = csv.reader(file)
    texts = ["'=1+1", "'=1+1", "'=1+1", "'-1 day", "['=1']", ""]
    assert shown == [*texts, "-2", "-1.5", "3", "-1e+300", "true", "2026-01-02"]


HOSTILE = (
    "COPY records TO '{out}'",
    "COPY (SELECT 1) TO '{out}'",
    "COPY (SELECT 1) TO '{table}' (FORMAT parquet, USE_TMP_FILE false)",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('https://example.org')",
    "SELECT * FROM read_json('{seal}')",
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "ATTACH '{out}' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_paths = ['/etc/passwd']",
    "PRAGMA enable_external_access = true",
    "CREATE TABLE more AS SELECT 1",
    "DROP VIEW records",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '/etc'",
    "CALL pragma_version()",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY records TO '{out}'",
    "SELECT 1) TO '{out}' (FORMAT csv); --",
    "EXPLAIN ANALYZE COPY records TO '{out}'",
    "SELECT getenv('HOME')",
    "SELECT * FROM run",
    "SELECT nothing FROM records",
    "SELEC",
    "",
    "SELECT unnest(range(100000000000))",
    "SELECT '\x1b[31m' FROM nowhere",
)


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_query_reads_the_run_and_can_do_nothing_else(
    say: Say, run: Path, tmp_path: Path, sql: str
) -> None:
    say("query", run, "SELECT 1")
    [folder] = kept(run)
    other = tmp_path / "other.parquet"
    shutil.copy(folder / "records.parquet", other)
    before = {p: digest_file(p) for p in run.rglob("*") if p.is_file()}
    there = set(tmp_path.iterdir())
    asked = sql.format(
        out=tmp_path / "out", table=folder / "records.parquet", seal=run / "SEAL", other=other
    )
    said = say("query", run, asked, "--json")
    assert said.code == 2, said.out
    assert said.json["error"]["code"] == "A106"
    assert "root:" not in said.out
    said = say("query", run, asked, "--output", tmp_path / "out.csv")
    assert said.code == 2, said.out
    assert {p: digest_file(p) for p in run.rglob("*") if p.is_file()} == before
    assert set(tmp_path.iterdir()) == there


def test_tables_are_made_once(say: Say, run: Path) -> None:
    first = say("query", run, COUNT, "--json").json
    [folder] = kept(run)
    made = {p: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert say("query", run, COUNT, "--json").json == first
    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == made


@pytest.mark.parametrize("file", ["records.parquet", "digests.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "missing"])
def test_damaged_tables_are_made_again(say: Say, run: Path, file: str, damage: str) -> None:
    first = say("query", run, COUNT, "--json").json
    [folder] = kept(run)
    path = folder / file
    data = bytearray(path.read_bytes())
    match damage:
        case "flip":
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case _:
            path.unlink()
    assert say("query", run, COUNT, "--json").json == first
    assert kept(run) == [folder]
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["digests.json", *(f"{name}.parquet" for name in TABLES)]
    )


def test_a_run_that_was_changed_answers_nothing(say: Say, run: Path) -> None:
    say("query", run, COUNT)
    path = journals(RunDir(run))[0]
    path.write_bytes(path.read_bytes()[:-1])
    assert say("query", run, COUNT, "--json").json["error"]["code"] == "A300"


def test_tables_of_another_seal_are_never_read(say: Say, run: Path) -> None:
    before = {tuple(row) for row in say("query", run, COUNT, "--json").json["rows"]}
    where = RunDir(run)
    path = next(p for p in journals(where) if "last-word" in str(p))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    name = str(path.relative_to(run))
    sealed = read_seal(where)
    decisions = {**sealed.decisions, name: decision_digest(read_lines(path))}
    seal(where, decisions=decisions, incomplete=sealed.incomplete)
    after = {tuple(row) for row in say("query", run, COUNT, "--json").json["rows"]}
    assert before != after
    assert len(kept(run)) == 2


def test_a_folder_that_may_not_be_written_is_asked_all_the_same(say: Say, run: Path) -> None:
    wanted = say("query", run, COUNT, "--json").json
    shutil.rmtree(run / "cache")
    (run / "cache").write_text("a file stands where the folder would be")
    assert say("query", run, COUNT, "--json").json == wanted


def test_a_later_line_supersedes_a_crash(tmp_path: Path) -> None:
    def row(sample: str, said: Answer | Crash, outcome: Outcome) -> Record:
        return Record(
            cell=Cell(task="t", system="s", seed=0, split="test"),
            sample=sample,
            group=sample,
            said=said,
            verdict=Verdict(outcome=outcome),
            usage=Usage(tokens_in=7),
        )

    run = RunDir(tmp_path)
    with Writer(run.journal(Cell(task="t", system="s", seed=0, split="test")), tmp_path / "p") as w:
        w.write([row("a", Crash("x"), Outcome.CRASHED), row("b", Crash("x"), Outcome.CRASHED)], {})
        w.write([row("a", Answer({"n": [1]}), Outcome.CORRECT)], {})
    run.seal.write_text("sealed")
    with tables(run) as paths, duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT sample, outcome, value, reason, tokens_in, busy_s FROM '{paths['records']}'"
        ).fetchall()
    assert sorted(found) == [
        ("a", "correct", '{"n":[1]}', None, 7, None),
        ("b", "crashed", None, "x", 7, None),
    ]


@pytest.fixture
def without_duckdb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make Python find no duckdb, as where the extra is not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "assay.publish.query.find_spec", lambda name: None if name == "duckdb" else find(name)
    )
    return


@pytest.mark.usefixtures("without_duckdb")
def test_a_missing_duckdb_is_named_with_its_extra(say: Say, run: Path) -> None:
    error = say("query", run, COUNT, "--json").json["error"]
    assert error["code"] == "A401"
    assert "assay-eval[query]" in error["hint"]


def test_a_wrong_command_line_says_what_is_right(say: Say, run: Path) -> None:
    for words in (("--limit", 0), ("--output", "x.txt"), ("--output", "x")):
        assert say("query", run, COUNT, *words, "--json").json["error"]["code"] == "A106"
    said = say("query", run, COUNT, "--output", run / "no" / "x.csv", "--json")
    assert said.code in (2, 3)
    assert said.json["error"]["code"] in ("A106", "A500")
