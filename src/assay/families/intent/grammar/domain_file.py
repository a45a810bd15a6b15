"""The files of a domain: what may stand in them, and how they become a ``Domain``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from assay import DataError

from ..strict import Strict, parse_strict, read_strict
from .folded import fold
from .parts import Action, Bounds, Domain, Fact, Kind, Name, Numbers, Role, Unit, Words


def _shows(word: str) -> str:
    if not fold(word).tokens:
        raise ValueError("there is nothing in it that a request could have")
    return word


def _is_keyword(word: str) -> str:
    if not all(fold(part).tokens for part in word.split(ANY)):
        raise ValueError(f"words stand on both sides of {ANY!r}")
    return word


Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_shows)]
Keyword = Annotated[Word, AfterValidator(_is_keyword)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]

ANY = "..."
"""In a keyword: up to twelve words."""


class _Bounds(Strict):
    above: int | float | None = None
    least: int | float | None = None
    most: int | float | None = None

    def made(self) -> Bounds:
        return Bounds(
            above=_decimal(self.above), least=_decimal(self.least), most=_decimal(self.most)
        )


class _Unit(_Bounds):
    also: tuple[Word, ...] = ()


class _Numbers(Strict):
    bare: _Bounds | None = None
    units: dict[Word, _Unit] = Field(default_factory=dict)
    multiples: dict[Word, int] = Field(default_factory=dict)
    counts: Key | None = None


class _Name(Strict):
    also: tuple[Word, ...] = ()
    facts: dict[Key, str | bool | int | float] = Field(default_factory=dict)


class _Names(Strict):
    names: dict[Word, tuple[Word, ...] | _Name]


class _Kind(Strict):
    says: str = ""
    names: dict[Word, tuple[Word, ...] | _Name] | str = Field(default_factory=dict)
    """Inline, or the name of a file beside ``domain.yaml``."""

    numbers: _Numbers | None = None
    shares: dict[Key, tuple[Word, ...]] = Field(default_factory=dict)


class _Role(Strict):
    kinds: Annotated[tuple[Key, ...], Field(min_length=1)]
    needed: bool = True
    before: tuple[Word, ...] = ()
    behind: tuple[Word, ...] = ()
    cued: bool = False
    spends: bool = False
    counts: Key | None = None


class _Action(Strict):
    says: Word
    keywords: Annotated[tuple[Keyword, ...], Field(min_length=1)]
    roles: dict[Key, _Role] = Field(default_factory=dict)
    refers: Key | None = None

    @model_validator(mode="after")
    def _names_its_own_roles(self) -> Self:
        named = [self.refers, *(role.counts for role in self.roles.values())]
        for role in named:
            if role is not None and role not in self.roles:
                raise ValueError(f"{role!r} is no role of this action")
        return self


class _Words(Strict):
    joins: tuple[Word, ...] = ()
    links: tuple[Word, ...] = ()
    refuse: dict[Key, tuple[Word, ...]] = Field(default_factory=dict)
    questions: tuple[Word, ...] = ()
    requests: tuple[Word, ...] = ()
    asides: tuple[Word, ...] = ()
    skipped: tuple[Word, ...] = ()
    ordinary: tuple[Word, ...] = ()
    refers: dict[Key, tuple[Word, ...]] = Field(default_factory=dict)
    definite: tuple[Word, ...] = ()
    ties: tuple[Word, ...] = ()


class _English(Strict):
    words: _Words


class _Domain(Strict):
    name: Key
    says: Word
    kinds: dict[Key, _Kind] = Field(default_factory=dict)
    actions: Annotated[dict[Key, _Action], Field(min_length=1)]
    words: _Words = Field(default_factory=_Words)

    @model_validator(mode="after")
    def _names_its_own_kinds(self) -> Self:
        for kind in _kinds_named(self):
            if kind not in self.kinds:
                raise ValueError(f"{kind!r} is no kind of this domain")
        return self


def _kinds_named(domain: _Domain) -> Iterator[str]:
    for action in domain.actions.values():
        yield from chain.from_iterable(role.kinds for role in action.roles.values())
    for kind in domain.kinds.values():
        if kind.numbers and kind.numbers.counts:
            yield kind.numbers.counts
    yield from domain.words.refers


def read_domain(folder: Traversable) -> Domain:
    """Read a domain from its folder.  Raises ``DataError`` A200 with file and line."""
    file = folder / "domain.yaml"
    read = read_strict(file, _Domain)
    kinds = {name: _kind(name, kind, folder) for name, kind in read.kinds.items()}
    for kind in kinds.values():
        _check_names(kind, str(file))
    english = resources.files("assay.families.intent") / "domains" / "english.yaml"
    shared = parse_strict(english.read_text("utf-8"), _English, name="english.yaml").words
    return Domain(
        name=read.name,
        says=read.says,
        kinds=kinds,
        actions={name: _action(name, action) for name, action in read.actions.items()},
        words=_words(shared, read.words),
        home=folder,
    )


def _kind(name: str, read: _Kind, folder: Traversable) -> Kind:
    listed = read.names
    if isinstance(listed, str):
        if "/" in listed or "\\" in listed or listed.startswith("."):
            raise DataError(
                f"kinds.{name}.names: {listed!r} is not a file beside domain.yaml",
                where=str(folder / "domain.yaml"),
                hint="write the name of a file in the same folder",
            )
        listed = read_strict(folder / listed, _Names).names
    return Kind(
        name=name,
        says=read.says,
        names=tuple(_name(key, value) for key, value in listed.items()),
        numbers=_numbers(read.numbers) if read.numbers else None,
        shares=dict(read.shares),
    )


def _name(key: str, read: tuple[str, ...] | _Name) -> Name:
    if isinstance(read, tuple):
        return Name(name=key, also=read)
    facts: dict[str, Fact] = dict(read.facts)
    return Name(name=key, also=read.also, facts=facts)


def _numbers(read: _Numbers) -> Numbers:
    return Numbers(
        bare=read.bare.made() if read.bare else None,
        units=tuple(
            Unit(name=name, also=unit.also, bounds=unit.made()) for name, unit in read.units.items()
        ),
        multiples={word: Decimal(times) for word, times in read.multiples.items()},
        counts=read.counts,
    )


def _action(name: str, read: _Action) -> Action:
    roles = {
        role: Role(
            name=role,
            kinds=made.kinds,
            needed=made.needed,
            before=made.before,
            behind=made.behind,
            cued=made.cued,
            spends=made.spends,
            counts=made.counts,
        )
        for role, made in read.roles.items()
    }
    return Action(
        name=name, says=read.says, roles=roles, keywords=read.keywords, refers=read.refers
    )


def _words(shared: _Words, own: _Words) -> Words:
    """Add a domain's own words to those of the language."""
    return Words(
        joins=(*shared.joins, *own.joins),
        links=(*shared.links, *own.links),
        refuse=_both(shared.refuse, own.refuse),
        questions=(*shared.questions, *own.questions),
        requests=(*shared.requests, *own.requests),
        asides=(*shared.asides, *own.asides),
        skipped=(*shared.skipped, *own.skipped),
        ordinary=(*shared.ordinary, *own.ordinary),
        refers=_both(shared.refers, own.refers),
        definite=(*shared.definite, *own.definite),
        ties=(*shared.ties, *own.ties),
    )


def _both(
    shared: Mapping[str, tuple[str, ...]], own: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    keys = (*shared, *(key for key in own if key not in shared))
    return {key: (*shared.get(key, ()), *own.get(key, ())) for key in keys}


def _check_names(kind: Kind, where: str) -> None:
    """Refuse one writing for two names of a kind, and writings without a letter or a digit."""
    seen: dict[tuple[str, ...], str] = {}
    for name in kind.names:
        for written in (name.name, *name.also):
            key = tuple(token.text for token in fold(written).tokens)
            if not any(text.isalnum() for text in key):
                raise DataError(
                    f"kinds.{kind.name}: {written!r} has no letter and no digit",
                    where=where,
                    hint="leave the writing out: nothing in a prompt is read as it",
                )
            other = seen.setdefault(key, name.name)
            if other != name.name:
                raise DataError(
                    f"kinds.{kind.name}: {written!r} is a writing of {other!r} and of {name.name!r}",
                    where=where,
                    hint="keep one of them",
                )


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
