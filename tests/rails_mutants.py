"""Copies of the rails with one operator changed, to see whether the situations notice."""

from __future__ import annotations

import ast
import copy
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from assay.families.intent import rails

FOLDER = Path(rails.__file__).parent
SHARED = ("documents", "policy", "context")
"""Not mutated: they read, and do not rule."""

MUTATED = (
    *("admission", "markets", "funds", "risk", "limits"),
    *("rule", "sight", "orders", "ledger"),
)
ORDER = (
    *("exact", "ruling", "ledger", "sight", "orders", "rule", "admission"),
    *("markets", "funds", "risk", "limits", "judging"),
)
COMPARES: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
BINARIES: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
}
NAMES = {
    "min": "max",
    "Pass": "Block",
    "Block": "Pass",
    "at_most": "at_least",
    "at_least": "at_most",
}


def mutants(module: str) -> Iterator[tuple[str, str]]:
    """Yield a name and the source of every copy of a module with one change."""
    source = (FOLDER / f"{module}.py").read_text("utf-8")
    tree = ast.parse(source)
    inside = {
        id(node): f"{module}:{owner.name}.{function.name}"
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for function in owner.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):  # what a function is said to return is not what it does
        if isinstance(node, ast.FunctionDef):
            node.returns = None
    for place, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            target = next(n for at, n in enumerate(ast.walk(changed)) if at == place)
            words = change(target)
            where = inside.get(id(node), module)
            yield f"{where}:{node.lineno} {words}", ast.unparse(changed)


def _changes(node: ast.AST) -> Iterator:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                for other in COMPARES.get(type(op), ()):
                    yield lambda n, at=at, other=other: _set_op(n, at, other)
        case ast.BinOp(op=op) if type(op) in BINARIES and not _is_text(node):
            yield _swap_binary
        case ast.BoolOp():
            yield _swap_bool
        case ast.Name(id=name, ctx=ast.Load()) if name in NAMES:
            yield _rename
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield _plain
        case _:
            return


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr | ast.Set | ast.Tuple) for side in (node.left, node.right)
    )


def _set_op(node, at, other):
    words = f"{type(node.ops[at]).__name__} -> {other.__name__}"
    node.ops[at] = other()
    return words


def _swap_binary(node):
    other = BINARIES[type(node.op)]
    words = f"{type(node.op).__name__} -> {other.__name__}"
    node.op = other()
    return words


def _swap_bool(node):
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    words = f"{type(node.op).__name__} -> {type(other).__name__}"
    node.op = other
    return words


def _rename(node):
    words = f"{node.id} -> {NAMES[node.id]}"
    node.id = NAMES[node.id]
    return words


def _plain(node):
    words = f"{type(node.op).__name__} dropped"
    if isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
    else:
        node.operand = ast.UnaryOp(op=ast.Not(), operand=node.operand)
    return words


@contextmanager
def package(module: str, source: str) -> Iterator[ModuleType]:
    """Import the rails once more under another name, one module with another source."""
    name = "assay.families.intent.rails_mutant"
    made = ModuleType(name)
    made.__path__ = []
    before = set(sys.modules)
    try:
        sys.modules[name] = made
        for shared in SHARED:
            sys.modules[f"{name}.{shared}"] = importlib.import_module(f"{rails.__name__}.{shared}")
            setattr(made, shared, sys.modules[f"{name}.{shared}"])
        for part in ORDER:
            text = source if part == module else (FOLDER / f"{part}.py").read_text("utf-8")
            one = ModuleType(f"{name}.{part}")
            one.__package__ = name
            sys.modules[one.__name__] = one
            setattr(made, part, one)
            exec(compile(text, f"{part}.py", "exec", dont_inherit=True), one.__dict__)
        yield made.judging
    finally:
        for left in set(sys.modules) - before:
            if left.startswith(name):
                del sys.modules[left]
