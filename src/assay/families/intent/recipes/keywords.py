"""``intent.keywords``: hand-written regular expressions, the baseline that needs no training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assay import Answer, Bottom, Built, Needs, PlanError, Question, Reply, Sample

from ..grammar.domain import load_domain
from ..replies import reply_each
from ..strict import Strict, read_strict


class _Patterns(Strict):
    patterns: dict[str, tuple[str, ...]]


@cache
def defi_patterns() -> Mapping[str, Sequence[str]]:
    """Return the patterns of the eight DeFi actions, which the domain holds as data.

    >>> list(defi_patterns())[:2]
    ['borrow_asset', 'claim_rewards']
    """
    return read_strict(load_domain("defi").file("patterns.yaml"), _Patterns).patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    r"""The recipe of ``intent.keywords``: not trained, not seeded.

    ``patterns`` maps each action to regular expressions, matched anywhere and in any case; without
    it, the eight DeFi actions.  Raises ``PlanError`` A102 for a pattern that cannot be compiled.

    >>> recipe = Keywords(patterns={"greet": [r"\bhello\b"], "leave": [r"\bbye\b"]})
    >>> system = recipe.build([], [], seed=0, workdir=Path()).system
    >>> for text in ("Hello!", "well", "bye and hello"):
    ...     print([reply.said for reply in system.answer([Question(id="q", input=text)])])
    [Answer(value='greet', confidence=None, scores={})]
    [Bottom(reason='no_keyword', proposal=None)]
    [Bottom(reason='ambiguous', proposal=Answer(value='leave', confidence=None, scores={}))]
    """

    patterns: dict[str, list[str]] | None = None

    def __post_init__(self) -> None:
        """Compile the patterns, so that a wrong one is found before anything runs."""
        _compile(self._patterns)

    @property
    def _patterns(self) -> Mapping[str, Sequence[str]]:
        return defi_patterns() if self.patterns is None else self.patterns

    @property
    def seeded(self) -> bool:
        """A rule has no seed."""
        return False

    @property
    def needs(self) -> Needs:
        """Hardly anything."""
        return Needs(memory_mb=50)

    def build(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seed: int,
        workdir: Path,
    ) -> Built:
        """Return the matching system."""
        compiled = _compile(self._patterns)
        return Built(
            system=KeywordMatcher(compiled),
            notes={"patterns": sum(map(len, compiled.values()))},
        )


@dataclass(frozen=True, slots=True)
class KeywordMatcher:
    """Says the one action whose patterns match; declines when there is none, or more than one."""

    patterns: Mapping[str, Sequence[re.Pattern[str]]]

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question in turn."""
        return reply_each(questions, self._match)

    def _match(self, text: str) -> Answer | Bottom:
        starts: dict[str, int] = {}
        for action, patterns in self.patterns.items():
            found = [match.start() for p in patterns if (match := p.search(text))]
            if found:
                starts[action] = min(found)
        if not starts:
            return Bottom("no_keyword")
        first = min(starts, key=starts.__getitem__)
        return Answer(first) if len(starts) == 1 else Bottom("ambiguous", Answer(first))


def _compile(patterns: Mapping[str, Sequence[str]]) -> dict[str, tuple[re.Pattern[str], ...]]:
    compiled: dict[str, tuple[re.Pattern[str], ...]] = {}
    for action, written in patterns.items():
        try:
            compiled[action] = tuple(re.compile(p, re.IGNORECASE) for p in written)
        except re.error as error:
            raise PlanError(
                f"a pattern of {action!r} is not a regular expression: {error}",
                where="options.patterns",
                hint="put a backslash before what is meant as it is written: ( ) [ ] + * ? .",
                code="A102",
            ) from None
    return compiled
