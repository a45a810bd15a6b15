"""The ten Py2Rs levels, and which of them a Python program belongs to."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from assay import DataError

Difficulty: TypeAlias = Literal["Trivial", "Easy", "Medium", "Hard", "Expert"]

LONGEST = 1_000_000
"""Characters of a program that is read: Python's own parser needs two hundred times the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One of the ten levels.

    ``weight`` is its share of the composite score, out of 68.5 for all ten.
    Source: the Py2Rs benchmark of aprender (names, difficulties and weights).
    """

    number: int
    name: str
    difficulty: Difficulty
    weight: float
    covers: str


_TABLE: tuple[tuple[str, Difficulty, float, str], ...] = (
    ("Hello", "Trivial", 1.0, "a program that prints"),
    ("Variables", "Trivial", 1.5, "variables and arithmetic"),
    ("Functions", "Easy", 2.0, "functions and ownership"),
    ("Collections", "Easy", 3.0, "collections and iterators"),
    ("ControlFlow", "Medium", 4.0, "loops and borrowing"),
    ("ErrorHandling", "Medium", 5.0, "exceptions, Result in Rust"),
    ("OOP→Traits", "Hard", 7.0, "classes, traits in Rust"),
    ("Concurrency", "Hard", 10.0, "async, threads, processes"),
    ("FFI/Unsafe", "Expert", 15.0, "foreign functions and raw memory"),
    ("Metaprogramming", "Expert", 20.0, "decorators, metaclasses, code that makes code"),
)

LEVELS = tuple(
    Level(number=number, name=name, difficulty=difficulty, weight=weight, covers=covers)
    for number, (name, difficulty, weight, covers) in enumerate(_TABLE, start=1)
)

WEIGHTS = sum(level.weight for level in LEVELS)
"""68.5."""

HELLO, VARIABLES, FUNCTIONS, COLLECTIONS, LOOPS, ERRORS, CLASSES, CONCURRENCY, FOREIGN, META = (
    LEVELS
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reason:
    """A construct that a program uses: the level that it needs, what it is, and its first line."""

    number: int
    what: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The level of a program, and every construct that speaks for one, the highest first."""

    level: Level
    reasons: tuple[Reason, ...]


def classify(source: str, *, where: str = "") -> Classified:
    """Return the level of a Python program: that of the highest construct in it.

    Constructs are nodes of Python's own syntax tree, so words in comments and strings say nothing.
    Any function is at least level 3.  A program with nothing to say, or that only prints, is level 1.

    Raises ``DataError`` A200 for what is no Python program, or longer than ``LONGEST``.
    Source: the ten levels of Py2Rs; the rules over ``ast`` are ours.

    >>> found = classify("def area(r): return 3.14 * r * r  # of the class circle")
    >>> found.level.name, [reason.what for reason in found.reasons]
    ('Functions', ['a function', 'arithmetic'])

    Not to be trusted as a difficulty: one loop makes a program level 5, however easy it is.
    """
    return level_of(parsed(source, where=where))


def level_of(tree: ast.Module) -> Classified:
    """Return the level of a program that is parsed already, as ``classify`` does."""
    best: dict[tuple[int, str], int] = {}
    for node in ast.walk(tree):
        for level, what in _constructs(node):
            line = getattr(node, "lineno", 1)
            key = (level.number, what)
            best[key] = min(best.get(key, line), line)
    reasons = [Reason(number=n, what=what, line=line) for (n, what), line in best.items()]
    reasons.sort(key=lambda reason: (-reason.number, reason.line, reason.what))
    highest = reasons[0].number if reasons else HELLO.number
    return Classified(level=LEVELS[highest - 1], reasons=tuple(reasons))


def parsed(source: str, *, where: str = "") -> ast.Module:
    """Return the syntax tree of a program.  Raises ``DataError`` A200 as ``classify`` does."""
    if len(source) > LONGEST:
        raise DataError(
            f"the program has {len(source):,} characters",
            where=where,
            hint=f"programs of up to {LONGEST:,} are read",
            code="A200",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a stray "\d" in somebody's string
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise DataError(
            f"this is no Python program: {line}{said}",
            where=where,
            hint=f"it must parse as Python {sys.version_info.major}.{sys.version_info.minor}",
            code="A200",
        ) from None


_PLAIN_DECORATORS = {"staticmethod", "classmethod", "abstractmethod", "override"}
"""What belongs to classes and makes no code."""

_CONCURRENT = {"asyncio", "concurrent", "multiprocessing", "queue", "threading"}
_FOREIGN = {"_ctypes", "cffi", "ctypes", "mmap"}
_MAKES_CODE = {"compile", "eval", "exec", "setattr", "delattr", "__import__"}
_COLLECTORS = {
    "dict", "enumerate", "filter", "frozenset", "list", "map", "reversed", "set", "sorted", "tuple",
    "zip",
}  # fmt: skip
_HOOKS = {"__getattr__", "__getattribute__", "__setattr__", "__init_subclass__", "__class_getitem__",
          "__set_name__", "__get__", "__set__", "__prepare__"}  # fmt: skip


_PLAIN: tuple[tuple[tuple[type[ast.AST], ...], Level, str], ...] = (
    (
        (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith),
        CONCURRENCY,
        "async",
    ),
    ((ast.ClassDef,), CLASSES, "a class"),
    ((ast.Try, ast.TryStar), ERRORS, "try"),
    ((ast.Raise,), ERRORS, "raise"),
    ((ast.With,), ERRORS, "with"),
    ((ast.For, ast.While), LOOPS, "a loop"),
    ((ast.Match,), LOOPS, "match"),
    ((ast.Yield, ast.YieldFrom), LOOPS, "a generator"),
    (
        (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        COLLECTIONS,
        "a comprehension",
    ),
    ((ast.List, ast.Set, ast.Dict), COLLECTIONS, "a collection"),
    ((ast.Subscript,), COLLECTIONS, "an index"),
    ((ast.FunctionDef,), FUNCTIONS, "a function"),
    ((ast.Lambda,), FUNCTIONS, "a lambda"),
    (
        (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.AugAssign),
        VARIABLES,
        "arithmetic",
    ),
    ((ast.Assign, ast.AnnAssign, ast.NamedExpr), VARIABLES, "a variable"),
    ((ast.JoinedStr,), VARIABLES, "a formatted string"),
)
_BY_NODE = {kind: (level, what) for kinds, level, what in _PLAIN for kind in kinds}
"""What a node says by being there.  An annotation such as ``list[int]`` is an index, too: it names a
collection."""


def _constructs(node: ast.AST) -> Iterator[tuple[Level, str]]:
    """Yield the constructs that a node is, each with the level that it needs."""
    if (plain := _BY_NODE.get(type(node))) is not None:
        yield plain
    match node:
        case ast.FunctionDef(name=name) if name in _HOOKS:
            yield META, f"the hook {name}"
        case ast.ClassDef(keywords=keywords) if any(k.arg == "metaclass" for k in keywords):
            yield META, "a metaclass"
        case ast.Import() | ast.ImportFrom():
            yield from _imports(node)
        case ast.Call(func=ast.Name(id=name)):
            yield from _call(name, node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for name in _names(node.decorator_list):
            if name not in _PLAIN_DECORATORS:
                yield META, f"the decorator {name}"


def _call(name: str, node: ast.Call) -> Iterator[tuple[Level, str]]:
    if name in _MAKES_CODE:
        yield META, f"a call of {name}"
    if name == "type" and len(node.args) == len(("name", "bases", "namespace")):
        yield META, "a class made by type()"
    if name in _COLLECTORS:
        yield COLLECTIONS, f"a call of {name}"


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[Level, str]]:
    names = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    for name in names:
        first = name.partition(".")[0]
        if first in _CONCURRENT:
            yield CONCURRENCY, f"the module {first}"
        if first in _FOREIGN:
            yield FOREIGN, f"the module {first}"


def _names(decorators: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the last name of each decorator: ``functools.cache`` is ``cache``."""
    for decorator in decorators:
        at = decorator.func if isinstance(decorator, ast.Call) else decorator
        yield at.attr if isinstance(at, ast.Attribute) else getattr(at, "id", "expression")
