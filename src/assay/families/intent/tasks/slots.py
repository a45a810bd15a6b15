"""``intent.slots``: which steps does a request ask for, with every slot in its role?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from assay import (
    Answer,
    Better,
    Bottom,
    Check,
    Crash,
    DataError,
    Metric,
    Ratio,
    Reply,
    Sample,
    Task,
)

from ..likeness import leakage
from .defi import Drawn, fillers, prompts
from .sizes import check_size
from .slot_truth import asked, target
from .templates import ACTIONS, SHARES, Family, assign, families

SIZES = {"train": 1000, "tune": 300, "calibration": 600}
"""Prompts per split; the size of the test is the task's option."""

MOST = 20_000
EVERY = 3
"""One family in so many is kept of the kinds that ask for nothing: they are easier."""


@dataclass(frozen=True, slots=True)
class SameSteps:
    """The verifier: right when the steps are the target's, in order, with the same slots.

    A slot is its step, role and value; the scores count those that both have (``slots_right``),
    that were said (``slots_said``) and that are wanted (``slots_wanted``), actions included.

    >>> wanted = Answer([{"action": "stake_asset", "slots": {"amount": "2", "asset": "SOL"}}])
    >>> said = Answer([{"action": "stake_asset", "slots": {"amount": "3", "asset": "SOL"}}])
    >>> [check] = SameSteps().check([(Sample(id="s", input="", target=wanted), Reply("s", said))])
    >>> check.passed, dict(check.scores)
    (False, {'slots_right': 2.0, 'slots_said': 3.0, 'slots_wanted': 3.0})
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare the steps of each answer with its target's."""
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            if not (isinstance(wanted, Answer) and isinstance(said, Answer)):
                yield Crash("no_target", f"sample {sample.id!r} has no steps to compare with")
                continue
            right, other = pieces(wanted.value), pieces(said.value)
            yield Check(
                passed=right == other and bool(right),
                scores={
                    "slots_right": float((right & other).total()),
                    "slots_said": float(other.total()),
                    "slots_wanted": float(right.total()),
                },
            )


def pieces(steps: object) -> Counter[tuple[int, str, str]]:
    """Return what steps written as JSON consist of; anything else consists of one wrong piece."""
    found: Counter[tuple[int, str, str]] = Counter()
    if not isinstance(steps, list | tuple):
        return Counter([(0, "", "no steps")])
    for place, step in enumerate(steps):
        slots = step.get("slots", {}) if isinstance(step, Mapping) else None
        if not isinstance(slots, Mapping):
            return Counter([(0, "", "no steps")])
        found[place, "action", str(step.get("action"))] += 1
        found.update((place, f"slot {role}", str(value)) for role, value in slots.items())
    return found


def slots(*, size: int = 2000, seed: int = 20261120) -> Task:
    """Return the task: ``size`` test prompts with their steps, grouped by template family.

    A prompt is a string; the right answer is a list of ``{"action", "slots"}`` (``reading.as_json``),
    or a ``Bottom``: an amount or an asset is missing, or the request refuses, asks, or is about
    something else.  The truth comes from arrangements that were annotated by hand and from the
    slots that were drawn, never from a grammar.  Families, splits and draws are those of
    ``intent.defi``; families whose slots are not known are left out, and two in three of those
    that ask for nothing.  Tags: ``plain`` or ``unusual``, ``one_step``, ``two_steps`` or ``none``,
    ``typo``, ``noise``.

    Raises ``PlanError`` A102 for a size below 1 or over 20,000.

    >>> task = slots(size=10)
    >>> task.samples("test")[0].input, task.samples("test")[0].target
    ('...', Answer(...))

    *Not to be trusted when* the question is how people write: the sentences are those of
    ``intent.defi``, and who wrote the grammar of ``intent.grammar`` has read them.
    """
    check_size("intent.slots", size, most=MOST)
    from assay import OUTCOME_METRICS

    def samples(split: str) -> Sequence[Sample]:
        return make(size, seed)[split]

    return Task(
        name="intent.slots",
        version="1",
        says="Which steps does a DeFi request ask for, with which amounts, assets and venues?",
        samples=samples,
        verifier=SameSteps(),
        metrics=(*OUTCOME_METRICS, *slot_metrics()),
        license="Apache-2.0",
    )


def slot_metrics() -> tuple[Metric, ...]:
    """Return precision, recall and F1 of slots, among the answers to requests that have steps."""
    return (
        _share("slot_precision", "right slots and actions, of those said", ("said",)),
        _share("slot_recall", "right slots and actions, of those wanted", ("wanted",)),
        _share("slot_f1", "twice the right slots, of those said and wanted", ("said", "wanted")),
    )


def _share(name: str, says: str, among: tuple[str, ...]) -> Metric:
    def right(columns: Mapping[str, Any]) -> Any:
        return columns["check:slots_right"] * float(len(among))

    def counted(columns: Mapping[str, Any]) -> Any:
        total = columns[f"check:slots_{among[0]}"]
        for other in among[1:]:
            total = total + columns[f"check:slots_{other}"]
        return total

    return Metric(
        name=name,
        says=f"{says} (answers to requests that have steps)",
        better=Better.HIGHER,
        form=Ratio(numerator=right, denominator=counted),
        columns=("check:slots_right", *(f"check:slots_{one}" for one in among)),
        bounds=(0.0, 1.0),
    )


@cache
def make(size: int, seed: int) -> Mapping[str, tuple[Sample, ...]]:
    """Return the samples of every split, checked for leaks; made once per process."""
    assigned = assign(tuple(filter(_is_kept, families())), seed=seed)
    taken: set[str] = set()
    splits: dict[str, tuple[Sample, ...]] = {}
    for split in SHARES:
        drawn = prompts(split, assigned[split], seed=seed, taken=taken)
        wanted = SIZES.get(split, size)
        known = (pair for pair in drawn if asked(pair[0], pair[1].template) is not None)
        splits[split] = tuple(
            _sample(split, place, *pair) for place, pair in enumerate(islice(known, wanted))
        )
        if len(splits[split]) < wanted:
            raise DataError(
                f"the templates of {split} make {len(splits[split])} prompts, not {wanted}",
                where="intent.slots",
                hint="ask for a smaller `size`",
            )
    leakage.check(splits, fillers=fillers())
    return splits


def _is_kept(family: Family) -> bool:
    """Whether the slots of a family are known."""
    place = int(family.id.rpartition("/")[2])
    if family.kind not in (*ACTIONS, "multi_step") and place % EVERY:
        return False
    return any(asked(family, template) is not None for template in family.templates)


def _sample(split: str, place: int, family: Family, drawn: Drawn) -> Sample:
    said = asked(family, drawn.template)
    assert said is not None, "prompts whose slots are not known were left out"
    steps = 0 if isinstance(said, Bottom) else len(said)
    tags = {
        "plain" if family.is_plain else "unusual",
        ("none", "one_step", "two_steps")[steps],
        *(drawn.tags & {"typo", "noise"}),
    }
    return Sample(
        id=f"{split}/{place:05}",
        input=drawn.text,
        target=said if isinstance(said, Bottom) else target(said, drawn.values),
        group=family.id,
        tags=frozenset(tags),
    )
