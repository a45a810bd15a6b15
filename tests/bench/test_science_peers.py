"""``bench/science_peers.py`` asks another process, and its table shows what each seed cost and scored."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import science_peers
from science_peers import PAPER, QUICK, ranged, rows, table, taking_turns, theirs

ECHO = """
import json, sys
asked = json.load(sys.stdin)
if asked["seed"] < 0:
    sys.exit("no seed is negative")
print(json.dumps({"asked": asked}))
"""


@pytest.fixture
def echo(tmp_path, monkeypatch):
    (tmp_path / "echo.py").write_text(ECHO, "utf-8")
    monkeypatch.setattr(science_peers, "SIDE", tmp_path / "echo.py")


def test_the_peer_is_asked_for_its_published_settings(echo):
    asked = theirs(PAPER, 4, python=Path(sys.executable))["asked"]
    assert asked["do"] == "train"
    assert (asked["train"], asked["validation"], asked["test"]) == (200_000, 20_000, 30_000)
    assert (asked["epochs"], asked["batch_size"], asked["rate"]) == (30, 512, 0.002)
    assert asked["seed"] == 4
    assert not asked["restore_best"]


def test_a_peer_that_breaks_ends_the_run_and_says_why(echo):
    with pytest.raises(SystemExit, match="status 1:\nno seed is negative"):
        theirs(PAPER, -1, python=Path(sys.executable))


@given(st.lists(st.integers(0, 99), min_size=1, max_size=12, unique=True), st.integers(1, 14))
def test_sides_take_turns_and_each_seed_is_held_against_the_same_seed_of_the_same_turn(seeds, n):
    turns = []

    def side(asked, seeds, mine):
        turns.append(mine)
        return [(asked, seed, len(turns)) for seed in seeds[mine]]

    found = taking_turns({"one": side, "other": side}, QUICK, seeds, n)
    assert turns[::2] == turns[1::2]
    assert len(turns) == 2 * min(n, len(seeds))
    for one, other in zip(*found.values(), strict=True):
        assert one == (QUICK, one[1], one[2])
        assert other == (QUICK, one[1], one[2] + 1)
    assert sorted(seed for _, seed, _ in found["one"]) == sorted(seeds)


def test_a_run_of_some_turns_has_the_seeds_of_the_first_ones():
    def side(asked, seeds, mine):
        assert asked is QUICK
        return seeds[mine]

    seeds = list(range(1, 11))
    assert taking_turns({"one": side}, QUICK, seeds, 5, 1) == {"one": [1, 6]}
    assert taking_turns({"one": side}, QUICK, seeds, 5, 2) == {"one": [1, 6, 2, 7]}
    assert sorted(taking_turns({"one": side}, QUICK, seeds, 5, 9)["one"]) == seeds


def model(cpu, steps, f1, mae):
    rates = {"false_in_range_rate_on_censored": 0.0, "false_censored_rate_on_in_range": 1.0}
    return {
        "parameters": 5641, "cpu_s": cpu, "steps": steps, "macro_f1": f1, "finite_mae": mae, **rates
    }  # fmt: skip


def test_a_row_has_the_middle_and_both_ends_of_the_seeds_and_no_mean_of_what_a_seed_lacks():
    seeds = [
        {"cpu_s": cpu + 1, "models": {"net": model(cpu, 100, f1, mae)}}
        for cpu, f1, mae in ((1.0, 0.5, 0.1), (3.0, 0.9, None), (2.0, 0.7, 0.2))
    ]
    row, whole = table(seeds).splitlines()[2:]
    assert row == (
        "| net | 5,641 | 2.00 [1.00, 3.00] | 20.00 [10.00, 30.00] | 0.700 [0.500, 0.900] | - "
        "| 0.000 [0.000, 0.000] | 1.000 [1.000, 1.000] |"
    )
    assert "| 3.00 [2.00, 4.00] | 20.00 [10.00, 30.00] |" in whole


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9))
def test_a_range_holds_every_value(values):
    middle, rest = ranged(values, "{!r}").split(" [")
    low, high = rest.strip("]").split(", ")
    assert (float(low), float(high)) == (min(values), max(values))
    assert float(low) <= float(middle) <= float(high)


def test_a_second_side_is_set_beside_the_first_seed_by_seed():
    found = {
        "ours": [{"cpu_s": 1.0, "wall_s": 2.0, "models": {"net": {}}} for _ in range(3)],
        "peer": [{"cpu_s": c, "wall_s": 2.0, "models": {"net": {}}} for c in (4.0, 6.0, 5.0)],
    }
    ours, peer = rows(found, what="curves")
    assert ours.cpu_ratio is None
    assert (peer.cpu_ratio.median, peer.cpu_ratio.low, peer.cpu_ratio.high) == (5.0, 4.0, 6.0)
    assert peer.wall_ratio.median == 1.0
    assert (peer.n, peer.rounds) == (1, 3)
