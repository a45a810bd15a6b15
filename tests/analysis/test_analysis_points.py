"""Operating points: one of its own, or another's under a second name."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.analysis.points import no_points_of_their_own, same_points
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
    return chosen, tables


SURE = [(0.9, True)] * 8 + [(0.4, True)] * 3 + [(0.4, False)] * 5 + [(0.1, False)] * 8


def test_a_decline_that_costs_makes_a_point_of_its_own_where_answers_are_worth_it():
    chosen, tables = points(SURE, {"own": WHOLE, "half": HALF, "again": HALF})
    assert same_points(chosen, tables, "own") == ()
    assert same_points(chosen, tables, "half") == ("again",)
    [note] = no_points_of_their_own(chosen, tables, ("own", "half"))
    assert note.startswith("on calibration half answers what again answers")


def test_thresholds_that_differ_with_no_confidence_between_them_are_one_point():
    rows = [(0.9, True)] * 8 + [(0.1, False)] * 8
    chosen, tables = points(rows, {"own": WHOLE, "half": HALF})
    assert same_points(chosen, tables, "own") == ("half",)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()),
        min_size=4,
        max_size=30,
    )
)
def test_being_the_same_point_goes_both_ways(rows):
    chosen, tables = points(rows, {"a": WHOLE, "b": HALF, "c": WHOLE})
    assert "c" in same_points(chosen, tables, "a")
    for one in chosen:
        for other in same_points(chosen, tables, one):
            assert one in same_points(chosen, tables, other)


def test_another_system_with_the_same_thresholds_is_another_point():
    chosen, tables = points(SURE, {"a": WHOLE})
    more, others = points([(sure, not right) for sure, right in SURE], {"b": WHOLE})
    both = {**tables, **others}
    assert same_points({**chosen, **more}, both, "a") == ()
