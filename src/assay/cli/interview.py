"""Ask somebody at a terminal what the job is."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TypeVar

from ..core.errors import PlanError
from ..visible import is_terminal, plain
from .draft import Job

MOST_LABELS = 1_000
MOST_LABEL = 200
Value = TypeVar("Value")


class WrongAnswerError(ValueError):
    """An answer that cannot be taken; the words say why."""


def can_ask() -> bool:
    """Whether somebody sits there who can answer."""
    return all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr)))


def ask_job() -> Job | None:
    """Ask what the job is; None where an example is wanted instead.

    Raises ``PlanError`` A106 when the answers end before the questions do.
    """
    says = _ask("What is the job, in a sentence? (Enter alone: an example that runs)", str)
    if not says:
        return None
    labels = _ask("Which labels can a request have? (with commas between them)", labels_of)
    none = _ask("Are there requests that have no right label? (yes/no, Enter: yes)", _yes)
    risk = _ask(
        "Of 100 answers, at most how many may be wrong? (1 to 50, Enter: 10)", _risk_of_hundred
    )
    return Job(says=says, labels=labels, has_none=none, risk=risk)


def labels_of(text: str) -> tuple[str, ...]:
    """Return labels that stand with commas between them; raise ``WrongAnswerError`` for what cannot be labels.

    >>> labels_of("pay, call ,pay me")
    ('pay', 'call', 'pay me')
    """
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if len(set(found)) < 2:
        raise WrongAnswerError("two labels at least, or there is nothing to tell apart")
    if len(set(found)) < len(found):
        twice = next(word for i, word in enumerate(found) if word in found[:i])
        raise WrongAnswerError(f"{twice!r} stands twice")
    if "none" in (word.lower() for word in found):
        raise WrongAnswerError("`none` says that the right answer is to decline: leave it out")
    if len(found) > MOST_LABELS or max(map(len, found)) > MOST_LABEL:
        raise WrongAnswerError(f"at most {MOST_LABELS:,} labels of {MOST_LABEL} letters")
    return found


def name_of(job: str) -> str:
    """Return a plan's name after what the job is.

    >>> name_of("Route support tickets to a queue!"), name_of("仕事")
    ('route-support-tickets', 'mine')
    """
    words = re.findall(r"[a-z0-9]+", job.lower())
    return "-".join(words[:3])[:80] or "mine"


def _ask(question: str, read: Callable[[str], Value]) -> Value:
    while True:
        sys.stderr.write(f"{question}\n> ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            sys.stderr.write("\n")
            raise PlanError(
                "the answers ended before the questions did; nothing is written",
                hint="answer them, or give --job and --labels",
                code="A106",
            )
        try:
            return read(line.strip())
        except WrongAnswerError as error:
            sys.stderr.write(f"{plain(str(error))}\n")


def _yes(text: str) -> bool:
    if text.lower() in ("", "y", "yes"):
        return True
    if text.lower() in ("n", "no"):
        return False
    raise WrongAnswerError("yes or no")


def _risk_of_hundred(text: str) -> float:
    if not text:
        return 0.1
    try:
        found = float(text.removesuffix("%").strip())
    except ValueError:
        found = 0.0
    if not 1 <= found <= 50:
        raise WrongAnswerError("a number from 1 to 50")
    return found / 100
