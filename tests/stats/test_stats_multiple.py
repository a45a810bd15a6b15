"""Many claims at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.core.errors import DataError
from assay.stats.inference import StudentT
from assay.stats.multiple import benjamini_hochberg, bonferroni, holm

P = st.one_of(st.floats(0, 1), st.floats(0, 0.02), st.sampled_from([0.0, 0.01, 0.5, 1.0]))
FAMILIES = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), P, min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda family: bonferroni(family, alpha=0.05), "bonferroni"),
        (lambda family: benjamini_hochberg(family, rate=0.05), "fdr_bh"),
    ],
)
@given(family=FAMILIES)
def test_each_procedure_is_that_of_statsmodels(
    ours: Callable[[dict[str, float]], dict[str, Any]], theirs: str, family: dict[str, float]
) -> None:
    rejected, adjusted, _, _ = multipletests(list(family.values()), alpha=0.05, method=theirs)
    found = ours(family)
    assert list(found) == list(family)
    assert [each.adjusted for each in found.values()] == pytest.approx(list(adjusted))
    for each, there, p in zip(found.values(), rejected, adjusted, strict=True):
        assert each.rejected == there or p == pytest.approx(0.05)


@given(st.dictionaries(st.text("abc", min_size=1), P, min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(family: dict[str, float]) -> None:
    tested = holm(family, alpha=0.05)
    for name, p in family.items():
        others = [other for rival, other in family.items() if rival != name]
        families = (
            (p, *some)
            for size in range(len(family))
            for some in itertools.combinations(others, size)
        )
        needed = max(len(some) * min(some) for some in families)
        assert tested[name].adjusted == pytest.approx(min(needed, 1.0))


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 4, 9):  # it collects garbage at each call: few examples
        family = dict(zip("abcdefghi", rng.random(size) ** 4, strict=False))
        rejected, adjusted, _, _ = multipletests(list(family.values()), alpha=0.05, method="holm")
        found = holm(family, alpha=0.05).values()
        assert [each.adjusted for each in found] == pytest.approx(list(adjusted))
        assert [each.rejected for each in found] == list(rejected)


@pytest.mark.parametrize("procedure", [holm, bonferroni, benjamini_hochberg])
@given(family=FAMILIES)
def test_a_hypothesis_is_rejected_exactly_when_it_passes_its_own_level(
    procedure: Callable[[dict[str, float]], dict[str, Any]], family: dict[str, float]
) -> None:
    for each in procedure(family).values():
        assert each.rejected == (each.p <= each.level)
        assert each.level > 0


@given(FAMILIES)
def test_holm_does_not_depend_on_names_or_order(family: dict[str, float]) -> None:
    turned = dict(reversed(family.items()))
    assert holm(turned) == holm(family)
    renamed = holm({name + "!": p for name, p in family.items()})
    assert {name[:-1]: each for name, each in renamed.items()} == holm(family)


@given(FAMILIES)
def test_holm_rejects_whatever_bonferroni_does(family: dict[str, float]) -> None:
    strict, stepwise = bonferroni(family), holm(family)
    assert all(stepwise[name].rejected for name in family if strict[name].rejected)
    assert all(stepwise[name].level >= strict[name].level - 1e-15 for name in family)


@given(FAMILIES, st.floats(0.001, 0.5))
def test_holm_rejects_exactly_below_its_adjusted_p(family: dict[str, float], alpha: float) -> None:
    for each in holm(family, alpha=alpha).values():
        if each.adjusted != pytest.approx(alpha):
            assert each.rejected == (each.adjusted <= alpha)


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 0.5)), min_size=1, max_size=8),
    st.floats(-0.5, 0.5),
)
def test_the_interval_at_the_level_of_holm_agrees_with_its_word(
    numbers: list[tuple[float, float]], bound: float
) -> None:
    members = {str(i): StudentT(value=v, se=se, df=20) for i, (v, se) in enumerate(numbers)}
    tested = holm({name: each.p_at_least(bound) for name, each in members.items()})
    for name, each in members.items():
        low, _ = each.interval(1 - 2 * tested[name].level)
        assert tested[name].rejected == (low >= bound) or abs(low - bound) < 1e-9


def test_a_family_of_true_hypotheses_is_rarely_rejected_anywhere() -> None:
    rng = np.random.default_rng(0)
    any_rejected = [
        any(
            each.rejected
            for each in holm(dict(zip("abcdef", rng.random(6), strict=True)), alpha=0.05).values()
        )
        for _ in range(4000)
    ]
    assert 0.04 <= np.mean(any_rejected) <= 0.06


def test_no_claim_is_no_family() -> None:
    assert holm({}) == bonferroni({}) == benjamini_hochberg({}) == {}


@pytest.mark.parametrize("procedure", [holm, bonferroni, benjamini_hochberg])
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_an_error(
    procedure: Callable[[dict[str, float]], object], p: float
) -> None:
    with pytest.raises(DataError, match="A202"):
        procedure({"a": p})
