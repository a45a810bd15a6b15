"""About what it takes to measure a submission, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .looking import Seen
from .sent import Submission
from .suites import Suite

READS, WRITES = 89.0, 38.7
"""Tokens a second of SmolLM2-135M-Instruct in Q4_1 by llama.cpp, one thread of a Xeon at 2.5 GHz."""

OF = 134_515_008
"""Parameters of that model: time is taken to grow with them."""

USD_PER_HOUR = 0.10
"""A price for two rented cores; `assay front RUN --prices FILE` reckons with yours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """An estimate from one model on one machine: an order of magnitude, and no measurement."""

    bytes: int | None
    """To fetch; None where nobody looked."""

    minutes: float | None
    """On one thread, all quantizations together; None for a suite without figures."""

    usd: float | None

    @property
    def says(self) -> str:
        """Return it as a sentence."""
        parts = [] if self.bytes is None else [f"{self.bytes / 1e6:,.0f} MB to fetch"]
        if self.minutes is not None and self.usd is not None:
            parts.append(
                f"{_spelt(self.minutes)} on one thread (${self.usd:,.2f} at ${USD_PER_HOUR:.2f} an hour)"
            )
        return ", ".join(parts)


def guess(sent: Submission, suite: Suite, seen: Sequence[Seen] | None) -> Guess:
    """Return about what it takes to ask every quantization a suite.

    *Not to be trusted when* the machine has more than one thread to give or a GPU, or shares its cores.

    >>> from assay.publish.board.sent import Quantization
    >>> from assay.publish.board.suites import suite_of
    >>> q8 = Quantization(name="Q8", format="gguf", file="m.gguf")
    >>> sent = Submission(name="m", family="m", hf_repo="org/m", revision=None, parameters=135_000_000,
    ...     architecture="llama", quantizations=(q8,))
    >>> print(guess(sent, suite_of("open"), None).says)
    about 58 minutes on one thread ($0.10 at $0.10 an hour)
    """
    sizes = None
    if seen is not None and len(seen) == len(sent.quantizations):
        sizes = sum(
            {(each.place.source, f.name): f.size or 0 for each in seen for f in each.files}.values()
        )
    known = [suite.takes.get(str(task.get("name", task["use"]))) for task in suite.tasks]
    if any(takes is None for takes in known):
        return Guess(bytes=sizes, minutes=None, usd=None)
    seconds = sum(
        each.questions * (each.tokens_in / READS + each.tokens_out / WRITES)
        for each in known
        if each is not None
    )
    minutes = seconds / 60 * sent.parameters / OF * len(sent.quantizations)
    return Guess(bytes=sizes, minutes=minutes, usd=minutes / 60 * USD_PER_HOUR)


def _spelt(minutes: float) -> str:
    if minutes < 1.5:
        return "about a minute"
    return f"about {minutes:.0f} minutes" if minutes < 60 else f"about {minutes / 60:.1f} hours"
