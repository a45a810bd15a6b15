"""A domain: the actions of a narrow job, what each needs to know, and the words people use for it.

A domain is data: it is read from a folder (``domain``) and holds no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources.abc import Traversable

Fact = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a number may be; outside of it, it is a bad number."""

    above: Decimal | None = None
    least: Decimal | None = None
    most: Decimal | None = None

    def admit(self, value: Decimal) -> bool:
        """Say whether a number is inside.

        >>> Bounds(above=Decimal(0)).admit(Decimal(0))
        False
        """
        return (
            (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit, how it is written, and what a number of it may be."""

    name: str
    also: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How numbers of a kind are written."""

    bare: Bounds | None = None
    """None: a number without a unit is not of this kind."""

    units: tuple[Unit, ...] = ()
    multiples: Mapping[str, Decimal] = field(default_factory=dict)
    """``k`` to 1000.  Written against the number or behind a space."""

    counts: str | None = None
    """A kind whose names may stand behind the number as its unit: ``2 ETH``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One thing of a closed list."""

    name: str
    also: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Whatever else is known of it; grammars do not look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What can stand in a slot: a name of a closed list, a number, or a share such as "all"."""

    name: str
    says: str = ""
    names: tuple[Name, ...] = ()
    numbers: Numbers | None = None
    shares: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What an action needs to know, and how a request says which slot it is."""

    name: str
    kinds: tuple[str, ...]
    needed: bool = True
    before: tuple[str, ...] = ()
    """Words in front of the slot: "for" of "for USDC"."""

    behind: tuple[str, ...] = ()
    """Words right behind the slot: "as collateral"."""

    cued: bool = False
    """Only a slot with one of these words can take the role."""

    spends: bool = False
    """The action uses it up: "it" of a later step is something else."""

    counts: str | None = None
    """The role of this action that this one is an amount of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done."""

    name: str
    says: str
    roles: Mapping[str, Role]
    keywords: tuple[str, ...]
    """Phrases that ask for it; ``...`` stands for up to twelve words."""

    refers: str | None = None
    """The role that "it" of the next step means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words between the slots."""

    joins: tuple[str, ...] = ()
    """Between two steps, always: "and then"."""

    links: tuple[str, ...] = ()
    """Between two steps where an action's keyword follows: "and"."""

    refuse: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reason to words after which nothing is done: ``negation`` to "do not"."""

    questions: tuple[str, ...] = ()
    """First words of a question."""

    requests: tuple[str, ...] = ()
    """First words of a polite request that looks like a question: "could you"."""

    asides: tuple[str, ...] = ()
    """Phrases that change nothing: "when you can"."""

    skipped: tuple[str, ...] = ()
    """Words that may stand between a cue and its slot: "my"."""

    ordinary: tuple[str, ...] = ()
    """Words that are no name of anything where a name could stand: "on Friday"."""

    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind to the words that point back to a thing of it: ``asset`` to "it"."""

    ties: tuple[str, ...] = ()
    """Words that tie something to a step: what follows them is a part of what is asked."""

    definite: tuple[str, ...] = ()
    """Words in front of a name that point back to it: "the", "that"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Domain:
    """Actions, kinds of slots, words, and the folder that they came from."""

    name: str
    says: str
    kinds: Mapping[str, Kind]
    actions: Mapping[str, Action]
    words: Words
    home: Traversable

    def file(self, name: str) -> Traversable:
        """Return a file of the domain's folder; it need not exist."""
        return self.home / name
