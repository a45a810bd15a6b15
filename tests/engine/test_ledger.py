"""Every plan that is scored on a test split is remembered, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.ledger import NAME, count_systems, count_uses, note_use, seen

WORDS = st.sampled_from("abc")


@given(uses=st.lists(st.tuples(WORDS, WORDS), max_size=12), plan=WORDS, test=WORDS)
def test_other_plans_on_the_same_samples_are_counted_once_each(
    uses: list[tuple[str, str]], plan: str, test: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("ledger")
    for number, (used, by) in enumerate(uses):
        note_use(root, f"run-{number}", by, {"task": used})
    others = {by for used, by in uses if used == test and by != plan}
    assert count_uses(root, plan, {"task": test}) == {"task": len(others)}


def test_no_ledger_is_no_use(tmp_path: Path) -> None:
    assert count_uses(tmp_path, "p", {"t": "d"}) == {"t": 0}


def test_a_torn_line_costs_one_memory(tmp_path: Path) -> None:
    note_use(tmp_path, "r1", "p1", {"t": "d"})
    note_use(tmp_path, "r2", "p2", {"t": "d"})
    path = tmp_path / NAME
    path.write_bytes(b"\xff\n{\n" + path.read_bytes()[:-9])
    assert count_uses(tmp_path, "p3", {"t": "d"}) == {"t": 1}


def test_systems_of_other_plans_are_counted_once_each(tmp_path: Path) -> None:
    note_use(tmp_path, "r1", "p1", {"t": "d"}, ["a", "b"])
    note_use(tmp_path, "r2", "p2", {"t": "d"}, ["b", "c"])
    note_use(tmp_path, "r3", "p3", {"t": "e"}, ["z"])
    assert count_systems(tmp_path, "p1", {"t": "d"}) == {"t": 2}
    assert count_systems(tmp_path, "p9", {"t": "d"}) == {"t": 3}
    [first, second] = seen(tmp_path)
    assert (first.test, first.plans, first.systems, first.runs) == ("d", 2, 3, ("r1", "r2"))
    assert (second.test, second.plans) == ("e", 1)


def test_a_ledger_of_before_systems_were_noted_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"test":"d","plan":"p","run":"r"}\n')
    assert count_uses(tmp_path, "q", {"t": "d"}) == {"t": 1}
    assert count_systems(tmp_path, "q", {"t": "d"}) == {"t": 0}
