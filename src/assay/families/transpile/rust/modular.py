"""Which programs mean the same as a module of a larger crate as they do alone.

*Covered*: ways out of a module (``crate``, more ``super`` than there are modules around), what belongs to
the root of a crate (``extern crate``, attributes of the whole, ``cfg``), code that can look past its own
(``unsafe``, ``extern``, files, the program's arguments, other programs), implementations that type inference
elsewhere would see, and names that tell where a program stands (``module_path!``, ``type_name``).  What might
be one of these is verified alone, so a doubt costs time and no verdict.  Words are looked for in the text, too,
so that nothing hides where the parser and the compiler disagree.  *Not covered*: holes in the type system
of the compiler, by which safe code becomes unsafe; the values of ``TypeId`` and of addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .reading import nodes, parse, text

ROOT_ONLY = {
    "extern": r"extern",
    "cfg": r"cfg_attr|cfg(?!\s*\(\s*test\s*\)\s*\])",
    "an attribute of the whole": r"#!\s*\[(?!\s*(?:allow|warn)\b)",
}
LOOKS_PAST = {
    "unsafe": r"unsafe",
    "files": r"include\w*|fs|File|OpenOptions|current_exe",
    "other programs": r"Command|args|args_os",
    "where it stands": r"(?:module_path|file|line|column)(?=\s*!)|type_name\w*|Location|location|Backtrace"
    r"|current(?=\s*\(\s*\))|set_hook|take_hook",
}
_WORDS = {
    why: re.compile(pattern if pattern.startswith("#") else rf"\b(?:{pattern})")
    for why, pattern in {**ROOT_ONLY, **LOOKS_PAST}.items()
}
_CRATE = re.compile(r"\bcrate\b")
_OF_CRATE = re.compile(r"\bpub\s*\(\s*crate\s*\)")
_PATHS = frozenset(
    {"scoped_identifier", "scoped_type_identifier", "scoped_use_list", "use_list", "use_wildcard",
     "use_as_clause", "use_declaration", "visibility_modifier"}
)  # fmt: skip
_TYPES = frozenset({"struct_item", "enum_item", "union_item"})


def why_alone(code: str, *, inside: int = 0) -> str | None:
    """Return why a program is not built as a module beside others; None where nothing speaks against it.

    ``inside`` is how many modules of its own are put around it, as around tests.  Raises ``PluginError``
    A401 without the extra ``rust``.

    >>> why_alone("mod inner { use super::*; } pub(crate) fn f() {}") is None
    True
    >>> why_alone("use super::*; fn f() {}"), why_alone("fn f() { crate::g() }")
    ('super', 'crate')

    Not to be trusted as a verdict: it says nothing against a program.
    """
    if "\r" in code.replace("\r\n", ""):
        return "a line that ends for some and not for others"
    if len(_CRATE.findall(code)) != len(_OF_CRATE.findall(code)):
        return "crate"
    for why, words in _WORDS.items():
        if words.search(code):
            return why
    root = parse(code)
    if root.has_error:
        return "it may not parse"
    return next(_reasons(root, code, inside), None)


def why_not_beside(code: str) -> str | None:
    """Return why others might not mean the same beside a program, or itself beside them.

    >>> why_not_beside("struct V; impl std::ops::Mul<V> for f64 { type Output = V; fn mul(self, v: V) -> V { v } }")
    'impl'
    """
    return why_alone(code) or next(_foreign(parse(code), code), None)


def _reasons(root: Any, code: str, inside: int) -> Iterator[str]:
    supers = 0
    for node in nodes(root):
        if node.type == "super":
            supers += 1
            if _within(node, "token_tree") or _climbs(node) > inside + _depth(node):
                yield "super"
        elif text(node) == "mod" and not node.children and _within(node, "token_tree"):
            yield "a module that a macro makes"
    if supers != len(re.findall(r"\bsuper\b", code)):
        yield "super"


def _foreign(root: Any, code: str) -> Iterator[str]:
    """Yield implementations of traits from elsewhere for types from elsewhere.

    They may be made where an argument of the trait is of the program, and then they are seen by inference
    in every module: ``2.0 * x`` has one meaning more.
    """
    seen = 0
    for node in nodes(root):
        if node.type != "impl":
            continue
        seen += 1
        item = node.parent
        if item.type == "token_tree" or (item.type == "impl_item" and not _at_home(item)):
            yield "impl"
    if seen != len(re.findall(r"\bimpl\b", code)):
        yield "impl"


def _at_home(item: Any) -> bool:
    """Whether an implementation is inherent, or its trait or type is made beside it."""
    trait = item.child_by_field_name("trait")
    if trait is None:
        return True
    beside = item.parent.named_children
    made = {text(each.child_by_field_name("name")) for each in beside if each.type in _TYPES}
    traits = {
        text(each.child_by_field_name("name")) for each in beside if each.type == "trait_item"
    }
    return _head(trait) in traits or _head(item.child_by_field_name("type")) in made


def _head(node: Any) -> str:
    """Return the name of a type without what it is given; empty for what is no name."""
    if node.type == "generic_type":
        node = node.child_by_field_name("type")
    return text(node) if node.type == "type_identifier" else ""


def _within(node: Any, kind: str) -> bool:
    while (node := node.parent) is not None:
        if node.type == kind:
            return True
    return False


def _depth(node: Any) -> int:
    """Return how many modules are around a node."""
    depth = 0
    while (node := node.parent) is not None:
        depth += node.type == "mod_item"
    return depth


def _climbs(node: Any) -> int:
    """Return the most that the path which a ``super`` stands in can climb."""
    while node.parent is not None and node.parent.type in _PATHS:
        node = node.parent
    return sum(each.type == "super" for each in nodes(node))
