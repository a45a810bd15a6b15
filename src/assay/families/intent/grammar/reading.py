"""A request read as typed steps, or a reason why it is not.

*Covered*: several steps, words that point back, unknown names, bad numbers, requests that refuse
or ask.  Whatever does not fit declines: no slot is dropped, none is guessed.
*Not covered*: whether a step is wise or allowed: rails say that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay import Answer, Bottom, Failed

from .clauses import refusal, split
from .folded import fold
from .parts import Domain
from .references import ALL, Back
from .roles import fill
from .slots import MOST_CHARACTERS, scan_text
from .steps import Step
from .verbs import by_keywords

MOST_STEPS = 8

Written = list[dict[str, str | dict[str, str]]]

Decide = Callable[[str], Answer | Bottom | Failed]
"""What says the action of a clause: a mapper, a language model, keywords."""


def read_steps(
    text: str, domain: Domain, decide: Decide | None = None
) -> tuple[Step, ...] | Bottom | Failed:
    """Read a request as steps: what to do, in order, with every slot in its role.

    ``decide`` says the action of each clause (``mapper.answer``, say); without it the domain's
    keywords do.  Slots of a step have their exact span in ``text``.  "it" is what the step before
    made, and the amount of it is ``previous``; half of it is ``half`` with the unit ``previous``.

    Declines with a stable reason: ``empty``, ``too_long`` (over 10,000 characters), ``question``,
    ``negation``, ``condition``, ``later``, ``correction`` and what else the domain refuses,
    ``bad_number``, ``too_many_steps`` (over 8), ``ambiguous`` (a slot without a role, two for
    one), ``missing:ROLE``, ``unknown:KIND``, ``no_antecedent``, ``contradiction`` (a thing for
    itself, or more of what is all used up), ``unknown_action``, and the reasons of ``decide``.
    What ``decide`` fails at is its ``Failed``.

    >>> from .domain import load_domain
    >>> defi = load_domain("defi")
    >>> for step in read_steps("swap 2 ETH for USDC then deposit it on Aave", defi):
    ...     print(step.action, {role: slot.value for role, slot in step.slots.items()})
    swap_asset {'amount': '2', 'asset': 'ETH', 'to_asset': 'USDC'}
    deposit_asset {'amount': 'previous', 'asset': 'USDC', 'venue': 'Aave'}
    >>> read_steps("don't swap 2 ETH for USDC", defi).reason
    'negation'

    *Not to be trusted when* the domain's lists are short: what no list has cannot be read.
    """
    if len(text) > MOST_CHARACTERS:
        return Bottom("too_long")
    folded = fold(text)
    if not any(token.text.isalnum() for token in folded.tokens):
        return Bottom("empty")
    scan = scan_text(folded, domain)
    if isinstance(scan, Bottom):
        return scan
    reason = refusal(scan, domain)
    if reason is not None:
        return Bottom(reason)
    clauses = split(scan, domain)
    if not clauses:
        return Bottom("empty")
    if len(clauses) > MOST_STEPS:
        return Bottom("too_many_steps")
    decide = decide or by_keywords(domain)
    steps: tuple[Step, ...] = ()
    for clause in clauses:
        said = decide(clause.text(folded))
        if not isinstance(said, Answer):
            return said
        action = domain.actions.get(said.value) if isinstance(said.value, str) else None
        if action is None:
            return Bottom("unknown_action")
        step = fill(scan, clause, action, domain, Back(steps, domain))
        if isinstance(step, Bottom):
            return step
        steps = (*steps, step)
    return Bottom("contradiction") if _contradict(steps, domain) else steps


def _contradict(steps: Sequence[Step], domain: Domain) -> bool:
    """Whether a step is about a thing and itself, or about what an earlier step used up."""
    gone: set[tuple[str, str]] = set()
    for step in steps:
        roles = domain.actions[step.action].roles
        things = [
            (slot.kind, slot.value)
            for role, slot in step.slots.items()
            if roles[role].counts is None
        ]
        spent = {(slot.kind, slot.value) for role, slot in step.slots.items() if roles[role].spends}
        if spent and len(set(things)) < len(things):
            return True
        if spent & gone:
            return True
        for name, role in roles.items():
            amount = step.slots.get(name)
            counted = step.slots.get(role.counts) if role.counts else None
            if amount is None or counted is None or role.counts is None:
                continue
            if amount.value == ALL and roles[role.counts].spends:
                gone.add((counted.kind, counted.value))
        made = domain.actions[step.action].refers
        if made is not None and made in step.slots:
            gone.discard((step.slots[made].kind, step.slots[made].value))
    return False


def as_json(steps: Sequence[Step], domain: Domain) -> Written:
    """Write steps as JSON: what two readings of one request are compared by.

    A slot is its value and its unit; a unit that only repeats what is counted is left out.

    >>> from .domain import load_domain
    >>> defi = load_domain("defi")
    >>> as_json(read_steps("stake 2.50 SOL", defi), defi)
    [{'action': 'stake_asset', 'slots': {'amount': '2.5', 'asset': 'SOL'}}]
    """
    return [
        {
            "action": step.action,
            "slots": {role: _written(step, role, domain) for role in step.slots},
        }
        for step in steps
    ]


def _written(step: Step, role: str, domain: Domain) -> str:
    slot = step.slots[role]
    counts = domain.actions[step.action].roles[role].counts
    counted = step.slots.get(counts) if counts else None
    repeats = counted is not None and slot.unit == counted.value
    return slot.value if repeats or not slot.unit else f"{slot.value} {slot.unit}"
