"""An answer and its tests as one crate, with a test that must fail."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .reading import nodes, parse, text

TESTS, OTHERWISE = "tests", "tests_of_assay"
"""The module of the tests, and its name where a word of the answer ends like the first: a test program
runs every test whose name *contains* what it is told to run."""

OWNED = {
    "primitive": (
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize",
        "u8", "u16", "u32", "u64", "u128", "usize",
    ),
    "string": ("String", "ToString"),
    "vec": ("Vec",),
    "boxed": ("Box",),
    "option": ("Option", "Option::Some", "Option::None"),
    "result": ("Result", "Result::Ok", "Result::Err"),
    "": (
        "assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne",
        "format", "matches", "unreachable", "todo", "unimplemented",
    ),
}  # fmt: skip
"""What tests mean by their names, by module of ``std``.  They see the program by ``use super::*``, and what a
glob brings goes before the language's own: a program that had a ``String`` of its own, equal to everything,
would pass.  A name that is imported goes before both."""

LAST = "zzz_assay_"
"""How the module of the test that must fail begins: behind all others in order."""


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

    filters: tuple[str, ...] = ()
    """What the test program is told to run, so that an answer's own tests do not; none: everything.
    They stand where the program can read them, and so do not name the test that must fail."""

    home: str = ""
    """Path of the module that it is, with ``::`` behind it; empty for a crate of its own."""

    def within(self, module: str) -> Crate:
        """Return the same as a module of a larger crate.

        >>> joined("fn f() {}", "#[test] fn t() {}").within("m").names
        ('m::tests::t',)
        """
        home = f"{module}::"
        return replace(
            self,
            names=tuple(home + name for name in self.names),
            ignored=tuple(home + name for name in self.ignored),
            canary=home + self.canary,
            filters=tuple(home + each for each in self.filters) or (home,),
            home=home,
        )


def joined(code: str, tests: str) -> Crate:
    """Return an answer with tests beside it in ``mod tests { use super::*; ... }``.

    Tests that are a module of their own stay one, inside.  Raises ``PluginError`` A401 without the
    extra ``rust``.

    >>> crate = joined("fn one() -> i64 { 1 }", "#[test] fn is_one() { assert_eq!(one(), 1) }")
    >>> crate.names
    ('tests::is_one',)
    """
    module = _unlike(code)
    root = parse(tests)
    found = list(_tests(root, f"{module}::"))
    inside = f"#[cfg(test)]\nmod {module} {{\n#[allow(unused_imports)]\nuse super::*;\n{_owned(root)}\n{tests}\n}}\n"
    return _crate(f"{code}\n\n{inside}", found, filters=(f"{module}::",))


def with_own_tests(code: str) -> Crate:
    """Return a program that brings its tests itself.  Raises ``PluginError`` as ``joined`` does."""
    return _crate(code, list(_tests(parse(code), "")), filters=())


def _crate(source: str, found: Sequence[tuple[str, bool]], filters: tuple[str, ...]) -> Crate:
    module = f"{LAST}{secrets.token_hex(12)}"
    canary = f"{module}::fails"
    # It fails without a panic: a hook for panics would run in its thread, which has its name.
    result = "::std::result::Result"
    fails = f'fn fails() -> {result}<(), &\'static str> {{ {result}::Err("on purpose") }}'
    must_fail = f"#[test]\n{fails}"
    return Crate(
        source=f"{source}\n#[cfg(test)]\nmod {module} {{\n{must_fail}\n}}\n",
        names=tuple(name for name, _ in found),
        ignored=tuple(name for name, ignored in found if ignored),
        canary=canary,
        filters=(*filters, LAST) if filters else (),
    )


def _owned(tests: Any) -> str:
    """Return the imports that keep names what tests mean by them, but for those that they make or import."""
    made = set(_made(tests))
    paths = [
        "::".join(filter(None, ("::std", module, name)))
        for module, names in OWNED.items()
        for name in names
        if name.rpartition(":")[2] not in made
    ]
    if "std" not in made:
        paths.append("::std")
    return "".join(f"#[allow(unused_imports)] use {path}; " for path in paths)


def _made(root: Any) -> Iterator[str]:
    """Yield the names that a file imports or defines, outside of its modules."""
    for item in root.named_children:
        if item.type == "use_declaration":
            yield from _leaves(item.child_by_field_name("argument"))
        elif item.type.endswith(("_item", "_definition")):
            yield text(item.child_by_field_name("name"))


def _leaves(tree: Any) -> Iterator[str]:
    match tree.type:
        case "use_as_clause":
            yield text(tree.child_by_field_name("alias"))
        case "scoped_identifier":
            yield text(tree.child_by_field_name("name"))
        case "scoped_use_list":
            listed = tree.child_by_field_name("list").named_children
            yield from (name for each in listed for name in _leaves(each) if each.type != "self")
            if any(each.type == "self" for each in listed):
                yield text(tree.child_by_field_name("path")).rpartition(":")[2]
        case "use_list":
            for each in tree.named_children:
                yield from _leaves(each)
        case _:
            yield text(tree)


def _unlike(code: str) -> str:
    """Return a name for the module of the tests that no word of the answer ends with."""
    if not re.search(rf"{TESTS}\b", code):
        return TESTS
    if not re.search(rf"{OTHERWISE}\b", code):
        return OTHERWISE
    return f"{OTHERWISE}_{hashlib.sha256(code.encode()).hexdigest()[:16]}"


def _tests(root: Any, before: str) -> Iterator[tuple[str, bool]]:
    """Yield the full name of every test function, and whether it is ignored."""
    for node in nodes(root):
        if node.type != "function_item":
            continue
        said = set(_attributes(node))
        if "test" in said:
            inside = "".join(f"{name}::" for name in reversed(list(_around(node))))
            name = text(node.child_by_field_name("name"))
            yield f"{before}{inside}{name}", "ignore" in said


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
