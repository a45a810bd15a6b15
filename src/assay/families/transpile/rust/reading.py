"""What a Rust program may not contain, found in its syntax tree.

*Covered*: files of the machine that the compiler would read, code that runs while it compiles, other
crates, tricks with symbols and sections that run before ``main``, and macros that take the place of
the tests' own.  *Not covered*: what a program does once it runs, which the sandbox holds; programs
that the parser cannot read, which the compiler cannot read either.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from assay import PluginError

LONGEST = 1_000_000
"""Bytes of a program that is read."""

READS_FILES = frozenset({"include", "include_str", "include_bytes"})
SEES_THE_MACHINE = frozenset({"env", "option_env", "asm", "global_asm", "naked_asm"})
OF_THE_TESTS = frozenset(
    {"assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne",
     "panic", "unreachable", "todo", "unimplemented", "matches", "vec", "format", "test"}
)  # fmt: skip
"""Macros that tests use: a program that makes its own of that name could make them pass."""

ATTRIBUTES = frozenset(
    {"path", "link_section", "no_mangle", "export_name", "link", "link_name", "proc_macro",
     "proc_macro_attribute", "proc_macro_derive", "macro_use", "macro_export", "panic_handler",
     "global_allocator", "no_std", "no_core", "no_main", "start", "feature", "ctor", "used"}
)  # fmt: skip
"""Attributes that change what is read, what is linked, or what runs before the tests do."""

KNOWN_CRATES = frozenset({"std", "core", "alloc", "crate", "self", "super"})


def refused(code: str) -> str | None:
    r"""Return why a program is not built; None when nothing speaks against it.

    Raises ``PluginError`` A401 without the extra ``rust``.

    >>> refused('fn f() -> &\'static str { include_str!("/etc/passwd") }')
    'line 1: include_str! reads files while it compiles'
    >>> refused('fn f() -> &\'static str { "include_str!" } // include_str!') is None
    True
    """
    try:
        size = len(code.encode())
    except UnicodeEncodeError:
        return "it has half a character (a lone surrogate)"
    if size > LONGEST:
        return f"it has more than {LONGEST:,} bytes"
    return next(_faults(parse(code)), None)


def parse(code: str) -> Any:
    """Return the root of the syntax tree of a Rust program.  Raises ``PluginError`` A401."""
    try:
        tree_sitter, rust = import_module("tree_sitter"), import_module("tree_sitter_rust")
    except ImportError as error:
        raise PluginError(
            f"the package {error.name} is not installed",
            hint="pip install 'assay-eval[rust]'",
            code="A401",
        ) from error
    parser = tree_sitter.Parser(tree_sitter.Language(rust.language()))
    return parser.parse(code.encode()).root_node


def nodes(root: Any) -> Iterator[Any]:
    """Yield every node of a tree, each before what is in it."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def returned(code: str, name: str) -> str:
    """Return the type that a function of a program returns, as it is written; empty where there is none.

    >>> returned("pub fn half(n: i64) -> Result<i64, String> { Err(String::new()) }", "half")
    'Result<i64, String>'
    """
    for node in nodes(parse(code)):
        if node.type == "function_item" and text(node.child_by_field_name("name")) == name:
            return text(node.child_by_field_name("return_type"))
    return ""


def text(node: Any) -> str:
    """Return the source of a node."""
    return str(node.text.decode(errors="replace")) if node is not None else ""


def _faults(root: Any) -> Iterator[str]:
    for node in nodes(root):
        if (fault := _fault(node)) is not None:
            yield f"line {node.start_point[0] + 1}: {fault}"


def _fault(node: Any) -> str | None:
    match node.type:
        case "macro_invocation":
            return _of_macro(text(node.child_by_field_name("macro")).rpartition(":")[2])
        case "macro_definition":
            name = text(node.child_by_field_name("name"))
            return f"it makes a macro {name}! of its own" if name in OF_THE_TESTS else None
        case "extern_crate_declaration":
            name = text(node.child_by_field_name("name"))
            alias = text(node.child_by_field_name("alias")) or name
            if name == "self" or (alias in KNOWN_CRATES and alias != name):
                return f"extern crate {name}, as {alias}: a name that tests use"
            return (
                None if name in KNOWN_CRATES else f"extern crate {name}: there are no other crates"
            )
        case "attribute":
            name = text(node.children[0]).rpartition(":")[2] if node.children else ""
            if name == "unsafe" or name in ATTRIBUTES:
                return f"the attribute {name} is not allowed"
        case "identifier" if node.parent is not None and node.parent.type == "token_tree":
            # Inside a macro there are only tokens: `foo!(include!("x"))` hides a call from the tree.
            following = node.next_sibling
            if following is not None and following.type == "!":
                return _of_macro(text(node))
    return None


def _of_macro(name: str) -> str | None:
    if name in READS_FILES:
        return f"{name}! reads files while it compiles"
    if name in SEES_THE_MACHINE:
        return f"{name}! reaches past the language"
    return None
