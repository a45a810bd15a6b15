"""Methods that a program gives to types of the language, under names that the language's own methods have.

Tests see the program's traits, and a method is looked for by what it takes, first ``self``, then ``&self``: a
trait's ``contains`` for ``Vec`` goes before that of slices, and ``to_string(self)`` for ``i32`` before the
language's.  A wrong program could so decide what tests ask.

*Covered*: methods that tests call by the names below.  *Not covered*: other names; operators, which the
language's own types have already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .reading import nodes, parse, text

METHODS = frozenset(
    [
        "abs",
        "all",
        "any",
        "as_bytes",
        "as_ref",
        "as_str",
        "as_slice",
        "bytes",
        "ceil",
        "chars",
        "chunks",
        "clone",
        "cloned",
        "cmp",
        "collect",
        "concat",
        "contains",
        "contains_key",
        "copied",
        "count",
        "dedup",
        "ends_with",
        "entry",
        "enumerate",
        "eq",
        "err",
        "expect",
        "expect_err",
        "filter",
        "find",
        "first",
        "flat_map",
        "flatten",
        "floor",
        "fold",
        "ge",
        "get",
        "gt",
        "insert",
        "into",
        "into_iter",
        "is_empty",
        "is_err",
        "is_err_and",
        "is_none",
        "is_ok",
        "is_ok_and",
        "is_some",
        "is_some_and",
        "is_sorted",
        "iter",
        "join",
        "keys",
        "last",
        "le",
        "len",
        "lines",
        "lt",
        "map",
        "map_err",
        "max",
        "min",
        "ne",
        "next",
        "nth",
        "ok",
        "parse",
        "partial_cmp",
        "pop",
        "position",
        "push",
        "remove",
        "repeat",
        "replace",
        "rev",
        "round",
        "skip",
        "sort",
        "sort_by",
        "sort_unstable",
        "split",
        "starts_with",
        "sum",
        "take",
        "to_bits",
        "to_lowercase",
        "to_owned",
        "to_string",
        "to_uppercase",
        "to_vec",
        "total_cmp",
        "trim",
        "unwrap",
        "unwrap_err",
        "unwrap_or",
        "unwrap_or_default",
        "values",
        "windows",
        "zip",
    ]
)
_TYPES = frozenset({"struct_item", "enum_item", "union_item"})


def shadowed(code: str, tests: str) -> str | None:
    """Return why a program could decide what tests ask by methods of its own; None where it could not.

    >>> own = "trait Own { fn len(&self) -> usize; } impl Own for Vec<i64> { fn len(&self) -> usize { 3 } }"
    >>> shadowed(own, "#[test] fn t() { assert_eq!(f().len(), 3) }")
    'line 1: its trait Own has a method len for types of the language, which the tests call'
    >>> shadowed(own, "#[test] fn t() { assert_eq!(f(), 3) }") is None
    True
    """
    if "trait" not in code:
        return None
    called = METHODS & set(re.findall(r"\.\s*(\w+)", " ".join(_open(parse(tests)))))
    if not called:
        return None
    root = parse(code)
    found = list(nodes(root))
    own = {text(each.child_by_field_name("name")) for each in found if each.type in _TYPES}
    given = {
        _head(each.child_by_field_name("trait"))
        for each in found
        if each.type == "impl_item" and not _of_own(each, own)
    }
    for each in found:
        if each.type == "trait_item" and text(each.child_by_field_name("name")) in given:
            name = text(each.child_by_field_name("name"))
            for method in sorted(called & _methods(each)):
                line = each.start_point[0] + 1
                return (
                    f"line {line}: its trait {name} has a method {method} for types of the language, "
                    "which the tests call"
                )
    return None


def _open(root: Any) -> Iterator[str]:
    """Yield what stands where the program's traits are seen: not in modules that see nothing of it."""
    for item in root.named_children:
        if item.type != "mod_item":
            yield text(item)
        elif (body := item.child_by_field_name("body")) is not None and "super" in text(body):
            yield from _open(body)


def _methods(trait: Any) -> set[str]:
    items = ("function_signature_item", "function_item")
    return {text(each.child_by_field_name("name")) for each in nodes(trait) if each.type in items}


def _of_own(item: Any, own: set[str]) -> bool:
    """Whether an implementation is inherent, or for a type of the program."""
    return item.child_by_field_name("trait") is None or (
        _head(item.child_by_field_name("type")) in own
    )


def _head(node: Any) -> str:
    while node is not None and node.type in {
        "generic_type",
        "reference_type",
        "scoped_type_identifier",
    }:
        node = node.child_by_field_name("name" if node.type == "scoped_type_identifier" else "type")
    return text(node) if node is not None and node.type == "type_identifier" else ""
