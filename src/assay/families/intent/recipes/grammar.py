"""``intent.grammar``: the steps of a request by a domain's grammar and keywords."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import Answer, Bottom, Built, Failed, Needs, Question, Reply, Sample

from ..grammar.domain import Domain, load_domain
from ..grammar.reading import Decide, as_json, read_steps
from ..grammar.verbs import by_keywords
from ..replies import reply_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The recipe of ``intent.grammar``: not trained, not seeded.

    ``domain`` is the name of a shipped domain, or a folder with a ``domain.yaml``.  Raises
    ``PlanError`` A103 where it is neither, ``DataError`` A200 for a wrong file.

    >>> system = Grammar().build([], [], seed=0, workdir=Path()).system
    >>> [reply] = system.answer([Question(id="q", input="stake 2 SOL with Jito")])
    >>> reply.said.value
    [{'action': 'stake_asset', 'slots': {'amount': '2', 'asset': 'SOL', 'venue': 'Jito'}}]

    *Not to be trusted when* people say a thing in words that the domain does not list: it declines.
    """

    domain: Path | str = "defi"

    def __post_init__(self) -> None:
        """Read the domain, so that a wrong file is found before anything runs."""
        load_domain(self.domain)

    @property
    def seeded(self) -> bool:
        """A grammar has no seed."""
        return False

    @property
    def needs(self) -> Needs:
        """Hardly anything."""
        return Needs(memory_mb=80)

    def build(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seed: int,
        workdir: Path,
    ) -> Built:
        """Return the reading system."""
        domain = load_domain(self.domain)
        return Built(
            system=Reader(domain, by_keywords(domain)),
            notes={"domain": domain.name, "sha256": digest(domain)},
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads each request as steps, and says them as JSON; declines with the reading's reason."""

    domain: Domain
    decide: Decide

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        return reply_each(questions, self._say)

    def _say(self, text: str) -> Answer | Bottom | Failed:
        steps = read_steps(text, self.domain, self.decide)
        return Answer(as_json(steps, self.domain)) if isinstance(steps, tuple) else steps


def digest(domain: Domain) -> str:
    """Return the sha256 of a domain's files, names included, in order of their names.

    >>> len(digest(load_domain("defi")))
    64
    """
    found = hashlib.sha256()
    for file in sorted(domain.home.iterdir(), key=lambda file: file.name):
        if file.is_file() and file.name.endswith(".yaml"):
            data = file.read_bytes()
            found.update(f"{file.name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()
