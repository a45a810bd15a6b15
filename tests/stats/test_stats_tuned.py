"""Thresholds that are the best on their samples, and say so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import DataError
from assay.stats.threshold import Calibration, NoThreshold
from assay.stats.tuned import Payoff, Tuned, at_coverage, by_utility

SAMPLES = st.lists(
    st.tuples(st.sampled_from([-np.inf, 0.1, 0.2, 0.3, 0.4]), st.booleans()),
    min_size=1,
    max_size=25,
)


def made(samples: list[tuple[float, bool]]) -> Calibration:
    sure = np.array([c for c, _ in samples], dtype=float)
    right = np.array([r for _, r in samples], dtype=bool) & (sure > -np.inf)
    return Calibration(confidence=sure, right=right, groups=np.arange(len(samples)))


@given(SAMPLES, st.floats(0.01, 0.99))
def test_the_threshold_for_a_coverage_is_the_strictest_that_reaches_it(
    samples: list[tuple[float, bool]], coverage: float
) -> None:
    calibration = made(samples)
    sure = calibration.confidence
    found = at_coverage(calibration, coverage=coverage)
    if isinstance(found, NoThreshold):
        assert (sure == -np.inf).all()
        return
    held = sure >= found.threshold
    assert (found.accepted, found.errors) == (held.sum(), (held & ~calibration.right).sum())
    if found.why:
        assert (sure > -np.inf).mean() < coverage
        assert found.threshold == sure[sure > -np.inf].min()
    else:
        assert held.mean() >= coverage - 1e-9
        stricter = sure > found.threshold
        assert stricter.mean() < coverage


@given(SAMPLES, st.floats(-9, -0.1), st.floats(-0.05, 0.9))
def test_no_threshold_is_worth_more_than_the_one_chosen_by_utility(
    samples: list[tuple[float, bool]], wrong: float, declined: float
) -> None:
    calibration = made(samples)
    payoff = Payoff(right=1.0, wrong=wrong, declined=declined)
    sure, right = calibration.confidence, calibration.right
    answered = sure > -np.inf

    def worth(threshold: float) -> float:
        held = sure >= threshold
        each = np.where(held, np.where(right, 1.0, wrong), declined)
        return float(each[answered].mean())

    found = by_utility(calibration, payoff)
    if isinstance(found, NoThreshold):
        assert all(worth(c) <= declined + 1e-9 for c in sure[answered])
        return
    assert found.worth == pytest.approx(worth(found.threshold))
    assert found.worth > declined
    for other in sure[answered]:
        assert worth(other) <= found.worth + 1e-9
        if other > found.threshold:
            assert worth(other) < found.worth + 1e-9


def test_a_coverage_beyond_what_has_an_answer_answers_all_of_that_and_says_so() -> None:
    half = made([(0.5, True), (0.4, False), (-np.inf, False), (-np.inf, False)])
    found = at_coverage(half, coverage=0.8)
    assert isinstance(found, Tuned)
    assert (found.threshold, found.worth) == (0.4, 0.5)
    assert "50.0% of the samples, no more" in found.why


@pytest.mark.parametrize("of", [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.5)])
def test_a_payoff_that_leaves_nothing_to_choose_is_refused(of: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="A202"):
        Payoff(right=of[0], wrong=of[1], declined=of[2])


def test_a_coverage_of_nothing_or_everything_is_refused() -> None:
    for coverage in (0.0, 1.0):
        with pytest.raises(DataError, match="A202"):
            at_coverage(made([(0.5, True)]), coverage=coverage)
