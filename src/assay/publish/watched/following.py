"""One cell while it fills: how many replies, and what they come to, by whole groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.record import Cell
from ...core.verdict import Outcome
from ...stats.sequential import Tally
from ...store.tail import Fresh, Reply, Tail
from .moment import Running

RIGHT = (Outcome.CORRECT.value, Outcome.DECLINED.value)
WRONG = (Outcome.WRONG.value, Outcome.INVENTED.value)
SCORED = Outcome.SCORED.value
JUDGED = (Outcome.CORRECT.value, *WRONG)
FAILED, CRASHED = Outcome.FAILED.value, Outcome.CRASHED.value
SPENT = ("busy_s", "tokens_in", "tokens_cached", "tokens_out", "billed_usd")
"""What a price is made of, and time."""

LARGEST = 1e300
"""Of what a reply can have taken: JSON has whole numbers that no float can be."""

MOST_REASONS = 200
"""Reasons that are told apart: a stranger's log may have a new one on every line."""

SHARES = ("right", "answered", "wrong")


@dataclass(slots=True)
class _Group:
    """A group of which something was asked, and not yet everything."""

    left: int
    right: int = 0
    given: int = 0
    judged: int = 0
    wrong: int = 0
    asked: int = 0


@dataclass(slots=True)
class Following:
    """A cell and what was read of it; reading goes on where it stopped."""

    cell: Cell
    tail: Tail
    sizes: Mapping[str, int]
    """Samples in each group that has more than one."""

    most: int
    """Samples of the largest group."""

    there: int = 0
    scored: int = 0
    damaged: int = 0
    left: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    spent: dict[str, float] = field(default_factory=dict)
    measured: Counter[str] = field(default_factory=Counter)
    tallies: dict[str, Tally] = field(default_factory=dict)
    _open: dict[str, _Group] = field(default_factory=dict)
    _lost: dict[tuple[str, int], str] = field(default_factory=dict)
    """Crashed replies and why: a later line takes the place of each."""

    _shown: dict[tuple[str, float], tuple[int, Running | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._begin()

    @property
    def crashed(self) -> int:
        """Replies that were not observed, and not asked again since."""
        return len(self._lost)

    @property
    def failed(self) -> int:
        """Replies that failed."""
        return self.outcomes[FAILED]

    def read(self, most: int) -> int:
        """Take in what came, of about so many bytes; return how many bytes there were."""
        before = self.tail.at
        fresh = self.tail.read(most)
        if fresh.again:
            self._begin()
            before = 0
        self._take(fresh)
        return self.tail.at - before

    def share(self, name: str, confidence: float) -> Running | None:
        """Return one of ``SHARES`` so far, as an interval of this confidence; None before the first group."""
        tally = self.tallies[name]
        key, groups = (name, confidence), tally.groups
        if key not in self._shown or self._shown[key][0] != groups:
            value = tally.value
            made = None if value is None else Running(value, *tally.interval(confidence), groups)
            self._shown[key] = groups, made
        return self._shown[key][1]

    def _begin(self) -> None:
        self.there = self.scored = self.damaged = self.left = 0
        for counts in (self.outcomes, self.why, self.measured):
            counts.clear()
        for kept in (self.spent, self._open, self._lost, self._shown):
            kept.clear()
        self.tallies = {name: Tally(most=self.most) for name in SHARES}

    def _take(self, fresh: Fresh) -> None:
        self.damaged += fresh.damaged
        self.left = fresh.left
        for reply in fresh.replies:
            self._take_one(reply)

    def _take_one(self, reply: Reply) -> None:
        said, usage = reply.decided, reply.usage
        key = said.sample, said.attempt
        if key in self._lost:
            del self._lost[key]
        else:
            self.there += 1
        for name in SPENT:
            amount = getattr(usage, name)
            if amount is not None and abs(amount) < LARGEST:
                self.spent[name] = self.spent.get(name, 0.0) + amount
                self.measured[name] += 1
        if said.outcome == CRASHED:
            self._lost[key] = said.reason
            return
        self.outcomes[said.outcome] += 1
        if said.outcome == FAILED and (said.reason in self.why or len(self.why) < MOST_REASONS):
            self.why[said.reason] += 1
        if said.attempt == 0:
            self._count(said.group, said.outcome)

    def _count(self, name: str, outcome: str) -> None:
        group = self._open.get(name)
        if group is None:
            group = self._open[name] = _Group(self.sizes.get(name, 1))
        group.left -= 1
        group.asked += 1
        group.right += outcome in RIGHT
        group.judged += outcome in JUDGED
        group.given += outcome in JUDGED or outcome == SCORED
        group.wrong += outcome in WRONG
        self.scored += outcome == SCORED
        if group.left > 0:
            return
        del self._open[name]
        if group.asked > self.most:
            return  # more than the samples say: a damaged run, and no number of it is shown
        self.tallies["right"].add(group.right, group.asked)
        self.tallies["answered"].add(group.given, group.asked)
        self.tallies["wrong"].add(group.wrong, group.judged)

    def reasons(self) -> Counter[str]:
        """Return why replies failed or crashed."""
        return self.why + Counter(self._lost.values())
