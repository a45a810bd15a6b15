"""What is supposed of a run before it is made, from the command line."""

from __future__ import annotations

from dataclasses import fields
from math import inf
from typing import TYPE_CHECKING

from .failures import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..analysis.imagine import Guess

BOUNDS = {
    "discordance": (0.0, 1.0),
    "icc": (0.0, 1.0),
    "seed_sd": (0.0, 1.0),
    "spread": (0.0, inf),
    "effect": (0.0, inf),
    "power": (0.0, 1.0),
}


def read_guess(words: Sequence[str]) -> Guess:
    """Read ``key=value`` words.

    Raises ``PlanError`` A106 for an unknown key, or a value that is no number in its range.

    >>> read_guess(["discordance=0.1"]).discordance
    0.1
    """
    from ..analysis.imagine import Guess

    known = [each.name for each in fields(Guess)]
    given = {}
    for word in words:
        key, _, text = word.partition("=")
        if key not in known:
            raise usage(f"--guess {word}: nothing is called {key!r}", f"one of {', '.join(known)}")
        low, high = BOUNDS[key]
        try:
            value = float(text)
        except ValueError:
            raise usage(f"--guess {word}: {text!r} is no number", f"{key}=0.1, say") from None
        inside = low <= value <= high if key == "icc" else low < value < high
        if not inside:
            where = f"between {low:g} and {high:g}" if high < inf else f"above {low:g}"
            raise usage(f"--guess {word}: it must be {where}", f"{key}=0.1, say")
        given[key] = value
    return Guess(**given)
