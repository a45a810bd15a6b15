"""What the oracle reads of one step: fractions, and balances added up from all that has happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

WORDS = {"all": 1, "half": 2, "third": 3, "quarter": 4}
WHOLE = {
    "withdraw_asset": "collateral",
    "unstake_asset": "staked",
    "repay_asset": "debt",
    "deposit_asset": "wallet",
    "swap_asset": "wallet",
    "stake_asset": "wallet",
}


class Unknown(Exception):  # noqa: N818  (a fact about the situation)
    """Something that is needed does not stand there."""


class Nonsense(Unknown):
    """What stands there is no number that makes sense."""


@dataclass(slots=True)
class History:
    """Everything that has happened: what a balance is, is added up from here."""

    events: list[tuple[str, str, str, Fraction]]

    def total(self, kind: str, place: str, asset: str) -> Fraction:
        """Return a balance: all that ever came, less all that ever went."""
        return sum((e[3] for e in self.events if e[:3] == (kind, place, asset)), Fraction(0))

    def assets(self, kind: str, place: str) -> set[str]:
        """Return the assets that were ever named in a place."""
        return {e[2] for e in self.events if e[:2] == (kind, place)}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One step, the facts, and what has happened before."""

    context: Mapping[str, Any]
    policy: Mapping[str, Any]
    history: History
    used: Fraction | None
    """Dollars moved today, with the steps before this one."""

    step: Mapping[str, Any]
    previous: tuple[str, Fraction] | None = None
    rest: tuple[str, Fraction] | None = None

    # --- what the step says ---

    @property
    def action(self) -> str:
        """Return what is to be done."""
        return str(self.step["action"])

    def slot(self, role: str) -> tuple[str, str] | None:
        """Return value and unit of a role; None where the step does not name it."""
        found = self.step["slots"].get(role)
        if found is None:
            return None
        return (found, "") if isinstance(found, str) else (found["value"], found.get("unit", ""))

    def name(self, role: str) -> str:
        """Return the name in a role."""
        found, amount = self.slot(role), self.slot("amount")
        if role == "asset" and found is None and amount and amount[0] == "previous":
            found = ("previous", "")
        if found is None:
            raise Unknown(role)
        if found[0] != "previous" or role == "venue":
            return found[0]
        if self.previous is None:
            raise Unknown("previous")
        return self.previous[0]

    def amount(self) -> Fraction:
        """Return how many units are moved."""
        found = self.slot("amount")
        if found is None:
            raise Unknown("amount")
        said, unit = found
        if said in ("previous", "rest") or unit == "previous":
            before = self.rest if said == "rest" else self.previous
            if before is None:
                raise Unknown("previous")
            if before[0] != self.name("asset"):
                raise Nonsense("amount")
            return self.cut(before[1] / WORDS[said]) if said in WORDS else before[1]
        if said in WORDS:
            return self.cut(self.whole() / WORDS[said])
        number = sensible(said, "amount")
        if unit == "usd":
            return self.cut(number / self.usd(self.name("asset")))
        if unit == "percent":
            if number > 100:
                raise Nonsense("amount")
            return self.cut(self.whole() * number / 100)
        if unit in ("", self.name("asset")):
            return number
        if self.slot("to_asset") == (unit, ""):
            return self.price_of(number)
        raise Nonsense("amount")

    def price_of(self, wanted: Fraction) -> Fraction:
        """Return the least that any quote asks for exactly so much."""
        pair = (self.name("venue"), self.name("asset"), self.name("to_asset"))
        asked = [
            Fraction(quote["amount"])
            for quote in self.context.get("quotes", ())
            if (quote["venue"], quote["sell"], quote["buy"]) == pair
            and Fraction(quote["expected"]) == wanted
        ]
        if not asked:
            raise Unknown("quote")
        return min(asked)

    def whole(self) -> Fraction:
        """Return what all of it is."""
        if self.action not in WHOLE:
            raise Nonsense("amount")
        return self.held(WHOLE[self.action], self.name("asset"))

    def cut(self, value: Fraction) -> Fraction:
        """Cut to the asset's last unit."""
        unit = Fraction(10) ** self.digits(self.name("asset"))
        return Fraction(value * unit // 1) / unit

    def tolerance(self) -> Fraction:
        """Return the share that a swap may lose."""
        found = self.slot("slippage")
        if found is None:
            return Fraction(self.policy["slippage_max"])
        parts = {"percent": 100, "bps": 10_000}
        if found[1] not in parts:
            raise Nonsense("slippage")
        return sensible(found[0], "slippage") / parts[found[1]]

    # --- facts ---

    def digits(self, asset: str) -> int:
        """Return an asset's digits behind the point."""
        try:
            return int(self.context["assets"][asset]["decimals"])
        except KeyError:
            raise Unknown("asset_facts") from None

    def quoted(self, asset: str) -> Mapping[str, Any]:
        """Return an asset's price as it stands there."""
        try:
            found: Mapping[str, Any] = self.context["prices"][asset]
        except KeyError:
            raise Unknown("price") from None
        return found

    def usd(self, asset: str) -> Fraction:
        """Return dollars for a unit."""
        return Fraction(self.quoted(asset)["usd"])

    def reserve(self, asset: str) -> Mapping[str, Any]:
        """Return an asset's line of the lending market."""
        try:
            found: Mapping[str, Any] = self.context["markets"][self.name("venue")]["reserves"]
            return dict(found[asset])
        except KeyError:
            raise Unknown("market") from None

    def protocol(self) -> str:
        """Return whose rules the market follows."""
        try:
            return str(self.context["markets"][self.name("venue")]["protocol"])
        except KeyError:
            raise Unknown("market") from None

    def share(self, asset: str, what: str) -> Fraction:
        """Return the stricter of the market's and the house's share."""
        market = Fraction(self.reserve(asset)[what])
        house = self.policy.get("risk", {}).get(asset)
        return market if house is None else min(market, Fraction(house[what]))

    def held(self, kind: str, asset: str) -> Fraction:
        """Return what the user has before the step."""
        section = {"collateral": "positions", "debt": "positions"}.get(kind, kind)
        if section not in self.context:
            raise Unknown(section)
        if section == "positions" and self.name("venue") not in self.context["positions"]:
            raise Unknown("positions")
        place = "" if kind == "wallet" else self.name("venue")
        return self.history.total(kind, place, asset)

    def pool(self, kind: str, asset: str) -> Fraction:
        """Return what the market has before the step."""
        if asset not in self.history.assets(kind, self.name("venue")):
            raise Unknown(kind)
        return self.history.total(kind, self.name("venue"), asset)

    def offer(self) -> Mapping[str, Any]:
        """Return the quote for this very swap."""
        wanted = (self.name("venue"), self.name("asset"), self.name("to_asset"), self.amount())
        for quote in self.context.get("quotes", ()):
            if wanted == (quote["venue"], quote["sell"], quote["buy"], Fraction(quote["amount"])):
                return dict(quote)
        raise Unknown("quote")

    def claims(self, asset: str) -> bool:
        """Return whether a claim would bring an asset."""
        wanted = self.slot("asset")
        there = self.history.total("rewards", self.name("venue"), asset) > 0
        return there and (wanted is None or self.name("asset") == asset)

    # --- positions before the step, in dollars ---

    def backing(self) -> dict[str, Fraction]:
        """Return what is there as collateral before the step."""
        venue = self.name("venue")
        self.held("collateral", "")
        return {
            asset: units
            for asset in self.history.assets("collateral", venue)
            if (units := self.history.total("collateral", venue, asset)) > 0
            and self.share(asset, "liquidation_threshold") > 0
        }

    def owed(self) -> dict[str, Fraction]:
        """Return every debt before the step."""
        venue = self.name("venue")
        self.held("debt", "")
        found = {
            a: self.history.total("debt", venue, a) for a in self.history.assets("debt", venue)
        }
        return {asset: units for asset, units in found.items() if units > 0}

    def room(self, weight: Callable[[str], Fraction], spare: Fraction) -> bool:
        """Whether the amount is at most what keeps sum(collateral x weight) >= spare x debt."""
        amount, asset, owed = self.amount(), self.name("asset"), self.owed()
        borrows = self.action == "borrow_asset"
        if not owed and not (borrows and amount):
            return True
        backing = self.backing()
        debt = sum((units * self.usd(a) for a, units in owed.items()), Fraction(0))
        power = sum((units * self.usd(a) * weight(a) for a, units in backing.items()), Fraction(0))
        if borrows:
            return amount <= (power / spare - debt) / self.usd(asset)
        per_unit = self.usd(asset) * weight(asset) if asset in backing else Fraction(0)
        if not per_unit:
            return power >= spare * debt
        return min(amount, backing[asset]) <= (power - spare * debt) / per_unit

    def prices_that_count(self) -> set[str]:
        """Return the assets whose prices decide."""
        asset = self.name("asset")
        if self.action == "swap_asset":
            return {asset, self.name("to_asset")}
        if self.action == "borrow_asset":
            self.amount()
            return {asset, *self.backing(), *self.owed()}
        if self.action == "withdraw_asset" and self.owed():
            left = {a: units for a, units in self.backing().items() if a != asset}
            self.amount()
            return {asset, *left, *self.owed()}
        return {asset}


def sensible(text: str, what: str) -> Fraction:
    """Read a number that is not negative and not absurd."""
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", text, re.ASCII):
        raise Nonsense(what)
    return Fraction(text)
