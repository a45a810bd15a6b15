"""How a moment of a run is spelled, on a screen, in a log and on a page."""

from __future__ import annotations

from .moment import Running, SystemSeen

HOLDS = (
    "Intervals hold at every look (95 %, confidence sequences over whole groups in the order in which replies come), if "
    "what is asked first is like the rest."
)
ABOVE = "before its threshold is chosen"
HEAD = ("", "asked", "right", "answered", "wrong if answered", "failed", "spent")
NONE = "-"


def trouble(one: SystemSeen) -> str:
    """Return how many replies failed, and how many were not observed."""
    said = [f"{one.failed:,}"] if one.failed else []
    said += [f"{one.crashed:,} not observed"] if one.crashed else []
    return ", ".join(said) or NONE


def shown(running: Running | None) -> str:
    """Return a running share.

    >>> shown(Running(0.5, 0.412, 0.588, 80)), shown(None)
    ('0.50 [0.41, 0.59]', '-')
    """
    if running is None:
        return NONE
    return f"{running.value:.2f} [{running.low:.2f}, {running.high:.2f}]"


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(42), duration(200), duration(7300), duration(200_000)
    ('42 s', '3 min 20 s', '2 h 1 min', '2 d 7 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def money(amount: float, currency: str) -> str:
    """Return an amount of money with two digits that say something.

    >>> money(0.00123, "USD"), money(12.3, "USD"), money(1234.0, "EUR")
    ('$0.0012', '$12', 'EUR 1,234')
    """
    sign = "$" if currency == "USD" else f"{currency} "
    if amount >= 10:
        return f"{sign}{amount:,.0f}"
    if amount == 0:
        return f"{sign}0"
    places = 1
    while places < 9 and amount < 10 ** (1 - places):
        places += 1
    return f"{sign}{amount:.{places}f}"
