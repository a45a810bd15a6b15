"""What stands in the slots of the DeFi templates: amounts, assets, venues, chains, percentages.

The venue must not give the action away (in an earlier data set swaps were the only requests that
named an exchange, so the venue alone told the class).  Its role is therefore read off the *words*
of the template, whatever the template's label, and in ``ANYWHERE`` of the cases is not looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..draws import Draws
from ..grammar.domain import load_domain
from ..grammar.parts import Fact

SLOT = re.compile(r"\{(amount|asset2|asset|venue|chain|percent)\}")
ANYWHERE = 0.3
"""Share of venues and assets that are drawn without looking at the template."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A token, the usual size of an amount of it, and how it is read aloud."""

    symbol: str
    low: float
    high: float
    an: bool = False
    """Whether it takes "an": an ETH loan, a USDC loan."""
    stakeable: bool = False


WRAPPERS = frozenset({"ETH", "WETH", "wstETH"})
"""Asking for one of these against another is wrapping, not a trade: never drawn as a pair."""


@cache
def assets() -> tuple[Asset, ...]:
    """Return the tokens that are drawn, in the order of the domain's list.

    >>> assets()[0]
    Asset(symbol='ETH', low=0.05, high=50, an=True, stakeable=True)
    """
    return tuple(
        Asset(
            symbol=name.name,
            low=_number(name.facts["low"]),
            high=_number(name.facts["high"]),
            an=bool(name.facts.get("an")),
            stakeable=bool(name.facts.get("stakeable")),
        )
        for name in load_domain("defi").kinds["asset"].names
        if "low" in name.facts
    )


@cache
def stakeable() -> tuple[Asset, ...]:
    """Return the tokens that can be staked."""
    return tuple(asset for asset in assets() if asset.stakeable)


@cache
def venues() -> Mapping[str, tuple[str, ...]]:
    """Return the venues that are drawn, by their role."""
    found: dict[str, list[str]] = {}
    for name in load_domain("defi").kinds["venue"].names:
        if "role" in name.facts:
            found.setdefault(str(name.facts["role"]), []).append(name.name)
    return {role: tuple(names) for role, names in found.items()}


@cache
def all_venues() -> tuple[str, ...]:
    """Return the venues that are drawn, role by role."""
    return tuple(venue for names in venues().values() for venue in names)


@cache
def chains() -> tuple[str, ...]:
    """Return the networks that are drawn."""
    names = load_domain("defi").kinds["chain"].names
    return tuple(name.name for name in names if name.facts.get("drawn", True))


@cache
def values() -> tuple[str, ...]:
    """Return every value of a slot that is a name; what is not a number is one of these."""
    return (*(asset.symbol for asset in assets()), *all_venues(), *chains())


def _number(fact: Fact) -> float:
    assert isinstance(fact, (int, float)), "sizes in assets.yaml are numbers"
    return fact


_ROLES = {
    "staking": r"stak|validat|delegat|\bbond|unbond|node op|consensus|proof.of|baker|block pro",
    "dex": r"swap|trad|exchang|convert|sell|\bbuy|liquidity|\blps?\b|(?<!lending )pool|slippage",
    "lending": r"lend|lent|loan|borrow|debt|repa|\bowe|suppl|collateral|deposit|vault|credit",
}
_ROLE_WORDS = {role: re.compile(words, re.IGNORECASE) for role, words in _ROLES.items()}
_SMALL = re.compile(r"slippage|tolerance|price impact", re.IGNORECASE)
_LARGE = re.compile(r"delegation can go|lights", re.IGNORECASE)
_VOWELS = frozenset("aeioAEIO")
_AMOUNT_OF = re.compile(r"\{amount\}(?: less| of the| of my| of| staked)? \{(asset2?)\}")


def role_of(template: str) -> str:
    """Return the kind of venue that the words of a template ask for.

    >>> role_of("swap {amount} {asset} on {venue}"), role_of("claim my rewards on {venue}")
    ('dex', 'any')
    """
    counts = {role: len(words.findall(template)) for role, words in _ROLE_WORDS.items()}
    most = max(counts.values())
    best = [role for role, count in counts.items() if count == most]
    return best[0] if most and len(best) == 1 else "any"


def slot_values(template: str, draws: Draws) -> dict[str, str]:
    """Draw a value for every slot; all are drawn, so that the stream never depends on the slots."""
    role = role_of(template)
    staking = role == "staking"
    first = draws.one_of(stakeable() if draws.unit() >= ANYWHERE and staking else assets())
    second = draws.one_of(assets())
    while second == first or {first.symbol, second.symbol} <= WRAPPERS:
        second = draws.one_of(assets())
    free = draws.unit() < ANYWHERE or role == "any"
    measured = _AMOUNT_OF.search(template)
    sized = second if measured and measured[1] == "asset2" else first
    return {
        "amount": amount(sized, draws),
        "asset": first.symbol,
        "asset2": second.symbol,
        "venue": draws.one_of(all_venues() if free else venues()[role]),
        "chain": draws.one_of(chains()),
        "percent": _percent(template, draws),
    }


def amount(asset: Asset, draws: Draws) -> str:
    """Write a likely amount of an asset as people do: ``0.25``, ``1500``, ``1,500``, ``2k``."""
    size = math.exp(
        math.log(asset.low) + draws.unit() * (math.log(asset.high) - math.log(asset.low))
    )
    figures = draws.one_of((1, 1, 2, 2, 3))
    digits = figures - 1 - math.floor(math.log10(size))
    size = max(round(size, digits), 10.0**-digits)
    if size < 1000:
        return f"{size:g}"
    whole = round(size)
    how = draws.unit()
    if how < 0.3 and whole % 100 == 0:
        return f"{whole / 1000:g}k"
    return f"{whole:,}" if how < 0.65 else str(whole)


def _percent(template: str, draws: Draws) -> str:
    if _SMALL.search(template):
        return draws.one_of(("0.1%", "0.3%", "0.5%", "0.75%", "1%", "1.5%", "2%", "3%"))
    if _LARGE.search(template):
        return f"{5 * (2 + int(draws.unit() * 14))}%"
    return f"{1.5 + int(draws.unit() * 90) / 10:.2g}%"


def with_article(before: str, value: str) -> str:
    """Return the text before a slot with its last article fitted to the value.

    >>> with_article("take a ", "800")
    'take an '
    >>> with_article("for an ", "USDC")
    'for a '
    """
    words = before.split(" ")
    if len(words) < 2 or words[-1] or words[-2].lower() not in ("a", "an"):
        return before
    article = "an" if takes_an(value) else "a"
    words[-2] = article.capitalize() if words[-2][0] == "A" else article
    return " ".join(words)


def takes_an(value: str) -> bool:
    """Say whether a slot's value begins with a vowel when it is read aloud."""
    for asset in assets():
        if asset.symbol == value:
            return asset.an
    if value[0].isdigit():
        whole = value.partition(".")[0].replace(",", "").replace("k", "000")
        return whole[0] == "8" or (whole[:2] in ("11", "18") and len(whole) % 3 == 2)
    return value[0] in _VOWELS
