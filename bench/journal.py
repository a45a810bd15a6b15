"""The journal against what people write records with.

*Covered*: 100,000 records written and read, CPU and wall, size, the scan that resumes a run.
assay starts from its own nouns and checks every line; the others are handed plain dicts, which
favours them.  *Not covered*: a disk of another kind, several writers, a power cut.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from contest import SOURCE, contest, given, tell

sys.path.insert(0, str(SOURCE))

BATCH = 100  # records between two flushes: the journal's, and SQLite's transactions


def main() -> None:
    quick, as_json = given()
    n, rounds = (2_000, 1) if quick else (100_000, 5)
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        records = [record(k) for k in range(n)]
        plain = [msgspec.to_builtins(line) for line in lines_of(records)]
        rows = contest("write", writers(there, records, plain), n=n, rounds=rounds)
        rows += contest("read all", readers(there), n=n, rounds=rounds)
        rows += contest("resume: what is done?", scans(there), n=n, rounds=rounds)
    tell([with_rate(row) for row in rows], as_json=as_json)


def record(k: int) -> Any:
    """Return a record such as a classifier leaves behind."""
    from assay import Answer, Bottom, Cell, Outcome, Record, Usage, Verdict

    declined = k % 7 == 0
    said = Answer(f"action_{k % 40}", round((k * 37 % 1000) / 1000, 6))
    return Record(
        cell=Cell(task="bench.task", system="system", seed=0, split="test"),
        sample=f"test/{k:07}",
        group=f"pattern/{k // 10:06}",
        said=Bottom("below_threshold", said) if declined else said,
        verdict=Verdict(outcome=Outcome.WITHHELD if declined else Outcome.CORRECT),
        usage=Usage(busy_s=k % 1000 * 1e-6, latency_s=k % 1000 * 1.1e-6, tokens_in=12),
    )


def lines_of(records: list[Any]) -> list[Any]:
    from assay.store.line import to_line

    return [to_line(each) for each in records]


def writers(
    there: Path, records: list[Any], plain: list[dict[str, Any]]
) -> dict[str, Callable[[], str]]:
    """Return the ways to write; each begins with a file of its own."""
    from assay.store.journal import Writer

    tick = count()

    def ours() -> str:
        path = there / f"assay-{next(tick)}.jsonl"
        with Writer(path, path.with_suffix(".pack")) as writer:
            for k in range(0, len(records), BATCH):
                writer.write(records[k : k + BATCH], {})
        return keep(path, "assay.jsonl", f"checksums, on disk every {BATCH}")

    def dumps() -> str:
        path = there / "new.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for each in plain:
                file.write(json.dumps(each) + "\n")
        return keep(path, "json.jsonl", "never flushed to disk")

    def batch() -> str:
        path = there / "new.jsonl"
        path.write_bytes(msgspec.json.Encoder().encode_lines(plain))
        return keep(path, "msgspec.jsonl", "one write; all is lost if it dies before")

    def database(sync: str, said: str) -> Callable[[], str]:
        def write() -> str:
            for old in there.glob("new.db*"):
                old.unlink()
            path = there / "new.db"
            base = sqlite3.connect(path, isolation_level=None)
            base.execute("PRAGMA journal_mode=WAL")
            base.execute(f"PRAGMA synchronous={sync}")
            base.execute(
                "CREATE TABLE records (sample TEXT, attempt INT, line TEXT, "
                "PRIMARY KEY (sample, attempt)) WITHOUT ROWID"
            )
            for k in range(0, len(plain), BATCH):
                base.execute("BEGIN")
                base.executemany(
                    "INSERT INTO records VALUES (?, 0, ?)",
                    ((e["decided"]["sample"], json.dumps(e)) for e in plain[k : k + BATCH]),
                )
                base.execute("COMMIT")
            base.close()
            return keep(path, "sqlite.db", said)

        return write

    return {
        "assay journal": ours,
        "json.dumps lines": dumps,
        "msgspec, one batch": batch,
        "SQLite WAL, FULL": database("FULL", f"on disk every {BATCH}"),
        "SQLite WAL, NORMAL": database("NORMAL", "on disk at checkpoints"),
    }


def keep(path: Path, name: str, said: str) -> str:
    """Keep the file for the readers; return its size and what was promised."""
    kept = path.replace(path.with_name(name))
    return f"{kept.stat().st_size / 1e6:.3g} MB; {said}"


def readers(there: Path) -> dict[str, Callable[[], str]]:
    """Return the ways to read every record."""
    from assay.store.journal import read_lines

    def ours() -> str:
        return f"{len(list(read_lines(there / 'assay.jsonl'))):,} typed records"

    def loads() -> str:
        with (there / "json.jsonl").open("rb") as file:
            return f"{len([json.loads(raw) for raw in file]):,} dicts"

    def untyped() -> str:
        whole = (there / "msgspec.jsonl").read_bytes()
        return f"{len(msgspec.json.Decoder().decode_lines(whole)):,} dicts"

    def select() -> str:
        base = sqlite3.connect(there / "sqlite.db")
        found = [json.loads(line) for (line,) in base.execute("SELECT line FROM records")]
        base.close()
        return f"{len(found):,} dicts"

    return {
        "assay read_lines": ours,
        "json.loads lines": loads,
        "msgspec, one batch": untyped,
        "SQLite and json.loads": select,
    }


def scans(there: Path) -> dict[str, Callable[[], str]]:
    """Return the ways to learn which questions need not be asked again."""
    from assay.store.journal import repair

    def ours() -> str:
        return f"{len(repair(there / 'assay.jsonl').seen):,} keys; every checksum is checked"

    def loads() -> str:
        with (there / "json.jsonl").open("rb") as file:
            decided = (json.loads(raw)["decided"] for raw in file)
            return f"{len({(d['sample'], d.get('attempt', 0)) for d in decided}):,} keys; no checks"

    def select() -> str:
        base = sqlite3.connect(there / "sqlite.db")
        found = set(base.execute("SELECT sample, attempt FROM records"))
        base.close()
        return f"{len(found):,} keys; no checks"

    return {"assay repair": ours, "json.loads lines": loads, "SQLite": select}


def with_rate(row: Any) -> Any:
    rates = [f"{row.n / spread.median / 1e3:.3g}" for spread in (row.cpu, row.wall)]
    return replace(row, note=f"{rates[0]} krow/s CPU, {rates[1]} wall; {row.note}")


if __name__ == "__main__":
    main()
