"""Operating points: one of its own, or another's under a second name."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.points import Points
from assay.analysis.rules import ByUtility
from assay.analysis.table import Table
from assay.analysis.thresholds import Calibration, choose
from assay.core.verdict import Outcome
from assay.stats.tuned import Payoff
from assay.store.columns import CODE

WHOLE = Payoff(right=1.0, wrong=-1.0, declined=0.0)
HALF = Payoff(right=1.0, wrong=-1.0, declined=-0.5)


def table(name, rows, split="calibration"):
    """Return records of one seed, of pairs of a confidence and whether it is right."""
    n = len(rows)
    right = np.array([ok for _, ok in rows])
    return Table(
        system=name,
        seeds=(0,),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i}" for i in range(n)),
        outcome=np.where(right, CODE[Outcome.CORRECT.value], CODE[Outcome.WRONG.value])
        .astype(np.int8)
        .reshape(1, n),
        confidence=np.array([[sure for sure, _ in rows]]),
        no_answer=np.zeros(n, dtype=bool),
        split=split,
    )


def points(rows, payoffs):
    """Return thresholds and calibration tables of one system under several names."""
    tables = {name: table(name, rows) for name in payoffs}
    chosen = {
        name: choose(
            Calibration(table(name, rows, "tune"), tables[name]),
            rule=ByUtility(payoff=payoff),
            rng=0,
        )
        for name, payoff in payoffs.items()
    }
    return Points(thresholds=chosen, calibration=tables, of=dict.fromkeys(payoffs, "own"))


SURE = [(0.9, True)] * 8 + [(0.4, True)] * 3 + [(0.4, False)] * 5 + [(0.1, False)] * 8


def test_a_decline_that_costs_makes_a_point_of_its_own_where_answers_are_worth_it():
    found = points(SURE, {"own": WHOLE, "half": HALF, "again": HALF})
    assert found.same("own") == ()
    assert found.same("half") == ("again",)
    [note] = found.notes(("own", "half"))
    assert note.startswith("on calibration half answers what again answers")


def test_thresholds_that_differ_with_no_confidence_between_them_are_one_point():
    rows = [(0.9, True)] * 8 + [(0.1, False)] * 8
    assert points(rows, {"own": WHOLE, "half": HALF}).same("own") == ("half",)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()),
        min_size=4,
        max_size=30,
    )
)
def test_being_the_same_point_goes_both_ways(rows):
    found = points(rows, {"a": WHOLE, "b": HALF, "c": WHOLE})
    assert "c" in found.same("a")
    for one in found.thresholds:
        for other in found.same(one):
            assert one in found.same(other)


def test_another_system_that_answers_alike_is_no_operating_point_of_the_first():
    found = points(SURE, {"a": WHOLE, "b": WHOLE})
    assert replace(found, of={}).same("a") == ()
    assert list(replace(found, of={}).notes(("a", "b"))) == []
