"""Two systems, right or wrong on the same samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from assay.core.errors import DataError
from assay.stats.inference import PairedScore, Undefined
from assay.stats.paired import Signed, Table, mcnemar_exact, mcnemar_midp, newcombe, tango

CAVO = Table(both=59, first=6, second=16, neither=80)
"""Cavo et al. 2012, as worked in Fagerland, Lydersen and Laake 2017, chapter 8."""

COUNT = st.integers(0, 60)
TABLES = st.builds(Table, both=COUNT, first=COUNT, second=COUNT, neither=COUNT)


def turned(table: Table) -> Table:
    return Table(both=table.both, first=table.second, second=table.first, neither=table.neither)


def test_the_published_table_has_its_published_numbers() -> None:
    assert mcnemar_exact(CAVO).two_sided == pytest.approx(0.052479, abs=5e-7)
    assert mcnemar_midp(CAVO).two_sided == pytest.approx(0.034690, abs=5e-7)
    found = tango(CAVO)
    assert isinstance(found, PairedScore)
    assert found.value == pytest.approx(-0.0621, abs=5e-5)
    assert found.interval() == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert newcombe(CAVO) == pytest.approx((-0.1186, -0.0046), abs=5e-5)


def test_newcombes_example_has_its_published_interval() -> None:
    table = Table(both=36, first=12, second=2, neither=0)
    assert newcombe(table) == pytest.approx((0.0569, 0.3404), abs=5e-5)


@given(TABLES)
def test_the_exact_test_is_that_of_statsmodels(table: Table) -> None:
    theirs = mcnemar([[table.both, table.first], [table.second, table.neither]], exact=True).pvalue
    assert mcnemar_exact(table).two_sided == pytest.approx(theirs)


@given(TABLES)
def test_every_test_turns_over_with_the_systems(table: Table) -> None:
    for test in (mcnemar_exact, mcnemar_midp):
        here, there = test(table), test(turned(table))
        assert (here.first_better, here.two_sided) == (there.second_better, there.two_sided)
    if table.n:
        low, high = newcombe(table)
        assert newcombe(turned(table)) == pytest.approx((-high, -low))


@given(TABLES)
def test_the_mid_p_value_is_never_above_the_exact_one(table: Table) -> None:
    exact, midp = mcnemar_exact(table), mcnemar_midp(table)
    assert midp.two_sided <= exact.two_sided + 1e-12
    assert midp.first_better + midp.second_better == pytest.approx(1.0)
    assert exact.first_better + exact.second_better >= 1.0


@given(TABLES.filter(lambda table: table.n > 0))
def test_both_intervals_hold_the_difference_and_have_a_width(table: Table) -> None:
    gap = (table.first - table.second) / table.n
    for low, high in (newcombe(table), tango(table).interval()):
        assert -1 <= low <= gap + 1e-9
        assert gap - 1e-9 <= high <= 1
        assert low < high


@given(TABLES.filter(lambda table: table.n > 0))
def test_tangos_p_value_against_zero_is_mcnemars_score(table: Table) -> None:
    b, c = table.first, table.second
    found = tango(table)
    if b + c:
        z = (b - c) / np.sqrt(b + c)
        assert found.statistic(0.0) == pytest.approx(z)
    else:
        assert found.p_at_least(0.0) == pytest.approx(0.5)


def test_an_empty_table_is_undefined_and_has_nothing_to_reject() -> None:
    empty = Table(both=0, first=0, second=0, neither=0)
    assert isinstance(newcombe(empty), Undefined)
    assert isinstance(tango(empty), Undefined)
    assert mcnemar_exact(empty).two_sided == 1.0
    assert mcnemar_midp(empty).two_sided == 1.0


def test_a_negative_count_or_another_length_is_an_error() -> None:
    with pytest.raises(DataError, match="A202"):
        Table(both=1, first=-1, second=0, neither=0)
    with pytest.raises(DataError, match="A202"):
        Table.of([True], [True, False])


@pytest.mark.parametrize(("test", "limit"), [(mcnemar_exact, 0.05), (mcnemar_midp, 0.055)])
def test_equal_systems_are_told_apart_no_more_often_than_promised(
    test: Callable[[Table], Signed], limit: float
) -> None:
    rng = np.random.default_rng(0)
    tables = rng.multinomial(80, [0.6, 0.1, 0.1, 0.2], size=4000)
    rejected = [
        test(Table(both=a, first=b, second=c, neither=d)).two_sided <= 0.05
        for a, b, c, d in tables.tolist()
    ]
    assert 0.02 <= np.mean(rejected) <= limit


@pytest.mark.parametrize("interval", [newcombe, lambda table: tango(table).interval()])
def test_paired_intervals_cover_with_few_discordant_samples(
    interval: Callable[[Table], tuple[float, float]],
) -> None:
    rng = np.random.default_rng(1)
    tables = rng.multinomial(120, [0.85, 0.04, 0.02, 0.09], size=3000).tolist()
    covered = []
    for a, b, c, d in tables:
        low, high = interval(Table(both=a, first=b, second=c, neither=d))
        covered.append(low <= 0.02 <= high)
    assert 0.94 <= np.mean(covered) <= 0.98
