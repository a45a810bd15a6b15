"""What a template asks for, slot by slot: the truth that readings are compared with.

It is read off the arrangements that hands have annotated (``domains/defi/arrangements.yaml``), and
never off a grammar: a grammar that agrees with it was not asked to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from assay import Answer, Bottom

from ..grammar.domain import load_domain
from ..strict import Strict, read_strict
from .fillings import SLOT
from .templates import ACTIONS, Family

Roles = Mapping[str, str]
"""Role to a text with placeholders: ``amount`` to ``{amount} usd``."""

_ASSET2 = {"swap_asset": "to_asset", "borrow_asset": "collateral", "deposit_asset": "pair"}
_SHARES = re.compile(
    r"\b(all|half|every\w*|max\w*|whole|rest|entire|full|whatever|biggest|bit|little|chunk|as much"
    r"|more|budget|percent|most|least|remaining|left|leftover|equal|enough)\b",
    re.IGNORECASE,
)
"""Words of a hand-written template after which its slots alone do not say the amount."""

_JOINED = re.compile(
    r"(?:first )?(?P<one>.+?)(?: and then |, then |, after that | and also |; next, "
    r"| followed by this: )(?P<other>.+)"
)
"""How ``tools/plain_templates.py`` joins two cores, where the order is the order of the words."""


class _Said(Strict):
    amount: str | None = None
    none: str | None = None


class _Arrangements(Strict):
    arrangements: dict[str, dict[str, _Said]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One step that a template asks for; ``none`` says why there is none."""

    action: str
    roles: Roles
    none: str = ""


@cache
def arrangements() -> Mapping[str, Mapping[str, Asked]]:
    """Return what each arrangement says, by action."""
    file = load_domain("defi").file("arrangements.yaml")
    return {
        action: {
            arrangement: _asked(action, arrangement, said) for arrangement, said in listed.items()
        }
        for action, listed in read_strict(file, _Arrangements).arrangements.items()
    }


def _asked(action: str, arrangement: str, said: _Said) -> Asked:
    roles = _by_name(action, arrangement)
    if said.amount is not None:
        roles.pop("slippage", None)
        roles["amount"] = said.amount
    return Asked(action, roles, said.none or "")


def _by_name(action: str, template: str) -> dict[str, str]:
    """Give each slot the role of its name."""
    roles = {}
    for slot in SLOT.findall(template):
        role = slot
        if slot == "asset2":
            role = _ASSET2.get(action, "pair")
        elif slot == "percent":
            role = "slippage" if action == "swap_asset" else "amount"
        roles[role] = f"{{{slot}}}"
    return roles


def asked(family: Family, template: str) -> tuple[Asked, ...] | Bottom | None:
    """Return the steps of a template, a reason where there are none, or None where it is not known.

    >>> family = Family(id="plain/stake_asset/000", kind="stake_asset", templates=())
    >>> [one] = asked(family, "please stake half of the {asset} in my wallet with {venue}")
    >>> sorted(one.roles.items())
    [('amount', 'half'), ('asset', '{asset}'), ('venue', '{venue}')]
    """
    if family.kind == "multi_step":
        return _two(template) if family.is_plain else None
    if family.kind not in ACTIONS:
        return Bottom(family.kind) if family.is_plain else None
    one = _plain(family.kind, template) if family.is_plain else _unusual(family.kind, template)
    if one is None:
        return None
    return Bottom(one.none) if one.none else (one,)


def _plain(action: str, template: str) -> Asked | None:
    """Look the arrangement up: the longest that stands in the template."""
    found = [a for a in arrangements()[action] if a in template]
    if not found:
        return None
    arrangement = max(found, key=len)
    one = arrangements()[action][arrangement]
    around = template.replace(arrangement, "", 1)
    if "{chain}" not in around:
        return one
    if "chain" in one.roles:
        return None  # two networks
    return Asked(action, {**one.roles, "chain": "{chain}"}, one.none)


def _unusual(action: str, template: str) -> Asked | None:
    """Read a hand-written template whose slots alone say everything."""
    slots = SLOT.findall(template)
    needed = {"asset"} if action == "claim_rewards" else {"amount", "asset"}
    if len(set(slots)) < len(slots) or not needed <= set(slots) or _SHARES.search(template):
        return None
    if "percent" in slots or ("asset2" in slots and action not in ("swap_asset", "borrow_asset")):
        return None
    roles = _by_name(action, template)
    if re.search(r"\{amount\}(?: of)?(?: my)? \{asset2\}", template):
        roles["amount"] = "{amount} {asset2}"
    return Asked(action, roles)


def _two(template: str) -> tuple[Asked, ...] | Bottom | None:
    """Read two joined cores; None where a share or a network makes them hang together."""
    joined = _JOINED.fullmatch(template)
    if joined is None:
        return None
    steps = []
    for part in (joined["one"], joined["other"]):
        found = [
            (arrangement, one)
            for listed in arrangements().values()
            for arrangement, one in listed.items()
            if arrangement in part and _verb_of(one.action, part, arrangement)
        ]
        if not found:
            return None
        arrangement, one = max(found, key=lambda pair: len(pair[0]))
        around = part.replace(arrangement, "", 1)
        if "{chain}" in around or one.roles.get("amount") == "all":
            return None
        steps.append(one)
    first = next((one.none for one in steps if one.none), "")
    return Bottom(first) if first else tuple(steps)


_VERBS = {
    "deposit_asset": "deposit|supply|lend|add|put|provide|place|pay in|top up with",
    "withdraw_asset": "withdraw|remove|pull out|take out|redeem|cash out|get back|draw out",
    "swap_asset": "swap|exchange|convert|trade|change|sell|flip|turn",
    "borrow_asset": "borrow|take a loan of|take out a loan of|draw|get a loan of|open a loan for"
    "|lend me|loan me",
    "repay_asset": "repay|pay back|pay off|pay down|settle|clear|return|close out",
    "stake_asset": "stake|delegate|restake|lock up for staking|start staking|bond"
    "|delegate and lock",
    "unstake_asset": "unstake|undelegate|unbond|stop staking|release from staking"
    "|withdraw from staking|end the stake of|take off the validator",
    "claim_rewards": "claim|collect|harvest|withdraw|cash in|pick up|redeem|gather",
}
"""The verbs of ``tools/plain_templates.py``: one arrangement may belong to several actions."""


def _verb_of(action: str, part: str, arrangement: str) -> bool:
    before = part[: part.index(arrangement)].rstrip()
    return re.search(rf"(?i)(?:^|[ :,])(?:{_VERBS[action]})$", before) is not None


def target(steps: Sequence[Asked], values: Mapping[str, str]) -> Answer:
    """Fill the placeholders, with numbers as plain decimals.

    >>> target([Asked("stake_asset", {"amount": "{amount}", "asset": "{asset}"})],
    ...        {"amount": "2.5k", "asset": "SOL"}).value
    [{'action': 'stake_asset', 'slots': {'amount': '2500', 'asset': 'SOL'}}]
    """
    plain = {slot: _number(value) for slot, value in values.items()}
    return Answer(
        [
            {
                "action": step.action,
                "slots": {
                    role: SLOT.sub(lambda slot: plain[slot[1]], text)
                    for role, text in sorted(step.roles.items())
                },
            }
            for step in steps
        ]
    )


def _number(value: str) -> str:
    """Write a drawn amount or percentage as a reading has it; names stay what they are."""
    if value.endswith("%"):
        return f"{Decimal(value[:-1]).normalize():f} percent"
    if not value[:1].isdecimal() or value == "1inch":
        return value
    times = 1000 if value.endswith("k") else 1
    number = Decimal(value.rstrip("k").replace(",", "")) * times
    return f"{number.normalize():f}"
