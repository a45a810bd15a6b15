"""An answer and its tests as one crate, with a test that must fail."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .reading import nodes, parse, text

TESTS, OTHERWISE = "tests", "tests_of_assay"
"""The module of the tests, and its name where the answer has a module of the first name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """One source file, and which of its tests are ours."""

    source: str
    names: tuple[str, ...]
    """Full names of the tests, in order."""

    ignored: tuple[str, ...]
    """Of these, what says that it is not to be run."""

    canary: str
    """Full name of the test that must fail, and runs last: tests are sorted by name.  It is drawn anew
    each time.  A program that ends before its tests do, and prints what a test runner would print,
    cannot name it."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What the test program is told to run: the answer's own tests are not among it."""
        return (f"{self.names[0].partition('::')[0]}::" if self.names else TESTS, self.canary)


def joined(code: str, tests: str) -> Crate:
    """Return an answer with tests beside it in ``mod tests { use super::*; ... }``.

    Tests that are a module of their own stay one, inside.  Raises ``PluginError`` A401 without the
    extra ``rust``.

    >>> crate = joined("fn one() -> i64 { 1 }", "#[test] fn is_one() { assert_eq!(one(), 1) }")
    >>> crate.names
    ('tests::is_one',)
    """
    module = OTHERWISE if TESTS in _modules(parse(code)) else TESTS
    found = list(_tests(parse(tests), module))
    canary = f"zzz_{secrets.token_hex(12)}"
    source = (
        f"{code}\n\n#[cfg(test)]\nmod {module} {{\n#[allow(unused_imports)]\nuse super::*;\n"
        f"{tests}\n}}\n\n#[cfg(test)]\nmod {canary} {{\n#[test]\n"
        'fn fails() { ::std::panic!("on purpose") }\n}\n'
    )
    return Crate(
        source=source,
        names=tuple(name for name, _ in found),
        ignored=tuple(name for name, ignored in found if ignored),
        canary=f"{canary}::fails",
    )


def _modules(root: Any) -> set[str]:
    return {
        text(node.child_by_field_name("name")) for node in root.children if node.type == "mod_item"
    }


def _tests(root: Any, module: str) -> Iterator[tuple[str, bool]]:
    """Yield the full name of every test function, and whether it is ignored."""
    for node in nodes(root):
        if node.type != "function_item":
            continue
        said = set(_attributes(node))
        if "test" in said:
            inside = "".join(f"{name}::" for name in reversed(list(_around(node))))
            name = text(node.child_by_field_name("name"))
            yield f"{module}::{inside}{name}", "ignore" in said


def _attributes(node: Any) -> Iterator[str]:
    before = node.prev_named_sibling
    while before is not None and before.type in {"attribute_item", "line_comment"}:
        if before.type == "attribute_item":
            yield text(before.named_children[0].children[0])
        before = before.prev_named_sibling


def _around(node: Any) -> Iterator[str]:
    while (node := node.parent) is not None:
        if node.type == "mod_item":
            yield text(node.child_by_field_name("name"))
