"""``intent.e2e``: a prompt with facts and limits; which steps are carried out, if any?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any
from zlib import crc32

from assay import Answer, Bottom, Sample, Task

from ..draws import Draws
from ..grammar.domain import load_domain
from ..rails.reading import ROLES
from ..rails.situations_oracle import truth_of
from ..tasks.defi import Drawn, prompts
from ..tasks.sizes import check_size
from ..tasks.slot_truth import asked, target
from ..tasks.slots import SameSteps
from ..tasks.templates import SHARES, Family, assign, families, mix
from .world import HOME, NATIVE, Names, world

SIZES = {"train": 100, "tune": 100, "calibration": 400}
MOST = 20_000
OTHERS = {"asset": 6, "venue": 4}
"""Names beside those of the request: something to be mixed up with."""

UNUSUAL = 0.25
"""Of the template families, as ``intent.defi`` has it."""

UNJUDGED = "rail:unjudged"
"""A slot that no rule knows: nobody may carry out what nobody judges."""


def e2e(*, size: int = 2000, seed: int = 20261120) -> Task:
    """Return the task: ``size`` test prompts, each in a world of its own.

    An input is ``{prompt, context, policy}``.  The right answer is the list of steps that are carried
    out (as in ``intent.slots``), or a ``Bottom``: nothing was asked for, something is missing, or a
    rail says no.  What a prompt asks for is known from the template and the slots that were drawn;
    whether it may be carried out is found out by the oracle of ``intent.rails``, which shares no code
    with the rails.  Half of the worlds are ample, the others have one thing wrong.

    Template families and their splits are those of ``intent.defi`` with the same seed: a mapper that
    was trained there has seen no family of this test.  Tags: ``none``, ``one_step`` or ``two_steps``,
    and what is wrong with the world.

    Raises ``PlanError`` A102 for a size below 1 or over 20,000.

    >>> task = e2e(size=5)
    >>> [type(sample.target).__name__ for sample in task.samples("test")][:1] in (["Answer"], ["Bottom"])
    True

    *Not to be trusted when* the question is how often real requests are refused: worlds and prompts
    are ours, and whoever wrote the grammar has read the templates.
    """
    from assay import OUTCOME_METRICS

    check_size("intent.e2e", size, most=MOST)

    def samples(split: str) -> Sequence[Sample]:
        return make(split, SIZES.get(split, size), seed)

    return Task(
        name="intent.e2e",
        version="1",
        says="Which steps of a DeFi request are carried out, given facts and limits, if any?",
        samples=samples,
        verifier=SameSteps(),
        metrics=OUTCOME_METRICS,
        license="Apache-2.0",
    )


@cache
def make(split: str, size: int, seed: int) -> tuple[Sample, ...]:
    """Return the samples of a split; made once per process."""
    assigned = assign(mix(families(), unusual=UNUSUAL), seed=seed)
    found: list[Sample] = []
    taken: set[str] = set()
    # In the order of intent.defi, so that no prompt of one split is drawn for another.
    for name in SHARES:
        drawn = prompts(name, assigned[name], seed=seed, taken=taken)
        if name == split:
            known = (pair for pair in drawn if asked(pair[0], pair[1].template) is not None)
            found = [_sample(split, place, *pair) for place, pair in enumerate(islice(known, size))]
            break
    return tuple(found)


def _sample(split: str, place: int, family: Family, drawn: Drawn) -> Sample:
    draws = Draws(crc32(drawn.text.encode()), place)
    said = asked(family, drawn.template)
    assert said is not None, "prompts whose slots are not known were left out"
    wanted = said if isinstance(said, Bottom) else target(said, drawn.values)
    steps: list[dict[str, Any]] = [] if isinstance(wanted, Bottom) else wanted.value  # type: ignore[assignment]
    twist, found = world(steps, _names(drawn, draws), draws)
    kind = ("none", "one_step", "two_steps")[min(len(steps), 2)]
    return Sample(
        id=f"{split}/{place:05}",
        input={"prompt": drawn.text, "context": found["context"], "policy": found["policy"]},
        target=_truth(wanted, found),
        group=family.id,
        tags=frozenset({kind, twist, *drawn.tags}),
    )


def _truth(wanted: Answer | Bottom, found: Mapping[str, Any]) -> Answer | Bottom:
    if isinstance(wanted, Bottom):
        return wanted
    if any(set(step["slots"]) - set(ROLES) for step in found["steps"]):
        return Bottom(UNJUDGED)
    truth = truth_of(found)
    return Bottom(f"rail:{truth.reason}") if truth.reason else wanted


def _names(drawn: Drawn, draws: Draws) -> Names:
    """Return the names of the request, the usual ones, and some others, in the domain's order."""
    domain = load_domain("defi")
    kinds: dict[str, tuple[str, ...]] = {}
    usual = {"asset": {NATIVE, "USDC"}, "venue": {"Aave", "Lido"}, "chain": {HOME, "Base"}}
    for kind, always in usual.items():
        every = tuple(one.name for one in domain.kinds[kind].names)
        others = draws.shuffled(every)[: OTHERS.get(kind, 0)]
        used = {value for value in drawn.values.values() if value in every}
        kinds[kind] = tuple(name for name in every if name in always | used | set(others))
    return Names(assets=kinds["asset"], venues=kinds["venue"], chains=kinds["chain"])
