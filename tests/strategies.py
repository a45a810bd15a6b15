"""Hypothesis strategies for every noun, as hostile as a noun may be.

Half a surrogate pair (U+D800 alone) is text to Python and to JSON's escapes, and is not UTF-8.
``texts()`` leaves it out, because samples and replies that hold one are refused or failed;
``any_texts()`` has it, for the tests that say so.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from assay import (
    Answer,
    Artifact,
    Better,
    Bottom,
    Cell,
    Check,
    Claim,
    Crash,
    Estimate,
    Failed,
    Finding,
    Metric,
    Needs,
    Outcome,
    Over,
    Published,
    Question,
    Ratio,
    Record,
    Relation,
    Reply,
    Sample,
    Statistic,
    Status,
    Usage,
    Verdict,
)
from assay.core.front import Front, Mixture, Point, Reach, Standing, Tradeoff, Worth
from assay.core.metric import Origin
from assay.core.policy import Declines, Person, Policy, Stage
from assay.testing import HOSTILE

NASTY = (
    *HOSTILE,
    "",
    " ",
    "\n",
    "\r\n",
    "\x00",
    "\x1b]0;title\x07",
    "\x85\u2028\u2029",
    "\ufeff",
    "null",
    "NaN",
    "../../etc/passwd",
    "a" * 300,
    "\U0010ffff",
    "e\u0301 vs \u00e9",
    '"},"usage":{}}\n{"decided":',
)


def texts(max_size: int = 20) -> SearchStrategy[str]:
    """Any text that UTF-8 can carry; often a nasty one."""
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)
    return st.sampled_from(NASTY) | plain


def any_texts(max_size: int = 20) -> SearchStrategy[str]:
    """Any text that Python can hold, halves of surrogate pairs among it."""
    return texts(max_size) | st.text(max_size=max_size) | st.sampled_from(["\ud800", "a\udfff"])


def names() -> SearchStrategy[str]:
    """Names of tasks, systems and claims: they become file names."""
    return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}", fullmatch=True)


def numbers() -> SearchStrategy[float]:
    """Finite floats, and the integers that pass for them."""
    return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**40), 2**40)


def scalars() -> SearchStrategy[object]:
    """JSON without brackets, integers beyond 64 bits among it."""
    return (
        st.none()
        | st.booleans()
        | st.integers(-(2**80), 2**80)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts()
    )


def json_values(max_leaves: int = 8) -> SearchStrategy[object]:
    """JSON as a system may say it."""
    return st.recursive(
        scalars(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
        max_leaves=max_leaves,
    )


def confidences() -> SearchStrategy[float | None]:
    """None, a share, or an integer that is one."""
    return st.none() | st.floats(0, 1) | st.sampled_from([0, 1])


def answers() -> SearchStrategy[Answer]:
    """Answers, scored or not."""
    scores = st.dictionaries(texts(), numbers(), max_size=3)
    return st.builds(Answer, json_values(), confidences(), scores, st.just("") | texts())


def bottoms() -> SearchStrategy[Bottom]:
    """Declines, with what would have been said or without."""
    return st.builds(Bottom, texts(), st.none() | answers())


def faileds() -> SearchStrategy[Failed]:
    """Failures of a system."""
    return st.builds(Failed, texts(), texts())


def crashes() -> SearchStrategy[Crash]:
    """Failures of ours."""
    return st.builds(Crash, texts(), texts())


def saids() -> SearchStrategy[Answer | Bottom | Failed | Crash]:
    """Whatever a system may say."""
    return answers() | bottoms() | faileds() | crashes()


def usages() -> SearchStrategy[Usage]:
    """Measurements, each of them perhaps not made."""
    seconds = st.none() | st.floats(0, 1e9) | st.integers(0, 10**9)
    counts = st.none() | st.integers(0, 2**50)
    return st.builds(
        Usage,
        busy_s=seconds,
        latency_s=seconds,
        first_token_s=seconds,
        tokens_in=counts,
        tokens_cached=counts,
        tokens_out=counts,
        calls=counts,
        billed_usd=seconds,
        joules=seconds,
        peak_bytes=counts,
        cut=counts,
    )


def replies() -> SearchStrategy[Reply]:
    """Sound replies."""
    turns = st.lists(saids(), max_size=2).map(tuple)
    shown = st.dictionaries(texts(), texts(), max_size=2)
    return st.builds(Reply, texts(), saids(), usages(), st.integers(0, 9), turns, shown)


def targets() -> SearchStrategy[Answer | Bottom | None]:
    """Right answers as a sample file stores them: a value or a reason, and what is known beside it."""
    known = st.dictionaries(texts(), st.floats(allow_nan=False, allow_infinity=False), max_size=2)
    answers = st.builds(Answer, json_values(), scores=known)
    return st.none() | answers | st.builds(Bottom, texts(), st.none() | answers)


def samples() -> SearchStrategy[Sample]:
    """Samples, in a group or alone."""
    return st.builds(
        Sample,
        id=texts().filter(bool),
        input=json_values(),
        target=targets(),
        group=texts(),
        tags=st.frozensets(texts(), max_size=3),
    )


def sample_sets(max_size: int = 40) -> SearchStrategy[list[Sample]]:
    """Samples with ids of their own, few groups, few targets: what a split looks like."""

    def build(rows: list[tuple[int, int | None]]) -> list[Sample]:
        return [
            Sample(
                id=f"s{place}",
                input=place,
                group="" if group == 0 else f"g{group}",
                target=None if value is None else Answer(value),
            )
            for place, (group, value) in enumerate(rows)
        ]

    row = st.tuples(st.integers(0, 8), st.none() | st.integers(0, 3))
    return st.lists(row, min_size=1, max_size=max_size).map(build)


def questions() -> SearchStrategy[Question]:
    """What a system sees."""
    return st.builds(
        Question,
        id=texts(),
        input=json_values(),
        attempt=st.integers(0, 9),
        seed=st.integers(0, 2**32 - 1),
    )


def cells() -> SearchStrategy[Cell]:
    """Units of work."""
    return st.builds(
        Cell,
        task=names(),
        system=names(),
        seed=st.integers(0, 2**32 - 1),
        split=st.sampled_from(["train", "tune", "calibration", "test"]),
    )


def checks() -> SearchStrategy[Check]:
    """What a verifier found out."""
    return st.builds(
        Check,
        passed=st.none() | st.booleans(),
        scores=st.dictionaries(texts(), numbers(), max_size=3),
        evidence=st.dictionaries(texts(), texts(), max_size=3),
    )


def verdicts() -> SearchStrategy[Verdict]:
    """Decided outcomes."""
    return st.builds(
        Verdict,
        outcome=st.sampled_from(Outcome),
        scores=st.dictionaries(texts(), numbers(), max_size=3),
        evidence=st.dictionaries(texts(), texts(), max_size=3),
    )


def records() -> SearchStrategy[Record]:
    """Lines of a run."""
    return st.builds(
        Record,
        cell=cells(),
        sample=texts(),
        attempt=st.integers(0, 99),
        group=texts(),
        said=saids(),
        verdict=verdicts(),
        usage=usages(),
        earlier=st.lists(saids(), max_size=2).map(tuple),
    )


def artifacts() -> SearchStrategy[Artifact]:
    """Files with a past."""
    digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
    return st.builds(
        Artifact,
        digest=digests,
        kind=st.sampled_from(["dataset", "weights", "tokenizer", "graph", "head"]),
        size=st.integers(0, 2**40),
        source=st.none() | texts(),
        parents=st.lists(digests, max_size=2).map(tuple),
        made_by=st.none() | texts(),
        license=st.none() | texts(),
    )


def estimates() -> SearchStrategy[Estimate]:
    """Numbers that do not travel alone."""
    ends = st.none() | st.floats(-1e6, 1e6)
    return st.builds(
        Estimate,
        metric=names(),
        value=ends,
        low=ends,
        high=ends,
        confidence=st.floats(0.5, 0.999),
        sides=st.sampled_from([1, 2]),
        n=st.integers(0, 10**6),
        n_groups=st.integers(0, 10**6),
        n_seeds=st.integers(1, 50),
        over=st.frozensets(st.sampled_from(Over)),
        method=texts(),
        origin=st.sampled_from(Origin),
    )


def claims() -> SearchStrategy[Claim]:
    """Sentences about systems."""
    return st.builds(
        Claim,
        id=names(),
        says=texts(),
        task=names(),
        system=names(),
        metric=names(),
        relation=st.sampled_from(Relation),
        bound=st.floats(-1e6, 1e6),
        against=st.none() | names(),
        over=st.frozensets(st.sampled_from(Over)),
        exploratory=st.booleans(),
    )


def findings() -> SearchStrategy[Finding]:
    """Claims, weighed."""
    shares = st.none() | st.floats(0, 1)
    return st.builds(
        Finding,
        claim=claims(),
        status=st.sampled_from(Status),
        estimate=estimates(),
        p_support=shares,
        p_refute=shares,
        level=st.floats(1e-6, 0.5),
        more_samples=st.none() | st.integers(1, 10**9),
        notes=st.lists(texts(), max_size=3).map(tuple),
    )


def published() -> SearchStrategy[Published]:
    """Numbers that somebody else says."""
    return st.builds(Published, value=st.floats(-1e6, 1e6), source=texts())


def metrics() -> SearchStrategy[Metric]:
    """Named numbers over records."""
    ratio = st.just(Ratio(numerator=lambda c: c["correct"], denominator=lambda c: c["asked"]))
    statistic = st.just(Statistic(of=lambda _columns, _weights: None))
    return st.builds(
        Metric,
        name=names(),
        better=st.sampled_from(Better),
        form=ratio | statistic,
        columns=st.just(("correct", "asked")),
        says=texts(),
        unit=texts(5),
    )


def shares() -> SearchStrategy[float]:
    """Shares of a whole."""
    return st.floats(0, 1)


def mixtures() -> SearchStrategy[Mixture]:
    """Ways to route questions to two systems."""
    return st.builds(
        Mixture,
        left=names(),
        right=names(),
        share_right=shares(),
        gain=st.floats(0, 1),
        saving=st.floats(0, 1),
    )


def points() -> SearchStrategy[Point]:
    """Systems on a front."""
    return st.builds(
        Point,
        system=names(),
        at=st.dictionaries(names(), estimates(), max_size=2),
        standing=st.sampled_from(Standing),
        beaten_by=st.lists(names(), max_size=2).map(tuple),
        behind=st.lists(names(), max_size=2).map(tuple),
        frequency=st.none() | shares(),
        gap=st.none() | estimates(),
        hull_gap=st.none() | estimates(),
        on_hull=st.booleans(),
        mixture=st.none() | mixtures(),
        mixture_beats=st.none() | st.booleans(),
    )


def tradeoffs() -> SearchStrategy[Tradeoff]:
    """What systems give up and save."""
    return st.builds(
        Tradeoff,
        system=names(),
        against=names(),
        gap=st.none() | estimates(),
        cost_ratio=st.none() | estimates(),
        latency_ratio=st.none() | estimates(),
        p50=estimates(),
        p99=estimates(),
        usd_per_million_tokens=estimates(),
        right_per_usd=estimates(),
        leads=st.none() | shares(),
        value_score=st.none() | st.floats(0, 1e9),
    )


def worths() -> SearchStrategy[Worth]:
    """Ranges of values of a right answer."""
    return st.builds(Worth, system=names(), start=estimates(), end=st.none() | estimates())


def reaches() -> SearchStrategy[Reach]:
    """Places on a hull."""
    ends = st.none() | shares()
    return st.builds(Reach, cost=st.floats(0, 9), benefit=shares(), low=ends, high=ends)


def fronts() -> SearchStrategy[Front]:
    """Systems of one task on a few objectives."""
    objectives = st.lists(st.tuples(names(), st.sampled_from(Better)), max_size=3).map(tuple)
    return st.builds(
        Front,
        task=names(),
        objectives=objectives,
        points=st.lists(points(), max_size=3).map(tuple),
        benefit=st.none() | names(),
        cost=st.none() | names(),
        hull=st.lists(reaches(), max_size=3).map(tuple),
        hypervolume=st.none() | estimates(),
        reference=st.dictionaries(names(), numbers(), max_size=2),
        tradeoffs=st.lists(tradeoffs(), max_size=2).map(tuple),
        worth=st.lists(worths(), max_size=2).map(tuple),
        notes=st.lists(texts(), max_size=2).map(tuple),
    )


def needs() -> SearchStrategy[Needs]:
    """What a recipe asks of the machine."""
    return st.builds(
        Needs,
        cpus=st.integers(1, 64),
        gpu=st.booleans(),
        memory_mb=st.integers(1, 10**6),
        exclusive=st.booleans(),
    )


def stages() -> SearchStrategy[Stage]:
    """Systems of a policy, with a threshold for each seed or with none."""
    thresholds = st.dictionaries(st.integers(0, 9), st.floats(0, 1), max_size=3)
    return st.builds(Stage, system=names(), at_least=st.none() | thresholds)


def persons() -> SearchStrategy[Person]:
    """People who are paid, and are sometimes right."""
    return st.builds(Person, usd=st.floats(0, 100), right=st.floats(0, 1))


def policies() -> SearchStrategy[Policy]:
    """Systems to ask in turn, perhaps with a person behind them."""
    return st.builds(
        Policy,
        stages=st.lists(stages(), min_size=1, max_size=3).map(tuple),
        person=st.none() | persons(),
        declines=st.sampled_from(Declines),
    )


NOUNS = {
    Sample: samples(),
    Question: questions(),
    Answer: answers(),
    Bottom: bottoms(),
    Failed: faileds(),
    Crash: crashes(),
    Usage: usages(),
    Reply: replies(),
    Cell: cells(),
    Check: checks(),
    Verdict: verdicts(),
    Record: records(),
    Artifact: artifacts(),
    Estimate: estimates(),
    Claim: claims(),
    Finding: findings(),
    Published: published(),
    Metric: metrics(),
    Point: points(),
    Front: fronts(),
    Mixture: mixtures(),
    Reach: reaches(),
    Tradeoff: tradeoffs(),
    Worth: worths(),
    Needs: needs(),
    Stage: stages(),
    Person: persons(),
    Policy: policies(),
}
"""Every noun that is plain data, with its strategy."""
