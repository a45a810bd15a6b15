"""What there is to say of a corpus before anything is asked: how much, how hard, and what is wrong with it."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay import DataError

from ..levels import LEVELS, Classified, Difficulty, Level, level_of, parsed
from .program import Corpus, Program

CHANCE = {
    "random": "random numbers", "secrets": "random numbers", "uuid": "random names",
    "time": "the clock", "datetime": "the clock",
}  # fmt: skip
"""Modules whose use may make a program say something else each time."""

NOT_CHANCE = frozenset({"timedelta", "timezone", "date", "datetime", "Random", "struct_time"})
"""Names of them that say nothing by themselves: ``datetime(2024, 1, 1)`` is always the same."""

_NOW = frozenset({"now", "today", "utcnow", "time", "time_ns", "perf_counter", "monotonic"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A program, its level, and what is wrong with it."""

    program: Program
    level: Classified | None
    """None for what is no Python."""

    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What ``look`` finds."""

    corpus: Corpus
    programs: Sequence[Looked]
    duplicates: Sequence[Sequence[str]]
    """Ids of programs that are the same but for comments and layout."""

    @property
    def by_level(self) -> Mapping[Level, int]:
        """Return how many programs each level has, empty ones too."""
        found = Counter(each.level.level.number for each in self.programs if each.level)
        return {level: found[level.number] for level in LEVELS}

    @property
    def by_difficulty(self) -> Mapping[Difficulty, int]:
        """Return how many programs each difficulty has, from the least on."""
        found: dict[Difficulty, int] = {level.difficulty: 0 for level in LEVELS}
        for level, count in self.by_level.items():
            found[level.difficulty] += count
        return found

    @property
    def covered(self) -> float:
        """Return the weight of the levels that have a program, out of 68.5."""
        return sum(level.weight for level, count in self.by_level.items() if count)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.duplicates and not any(each.faults for each in self.programs)


def look(corpus: Corpus) -> Facts:
    """Classify every program, and find what is wrong with it.

    Faults: no Python, nothing that tests it, the same program under another id, and what may say
    something else each time it runs (random numbers, the clock, the order of a set).
    """
    same: defaultdict[str, list[str]] = defaultdict(list)
    programs = []
    for program in corpus.programs:
        level: Classified | None = None
        faults = [] if program.tested else ["nothing tests it"]
        try:
            tree = parsed(program.python)
            level = level_of(tree)
            same[ast.dump(tree)].append(program.id)
            faults += dict.fromkeys(_chances(tree))
        except DataError as error:
            faults.append(error.what)
        programs.append(Looked(program=program, level=level, faults=tuple(faults)))
    twins = [tuple(ids) for ids in same.values() if len(ids) > 1]
    return Facts(corpus=corpus, programs=programs, duplicates=twins)


def _chances(tree: ast.AST) -> Iterator[str]:
    """Yield why a program may say something else each time."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules |= {(a.asname or a.name).partition(".")[0]: a.name for a in names}
            case ast.ImportFrom(module=str(module), names=names) if module in CHANCE:
                for alias in names:
                    if alias.name not in NOT_CHANCE:
                        yield f"line {node.lineno}: {CHANCE[module]} ({module}.{alias.name})"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)):
                module = modules.get(name, name if name in {"datetime", "date"} else "")
                clock = module in {"time", "datetime", "date"}
                if (module in CHANCE or module == "date") and (not clock or attr in _NOW):
                    yield f"line {node.lineno}: {CHANCE.get(module, 'the clock')} ({name}.{attr})"
            case ast.For(iter=ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set"))):
                yield f"line {node.lineno}: the order of a set"
