"""A case: competence, standings, the decision; numbers that count what they say they count."""

from dataclasses import replace

import numpy as np
import pytest

from assay import Better, Claim, Metric, Over, Ratio, Relation, Statistic, Status
from assay.analysis.case import Case
from assay.analysis.claims import weigh
from assay.analysis.decision import decide
from assay.analysis.fronts import draw_front
from assay.analysis.infer import infer, infer_difference
from assay.analysis.metrics import OUTCOME_METRICS
from assay.analysis.table import Table, Timed
from assay.core.front import Standing
from assay.core.metric import Contrast, Origin
from assay.stats.inference import Census, Undefined
from assay.store.columns import CODE

SAMPLES = frozenset({Over.SAMPLES})
BOTH = frozenset({Over.SAMPLES, Over.SEEDS})


def table(name, right, *, n=400, none=0, answered=None, seeds=1, shift=0):
    """Return a system that gets the first ``right`` of ``n`` questions, and declines all others."""
    outcome = np.full((seeds, n), CODE["withheld"], dtype=np.int8)
    last = n if answered is None else answered
    outcome[:, :last] = CODE["wrong"]
    for row in range(seeds):
        outcome[row, : right + shift * row] = CODE["correct"]
    no_answer = np.zeros(n, dtype=bool)
    if none:
        no_answer[-none:] = True
        outcome[:, -none:] = CODE["declined"]
    return Table(
        system=name,
        seeds=tuple(range(seeds)),
        samples=tuple(f"s{i}" for i in range(n)),
        groups=tuple(f"g{i}" for i in range(n)),
        outcome=outcome,
        confidence=np.full((seeds, n), 0.5),
        no_answer=no_answer,
    )


def timed(name, seconds, *, blocks=24, processes=3):
    rng = np.random.default_rng(sum(name.encode()))
    each = seconds * (1 + 0.05 * rng.random(blocks * 2))
    return Timed(
        system=name,
        blocks=tuple(f"{i % processes}/{i // 2}" for i in range(blocks * 2)),
        processes=processes,
        columns={
            "busy_s": each,
            "latency_s": each,
            "usd": each / 3600,
            "timed": np.ones(blocks * 2),
            "priced": np.ones(blocks * 2),
            "same": np.ones(blocks * 2),
        },
    )


def case(tables, times=None, controls=("silent",)):
    everybody = {t.system: t for t in tables}
    return Case(
        task="t",
        metrics={m.name: m for m in OUTCOME_METRICS},
        tables=everybody,
        raw=everybody,
        timed=times or {},
        thresholds={},
        controls=frozenset(controls),
        origins=dict.fromkeys(everybody, Origin.MEASURED),
        rng=0,
    )


SILENT = table("silent", 0, answered=0)


def claim(**more):
    made = {
        "id": "c",
        "says": "so",
        "task": "t",
        "system": "a",
        "against": "b",
        "metric": "accuracy",
        "relation": Relation.AT_LEAST,
        "bound": -0.05,
    }
    return Claim(**{**made, **more})


def test_being_as_good_as_a_system_that_is_no_better_than_silence_decides_nothing():
    weak = case([table("a", 30), table("b", 8, answered=8), SILENT])
    (finding,) = weigh([weak.evidence(claim())])
    assert finding.status is Status.UNDECIDED
    assert "reference not competent" in finding.notes[0]
    strong = case([table("a", 300), table("b", 290), SILENT])
    assert weigh([strong.evidence(claim())])[0].status is Status.SUPPORTED


def test_only_the_direction_of_a_margin_makes_a_claim_one_of_non_inferiority():
    weak = case([table("a", 2, answered=2), table("b", 200), table("silent", 190, answered=190)])
    (finding,) = weigh([weak.evidence(claim(relation=Relation.AT_MOST, bound=-0.2))])
    assert finding.status is Status.SUPPORTED
    assert finding.notes == ()


def test_crashes_that_are_left_hold_every_claim_on_their_system():
    crashed = table("a", 300)
    crashed.outcome[0, 7] = CODE["crashed"]
    (finding,) = weigh([case([crashed, table("b", 100), SILENT]).evidence(claim())])
    assert finding.status is Status.UNDECIDED
    assert "not observed" in finding.notes[0]


def test_few_answers_without_an_error_keep_a_large_bound():
    """Three right answers of 400 questions say at most 63 % wrong, not at most 1 %."""
    few = case([table("a", 3, answered=3), table("silent", 0, answered=0, none=0)], controls=())
    decision = decide(few, [], metric="selective_accuracy", margin=0.0, cheapest="usd_per_1k")
    assert decision.system == "a"
    assert decision.wrong_at_most == pytest.approx(1 - 0.05 ** (1 / 3))


def test_n_counts_what_stands_in_the_denominator():
    some = case([table("a", 300, none=40), SILENT])
    invented = some.estimate("a", "invention_rate")
    assert (invented.n, invented.n_groups) == (40, 40)
    assert some.estimate("a", "accuracy").n == 400


def test_the_samples_that_would_decide_are_samples_to_ask_not_samples_that_count():
    some = case([table("a", 300, none=40), SILENT])
    made = claim(against=None, metric="invention_rate", relation=Relation.AT_MOST, bound=0.02)
    (finding,) = weigh([some.evidence(made)])
    assert finding.status is Status.UNDECIDED
    # Nine of ten samples have an answer and say nothing about inventing one.
    assert finding.more_samples > 1000


def test_a_few_timed_questions_make_nobody_beaten():
    systems = [table("a", 300), table("b", 100), SILENT]
    few = {"a": timed("a", 0.1, blocks=2), "b": timed("b", 0.2, blocks=2)}
    many = {"a": timed("a", 0.1), "b": timed("b", 0.2)}
    objectives = ("accuracy", "usd_per_1k")
    standing = {p.system: p.standing for p in draw_front(case(systems, few), objectives).points}
    assert standing == {"a": Standing.ON, "b": Standing.UNRESOLVED}
    standing = {p.system: p.standing for p in draw_front(case(systems, many), objectives).points}
    assert standing == {"a": Standing.ON, "b": Standing.BEATEN}


def test_the_cheapest_of_the_good_enough_is_shipped():
    systems = [table("big", 380), table("small", 379), table("poor", 200), SILENT]
    times = {"big": timed("big", 1.0), "small": timed("small", 0.01), "poor": timed("poor", 0.001)}
    decision = decide(
        case(systems, times), [], metric="accuracy", margin=0.02, cheapest="usd_per_1k"
    )
    assert decision.system == "small"
    assert set(decision.eligible) == {"big", "small"}
    assert decision.cheaper_than == "big"
    assert decision.times_cheaper.value == pytest.approx(100, rel=0.1)


def test_nothing_is_shipped_that_a_control_does_as_well():
    decision = decide(
        case(
            [table("a", 10, answered=10), replace(table("constant", 12), system="constant")],
            controls=("constant",),
        ),
        [],
        metric="accuracy",
        margin=0.02,
        cheapest="usd_per_1k",
    )
    assert decision.system is None
    assert "constant" in decision.why


def ratio_metric(contrast):
    return Metric(
        name="tokens",
        better=Better.LOWER,
        form=Ratio(numerator=lambda c: c["tokens"], denominator=lambda c: c["asked"]),
        columns=("tokens", "asked"),
        contrast=contrast,
    )


def with_tokens(name, value, seeds=1):
    made = table(name, 100, seeds=seeds)
    rng = np.random.default_rng(value)
    return replace(made, extra={"tokens": value * (1 + 0.1 * rng.random(made.outcome.shape))})


@pytest.mark.parametrize("over", [frozenset(), SAMPLES, BOTH])
def test_a_ratio_scale_is_compared_by_ratio_whatever_it_generalises_over(over):
    a, b = with_tokens("a", 20, seeds=3), with_tokens("b", 10, seeds=3)
    found = infer_difference(ratio_metric(Contrast.RATIO), a, b, over=over, rng=0)
    assert found.value == pytest.approx(2.0, rel=0.05)


def test_a_statistic_does_not_pretend_to_speak_of_seeds():
    median = Metric(
        name="median_tokens",
        better=Better.LOWER,
        form=Statistic(of=lambda c, w: float(np.median(np.repeat(c["tokens"], w.astype(int))))),
        columns=("tokens",),
    )
    one = with_tokens("a", 20, seeds=3)
    one = replace(one, extra={"tokens": one.extra["tokens"]})
    found = infer(median, one, over=BOTH, rng=0)
    assert isinstance(found, Undefined)
    assert "seeds" in found.method
    assert isinstance(infer(median, one, over=frozenset(), rng=0), Census)
    assert infer(median, one, over=SAMPLES, rng=0).interval() is not None
