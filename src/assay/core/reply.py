"""What a system said to one question, and what saying it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .sample import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """The system committed to a value."""

    value: Json
    confidence: float | None = None
    """In [0, 1] where the system has one; thresholds are chosen on it after the run."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """Per option, where the system has them (class probabilities, log-likelihoods)."""

    instead: str = field(default="", repr=False)
    """The reason it would decline with, were it withheld: a threshold that is chosen later then keeps
    what the system knew ("above the range").  Empty: no reason of its own."""


@dataclass(frozen=True, slots=True)
class Bottom:
    """The system declined.

    A mapper below its threshold, a rail that fired, a stated refusal and a denominator near zero
    are the same event.
    """

    reason: str
    """A stable code, never prose: ``below_threshold``, ``rail:ltv``, ``out_of_scope``."""

    proposal: Answer | None = None
    """What it would have said.  Thresholds, cascades and calibration are computed from it later,
    without a second inference."""

    detail: str = field(default="", repr=False)
    """For people, in the evidence pack: the numbers behind the reason.  Nothing branches on it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The system's own fault: unparseable, over a declared limit, died, non-finite, no reply."""

    why: str
    detail: str = ""
    """For people; nothing branches on it."""


@dataclass(frozen=True, slots=True)
class Crash:
    """Our fault: we failed to observe the system.  Retried; says nothing about the system."""

    error: str
    detail: str = ""


Said: TypeAlias = Answer | Bottom | Failed | Crash


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Measured cost of one reply.  ``None`` means not measured, never zero.

    Computed dollars are never stored: tokens and seconds are, so that prices can change.
    """

    busy_s: float | None = None
    """Seconds during which the device was kept from other work."""

    latency_s: float | None = None
    first_token_s: float | None = None
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    calls: int | None = None
    billed_usd: float | None = None
    joules: float | None = None
    peak_bytes: int | None = None
    cut: int | None = None
    """How many of its calls ended at a limit of length (``max_tokens``, the context) before the
    answer did.  Who cannot know leaves it out: 0 says that each ended by itself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said to which question.  Replies may come in any order."""

    question: str
    said: Said
    usage: Usage = field(default_factory=Usage)
    attempt: int = 0
    earlier: tuple[Said, ...] = ()
    """What was said in the turns before, oldest first: a loop that repairs its answer.  Verifiers may
    check them; ``said`` alone is judged, and ``usage`` is that of all turns."""

    evidence: Mapping[str, str] = field(default_factory=dict)
    """Text for the evidence pack: prompt, raw answer, why it ended.  Nothing branches on it."""
