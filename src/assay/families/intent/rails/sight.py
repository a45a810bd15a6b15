"""What a rule sees of one step: its words as numbers, and the facts that are known before it.

Every question here either has an answer or raises ``Missing``, so that no rule can pass because
something is not known.  Called inside ``localcontext(EXACT)``: no sum or product is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..grammar.steps import Slot, Step
from .context import Asset, Context, Price, Quote, Reserve
from .exact import divided, floor_to, read_decimal
from .ledger import Account, Kind, Moved, State
from .policy import Policy
from .ruling import Missing, Unclear

SOURCES = {
    "deposit_asset": Kind.WALLET,
    "swap_asset": Kind.WALLET,
    "stake_asset": Kind.WALLET,
    "withdraw_asset": Kind.COLLATERAL,
    "unstake_asset": Kind.STAKED,
    "repay_asset": Kind.DEBT,
}
"""What "all" and "half" are a share of.  Nobody can borrow all, and rewards are always all."""

_SECTIONS = {
    Kind.WALLET: "wallet",
    Kind.COLLATERAL: "positions",
    Kind.DEBT: "positions",
    Kind.STAKED: "staked",
    Kind.REWARD: "rewards",
    Kind.ALLOWANCE: "allowances",
}
PARTS = {"all": 1, "half": 2, "third": 3, "quarter": 4}
"""Words for a share, and into how many parts they cut."""

_PERCENT, _BPS = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Sight:
    """One step before it is done."""

    step: Step
    state: State
    context: Context
    policy: Policy

    @property
    def venue(self) -> str:
        """The venue that the step names."""
        return self.word("venue")

    @property
    def asset(self) -> str:
        """The asset that the step moves."""
        return self.word("asset")

    def word(self, role: str) -> str:
        """Return what the step names in a role; "previous" is what the step before brought."""
        value = self.step.value(role)
        if value is None and role == "asset" and self.step.value("amount") == "previous":
            value = "previous"
        if value is None:
            raise Missing(role, f"step.{role}")
        if value == "previous" and role in ("asset", "to_asset", "collateral"):
            return self._previous().asset
        return value

    def _previous(self) -> Moved:
        if self.state.last is None:
            raise Missing("previous", "step.amount")
        return self.state.last

    # --- amounts ------------------------------------------------------------------------

    def amount(self) -> Decimal:
        """Return how much the step moves, in units of its asset.

        Raises ``Missing`` where it is not said or cannot be known, ``Unclear`` where what is said
        is no amount.
        """
        slot = self.step.slots.get("amount")
        if slot is None:
            raise Missing("amount", "step.amount")
        match slot.value:
            case "previous":
                return self._named(self._previous())
            case "rest":
                if self.state.rest is None:
                    raise Missing("previous", "step.amount")
                return self._named(self.state.rest)
            case word if word in PARTS:
                whole = self._named(self._previous()) if slot.unit == "previous" else self._source()
                return divided(whole, Decimal(PARTS[word]), self.decimals(self.asset))
            case _:
                return self._number(slot)

    def _named(self, moved: Moved) -> Decimal:
        if moved.asset != self.asset:
            raise Unclear("amount", f"the step before brought {moved.asset}")
        return moved.amount

    def _number(self, slot: Slot) -> Decimal:
        value = _read("amount", slot)
        match slot.unit:
            case "usd":
                return divided(value, self.price(self.asset).usd, self.decimals(self.asset))
            case "percent":
                if value > 100:
                    raise Unclear("amount", f"{slot.value} percent of what is there")
                return floor_to(self._source() * value * _PERCENT, self.decimals(self.asset))
            case unit if unit in ("", self.asset):
                return value
            case unit if unit == self.step.value("to_asset"):
                return self._sold_for(value)
            case unit:
                raise Unclear("amount", f"an amount in {unit} of the asset {self.asset}")

    def _sold_for(self, bought: Decimal) -> Decimal:
        """Return what has to be sold for an amount that is to be bought: the venue's offer says it."""
        wanted = (self.venue, self.asset, self.word("to_asset"))
        offers = [
            quote.amount
            for quote in self.context.quotes or ()
            if (quote.venue, quote.sell, quote.buy) == wanted and quote.expected == bought
        ]
        if not offers:
            raise Missing("quote", "quotes")
        return min(offers)

    def _source(self) -> Decimal:
        kind = SOURCES.get(self.step.action)
        if kind is None:
            raise Unclear("amount", f"{self.step.action} has no whole to take all or a share of")
        return self.holding(kind, self.asset)

    def holding(self, kind: Kind, asset: str) -> Decimal:
        """Return a balance of the user at this step's venue, or in the wallet."""
        section = _SECTIONS[kind]
        stated = getattr(self.context, section)
        place = "" if kind is Kind.WALLET else self.venue
        if stated is None or (section == "positions" and place not in stated):
            raise Missing(section, section if stated is None else f"positions.{place}")
        return self.state.balance(Account(kind, place, asset))

    def tolerance(self) -> Decimal:
        """Return the share that a swap may lose; the policy's where the step names none."""
        slot = self.step.slots.get("slippage")
        if slot is None:
            return self.policy.slippage_max
        units = {"percent": _PERCENT, "bps": _BPS}
        if slot.unit not in units:
            raise Unclear("slippage", f"a slippage of {slot.value} in {slot.unit!r}")
        return _read("slippage", slot) * units[slot.unit]

    def rewards(self) -> tuple[Moved, ...]:
        """Return what a claim would bring: everything there is, or the asset that is named."""
        named = None if self.step.value("asset") is None else self.asset
        self.holding(Kind.REWARD, "")
        found = sorted(
            Moved(account.asset, amount)
            for account, amount in self.state.balances.items()
            if account.kind is Kind.REWARD and account.place == self.venue and amount > 0
        )
        return tuple(moved for moved in found if named in (None, moved.asset))

    # --- facts --------------------------------------------------------------------------

    def facts(self, asset: str) -> Asset:
        """Return what is known of an asset itself."""
        known = (self.context.assets or {}).get(asset)
        if known is None:
            raise Missing("asset_facts", f"assets.{asset}")
        return known

    def decimals(self, asset: str) -> int:
        """Return how many digits behind the point an asset has."""
        return self.facts(asset).decimals

    def price(self, asset: str) -> Price:
        """Return what is known of an asset's price."""
        known = (self.context.prices or {}).get(asset)
        if known is None:
            raise Missing("price", f"prices.{asset}")
        return known

    def usd(self, asset: str, amount: Decimal) -> Decimal:
        """Return an amount in dollars."""
        return amount * self.price(asset).usd

    def reserve(self, asset: str) -> Reserve:
        """Return what is known of an asset at this step's lending market."""
        market = (self.context.markets or {}).get(self.venue)
        if market is None:
            raise Missing("market", f"markets.{self.venue}")
        if asset not in market.reserves:
            raise Missing("market", f"markets.{self.venue}.reserves.{asset}")
        return market.reserves[asset]

    def protocol(self) -> str:
        """Return whose rules this step's lending market follows."""
        market = (self.context.markets or {}).get(self.venue)
        if market is None:
            raise Missing("market", f"markets.{self.venue}")
        return market.protocol

    def pool(self, kind: Kind, asset: str) -> Decimal:
        """Return a balance of the market itself, as the steps before have left it."""
        known = self.state.known(Account(kind, self.venue, asset))
        if known is None:
            raise Missing(kind.value, f"markets.{self.venue}.reserves.{asset}.{kind.value}")
        return known

    def quote(self) -> Quote:
        """Return the venue's offer for exactly this swap."""
        amount = self.amount()
        wanted = (self.venue, self.asset, self.word("to_asset"))
        for quote in self.context.quotes or ():
            if (quote.venue, quote.sell, quote.buy) == wanted and quote.amount == amount:
                return quote
        raise Missing("quote", "quotes")

    # --- the position after the step ----------------------------------------------------

    def collateral_after(self) -> Mapping[str, Decimal]:
        """Return the collateral at the venue after the step; what backs nothing is left out."""
        after = dict(self._all(Kind.COLLATERAL))
        if self.step.action == "withdraw_asset":
            after[self.asset] = after.get(self.asset, Decimal(0)) - self.amount()
        return {
            asset: amount
            for asset, amount in sorted(after.items())
            if amount > 0 and self.threshold(asset) > 0
        }

    def debts_after(self) -> Mapping[str, Decimal]:
        """Return the debts at the venue after the step."""
        after = dict(self._all(Kind.DEBT))
        if self.step.action in ("borrow_asset", "repay_asset"):
            change = self.amount() if self.step.action == "borrow_asset" else -self.amount()
            after[self.asset] = after.get(self.asset, Decimal(0)) + change
        return {asset: amount for asset, amount in sorted(after.items()) if amount > 0}

    def _all(self, kind: Kind) -> Iterator[tuple[str, Decimal]]:
        self.holding(kind, "")
        for account, amount in self.state.balances.items():
            if account.kind is kind and account.place == self.venue:
                yield account.asset, amount

    def threshold(self, asset: str) -> Decimal:
        """Return the liquidation threshold that holds: the market's or the stricter house one."""
        known = self.reserve(asset).liquidation_threshold
        house = self.policy.risk.get(asset)
        return known if house is None else min(known, house.liquidation_threshold)

    def ltv_max(self, asset: str) -> Decimal:
        """Return how much may be borrowed against a collateral, as a share of its value."""
        known = self.reserve(asset).ltv_max
        house = self.policy.risk.get(asset)
        return known if house is None else min(known, house.ltv_max)

    def relied_on(self) -> tuple[str, ...]:
        """Return every asset whose price decides about this step."""
        match self.step.action:
            case "claim_rewards":
                return ()
            case "swap_asset":
                found = {self.asset, self.word("to_asset")}
            case "borrow_asset":
                found = {self.asset, *self.collateral_after(), *self.debts_after()}
            case "withdraw_asset" if debts := self.debts_after():
                found = {self.asset, *self.collateral_after(), *debts}
            case _:
                found = {self.asset}
        return tuple(sorted(found))


def _read(role: str, slot: Slot) -> Decimal:
    try:
        return read_decimal(slot.value)
    except ValueError as error:
        raise Unclear(role, str(error)) from None
