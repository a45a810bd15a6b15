"""Whether the claims made on a system could be made on one that knows nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.claim import Claim, Status
from .case import Case
from .claims import weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuous:
    """A control satisfies every claim on a system that can be put to it."""

    control: str
    claims: tuple[str, ...]
    """Ids of the claims that it satisfies."""

    left_out: tuple[str, ...] = ()
    """Ids of claims on dollars, seconds and determinism: controls are not timed.  They say that a
    system is fast, cheap or steady, and not that it is any good: they cannot save the others."""


def vacuous(cases: Mapping[str, Case], claims: Sequence[Claim]) -> dict[str, Vacuous]:
    """Put each control through all claims made on a system together.

    Returns the systems whose claims on answers some control satisfies altogether.
    """
    found = {}
    by_system: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_system[claim.system].append(claim)
    for system, made in by_system.items():
        put = [c for c in made if not cases[c.task].metric_is_timed(c.metric)]
        if not put:
            continue
        for control in sorted(set.union(*(set(cases[c.task].controls) for c in put))):
            if any(control in (c.against, c.system) for c in put):
                continue
            swapped = [replace(c, system=control, headline=False) for c in put]
            weighed = weigh([cases[c.task].evidence(c) for c in swapped])
            if all(f.status is Status.SUPPORTED for f in weighed):
                found[system] = Vacuous(
                    control=control,
                    claims=tuple(c.id for c in put),
                    left_out=tuple(c.id for c in made if c not in put),
                )
                break
    return found
