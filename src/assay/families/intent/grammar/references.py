"""Words that point back: "it", "them", "there", "the rest", "the USDC" of the step before.

*Covered*: what the step before makes (a swap's output), what it was about (a lamp), where it was;
part of what it made; what it left.
*Not covered*: pointing back over two steps, or forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assay import Bottom

from .lexicon import Lexicon
from .parts import Action, Domain, Role
from .scan import Clause, Scan, slot_at
from .steps import Slot, Step

PREVIOUS = "previous"
"""The value of an amount that is all the step before made; the unit of a part of it."""

REST, ALL = "rest", "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Antecedent:
    """What a word points back to."""

    slot: Slot
    made: bool
    """The step before made it (or was about it, where nothing is used up)."""

    spent: bool
    """The step before used it up."""


@dataclass(frozen=True, slots=True)
class Back:
    """The steps before."""

    steps: tuple[Step, ...]
    domain: Domain

    def antecedent(self, kinds: Sequence[str]) -> Antecedent | None:
        """Return what a word for one of these kinds means: of the last step only."""
        if not self.steps:
            return None
        last = self.steps[-1]
        action = self.domain.actions[last.action]
        made = last.slots.get(action.refers) if action.refers else None
        if made is not None and made.kind in kinds:
            return Antecedent(slot=made, made=True, spent=False)
        several = [role for role, slot in last.slots.items() if slot.kind in kinds]
        if len(several) != 1 or action.refers in several:
            return None
        spent = action.roles[several[0]].spends
        return Antecedent(slot=last.slots[several[0]], made=False, spent=spent)

    def left(self, role: Role) -> Slot | None:
        """Return what the last step used a part of, for "the rest"."""
        if not self.steps:
            return None
        last = self.steps[-1]
        for name, before in self.domain.actions[last.action].roles.items():
            counted = before.counts
            if counted is None or name not in last.slots or counted not in last.slots:
                continue
            amount, thing = last.slots[name], last.slots[counted]
            if amount.value not in (ALL, PREVIOUS, REST) and thing.kind in role.kinds:
                return thing
        return None


@dataclass(frozen=True, slots=True)
class References:
    """Fills the roles of one clause from the steps before it."""

    scan: Scan
    clause: Clause
    action: Action
    words: Lexicon
    back: Back

    def fill(self, given: dict[str, Slot], role_at: dict[int, str]) -> Bottom | None:
        """Add to the roles that are given; return a reason when a needed word points nowhere."""
        refused = self._rest(given)
        if refused is not None:
            return refused
        for place, end, kinds in self._pointing():
            role = self._role(place, kinds, given)
            if role is None:
                continue
            antecedent = self.back.antecedent(role.kinds)
            of_rest = any(s.value == REST for s in given.values())
            if antecedent is None or (antecedent.spent and role.spends and not of_rest):
                return Bottom("no_antecedent")
            start = slot_at(self.scan.folded, (place, end), role.kinds[0], antecedent.slot.value)
            given[role.name] = replace(start, kind=antecedent.slot.kind)
            if antecedent.made:
                self._amount(given, role, start)
        self._definite(given, role_at)
        return None

    def _rest(self, given: dict[str, Slot]) -> Bottom | None:
        for role in self.action.roles.values():
            rest = given.get(role.name)
            if rest is None or rest.value != REST or role.counts is None:
                continue
            if role.counts not in given:
                counted = self.action.roles[role.counts]
                left = self.back.left(counted)
                if left is None:
                    return Bottom("no_antecedent")
                given[role.counts] = replace(left, text=rest.text, start=rest.start, end=rest.end)
            elif not self._was_said(given[role.counts]):
                given[role.name] = replace(rest, value=ALL)  # the rest of a whole wallet
        return None

    def _was_said(self, slot: Slot) -> bool:
        return any(
            (said.kind, said.value) == (slot.kind, slot.value)
            for step in self.back.steps
            for said in step.slots.values()
        )

    def _pointing(self) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        inside = {p for f in self.scan.found for p in range(f.first, f.end)}
        place = self.clause.first
        while place < self.clause.end:
            end, kinds = (place, ()) if place in inside else self._points(place)
            if kinds and not self.scan.aside[place]:
                yield place, end, kinds
            place = max(end, place + 1)

    def _points(self, place: int) -> tuple[int, tuple[str, ...]]:
        folded = self.scan.folded
        end, kinds = self.words.refers.at(folded, place, self.clause.end)
        if kinds and self.words.definite.covers(folded, place) and not self._ends_at(end):
            return place, ()  # "that validator" is a thing of its own
        return end, kinds

    def _ends_at(self, place: int) -> bool:
        """Whether nothing follows that a "that" could belong to."""
        if place >= self.clause.end or self.scan.aside[place]:
            return True
        before, _ = self.words.cues[self.action.name]
        folded = self.scan.folded
        return not folded.tokens[place].text.isalnum() or before.covers(folded, place)

    def _role(self, place: int, kinds: tuple[str, ...], given: dict[str, Slot]) -> Role | None:
        """Return the role that a pointing word takes: told by a cue, else the first that is needed."""
        free = {
            role.name: role
            for role in self.action.roles.values()
            if role.name not in given and set(role.kinds) & set(kinds)
        }
        before, _ = self.words.cues[self.action.name]
        for start in range(place - 1, max(self.clause.first, place - 4) - 1, -1):
            end, meant = before.at(self.scan.folded, start, place)
            told = [name for name in meant if name in free]
            if told and end == place:
                return free[told[0]]
        open_roles = sorted((r for r in free.values() if not r.cued), key=lambda r: not r.needed)
        return next(iter(open_roles), None)

    def _amount(self, given: dict[str, Slot], role: Role, at: Slot) -> None:
        """Say how much of it: all that the step before made, or a part of that."""
        for counting in self.action.roles.values():
            if counting.counts != role.name:
                continue
            said = given.get(counting.name)
            thing = given[role.name].value
            if said is None or said.value == ALL:
                base = said or at
                given[counting.name] = replace(
                    base, kind=counting.kinds[0], value=PREVIOUS, unit=thing
                )
            elif not said.value[:1].isdecimal():
                given[counting.name] = replace(said, unit=PREVIOUS)

    def _definite(self, given: dict[str, Slot], role_at: dict[int, str]) -> None:
        """Read "the USDC" as what the step before made, where no amount is said."""
        for place, name in role_at.items():
            role = self.action.roles[name]
            antecedent = self.back.antecedent(role.kinds)
            if antecedent is None or not antecedent.made or place == self.clause.first:
                continue
            if given[name].value != antecedent.slot.value:
                continue
            if self.words.definite.covers(self.scan.folded, place - 1):
                self._amount(
                    given, role, slot_at(self.scan.folded, (place - 1, place), role.kinds[0], "")
                )
