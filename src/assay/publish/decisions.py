"""A decision, and what it rests on, in sentences of plain text."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.decision import Decision
from ..analysis.prices import PriceTable
from ..analysis.thresholds import Chosen
from .words import Scale, at_most, percent, scale_of, significant


def threshold_words(thresholds: Sequence[Chosen]) -> str:
    """Return the thresholds of all seeds in a few words; empty when there are none."""
    values = sorted({value for c in thresholds for value in c.values})
    if not values:
        return "declining everything" if thresholds else ""
    if any(c.rule.by_class for c in thresholds):
        none = any(len(c.values) < len(c.cuts) for c in thresholds)
        some = " (a class that has none is declined)" if none else ""
        return f"at thresholds {values[0]:.3g} to {values[-1]:.3g}, one per class and seed{some}"
    some = (
        " (where a seed has none, it declines everything)"
        if any(c.value is None for c in thresholds)
        else ""
    )
    if len(values) == 1:
        return f"at threshold {values[0]:.3g}{some}"
    return f"at thresholds {values[0]:.3g} to {values[-1]:.3g}, one per seed{some}"


def cost_words(decision: Decision) -> str:
    """Return what shipping it saves, against the dearest other system; empty when nothing."""
    ratio = decision.times_cheaper
    if decision.cheaper_than is None or ratio is None or not ratio.value:
        return ""
    verb = "takes" if scale_of(ratio.metric) is Scale.SECONDS else "costs"
    return f"{verb} {significant(ratio.value)} times less than {decision.cheaper_than}"


def decision_sentence(decision: Decision) -> str:
    """Return the decision of one task in one sentence of plain text."""
    if decision.system is None:
        return f"Ship nothing yet: {decision.why}."
    words = [w for w in (f"Ship {decision.system}", threshold_words(decision.thresholds)) if w]
    facts = []
    if decision.answers is not None and decision.answers.value is not None:
        facts.append(f"answers {percent(decision.answers.value)}")
    if decision.wrong_at_most is not None:
        facts.append(f"wrong at most {at_most(decision.wrong_at_most)}")
    facts += [saved] if (saved := cost_words(decision)) else []
    said = " ".join(words) + (f": {', '.join(facts)}" if facts else "")
    change = "; would change our mind: " + "; ".join(
        change.says for change in decision.would_change
    )
    return f"{said}{change if decision.would_change else ''}."


def prices_words(prices: PriceTable) -> str:
    """Return what every dollar rests on."""
    return f"Dollars rest on {prices.says()} ({prices.source})."
