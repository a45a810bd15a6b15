"""Dollars: from seconds, tokens or bills, with the intervals of what they come from."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Relation, Status
from assay.analysis.claims import weigh
from assay.analysis.prices import Api, Device, PriceTable, Rented
from assay.analysis.table import priced
from assay.analysis.volume import break_even, break_evens
from assay.stats.inference import Census, Exact, StudentT, Undefined
from assay.stats.quotient import Quotient, quotient
from assay.store.columns import CODE

from .test_analysis_cases import SAMPLES, SILENT, case, claim, table, timed

OWN = Device(usd=8766, years=1, utilisation=0.5, watts=1000, usd_per_kwh=0.25)
BOOK = PriceTable(
    name="book",
    date="2026-11-01",
    source="a test",
    currency="USD",
    device=OWN,
    devices={"box": Rented(usd_per_hour_rented=1.0, utilisation=0.5)},
    apis={"api": Api(input=2.0, cached=0.5, output=10.0)},
    systems={"served": "api", "rented": "box", "paid": "billed"},
)


def with_tokens(made, tokens_in, tokens_out, cached=0):
    shape = made.outcome.shape
    return replace(
        made,
        extra={
            # A little more, a little less: what never varies has no interval.
            "tokens_in": tokens_in + np.broadcast_to(np.arange(shape[1]) % 2 * 2.0 - 1.0, shape),
            "tokens_out": np.full(shape, float(tokens_out)),
            "tokens_cached": np.full(shape, float(cached)),
        },
    )


def test_a_busy_hour_is_amortisation_over_busy_hours_and_energy():
    assert OWN.usd_per_hour == pytest.approx(2.0 + 0.25)
    assert BOOK.usd({"busy_s": np.array([3600.0])}, "anybody").tolist() == pytest.approx([2.25])
    assert BOOK.usd({"busy_s": np.array([3600.0])}, "rented").tolist() == [2.0]


def test_a_served_model_costs_its_tokens_the_cached_ones_less():
    columns = {
        "busy_s": np.array([9.0, 9.0]),
        "tokens_in": np.array([1e6, 1e6]),
        "tokens_cached": np.array([0.0, 1e6]),
        "tokens_out": np.array([0.0, 1e5]),
    }
    assert BOOK.usd(columns, "served").tolist() == pytest.approx([2.0, 1.5])


def test_tokens_that_are_not_known_are_no_dollars_and_no_question():
    made = with_tokens(table("served", 300), 1000, 10)
    made.extra["tokens_in"][0, :100] = np.nan
    paid = priced(made, BOOK)
    assert paid.extra["priced"].sum() == 300
    assert not np.isnan(paid.extra["usd"]).any()
    found = case([paid, SILENT]).estimate("served", "usd_per_1k")
    assert found.value == pytest.approx(1000 * (1000 * 2.0 + 10 * 10.0) / 1e6)


def test_a_system_that_is_priced_by_tokens_without_tokens_has_no_dollars():
    times = {"served": timed("served", 0.1)}
    unknown = replace(
        times["served"],
        columns={**times["served"].columns, "usd": np.zeros(48), "priced": np.zeros(48)},
    )
    one = case([table("served", 300), SILENT], {"served": unknown})
    assert one.estimate("served", "usd_per_1k").value is None
    assert "nothing says what a question cost" in one.estimate("served", "usd_per_1k").method


def test_a_failed_call_is_paid_for():
    made = with_tokens(table("served", 200), 1000, 0)
    made.outcome[:, 200:] = CODE["failed"]
    paid = case([priced(made, BOOK), SILENT])
    assert paid.estimate("served", "usd_per_1k").value == pytest.approx(2.0)
    assert paid.estimate("served", "usd_per_correct").value == pytest.approx(400 * 0.002 / 200)


def test_dollars_per_right_answer_are_dollars_over_accuracy():
    one = case([table("a", 200), SILENT], {"a": timed("a", 0.1)})
    per_1k, right = one.estimate("a", "usd_per_1k"), one.estimate("a", "accuracy")
    both = one.estimate("a", "usd_per_correct")
    assert both.value == pytest.approx(per_1k.value / 1000 / right.value)
    assert both.low < both.value < both.high
    # Wider than either part alone, on the log scale.
    assert both.high / both.low > right.high / right.low
    assert both.n == 400


def test_a_system_that_may_never_be_right_has_only_a_lower_bound_on_its_price():
    one = case([table("a", 0, n=20), SILENT], {"a": timed("a", 0.1)})
    assert one.estimate("a", "usd_per_correct").value is None
    found = one.inference("a", "usd_per_correct", over=SAMPLES)
    assert isinstance(found, Undefined)
    dollars = StudentT(value=2.0, se=0.1, df=20, method="t")
    low, high = Quotient(above=dollars, below=Exact(0, 20)).interval()
    assert 0 < low < inf
    assert high == inf


def test_seconds_and_tokens_are_compared_by_the_rectangle_of_their_intervals():
    served = priced(with_tokens(table("served", 300), 1000, 0), BOOK)
    one = case([table("a", 200), served, SILENT], {"a": timed("a", 0.1)})
    ratio = one.compare("a", "served", "usd_per_1k")
    a, b = one.estimate("a", "usd_per_1k"), one.estimate("served", "usd_per_1k")
    assert ratio.value == pytest.approx(a.value / b.value)
    back = one.compare("served", "a", "usd_per_1k")
    assert back.low == pytest.approx(1 / ratio.high, rel=1e-6)


@given(st.floats(0.1, 10), st.floats(0.01, 1), st.integers(1, 99), st.floats(0.51, 0.999))
def test_a_quotient_says_the_same_by_interval_and_by_p(value, se, k, confidence):
    found = quotient(StudentT(value=value, se=se * value, df=20, method="t"), Exact(k, 100))
    low, high = found.interval(confidence)
    assert low <= found.value <= high
    tail = (1 - confidence) / 2
    if low > 0 and high < inf:
        assert found.p_at_least(low * 0.999999) <= tail * 1.001 + 1e-9
        assert found.p_at_least(low * 1.00001) >= tail * 0.999 - 1e-9
        assert found.p_at_most(high * 1.000001) <= tail * 1.001 + 1e-9


def test_a_quotient_covers_at_least_as_often_as_it_says():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(400):
        x = rng.normal(2.0, 0.5, 25)
        k = rng.binomial(200, 0.3)
        above = StudentT(value=x.mean(), se=x.std(ddof=1) / 5, df=24, method="t")
        low, high = Quotient(above=above, below=Exact(int(k), 200)).interval()
        hits += low <= 2.0 / 0.3 <= high
    assert hits / 400 >= 0.94


def test_two_censuses_make_a_census():
    assert quotient(Census(4.0), Census(2.0), scale=0.5) == Census(1.0)


def test_break_even_is_dollars_of_a_day_over_dollars_saved():
    rent = Rented(usd_per_hour_rented=1.0, utilisation=0.1)
    one = break_even(rent, system="a", against="b", busy_s=2.0, other_usd=0.01)
    assert (one.per_day, one.capacity) == (2400.0, 43_200.0)
    assert "from 2,400 questions a day" in one.says
    slow = break_even(rent, system="a", against="b", busy_s=100.0, other_usd=0.01)
    assert "at most 864" in slow.says
    dear = break_even(OWN, system="a", against="b", busy_s=3600.0, other_usd=0.2)
    assert dear.per_day is None
    assert "never cheaper" in dear.says


def test_every_machine_is_set_against_every_bill():
    served = priced(with_tokens(table("served", 300), 1000, 0), BOOK)
    one = case([table("a", 200), served, SILENT], {"a": timed("a", 0.1)})
    [even] = break_evens(one, BOOK)
    assert (even.system, even.against) == ("a", "served")
    assert even.per_day == pytest.approx(
        24.0 / (0.002 - 0.25 * one.timed["a"].columns["busy_s"].mean() / 3600), rel=1e-6
    )


def test_the_sentence_names_every_assumption():
    assert "busy 50%" in BOOK.says()
    assert "served at api: $2 / $0.5 / $10 per million" in BOOK.says()
    assert "rented on box: a rented device at $1 an hour" in BOOK.says()
    assert "paid as billed" in BOOK.says()
    assert "served" not in BOOK.says("rented")


def test_one_price_for_every_call_is_a_number_of_these_calls_only():
    made = table("paid", 300)
    made = replace(made, extra={"billed_usd": np.full(made.outcome.shape, 0.002)})
    one = case([priced(made, BOOK), SILENT])
    found = one.estimate("paid", "usd_per_1k")
    assert (found.value, found.low, found.high) == (pytest.approx(2.0), None, None)
    assert not found.over


def test_a_few_timed_questions_make_no_interval_of_dollars_however_many_answers():
    few = timed("a", 0.1, blocks=4, processes=1)
    served = priced(with_tokens(table("served", 300), 1000, 0), BOOK)
    one = case([table("a", 200), served, SILENT], {"a": few})
    for found in (one.estimate("a", "usd_per_correct"), one.compare("a", "served", "usd_per_1k")):
        assert found.value is not None
        assert (found.low, found.high, found.over) == (None, None, frozenset())
    cheap = claim(
        system="a", against="served", metric="usd_per_1k", relation=Relation.AT_MOST, bound=1.0
    )
    [word] = weigh([one.evidence(cheap)])
    assert word.estimate.value < 0.1
    assert word.status is Status.UNDECIDED
    assert "describe themselves only" in " ".join(word.notes)
