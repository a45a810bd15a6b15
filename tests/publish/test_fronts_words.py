"""Fronts in words."""

from __future__ import annotations

import pytest

from assay import Estimate
from assay.publish.fronts import below


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (0.0, None, None, "0"),
        (0.0018, 0.0, 0.0, "0.0018 (95 % of resamples: 0)"),
        (0.000076, 0.0, 0.0, "0.000076 (95 % of resamples: 0)"),
        (0.11, 0.0, 0.3, "0.11 [0.00, 0.30]"),
    ],
)
def test_a_mean_distance_stands_beside_no_interval_that_leaves_it_out(value, low, high, says):
    over = frozenset({"samples"})
    gap = Estimate(metric="accuracy", value=value, low=low, high=high, over=over)
    assert below(gap) == says
