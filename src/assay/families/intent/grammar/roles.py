"""Which slot of a clause has which role of its action.

*Covered*: roles told by the words around a slot or, without any, by their order; names with two
meanings; words that point back to the step before; unknown names where a name must stand.
*Not covered*: slots that are told by the meaning of a sentence alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice, product

from assay import Bottom

from .lexicon import Lexicon, lexicon
from .parts import Action, Domain, Role
from .phrases import Phrases
from .references import Back, References
from .scan import Clause, Found, Scan
from .steps import Slot, Step
from .unknown import unknown_name, unknown_word

MOST_SLOTS = 24
"""Most slots of one step: no action has so many roles, however often each is said."""

READINGS = 16
"""Most ways to read names with several meanings that are tried."""


def fill(scan: Scan, clause: Clause, action: Action, domain: Domain, back: Back) -> Step | Bottom:
    """Give the slots of a clause their roles.

    Names with several meanings are read in each way, the likeliest first, until one fits.
    """
    inside = [f for f in scan.found if clause.first <= f.first < clause.end]
    if len(inside) > MOST_SLOTS:
        return Bottom("ambiguous")
    refused: Bottom | None = None
    for reading in islice(_readings(inside), READINGS):
        made = _Filling(scan, clause, action, domain, back, reading).step()
        if isinstance(made, Step):
            return made
        refused = refused or made
    assert refused is not None, "there is at least one reading"
    return refused


def _readings(inside: Sequence[Found]) -> Iterator[tuple[Found, ...]]:
    ways = [[found, *(replace(found, slot=other) for other in found.others)] for found in inside]
    yield from product(*ways)


@dataclass(slots=True)
class _Filling:
    """One reading of one clause, while its roles are given."""

    scan: Scan
    clause: Clause
    action: Action
    domain: Domain
    back: Back
    found: tuple[Found, ...]
    given: dict[str, Slot] = field(default_factory=dict)
    role_at: dict[int, str] = field(default_factory=dict)
    """Token of a name to its role, for the numbers that count it."""

    def step(self) -> Step | Bottom:
        names = [f for f in self.found if f.counts is None and not self._is_amount(f)]
        amounts = [f for f in self.found if f not in names]
        for several in (names, amounts):
            for told in (True, False):
                for one in several:
                    if one.first in self.role_at:
                        continue
                    refused = self._give(one, told=told)
                    if refused is not None:
                        return refused
        return self._finish()

    def _is_amount(self, found: Found) -> bool:
        """Whether a slot is of a role that counts another: those come after the names."""
        roles = [r for r in self.action.roles.values() if found.slot.kind in r.kinds]
        return bool(roles) and all(r.counts is not None for r in roles)

    def _give(self, found: Found, *, told: bool) -> Bottom | None:
        """Give one slot its role: those that words tell first, the others in order."""
        role = self._told(found)
        if told:
            if role is None:
                return None
        else:
            role = role or (None if self._is_open(found) else self._next(found))
            if role is None:
                # A name that was said before may be said again; anything else has no place.
                again = [
                    name
                    for name, slot in self.given.items()
                    if (slot.kind, slot.value) == (found.slot.kind, found.slot.value)
                ]
                if not again or found.others:
                    return Bottom("ambiguous")
                self.role_at[found.first] = again[0]
                return None
        taken = self.given.get(role.name)
        if taken is not None and (taken.value, taken.kind) != (found.slot.value, found.slot.kind):
            return Bottom("ambiguous")
        if taken is None:
            self.given[role.name] = _as_role(found.slot, role)
        self.role_at[found.first] = role.name
        return None

    def _told(self, found: Found) -> Role | None:
        roles = {r.name: r for r in self._fitting(found)}
        if found.counts is not None and found.counts in self.role_at:
            counted = [r for r in roles.values() if r.counts == self.role_at[found.counts]]
            if counted:
                return counted[0]
        before, behind = lexicon(self.domain).cues[self.action.name]
        after = self._phrase(behind, found.end, roles)
        if after is not None:
            return roles[after]
        cue = self._last(before, found, roles)
        if cue is not None and self._is_open(found) and not self._is_beside(before, found):
            return None
        return None if cue is None else roles[cue]

    def _is_open(self, found: Found) -> bool:
        """Whether a name has two meanings and is not written exactly as one of them.

        It must be told by a word beside it: by its place alone it could be anything.
        """
        exact = found.slot.text == found.slot.value and not self.scan.folded.original.isupper()
        return bool(found.others) and not exact

    def _is_beside(self, before: Phrases[str], found: Found) -> bool:
        """Whether only words that say nothing stand between a cue and its slot."""
        start, end = self._gap(found)
        skipped = lexicon(self.domain).skipped
        place = end
        while place > start:
            place -= 1
            after, meant = before.at(self.scan.folded, place, end)
            if meant:
                return all(skipped.covers(self.scan.folded, p) for p in range(after, end))
        return False

    def _phrase(self, behind: Phrases[str], place: int, roles: dict[str, Role]) -> str | None:
        if place >= self.clause.end:
            return None
        _, meant = behind.at(self.scan.folded, place, self.clause.end)
        return next((name for name in meant if name in roles), None)

    def _last(self, before: Phrases[str], found: Found, roles: dict[str, Role]) -> str | None:
        """Return the role told by the last cue between the slot before and this one."""
        told: str | None = None
        place, end = self._gap(found)
        while place < end:
            after, meant = before.at(self.scan.folded, place, end)
            fitting = [name for name in meant if name in roles]
            if fitting:
                told = fitting[0]
            place = max(after, place + 1)
        return told

    def _gap(self, found: Found) -> tuple[int, int]:
        """Return the tokens between a slot and the one before, or before the number of it."""
        start, end = self.clause.first, found.first
        for one in self.found:
            if one.counts == found.first:
                end = min(end, one.first)
        for one in self.found:
            if one.end <= end:
                start = max(start, one.end)
        return start, end

    def _fitting(self, found: Found) -> list[Role]:
        return [role for role in self.action.roles.values() if self._fits(found.slot, role)]

    def _fits(self, slot: Slot, role: Role) -> bool:
        if slot.kind in role.kinds:
            return True
        kind = self.domain.kinds.get(slot.kind)
        if slot.unit or (kind is not None and (kind.numbers is None or slot.value in kind.shares)):
            return False
        value = Decimal(slot.value)
        numbers = (self.domain.kinds[kind].numbers for kind in role.kinds)
        return any(n is not None and n.bare is not None and n.bare.admit(value) for n in numbers)

    def _next(self, found: Found) -> Role | None:
        """Return the first free role for a slot that no word tells.

        What a role takes beside its first kind (a percentage as an amount) must say of what.
        """
        for role in self._fitting(found):
            beside = role.counts is not None and found.slot.kind in role.kinds[1:]
            if beside and found.counts is None:
                continue
            if role.name not in self.given and not role.cued:
                return role
        return None

    def _finish(self) -> Step | Bottom:
        words: Lexicon = lexicon(self.domain)
        stranger = unknown_name(self.scan, self.clause, self.action, self.domain)
        if stranger is not None:
            return Bottom(f"unknown:{stranger}")
        if unknown_word(self.scan, self.clause, self.domain):
            return Bottom("unknown:word")
        references = References(self.scan, self.clause, self.action, words, self.back)
        refused = references.fill(self.given, self.role_at)
        if refused is not None:
            return refused
        for role in self.action.roles.values():
            if role.needed and role.name not in self.given:
                return Bottom(f"missing:{role.name}")
        ordered = {name: self.given[name] for name in self.action.roles if name in self.given}
        return Step(action=self.action.name, slots=ordered)


def _as_role(slot: Slot, role: Role) -> Slot:
    """Give a bare number the kind that its role takes."""
    return slot if slot.kind in role.kinds else replace(slot, kind=role.kinds[0])
