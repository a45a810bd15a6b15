"""Small worlds of people and towns, told in passages that say each thing once, twice or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .names import MONTHS, Names

TRADES: tuple[str, ...] = (
    "clockmaker",
    "glassblower",
    "cartographer",
    "bookbinder",
    "beekeeper",
    "stonemason",
)
TRADES = (*TRADES, "druggist", "shipwright", "bell founder", "lens grinder", "ropemaker")
GOODS: tuple[str, ...] = (
    "salt",
    "blue cloth",
    "smoked eel",
    "copper bells",
    "pear brandy",
    "roof slate",
    "amber",
)
GOODS = (*GOODS, "felt hats", "violins", "ink", "saffron", "millstones")

_SAYS = {
    "town": ("{who} was born in {what}.", "The birthplace of {who} is {what}."),
    "trade": ("{who} worked as a {what}.", "By trade, {who} was a {what}."),
    "died": ("{who} died on {what}.", "The death of {who} fell on {what}."),
    "teacher": ("{who} learnt from {what}.", "The teacher of {who} was {what}."),
    "river": ("{who} lies on the river {what}.", "The river {what} runs through {who}."),
    "goods": ("{who} is known for its {what}.", "Merchants come to {who} for its {what}."),
    "founded": ("{who} was founded in {what}.", "The founding of {who} dates from {what}."),
}
ASKS = {
    "town": ("In which town was {who} born?", "What is the birthplace of {who}?"),
    "trade": ("What was the trade of {who}?", "As what did {who} work?"),
    "died": ("On which day did {who} die?", "When did {who} die (day, month, year)?"),
    "teacher": ("Who was the teacher of {who}?", "From whom did {who} learn?"),
    "river": ("On which river does {who} lie?", "Which river runs through {who}?"),
    "goods": ("What is {who} known for?", "For what do merchants come to {who}?"),
    "founded": ("In which year was {who} founded?", "When was {who} founded?"),
}
TWO_STEPS = {
    "river": "On which river does the birthplace of {who} lie?",
    "goods": "What is the birthplace of {who} known for?",
    "founded": "In which year was the birthplace of {who} founded?",
}
OF_A_PERSON = ("town", "trade", "died", "teacher")
OF_A_TOWN = ("river", "goods", "founded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A person or a town, and every way to write what is so of it."""

    name: str
    facts: dict[str, tuple[str, ...]]
    """By attribute; the first way stands in the passages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is so, whether it is told or not."""

    people: tuple[Thing, ...]
    towns: tuple[Thing, ...]

    @classmethod
    def drawn(cls, names: Names, *, people: int = 4, towns: int = 3) -> World:
        """Draw a world; no two things share a trade, goods, river, teacher or day."""
        rng = names.rng
        goods, trades = rng.sample(GOODS, towns), rng.sample(TRADES, people)
        made = tuple(
            Thing(
                name=names.place(),
                facts={
                    "river": (river := names.place(), f"the river {river}", f"the {river}"),
                    "goods": (goods[k],),
                    "founded": (str(rng.randint(900, 1399)),),
                },
            )
            for k in range(towns)
        )
        return cls(
            people=tuple(
                Thing(
                    name=names.person(),
                    facts={
                        "town": (rng.choice(made).name,),
                        "trade": (trades[k],),
                        "died": written(*names.date()),
                        "teacher": (names.person(),),
                    },
                )
                for k in range(people)
            ),
            towns=made,
        )


def written(day: int, month: str, year: int) -> tuple[str, ...]:
    """Return the ways to write a day.

    >>> written(4, "May", 1612)
    ('4 May 1612', 'May 4 1612', '4th of May 1612', 'May 4th 1612', '1612-05-04')
    """
    nth = f"{day}{'th' if day in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
    digits = f"{year}-{MONTHS.index(month) + 1:02}-{day:02}"
    plain = (f"{day} {month} {year}", f"{month} {day} {year}")
    return (*plain, f"{nth} of {month} {year}", f"{month} {nth} {year}", digits)


def passage(thing: Thing, left_out: frozenset[str], rng: Random) -> str:
    """Tell what is so of a thing, but for some of it, in any order."""
    told = [
        rng.choice(_SAYS[name]).format(who=thing.name, what=ways[0])
        for name, ways in thing.facts.items()
        if name not in left_out
    ]
    rng.shuffle(told)
    return " ".join(told)


def told(thing: Thing, attribute: str, value: str, rng: Random) -> str:
    """Say one thing, true or not."""
    return rng.choice(_SAYS[attribute]).format(who=thing.name, what=value)
