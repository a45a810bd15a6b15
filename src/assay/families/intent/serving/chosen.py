"""The mapper that somebody chose, or the shipped one, held to the domain that it is to serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay import PlanError

from ..grammar.parts import Domain
from ..recipes.trained import Trained, load
from ..training.shipped import defi_mapper


def mapper_for(domain: Domain, folder: Path | None, *, say: Callable[[str], None]) -> Trained:
    """Load the mapper in a folder, or without one that of the DeFi domain, for a domain.

    Raises ``PlanError`` A104 when it names none of the domain's actions: such a pair would decline
    whatever it is asked, one by one and for other reasons.  What ``trained.load`` and
    ``defi_mapper`` raise.
    """
    made = load(folder) if folder is not None else defi_mapper(say=say)
    labels = made.card.labels
    if not set(labels) & set(domain.actions):
        raise PlanError(
            f"the mapper knows {', '.join(sorted(labels)[:3])}, and no action of the domain {domain.name}",
            where="the DeFi mapper" if folder is None else str(folder),
            hint="give --mapper and --domain that belong together",
            code="A104",
        )
    return made
