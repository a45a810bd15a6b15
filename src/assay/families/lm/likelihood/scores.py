"""What is found out about the likelihoods that a question asks for."""

from __future__ import annotations

from typing import NamedTuple

from assay import Crash, Failed


class Likelihood(NamedTuple):
    """How likely a continuation is."""

    total: float
    """Natural logarithm; the sum over its tokens."""

    greedy: bool
    """Whether every token of it was the most likely one."""

    tokens: int


class Scores(NamedTuple):
    """What was found out about one question."""

    at: int
    """Its place in what was asked."""

    likelihoods: tuple[Likelihood, ...]
    """One for each continuation."""

    tokens: int
    """How many tokens stand in its tree."""

    lent: int
    """How many of them were computed for others, too."""

    calls: int = 1


class Unscored(NamedTuple):
    """Why nothing was found out about one question."""

    at: int
    instead: Failed | Crash
