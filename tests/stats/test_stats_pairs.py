"""Two systems that answer each sample several times, as under several seeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.clusters import paired
from assay.stats.inference import Inference, PairedScore

Hits = npt.NDArray[np.float64]


def compared(a: Hits, b: Hits, times: int) -> Inference:
    """Compare right answers by sample, of so many to each."""
    asked = np.full(len(a), float(times))
    return paired((a, asked), (b, asked), groups=np.arange(len(a)), bounds=(0, 1))


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40), st.integers(2, 9)
)
def test_answers_that_are_all_alike_say_what_one_answer_says(
    bits: list[tuple[bool, bool]], times: int
) -> None:
    a, b = np.array(bits, dtype=np.float64).T
    once, again = compared(a, b, 1), compared(a * times, b * times, times)
    assert again.interval() == pytest.approx(once.interval())
    assert again.p_at_least(0.0) == pytest.approx(once.p_at_least(0.0))
    assert again.value == pytest.approx(once.value)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40).filter(
        lambda hits: any(a != b for a, b in hits)
    )
)
def test_answers_that_differ_are_worth_between_one_and_all_of_them(
    hits: list[tuple[int, int]],
) -> None:
    a, b = np.array(hits, dtype=np.float64).T
    found = compared(a, b, 3)
    assert isinstance(found, PairedScore)
    assert len(hits) * (1 - 1e-9) <= found.n_eff <= 3 * len(hits)
    back = compared(b, a, 3)
    low, high = found.interval()
    assert back.interval() == pytest.approx((-high, -low))


def test_nine_gains_and_one_loss_are_shown_under_one_seed_and_under_three() -> None:
    first, second = (
        np.repeat([1.0, 0.0, 1.0, 0.0], [9, 1, 3, 2]),
        np.repeat([0.0, 1.0, 1.0, 0.0], [9, 1, 3, 2]),
    )
    low, _ = compared(3 * first, 3 * second, 3).interval()
    assert low > 0.1
    first[0] = 2 / 3
    low, _ = compared(3 * first, 3 * second, 3).interval()
    assert low > 0.05


@pytest.mark.parametrize("other", [0.0, 0.02, 0.2])
@pytest.mark.parametrize(
    ("gained", "lost", "samples"),
    [(0.1, 0.1, 20), (0.1, 0.1, 60), (0.02, 0.12, 40), (0.0, 0.03, 80)],
)
def test_a_difference_of_several_answers_is_covered(
    gained: float, lost: float, samples: int, other: float
) -> None:
    """``other`` is how often an answer under a seed is another one than the sample's."""
    rng, times, rounds = np.random.default_rng(1), 3, 500
    truth, above, below = (gained - lost) * (1 - 2 * other), 0, 0
    for _ in range(rounds):
        kind = rng.choice(4, size=samples, p=[0.8 - gained - lost, 0.2, gained, lost])
        a, b = (
            ((rng.random((samples, times)) < other) ^ np.isin(kind, right)[:, None]).sum(axis=1)
            for right in ([0, 2], [0, 3])
        )
        low, high = compared(a.astype(float), b.astype(float), times).interval()
        above, below = above + (low > truth), below + (high < truth)
    assert max(above, below) / rounds <= 0.035


def test_several_answers_to_samples_of_groups_are_inferred_from_groups() -> None:
    a, b = np.tile([3.0, 0.0, 2.0, 3.0], 10), np.tile([0.0, 3.0, 2.0, 0.0], 10)
    asked = np.full(40, 3.0)
    found = paired((a, asked), (b, asked), groups=np.repeat(np.arange(20), 2), bounds=(0, 1))
    assert "in groups, design effect" in found.method
