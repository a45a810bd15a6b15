"""A front as plain values, and in sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..core.front import Front, Mixture, Point, Tradeoff
from ..core.metric import Estimate
from .facts import estimate_facts, short
from .words import (
    NOT_MEASURED,
    Scale,
    label,
    percent,
    reason,
    scale_of,
    seconds,
    spell,
    value_and_ends,
)

LEGACY = "value score (legacy)"
BEST = "the best"
_MOST = 3
"""Systems that are named as ahead of one; the facts have all."""


def front_facts(front: Front, *, legacy: bool = False) -> dict[str, Any]:
    """Return a front as plain values; the legacy score only where it is asked for."""
    return {
        "task": front.task,
        "objectives": [[name, better.value] for name, better in front.objectives],
        "points": [_point(p) for p in front.points],
        "hull": {"benefit": front.benefit, "cost": front.cost} if front.cost else None,
        "reaches": [
            {
                "cost": short(r.cost),
                "benefit": short(r.benefit),
                "low": short(r.low),
                "high": short(r.high),
            }
            for r in front.hull
        ],
        "hypervolume": _estimate(front.hypervolume),
        "reference": {name: short(value) for name, value in front.reference.items()},
        "tradeoffs": [_tradeoff(t, legacy=legacy) for t in front.tradeoffs],
        "worth": [
            {"system": w.system, "start": _estimate(w.start), "end": _estimate(w.end)}
            for w in front.worth
        ],
        "notes": list(front.notes),
    }


def _point(point: Point) -> dict[str, Any]:
    mixture = point.mixture
    return {
        "system": point.system,
        "standing": point.standing.value,
        "beaten_by": list(point.beaten_by),
        "behind": list(point.behind),
        "frequency": short(point.frequency),
        "gap": _estimate(point.gap),
        "on_hull": point.on_hull,
        "hull_gap": _estimate(point.hull_gap),
        "mixture": mixture
        and {
            "left": mixture.left,
            "right": mixture.right,
            "share_right": short(mixture.share_right),
            "gain": short(mixture.gain),
            "saving": short(mixture.saving),
        },
        "mixture_beats": point.mixture_beats,
        "at": {name: estimate_facts(e) for name, e in point.at.items()},
    }


def _tradeoff(tradeoff: Tradeoff, *, legacy: bool) -> dict[str, Any]:
    facts = {
        "system": tradeoff.system,
        "against": tradeoff.against,
        "gap": _estimate(tradeoff.gap),
        "cost_ratio": _estimate(tradeoff.cost_ratio),
        "latency_ratio": _estimate(tradeoff.latency_ratio),
        "p50": _estimate(tradeoff.p50),
        "p99": _estimate(tradeoff.p99),
        "usd_per_million_tokens": _estimate(tradeoff.usd_per_million_tokens),
        "right_per_usd": _estimate(tradeoff.right_per_usd),
        "leads": short(tradeoff.leads),
    }
    return facts | ({"value_score": short(tradeoff.value_score)} if legacy else {})


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else estimate_facts(estimate)


def often(frequency: float | None) -> str:
    """Return a resampling frequency in words.

    >>> often(0.973), often(None)
    ('97.3 % of resamples', 'not known')
    """
    return "not known" if frequency is None else f"{percent(frequency)} of resamples"


def below(gap: Estimate | None) -> str:
    """Return an expected distance below the front or the hull, with its interval.

    >>> gap = Estimate(metric="accuracy", value=0.0018, low=0.0, high=0.0, over=frozenset({"samples"}))
    >>> below(gap)
    '0.0018 (95 % of resamples: 0)'
    """
    if gap is None or gap.value is None:
        return "not known"
    if gap.low is None:
        return "0"
    if gap.value and gap.low == gap.high == 0.0:
        # The mean of rare distances lies outside of the interval that holds nearly all of them.
        return f"{spell(gap.value, Scale.PLAIN, 0.0)} ({percent(gap.confidence)} of resamples: 0)"
    return value_and_ends(gap, Scale.PLAIN)


def mixture_words(mixture: Mixture, benefit: str) -> str:
    """Return what beats a system below the hull, as something that can be done.

    >>> mixture_words(Mixture(left="S", right="R", share_right=0.37, gain=0.04, saving=0.2),
    ...               "accuracy")
    'send 37 % of the questions to R and the rest to S: +0.040 right at the same cost, or 20 % cheaper and as right'
    >>> mixture_words(Mixture(left="S", right="S", share_right=1.0, gain=0.0, saving=0.2), "recall")
    'send every question to S: 20 % cheaper at the same recall'
    """
    if mixture.left == mixture.right or mixture.share_right >= 1.0:
        what = f"send every question to {mixture.right}"
    else:
        share = _coarse(mixture.share_right)
        what = f"send {share} of the questions to {mixture.right} and the rest to {mixture.left}"
    same = "as right" if benefit == "accuracy" else f"at the same {label(benefit)}"
    saved = f"{_coarse(mixture.saving)} cheaper"
    if mixture.gain <= 0:
        return f"{what}: {saved} {same}" if benefit != "accuracy" else f"{what}: {saved} and {same}"
    joined = f"{saved} and {same}" if benefit == "accuracy" else f"{saved} {same}"
    return f"{what}: {mixture.gain:+.3f} {label(benefit)} at the same cost, or {joined}"


def worth_of(front: Front) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return of what values are told, and for which of them each system is the one to ask.

    Of a right answer; where that is less than a hundredth of a cent, of a million of them.
    """
    most = max((w.start.value or 0.0 for w in front.worth), default=0.0)
    times, of = (1e6, "a million right answers") if most < 1e-4 else (1.0, "a right answer")
    told = []
    for worth in front.worth:
        start = f"from {_dollars(worth.start, times)}"
        until = f" to {_dollars(worth.end, times)}" if worth.end is not None else " upwards"
        told.append((worth.system, f"{start}{until}"))
    return of, tuple(told)


def rounded(estimate: Estimate) -> str:
    """Return right answers per dollar with three digits and an interval.

    >>> rounded(Estimate(metric="right_per_usd", value=58123.0, low=51234.0, high=60001.0))
    '58,100 [51,200, 60,000]'
    """
    if estimate.value is None:
        return f"{NOT_MEASURED} ({reason(estimate)})"
    if estimate.low is None or estimate.high is None:
        return f"{_three(estimate.value)} (no interval: {estimate.method})"
    return f"{_three(estimate.value)} [{_three(estimate.low)}, {_three(estimate.high)}]"


def leader(front: Front) -> Tradeoff | None:
    """Return the system with the most right answers per dollar."""
    known = {t.system: t for t in front.tradeoffs if t.right_per_usd.value is not None}
    if not known:
        return None
    return max(known.values(), key=lambda t: t.right_per_usd.value or 0.0)


def leader_words(front: Front) -> str:
    """Return who gives the most right answers per dollar, and how sure that is."""
    found = leader(front)
    if found is None or len(front.tradeoffs) < 2:
        return ""
    sure = "" if found.leads is None else f", first in {often(found.leads)}"
    return f"Most right answers per dollar: {found.system}, {rounded(found.right_per_usd)}{sure}."


def volume_words(front: Front) -> str:
    """Return the hypervolume with its reference point."""
    found = front.hypervolume
    if found is None or found.value is None:
        return ""
    corner = ", ".join(f"{label(name)} {_at(name, at)}" for name, at in front.reference.items())
    if found.low is None:
        shown = f"{found.value:.3f} (no interval: {found.method})"
    else:
        shown = value_and_ends(found, Scale.PLAIN)
    return f"Hypervolume: {shown} of the box between {corner} and the best value there can be."


def tail(estimate: Estimate) -> str:
    """Return a tail latency, or how far the timings reach.

    >>> tail(Estimate(metric="latency_p99", value=None, low=None, high=None,
    ...               method="undefined: 63 values reach p94.3 at 95% confidence, not p99"))
    'timings reach p94.3'
    """
    if estimate.value is None:
        reached = re.search(r" reach (p[0-9.]+)", reason(estimate))
        return f"timings reach {reached[1]}" if reached else reason(estimate)
    return value_and_ends(estimate)


def score_words(tradeoff: Tradeoff) -> str:
    """Return the legacy score."""
    score = tradeoff.value_score
    return "-" if score is None else spell(score, Scale.TIMES)


def ahead_of(point: Point) -> str:
    """Return which systems are ahead of one on every objective: three of them, and how many more.

    >>> from assay.core.front import Standing
    >>> ahead_of(Point(system="a", at={}, standing=Standing.UNRESOLVED, behind=tuple("bcdef")))
    'behind b, c, d and 2 more'
    """
    others, word = (point.beaten_by, "by") if point.beaten_by else (point.behind, "behind")
    more = f" and {len(others) - _MOST:,} more" if len(others) > _MOST else ""
    return f"{word} {', '.join(others[:_MOST])}{more}" if others else ""


def notes_of(front: Front) -> Mapping[str, str]:
    """Return what does not apply: each note once, with how it is printed."""
    return {note: f"{note[:1].upper()}{note[1:]}." for note in front.notes}


def _dollars(estimate: Estimate, times: float) -> str:
    value = spell(times * (estimate.value or 0.0), Scale.USD)
    if estimate.low is None or estimate.high is None:
        return value
    ends = (spell(times * end, Scale.USD) for end in (estimate.low, estimate.high))
    return f"{value} [{', '.join(ends)}]"


def _at(metric: str, value: float) -> str:
    match scale_of(metric):
        case Scale.PLAIN:
            return f"{value:g}"
        case Scale.SECONDS:
            return seconds(value)
        case scale:
            return spell(value, scale)


def _coarse(share: float) -> str:
    """Return a share as one would route by it: whole percents, unless it is near an end."""
    hundred = 100 * share
    return f"{hundred:.0f} %" if 1 <= hundred <= 99 else percent(share)


def _three(value: float) -> str:
    if value <= 0 or not math.isfinite(value):
        return f"{value:g}"
    places = 2 - math.floor(math.log10(value))
    return f"{round(value, places):,.{max(places, 0)}f}"
