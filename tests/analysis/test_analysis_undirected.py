"""Metrics of which neither more nor less is better, and how far they are from the value that is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay import Better, Claim, Metric, PlanError, Ratio, Statistic
from assay.analysis.case import Case
from assay.analysis.claims import weigh
from assay.analysis.decision import decide
from assay.analysis.fronts import draw_front
from assay.analysis.table import Table
from assay.core.claim import Relation, Status
from assay.core.metric import Origin, Over
from assay.store.columns import CODE

N, ASKED = 1000, 1200
LIKES = Ratio(
    numerator=lambda c: np.nan_to_num(c["check:likes"]),
    denominator=lambda c: (~np.isnan(c["check:likes"])).astype(float),
)
SHARE = Metric(
    name="likes", better=Better.NONE, form=LIKES, columns=("check:likes",), bounds=(0.0, 1.0)
)
FAR = replace(
    SHARE,
    name="far",
    better=Better.LOWER,
    form=Statistic.distance_of(LIKES, 0.5),
    bounds=(0.0, 0.5),
)


def table(name: str, share: float) -> Table:
    """A system that likes a share of the first thousand samples, and says nothing on the others."""
    likes = np.full((1, ASKED), np.nan)
    likes[0, :N] = np.random.default_rng([*name.encode()]).permutation(np.arange(N) < share * N)
    return Table(
        system=name,
        seeds=(0,),
        samples=tuple(f"s{i}" for i in range(ASKED)),
        groups=tuple(f"g{i}" for i in range(ASKED)),
        outcome=np.full((1, ASKED), CODE["scored"], dtype=np.int8),
        confidence=np.full((1, ASKED), np.nan),
        no_answer=np.zeros(ASKED, dtype=bool),
        extra={"check:likes": likes},
    )


def case(**shares: float) -> Case:
    tables = {name: table(name, share) for name, share in shares.items()}
    return Case(
        task="t",
        metrics={m.name: m for m in (FAR, SHARE)},
        tables=tables,
        raw=tables,
        timed={},
        thresholds={},
        controls=frozenset({"coin"}),
        origins=dict.fromkeys(tables, Origin.MEASURED),
        rng=7,
    )


THREE = case(low=0.2, even=0.51, high=0.6, coin=0.5)


def claim(system: str, metric: str, relation: Relation, bound: float, **more: str) -> Claim:
    return Claim(
        id=f"{system} {metric} {relation.value} {bound}", says="", task="t", system=system, metric=metric,
        relation=relation, bound=bound, **more,
    )  # fmt: skip


def test_a_distance_is_read_off_the_interval_of_its_share() -> None:
    for system, value in (("low", 0.3), ("even", 0.01), ("high", 0.1)):
        share, far = (THREE.estimate(system, name) for name in ("likes", "far"))
        assert far.value == pytest.approx(value)
        assert (far.n, far.n_groups) == (share.n, share.n_groups) == (N, N)
        assert share.low is not None
        assert share.high is not None
        assert far.high == pytest.approx(max(abs(share.low - 0.5), abs(share.high - 0.5)))
        assert (far.low == 0) == (share.low <= 0.5 <= share.high) == (system == "even")
    apart = THREE.compare("low", "even", "far")
    assert apart.value == pytest.approx(0.29)
    assert apart.low is not None
    assert 0.2 < apart.low < 0.29
    itself = THREE.difference("high", "high", "far").interval()
    assert itself is not None
    assert (
        itself[1] < 0.01
    )  # the same answers: nothing but what a difference that was never seen leaves open
    assert THREE.estimate("low", "far", over=frozenset[Over]()).value == pytest.approx(0.3)


def test_a_share_may_be_claimed_on_both_sides_and_a_distance_from_above() -> None:
    asked = [
        claim("even", "likes", Relation.AT_LEAST, 0.45),
        claim("even", "likes", Relation.AT_MOST, 0.55),
        claim("even", "far", Relation.AT_MOST, 0.05),
        claim("high", "far", Relation.AT_MOST, 0.05),
        claim("low", "far", Relation.AT_MOST, 0.05),
    ]
    found = weigh([THREE.evidence(one) for one in asked])
    wanted = [Status.SUPPORTED] * 3 + [Status.REFUTED] * 2
    assert [finding.status for finding in found] == wanted


def test_how_alike_two_systems_are_needs_no_competent_reference() -> None:
    [same] = weigh([THREE.evidence(claim("even", "likes", Relation.WITHIN, 0.2, against="high"))])
    assert same.status is Status.SUPPORTED
    assert not any("competent" in note for note in (same.hold, *same.notes))


def test_what_has_no_direction_is_on_no_front_and_decides_nothing() -> None:
    with pytest.raises(PlanError, match="neither more nor less of likes is better") as caught:
        draw_front(THREE, ["likes"])
    assert caught.value.code == "A104"
    nothing = decide(THREE, [], metric="likes", margin=0.01, cheapest="usd_per_1k")
    assert (nothing.system, nothing.why) == (None, "neither more nor less of likes is better")


def test_the_nearest_is_the_best_on_either_side() -> None:
    front = draw_front(THREE, ["far"])
    standing = {point.system: point.standing.value for point in front.points}
    assert standing == {"low": "beaten", "even": "on", "high": "beaten"}
    without_coin = replace(THREE, controls=frozenset({"low"}))
    shipped = decide(without_coin, [], metric="far", margin=0.05, cheapest="usd_per_1k")
    assert shipped.system in ("even", "coin")
