"""Journals become columns, a million records in seconds."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Outcome, Record
from assay.store.columns import (
    MEASURED,
    OUTCOMES,
    read_columns,
    to_columns,
)
from assay.store.journal import Writer
from assay.store.line import to_line
from assay.store.timed import TimedLine, read_timing
from strategies import records

ROWS = st.lists(records(), min_size=1, max_size=8, unique_by=lambda r: (r.sample, r.attempt))


def sure(row: Record) -> float | None:
    match row.said:
        case Answer(_, confidence) | Bottom(_, Answer(_, confidence)):
            return confidence
        case _:
            return None


@given(rows=ROWS)
def test_columns_hold_what_the_records_hold(rows: list[Record]) -> None:
    columns = to_columns([to_line(row) for row in rows])
    rows = sorted(rows, key=lambda r: (r.sample, r.attempt))
    assert columns.samples == tuple(r.sample for r in rows)
    assert columns.groups == tuple(r.group for r in rows)
    assert columns.attempts.tolist() == [r.attempt for r in rows]
    assert [OUTCOMES[code] for code in columns.outcome] == [r.verdict.outcome for r in rows]
    for place, row in enumerate(rows):
        known = sure(row)
        assert np.isnan(columns.confidence[place]) == (known is None)
        assert known is None or columns.confidence[place] == known
        for name in MEASURED:
            spent = getattr(row.usage, name)
            column = columns.measured.get(name)
            found = math.nan if column is None else column[place]
            assert math.isnan(found) if spent is None else found == spent
        for name, column in columns.checks.items():
            score = row.verdict.scores.get(name)
            assert math.isnan(column[place]) if score is None else column[place] == score


@given(rows=ROWS, data=st.data())
def test_columns_do_not_depend_on_the_order_of_lines(rows: list[Record], data: Any) -> None:
    one = to_columns([to_line(row) for row in rows])
    two = to_columns([to_line(row) for row in data.draw(st.permutations(rows))])
    assert one.samples == two.samples
    np.testing.assert_array_equal(one.outcome, two.outcome)
    np.testing.assert_array_equal(one.confidence, two.confidence)


@given(rows=ROWS)
def test_what_was_never_measured_is_no_column_and_never_zero(rows: list[Record]) -> None:
    columns = to_columns([to_line(row) for row in rows])
    for name in MEASURED:
        known = any(getattr(row.usage, name) is not None for row in rows)
        assert (name in columns.measured) == known


def test_a_later_line_supersedes_a_crash(tmp_path: Path) -> None:
    from assay import Cell, Crash, Usage, Verdict

    def row(said: Any, outcome: Outcome) -> Record:
        return Record(
            cell=Cell(task="t", system="s", seed=0, split="test"),
            sample="a",
            group="a",
            said=said,
            verdict=Verdict(outcome=outcome),
            usage=Usage(),
        )

    with Writer(tmp_path / "j", tmp_path / "p") as writer:
        writer.write([row(Crash("x"), Outcome.CRASHED), row(Answer(1), Outcome.CORRECT)], {})
    columns = read_columns(tmp_path / "j")
    assert [OUTCOMES[code] for code in columns.outcome] == [Outcome.CORRECT]


@given(
    line=st.builds(
        TimedLine,
        system=st.text(st.characters(exclude_categories=["Cs"])),
        block=st.integers(0, 99),
        sample=st.text(st.characters(exclude_categories=["Cs"])),
        said=st.just("0123456789abcdef"),
        latency_s=st.floats(0, 10),
        busy_s=st.floats(0, 10),
        cpu_s=st.floats(0, 10),
        tokens_in=st.none() | st.integers(0, 99),
    )
)
def test_timing_lines_are_read_back(
    line: TimedLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "timing.jsonl"
    path.write_bytes(msgspec.json.encode(line) + b"\n" + msgspec.json.encode(line) + b"\n")
    assert read_timing(path) == [line, line]


MILLION = """
    import json, sys, time
    from pathlib import Path
    from assay import Over
    from assay.analysis.infer import infer
    from assay.analysis.metrics import accuracy, risk
    from assay.analysis.table import make_table
    from assay.store.columns import read_columns

    start = time.process_time()  # of this process: the machine may be busy
    cells = {s: read_columns(Path(sys.argv[1]) / f"{s}-test.jsonl") for s in range(5)}
    read = time.process_time() - start
    table = make_table("s", cells, dict.fromkeys(cells[0].samples, False))
    both = frozenset({Over.SAMPLES, Over.SEEDS})
    values = [infer(m, table, over=o, rng=1).value for m in (accuracy, risk)
              for o in (both, frozenset({Over.SAMPLES}))]
    # Not ru_maxrss: that begins with the memory of whoever started this process.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps({
        "read_s": read,
        "all_s": time.process_time() - start,
        "values": values,
        "records": sum(len(c.samples) for c in cells.values()),
        "peak_mb": peak / 1024,
    }))
"""


@pytest.mark.slow
def test_a_million_records_are_read_and_estimated_in_seconds(tmp_path: Path) -> None:
    for seed in range(5):
        with (tmp_path / f"{seed}-test.jsonl").open("w") as file:
            for place in range(200_000):
                right = (place * 7 + seed) % 10 < 7
                outcome = "correct" if right else "wrong"
                file.write(
                    f'{{"decided":{{"sample":"test/{place:06}","group":"g{place // 4}",'
                    f'"kind":"answer","outcome":"{outcome}","value":"swap","confidence":0.{place % 97:02}1}},'
                    f'"usage":{{"busy_s":0.00012,"crc":"00000000"}}}}\n'
                )
    code = [sys.executable, "-c", dedent(MILLION), str(tmp_path)]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(  # noqa: T201  (the number is the point)
        f"\n1,000,000 records: read {found['read_s']:.1f} s, all {found['all_s']:.1f} s, "
        f"{found['peak_mb']:.0f} MB at most"
    )
    assert found["records"] == 1_000_000
    assert found["values"] == pytest.approx([0.7, 0.7, 0.3, 0.3])
    assert found["all_s"] < 10
    assert found["peak_mb"] < 600
