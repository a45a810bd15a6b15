"""What a model answered, in a sample that lm-eval logged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...core.reply import Answer


def text_of(line: Mapping[str, Any]) -> Answer:
    """Return the one text that was answered; an answer of nothing where there are several, or none."""
    given = line.get("filtered_resps")
    one = given[0] if isinstance(given, list) and len(given) == 1 else None
    return Answer(one if isinstance(one, str) else None)


def chosen_of(line: Mapping[str, Any], acc: float) -> Answer | None:
    """Return the choice with the largest log-likelihood, and the softmax of it as confidence.

    None when these are no choices, or when that choice is not what the metric says of it.
    """
    given = line.get("filtered_resps")
    if not isinstance(given, list) or len(given) < 2:
        return None
    values = []
    for pair in given:
        try:
            values.append(float(pair[0]))
        except (TypeError, ValueError, LookupError, OverflowError):
            return None
    if not all(map(math.isfinite, values)):
        return None
    best = max(range(len(values)), key=values.__getitem__)
    if (str(best) == str(line.get("target"))) != (acc == 1.0):
        return None
    total = sum(math.exp(v - values[best]) for v in values)
    # As the target is written: lm-eval keeps the number of the right choice as text.
    said = str(best) if isinstance(line.get("target"), str) else best
    return Answer(said, 1.0 / total, {str(i): v for i, v in enumerate(values)})
