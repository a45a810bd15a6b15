"""How numbers and names are spelled, in one place."""

from __future__ import annotations

import math
import re
from enum import StrEnum

from ..core.claim import Claim
from ..core.metric import Contrast, Estimate
from .hostile import safe_markdown as safe_markdown  # noqa: PLC0414  (others import it from here)

NOT_MEASURED = "not measured"
LABELS = {
    "accuracy": "right",
    "coverage": "answered",
    "selective_accuracy": "right when it answers",
    "risk": "wrong when it answers",
    "invention_rate": "invented",
    "failure_rate": "failed",
    "cut_rate": "cut at max_tokens",
    "usd_per_1k": "dollars per 1,000",
    "usd_per_correct": "dollars per right answer",
    "latency_mean": "mean latency",
    "latency_p50": "median latency",
    "latency_p95": "95th percentile latency",
    "latency_p99": "99th percentile latency",
    "determinism": "same when asked again",
    "reported_usd_per_1k": "reported dollars per 1,000",
    "reported_latency_mean": "reported mean latency",
}
"""Metrics in words that need no manual; the plan's own name stands beside them."""


_COUNTED = re.compile(r"[\d,]+ of [\d,]+( groups?)?")


class Scale(StrEnum):
    """How a number is written."""

    PLAIN = ""
    USD = "$"
    SECONDS = "s"
    TIMES = "x"
    CHANGE = "+"
    PERCENT = "%"


def label(metric: str) -> str:
    """Return a metric's name in plain words.

    >>> label("invention_rate"), label("kl_mean")
    ('invented', 'kl mean')
    """
    return LABELS.get(metric, metric.replace("_", " "))


def scale_of(metric: str, unit: str = "") -> Scale:
    """Return how values of a metric are written."""
    metric = metric.removeprefix("reported_")
    if unit == "$" or metric.startswith("usd"):
        return Scale.USD
    if unit == "s" or metric.startswith("latency"):
        return Scale.SECONDS
    return Scale.PLAIN


def claim_scale(claim: Claim, contrast: Contrast) -> Scale:
    """Return how the number of a claim is written: a value, a change or a ratio."""
    if claim.against is None:
        return scale_of(claim.metric)
    return Scale.TIMES if contrast is Contrast.RATIO else Scale.CHANGE


def number(estimate: Estimate, scale: Scale | None = None) -> str:
    """Return an estimate as it stands in every table.

    >>> number(Estimate(metric="accuracy", value=0.92, low=0.88, high=0.95, n=400, n_seeds=5,
    ...                 over=frozenset({"samples"})))
    '0.92 [0.88, 0.95] n=400x5'
    >>> number(Estimate(metric="accuracy", value=None, low=None, high=None,
    ...                 method="undefined: nothing was asked"))
    'not measured (nothing was asked)'
    >>> number(Estimate(metric="invention_rate", value=0.0, low=0.0, high=0.00453, n=812,
    ...                 method="Clopper-Pearson, 0 of 812 samples", over=frozenset({"samples"})))
    '0 of 812: at most 0.37 % n=812'
    >>> number(Estimate(metric="latency_p50", value=0.0012, low=None, high=None, n=30))
    '1.2 ms (these questions only) n=30'
    """
    if estimate.value is None:
        return f"{NOT_MEASURED} ({reason(estimate)})"
    return f"{value_and_ends(estimate, scale)} {asked(estimate)}"


def value_and_ends(estimate: Estimate, scale: Scale | None = None) -> str:
    """Return an estimate without its n, for where the n stands in a column of its own."""
    scale = scale_of(estimate.metric) if scale is None else scale
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None:
        return NOT_MEASURED
    if not estimate.over:
        return f"{spell(value, scale)} (these questions only)"
    if low is None or high is None:
        return f"{spell(value, scale)} (no interval: {estimate.method or 'too few resamples'})"
    if scale in (Scale.PLAIN, Scale.PERCENT) and (bound := _never_or_always(estimate)):
        return bound
    ends = f"[{spell(low, scale, high - low)}, {spell(high, scale, high - low)}]"
    level = "" if _is_usual(estimate) else f" at {percent(estimate.confidence)}"
    return f"{spell(value, scale, high - low)} {ends}{level}"


def halves(estimate: Estimate, scale: Scale | None = None) -> tuple[str, str]:
    """Return ``number`` as what is read first, and the rest of it.

    >>> halves(Estimate(metric="accuracy", value=0.92, low=0.88, high=0.95, n=400,
    ...                 over=frozenset({"samples"})))
    ('0.92', '[0.88, 0.95] n=400')
    """
    text = number(estimate, scale)
    if estimate.value is None:
        return NOT_MEASURED, text[len(NOT_MEASURED) + 1 :]
    first = _COUNTED.match(text) or re.match(r"\S+( [µm]?s\b| min\b| %)?", text)
    at = first.end() if first else len(text)
    return text[:at], text[at:].strip()


def asked(estimate: Estimate) -> str:
    """Return ``n=400x5``: samples, and seeds where there is more than one."""
    return f"n={estimate.n}" + (f"x{estimate.n_seeds}" if estimate.n_seeds > 1 else "")


def reason(estimate: Estimate) -> str:
    """Return why there is no number."""
    why = estimate.method.removeprefix("undefined: ").removeprefix(f"{NOT_MEASURED} ")
    return why or "no records"


def _never_or_always(estimate: Estimate) -> str:
    """Return the one-sided 95 % bound of what never, or always, happened; empty for all else."""
    value, low, high = estimate.value, estimate.low, estimate.high
    never = value == 0.0 == low and high is not None and high <= 1.0
    always = value == 1.0 == high and low is not None and low >= 0.0
    if not (never or always) or low is None or high is None:
        return ""
    if "sequence" in estimate.method:
        return ""  # its width says nothing of how many trials there were
    width = high - low
    if not 0.0 < width < 1.0:
        return f"{value:g} (every resample gave the same: no bound)" if width == 0 else ""
    # Clopper-Pearson with no event: the interval's width says how many trials there were.
    tail = (1 - estimate.confidence) / 2
    trials = math.log(tail) / math.log1p(-width)
    bound = 1 - 0.05 ** (1 / trials) if _is_usual(estimate) else width
    level = "" if _is_usual(estimate) else f" at {percent(1 - tail)}, one side"
    n = f"{round(trials):,}"
    of = f"{n} group{'s' * (n != '1')}" if "groups" in estimate.method else n
    if never:
        return f"0 of {of}: at most {at_most(bound)}{level}"
    return f"{n} of {of}: at least {at_least(1 - bound)}{level}"


def _is_usual(estimate: Estimate) -> bool:
    return math.isclose(estimate.confidence, 0.95)


def spell(value: float, scale: Scale = Scale.PLAIN, width: float | None = None) -> str:
    """Return a bare value, with as many digits as an interval of that width deserves.

    >>> spell(0.98765, Scale.PLAIN, 0.009), spell(0.0000123, Scale.USD), spell(12.3456, Scale.TIMES)
    ('0.988', '$0.0000123', '12.3x')
    """
    if not math.isfinite(value):
        return "without limit" if value > 0 else "without limit below"
    match scale:
        case Scale.USD:
            return ("-" if value < 0 else "") + "$" + significant(abs(value))
        case Scale.SECONDS:
            return seconds(value)
        case Scale.PERCENT:
            return percent(value)
        case Scale.TIMES:
            return significant(value) + "x"
        case Scale.CHANGE:
            return f"{value:+.{_places(value, width)}f}"
        case Scale.PLAIN:
            large = abs(value) >= 10
            return significant(value) if large else f"{value:.{_places(value, width)}f}"


def seconds(value: float) -> str:
    """Return a duration in the unit that suits it.

    >>> seconds(0.000042), seconds(0.0314), seconds(2.5), seconds(5400)
    ('42 µs', '31.4 ms', '2.5 s', '90 min')
    """
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (600.0, 1.0, "s")):
        if abs(value) < limit:
            return f"{significant(value * factor)} {unit}"
    return f"{significant(value / 60)} min"


def percent(value: float) -> str:
    """Return a share in percent; only what is all or nothing is called 100 % or 0 %.

    >>> percent(0.873), percent(0.99961), percent(0.0004), percent(1.0)
    ('87.3 %', '99.961 %', '0.04 %', '100 %')
    """
    return _percent(value, round)


def at_most(value: float) -> str:
    """Return an upper bound in percent, rounded up."""
    return _percent(value, math.ceil)


def at_least(value: float) -> str:
    """Return a lower bound in percent, rounded down."""
    return _percent(value, math.floor)


def _percent(value: float, whole: object) -> str:
    assert callable(whole)
    hundred = 100 * value
    near = min(abs(hundred), abs(100 - hundred))
    places = 0 if near < 1e-9 else 1 if near >= 1 else min(2 - math.floor(math.log10(near)) - 1, 6)
    scaled = whole(round(hundred * 10**places, 6)) / 10**places
    text = f"{scaled:.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def _places(value: float, width: float | None) -> int:
    if width is None or not 0 < width < math.inf:
        size = abs(value)
        return 2 if size == 0 or size >= 0.1 else min(1 - math.floor(math.log10(size)), 9)
    places = max(2, math.ceil(-math.log10(width)))
    # A value that is not quite 0 or 1 is not written as if it were.
    while places < 6 and round(value, places) in (0.0, 1.0) and value not in (0.0, 1.0):
        places += 1
    return min(places, 9)


def significant(value: float) -> str:
    """Return a number with three significant digits.

    >>> significant(0.0123456), significant(12.0), significant(98765.4)
    ('0.0123', '12', '98,765')
    """
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
