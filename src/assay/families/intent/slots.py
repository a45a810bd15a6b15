"""What stands in the slots of the DeFi templates: amounts, assets, venues, chains, percentages.

The venue must not give the action away (in an earlier data set swaps were the only requests that
named an exchange, so the venue alone told the class).  Its role is therefore read off the *words*
of the template, whatever the template's label, and in ``ANYWHERE`` of the cases is not looked at.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .draws import Draws

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


ASSETS = (
    Asset("ETH", 0.05, 50, an=True, stakeable=True),
    Asset("WETH", 0.05, 50),
    Asset("wstETH", 0.05, 50),
    Asset("WBTC", 0.003, 2.5),
    Asset("cbBTC", 0.003, 2.5),
    Asset("USDC", 50, 25000),
    Asset("USDT", 50, 25000),
    Asset("DAI", 50, 25000),
    Asset("FRAX", 50, 25000),
    Asset("LUSD", 50, 25000, an=True),
    Asset("GHO", 50, 25000),
    Asset("SOL", 0.5, 400, an=False, stakeable=True),
    Asset("AVAX", 1, 800, an=True, stakeable=True),
    Asset("POL", 20, 20000, stakeable=True),
    Asset("BNB", 0.1, 60, stakeable=True),
    Asset("ATOM", 5, 3000, an=True, stakeable=True),
    Asset("DOT", 5, 4000, stakeable=True),
    Asset("NEAR", 5, 5000, stakeable=True),
    Asset("TIA", 5, 5000, stakeable=True),
    Asset("XTZ", 20, 9000, an=True, stakeable=True),
    Asset("ARB", 20, 15000, an=True),
    Asset("OP", 10, 8000, an=True),
    Asset("LINK", 2, 2000),
    Asset("UNI", 5, 3000),
    Asset("AAVE", 0.2, 150, an=True),
    Asset("CRV", 50, 30000),
    Asset("LDO", 20, 10000, an=True),
    Asset("MKR", 0.1, 20, an=True),
)
STAKEABLE = tuple(a for a in ASSETS if a.stakeable)
WRAPPERS = frozenset({"ETH", "WETH", "wstETH"})
"""Asking for one of these against another is wrapping, not a trade: never drawn as a pair."""

VENUES = {
    "lending": (
        *("Aave", "Aave v3", "Compound", "Morpho", "Spark", "Euler", "Venus"),
        *("Radiant", "Silo", "Kamino", "Moonwell", "Benqi"),
    ),
    "dex": (
        *("Uniswap", "Uniswap v3", "Curve", "Balancer", "SushiSwap", "PancakeSwap", "1inch"),
        *("CoW Swap", "Aerodrome", "Velodrome", "Trader Joe", "Orca", "Camelot"),
    ),
    "staking": (
        *("Lido", "Rocket Pool", "EigenLayer", "Jito", "Marinade", "Stader", "Ankr"),
        *("StakeWise", "Swell", "ether.fi", "Renzo"),
    ),
    "any": ("Yearn", "Pendle", "Convex", "Beefy", "Instadapp", "Summer.fi"),
}
ALL_VENUES = tuple(v for names in VENUES.values() for v in names)
CHAINS = (
    *("Ethereum", "Arbitrum", "Optimism", "Base", "Polygon"),
    *("Avalanche", "Solana", "BNB Chain", "Gnosis", "Linea"),
)
VALUES = (*(a.symbol for a in ASSETS), *ALL_VENUES, *CHAINS)
"""Every value of a slot that is a name; what is not a number is one of these."""

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
    first = draws.one_of(STAKEABLE if draws.unit() >= ANYWHERE and staking else ASSETS)
    second = draws.one_of(ASSETS)
    while second == first or {first.symbol, second.symbol} <= WRAPPERS:
        second = draws.one_of(ASSETS)
    free = draws.unit() < ANYWHERE or role == "any"
    measured = _AMOUNT_OF.search(template)
    sized = second if measured and measured[1] == "asset2" else first
    return {
        "amount": amount(sized, draws),
        "asset": first.symbol,
        "asset2": second.symbol,
        "venue": draws.one_of(ALL_VENUES if free else VENUES[role]),
        "chain": draws.one_of(CHAINS),
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
    for asset in ASSETS:
        if asset.symbol == value:
            return asset.an
    if value[0].isdigit():
        whole = value.partition(".")[0].replace(",", "").replace("k", "000")
        return whole[0] == "8" or (whole[:2] in ("11", "18") and len(whole) % 3 == 2)
    return value[0] in _VOWELS
