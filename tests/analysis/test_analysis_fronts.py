"""Fronts with their uncertainty: standings, gaps, mixtures, trade-offs, value ranges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Better, Metric, Statistic
from assay.analysis.case import Case
from assay.analysis.fronts import draw_front
from assay.analysis.metrics import OUTCOME_METRICS
from assay.analysis.redraws import redraw
from assay.analysis.table import Table
from assay.analysis.timed import Timed
from assay.core.front import Front, Standing
from assay.core.metric import Origin
from assay.stats.bootstrap import counts, ratio_draws
from assay.stats.resamples import RESAMPLES
from assay.store.columns import CODE

RIGHT, WRONG = CODE["correct"], CODE["wrong"]


def table(name: str, share: float, *, n: int = 300, size: int = 3, seed: int = 0) -> Table:
    """A system that is right on a share of the questions, drawn anew for each group."""
    rng = np.random.default_rng([seed, *name.encode()])
    right = rng.random(n) < np.repeat(np.clip(share + rng.normal(0, 0.1, n // size), 0, 1), size)
    return Table(
        system=name,
        seeds=(0,),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i // size}" for i in range(n)),
        outcome=np.where(right, RIGHT, WRONG).astype(np.int8)[None, :],
        confidence=np.full((1, n), 0.5),
        no_answer=np.zeros(n, dtype=bool),
    )


def timed(name: str, seconds: float, *, blocks: int = 24, processes: int = 3) -> Timed:
    rng = np.random.default_rng(sum(name.encode()))
    each = seconds * (1 + 0.1 * rng.random(blocks * 4))
    return Timed(
        system=name,
        blocks=tuple(f"{(i // 4) % processes}/{i // 4}" for i in range(blocks * 4)),
        processes=processes,
        columns={
            "busy_s": each,
            "latency_s": each,
            "usd": each / 3600,
            "timed": np.ones(blocks * 4),
            "priced": np.ones(blocks * 4),
            "same": np.ones(blocks * 4),
        },
    )


def case(shares: dict[str, tuple[float, float]], *, blocks: int = 24, n: int = 300) -> Case:
    """Systems by accuracy and seconds, and a silent control."""
    tables = {name: table(name, right, n=n) for name, (right, _) in shares.items()}
    tables["silent"] = replace(
        next(iter(tables.values())),
        system="silent",
        outcome=np.full((1, n), CODE["withheld"], dtype=np.int8),
    )
    return Case(
        task="t",
        metrics={m.name: m for m in OUTCOME_METRICS},
        tables=tables,
        raw=tables,
        timed={name: timed(name, s, blocks=blocks) for name, (_, s) in shares.items()},
        thresholds={},
        controls=frozenset({"silent"}),
        origins=dict.fromkeys(tables, Origin.MEASURED),
        rng=7,
    )


THREE = {"cheap": (0.5, 1.0), "middle": (0.55, 2.0), "dear": (0.9, 3.0)}
PLANE = ("accuracy", "usd_per_1k")


def named(front: Front) -> dict[str, object]:
    return {p.system: p for p in front.points}


def test_a_system_under_the_chord_is_on_the_front_and_told_who_to_route_to() -> None:
    front = draw_front(case(THREE), PLANE)
    middle = named(front)["middle"]
    assert middle.standing is Standing.ON
    assert not middle.on_hull
    mixture = middle.mixture
    assert (mixture.left, mixture.right) == ("cheap", "dear")
    at = {n: [p.at[n].value for p in front.points] for n in PLANE}
    mixed = (1 - mixture.share_right) * np.array([at[n][0] for n in PLANE])
    mixed = mixed + mixture.share_right * np.array([at[n][2] for n in PLANE])
    assert mixed[1] == pytest.approx(at["usd_per_1k"][1])
    assert mixed[0] == pytest.approx(at["accuracy"][1] + mixture.gain)
    assert 0 < mixture.saving < 1
    assert middle.hull_gap.low < mixture.gain < middle.hull_gap.high
    assert middle.frequency < 1


def test_what_is_never_behind_has_no_distance_and_no_false_interval() -> None:
    dear = named(draw_front(case(THREE), PLANE))["dear"]
    assert dear.frequency == 1.0
    assert (dear.gap.value, dear.gap.low, dear.gap.high) == (0.0, None, None)
    assert "each of 10,000" in dear.gap.method


def test_a_dominated_system_is_far_below_and_says_behind_whom() -> None:
    front = draw_front(case({**THREE, "poor": (0.3, 4.0)}), PLANE)
    poor = named(front)["poor"]
    assert poor.standing is Standing.BEATEN
    assert set(poor.behind) == {"cheap", "middle", "dear"}
    assert set(poor.beaten_by) <= set(poor.behind)
    assert poor.frequency == 0.0
    assert poor.gap.low > 0.4
    assert poor.mixture.left == poor.mixture.right == "dear"


def test_the_same_run_draws_the_same_front() -> None:
    assert draw_front(case(THREE), PLANE) == draw_front(case(THREE), PLANE)


def test_a_dominated_system_changes_nothing_for_the_others_but_the_box() -> None:
    few, more = (draw_front(case(s), PLANE) for s in (THREE, {**THREE, "poor": (0.2, 9.0)}))
    for system, point in named(few).items():
        other = named(more)[system]
        assert (point.frequency, point.on_hull, point.mixture) == (
            other.frequency,
            other.on_hull,
            other.mixture,
        )
    assert few.reference["usd_per_1k"] < more.reference["usd_per_1k"]


def test_resamples_are_paired_across_systems() -> None:
    some = case(THREE)
    twin = replace(some.tables["cheap"], system="twin")
    some = replace(
        some,
        tables={**some.tables, "twin": twin},
        timed={**some.timed, "twin": replace(some.timed["cheap"], system="twin")},
        origins={**some.origins, "twin": Origin.MEASURED},
    )
    found = redraw(some, ("cheap", "twin", "dear"), [*PLANE, "latency_p50"])
    for draws in found.draws.values():
        assert draws.shape == (RESAMPLES, 3)
        assert (draws[:, 0] == draws[:, 1]).all()
        assert (draws[:, 0] != draws[:, 2]).any()


def test_draws_of_a_share_are_those_of_the_bootstrap() -> None:
    some = case(THREE)
    found = redraw(some, ("cheap",), ["accuracy"]).draws["accuracy"][:, 0]
    right = (some.tables["cheap"].outcome[0] == RIGHT).reshape(-1, 3).sum(axis=1)
    drawn = counts(100, resamples=RESAMPLES, rng=np.random.default_rng(3))
    theirs = ratio_draws(right, np.full(100, 3.0), drawn)
    assert found.mean() == pytest.approx(theirs.mean(), abs=0.003)
    assert found.std() == pytest.approx(theirs.std(), rel=0.08)


def test_many_groups_that_are_alike_follow_the_same_law() -> None:
    some = case(THREE, n=6000)
    found = redraw(some, ("cheap", "dear"), ["accuracy"]).draws["accuracy"]
    means = [(some.tables[s].outcome[0] == RIGHT).reshape(-1, 3).mean(axis=1) for s in ("cheap", "dear")]  # fmt: skip
    assert np.allclose(found.mean(axis=0), [m.mean() for m in means], atol=0.001)
    assert np.allclose(np.cov(found.T), np.cov(means) / 2000, rtol=0.15, atol=5e-6)


def test_a_metric_that_is_no_ratio_is_resampled_with_the_same_groups() -> None:
    def share(columns: dict[str, np.ndarray], weights: np.ndarray) -> float | None:
        return float(np.average(columns["correct"], weights=weights)) if weights.any() else None

    some = case(THREE)
    again = Metric(
        name="again", better=Better.HIGHER, form=Statistic(of=share), columns=("correct",)
    )
    some = replace(some, metrics={**some.metrics, "again": again})
    found = redraw(some, ("cheap", "dear"), ["accuracy", "again"]).draws
    assert np.allclose(found["accuracy"], found["again"])
    front = draw_front(some, ("again", "usd_per_1k"))
    assert front.cost is None
    assert "no mean over questions" in front.notes[0]


def test_few_time_blocks_are_held_as_measured_and_it_says_so() -> None:
    front = draw_front(case(THREE, blocks=2), PLANE)
    assert any("held as measured" in note for note in front.notes)
    assert all("held as measured" in t.right_per_usd.method for t in front.tradeoffs)
    assert all(t.leads is None for t in front.tradeoffs)


def test_resamples_that_are_all_alike_say_nothing_of_how_sure_it_is() -> None:
    front = draw_front(case({"cheap": (1.5, 1.0), "dear": (1.5, 2.0)}, blocks=2), PLANE)
    assert {p.at["accuracy"].value for p in front.points} == {1.0}
    assert {p.frequency for p in front.points} == {None}
    assert {p.gap for p in front.points} == {None}
    assert front.hypervolume.low is None
    assert {r.low for r in front.hull} == {None}
    assert any("nothing is known" in note for note in front.notes)


def test_a_quantile_does_not_mix_and_a_mean_does() -> None:
    tail = draw_front(case(THREE), (*PLANE, "latency_p50"))
    assert {p.mixture_beats for p in tail.points} == {None}
    assert any("not applicable, latency_p50" in note for note in tail.notes)
    mean = draw_front(case(THREE), (*PLANE, "latency_mean"))
    assert {p.system: p.mixture_beats for p in mean.points} == {
        "cheap": False,
        "middle": True,
        "dear": False,
    }
    for cost in ("latency_p50", "usd_per_correct"):
        assert draw_front(case(THREE), ("accuracy", cost)).cost is None


def test_a_share_of_what_a_system_chose_to_answer_does_not_mix() -> None:
    some = case(THREE)
    shy = some.tables["middle"].above({0: 0.6})
    some = replace(some, tables={**some.tables, "middle": shy})
    front = draw_front(replace(some), ("coverage", "usd_per_1k"))
    assert front.cost == "usd_per_1k"
    keen = replace(some.tables["dear"], confidence=np.full((1, 300), 0.5))
    keen.confidence[0, ::2] = 0.9
    some = replace(some, tables={**some.tables, "dear": keen.above({0: 0.6}), "middle": keen})
    front = draw_front(some, ("selective_accuracy", "usd_per_1k"))
    assert front.cost is None
    assert "another count" in front.notes[0]


def test_tradeoffs_are_against_the_most_accurate() -> None:
    front = draw_front(case(THREE), PLANE)
    assert {t.against for t in front.tradeoffs} == {"dear"}
    found = {t.system: t for t in front.tradeoffs}
    assert found["dear"].gap is None
    assert found["cheap"].gap.value < 0
    assert found["cheap"].cost_ratio.value == pytest.approx(1 / 3, rel=0.05)
    assert found["cheap"].p99.value is None
    assert "tokens were not counted" in found["cheap"].usd_per_million_tokens.method
    assert sum(t.leads for t in front.tradeoffs) == pytest.approx(1)
    assert found["cheap"].leads > 0.9
    right, dollars = (front.points[0].at[n].value for n in PLANE)
    assert found["cheap"].right_per_usd.value == pytest.approx(1000 * right / dollars)
    assert (
        found["cheap"].right_per_usd.low
        < 1000 * right / dollars
        < found["cheap"].right_per_usd.high
    )


def test_dollars_per_million_tokens_where_tokens_are_counted() -> None:
    some = case(THREE)
    dear = some.timed["dear"]
    n = len(dear.blocks)
    tokens = {"tokens_in": np.full(n, 90.0), "tokens_out": np.full(n, 10.0)}
    dear = replace(dear, columns={**dear.columns, **tokens})
    some = replace(some, timed={**some.timed, "dear": dear})
    (found,) = [t for t in draw_front(some, PLANE).tradeoffs if t.system == "dear"]
    per = found.usd_per_million_tokens
    assert per.value == pytest.approx(1e6 * dear.columns["usd"].sum() / (100 * n))
    assert per.low < per.value < per.high


def test_dollars_in_the_records_move_with_the_samples() -> None:
    some = case(THREE)
    dear = some.tables["dear"]
    tokens = np.random.default_rng(5).integers(50, 150, (1, 300)).astype(float)
    paid = {"usd": tokens * 1e-6 + 1e-5, "priced": np.ones((1, 300)), "tokens_in": tokens, "tokens_out": np.zeros((1, 300))}  # fmt: skip
    dear = replace(dear, extra=paid)
    timings = {s: t for s, t in some.timed.items() if s != "dear"}
    some = replace(some, tables={**some.tables, "dear": dear}, timed=timings)
    found = redraw(some, ("cheap", "dear"), ["accuracy", "usd_per_1k", "usd_per_correct"])
    assert not found.fixed
    dollars = found.draws["usd_per_1k"]
    assert dollars.std(axis=0).min() > 0
    each = dollars / 1000 / found.draws["accuracy"]
    assert np.allclose(found.draws["usd_per_correct"], each)
    front = draw_front(some, PLANE)
    (at,) = [t for t in front.tradeoffs if t.system == "dear"]
    spent = 1e6 * paid["usd"].sum() / tokens.sum()
    assert at.usd_per_million_tokens.value == pytest.approx(spent)
    assert at.value_score is None
    assert at.latency_ratio is None
    assert front.cost == "usd_per_1k"


def test_the_legacy_score_is_the_product_that_it_was() -> None:
    front = draw_front(case(THREE), PLANE)
    found = {t.system: t.value_score for t in front.tradeoffs}
    assert found["dear"] == 1.0
    right = {p.system: p.at["accuracy"].value for p in front.points}
    lost = 1 - (right["dear"] - right["cheap"])
    assert found["cheap"] == pytest.approx(lost * 3 * 3, rel=0.1)


def test_each_vertex_has_the_range_of_values_in_which_it_is_worth_most() -> None:
    front = draw_front(case({"cheap": (0.5, 1.0), "dear": (0.9, 3.0)}), PLANE)
    first, second = front.worth
    assert (first.system, second.system) == ("cheap", "dear")
    assert first.end == second.start
    assert second.end is None
    at = {p.system: p.at for p in front.points}
    cost = {s: v["usd_per_1k"].value / 1000 for s, v in at.items()}
    right = {s: v["accuracy"].value for s, v in at.items()}
    assert first.start.value == pytest.approx(cost["cheap"] / right["cheap"])
    step = (cost["dear"] - cost["cheap"]) / (right["dear"] - right["cheap"])
    assert second.start.value == pytest.approx(step)
    assert second.start.low < step < second.start.high


def test_where_nobody_beats_a_free_control_no_value_of_a_right_answer_pays() -> None:
    some = case({"dear": (0.5, 3.0)})
    better = replace(table("silent", 0.7), system="silent")
    front = draw_front(replace(some, tables={**some.tables, "silent": better}), PLANE)
    assert front.worth == ()


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 9.0)),
        min_size=1,
    )
)
def test_the_hull_is_part_of_the_front_and_the_front_adds_up(shares) -> None:
    front = draw_front(case(shares), PLANE)
    assert front == draw_front(case(dict(shares)), PLANE)
    for point in front.points:
        assert (point.standing is Standing.ON) == (not point.behind)
        assert not (point.on_hull and point.behind)
        assert (point.mixture is None) == point.on_hull
        assert 0 <= point.frequency <= 1
    assert any(p.on_hull for p in front.points)
    assert {w.system for w in front.worth} <= {p.system for p in front.points if p.on_hull}
    assert 0 <= front.hypervolume.low <= front.hypervolume.high <= 1
    heights = [r.benefit for r in front.hull]
    assert heights == sorted(heights)


def test_no_system_is_an_empty_front() -> None:
    some = case(THREE)
    empty = draw_front(replace(some, timed={}), PLANE)
    assert empty.points == ()
    assert empty.tradeoffs == ()
