"""The numbers of the gate, and the limits that they must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches

from assay import PlanError

from ..passport import Number

OF_A_TASK = {"of a task": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a conversion may change.  None: the number is printed and has no limit."""

    kl_mean: float | None = 0.01
    """Nats, the mean over positions of KL(source || candidate)."""

    kl_p99: float | None = None
    kl_max: float | None = None
    top1: float | None = 0.9
    """Share of positions where both find the same token the most probable."""

    topk: float | None = 0.9
    """Share of the k most probable tokens that both have."""

    logit_cosine: float | None = None
    """The least mean cosine of centred logits."""

    perplexity_ratio: float | None = None
    """The candidate's perplexity over the source's."""

    cosine: float | None = 0.999
    """Encoders: the least cosine of the mean states of a text."""

    state_error: float | None = 0.05
    """Encoders: the largest relative error of the states of a text; it sees the scale, which a cosine does not."""

    max_abs: float | None = None
    """Encoders: the largest difference of a number of the states."""

    flips_per_1000: float | None = field(default=None, metadata=OF_A_TASK)
    """Answers that are right from one of the two and not from the other, of 1,000."""

    lost_per_1000: float | None = field(default=None, metadata=OF_A_TASK)
    """Answers that are right from the source only, of 1,000."""

    accuracy_loss: float | None = field(default=None, metadata=OF_A_TASK)
    """The source's accuracy less the candidate's."""

    k: int = field(default=10, metadata={"no limit": True})

    @property
    def of_a_task(self) -> tuple[str, ...]:
        """Limits that are set and need a task."""
        return tuple(name for name in TASK_NAMES if getattr(self, name) is not None)

    def beside(self, numbers: Sequence[Number]) -> tuple[Number, ...]:
        """Return the numbers, each with the limit of its name."""
        return tuple(
            replace(one, limit=getattr(self, one.name)) if one.name in ALL_NAMES else one
            for one in numbers
        )


NAMES = tuple(one.name for one in fields(Limits) if not one.metadata)
"""What can be limited on texts alone."""

TASK_NAMES = tuple(one.name for one in fields(Limits) if one.metadata == OF_A_TASK)
"""What can be limited where both are asked a task: the whole interval must keep it."""

ALL_NAMES = NAMES + TASK_NAMES


def limits_of(said: Sequence[str], *, option: str = "--limit") -> Limits:
    """Return the usual limits with some of them set: ``kl_mean=0.02``, ``kl_max=none``.

    Raises ``PlanError`` A106 for a name that is unknown or a value that is no number.

    >>> limits_of(["kl_max=2", "topk=none"]).kl_max
    2.0
    >>> limits_of(["kl_men=2"])
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A106 there is no limit 'kl_men'
      at: --limit
      try: write kl_mean
    """
    given: dict[str, float | None] = {}
    for one in said:
        name, _, value = one.partition("=")
        if name not in ALL_NAMES:
            near = get_close_matches(name, ALL_NAMES, n=1)
            hint = f"write {near[0]}" if near else f"choose from {', '.join(ALL_NAMES)}"
            raise PlanError(f"there is no limit {name!r}", where=option, hint=hint, code="A106")
        given[name] = None if value == "none" else _number(value, one, option)
    return replace(Limits(), **given)  # type: ignore[arg-type]  # names were checked


def _number(value: str, said: str, option: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise PlanError(
            f"{said!r} states no limit",
            where=option,
            hint="write kl_mean=0.02, or kl_mean=none for no limit",
            code="A106",
        )
    return number


def as_facts(numbers: Sequence[Number]) -> list[Mapping[str, object]]:
    """Return numbers as plain values, in their order."""
    return [
        {
            "name": one.name,
            "value": one.value,
            "n": one.n,
            "of": one.of,
            "limit": one.limit,
            "relation": one.relation,
            "low": one.interval[0] if one.interval else None,
            "high": one.interval[1] if one.interval else None,
        }
        for one in numbers
    ]
