"""A function of a Rust program under the types that generated tests call it by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..cases.signature import Signature
from ..cases.spelling import name_of, parameter_of, type_of
from ..rust.reading import nodes, parse, text

NUMBERS = ("i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize")
KNOWN = frozenset(
    [*NUMBERS, "f32", "f64", "bool", "char", "str", "String", "Vec", "Option", "Result", "Box", "std",
     "collections", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "mut", "static"]
)  # fmt: skip
"""Types between which there is a way; another one is the program's own."""

GIVE = """
mod give {
pub trait Give<T> { fn give(self) -> T; }
macro_rules! numbers { ($from:ty: $($to:ty),*) => { $(impl Give<$to> for $from {
    fn give(self) -> $to { self.try_into().expect("the number does not fit") } })* } }
macro_rules! all_numbers { ($($from:ty),*) => { $(numbers!($from: i64);)* } }
numbers!(i64: i8, i16, i32, i128, isize, u8, u16, u32, u64, u128, usize);
all_numbers!(i64, i8, i16, i32, i128, isize, u8, u16, u32, u64, u128, usize);
impl Give<f64> for f64 { fn give(self) -> f64 { self } }
impl Give<f32> for f64 { fn give(self) -> f32 { self as f32 } }
impl Give<f64> for f32 { fn give(self) -> f64 { f64::from(self) } }
impl Give<bool> for bool { fn give(self) -> bool { self } }
impl Give<()> for () { fn give(self) {} }
impl Give<String> for String { fn give(self) -> String { self } }
impl Give<String> for &str { fn give(self) -> String { self.to_owned() } }
impl Give<String> for char { fn give(self) -> String { self.to_string() } }
impl<A: Give<B>, B> Give<Vec<B>> for Vec<A> {
    fn give(self) -> Vec<B> { self.into_iter().map(Give::give).collect() } }
impl<A: Give<B> + Clone, B> Give<Vec<B>> for &[A] {
    fn give(self) -> Vec<B> { self.iter().cloned().map(Give::give).collect() } }
impl<A: Give<B>, B> Give<Option<B>> for Option<A> {
    fn give(self) -> Option<B> { self.map(Give::give) } }
impl<A: Give<B>, B> Give<Result<B, String>> for Result<A, String> {
    fn give(self) -> Result<B, String> { self.map(Give::give) } }
use std::{collections::{BTreeMap, BTreeSet, HashMap, HashSet}, hash::Hash};
macro_rules! tables { ($($from:ident $to:ident $($bound:ident)+;)*) => { $(
    impl<K: Give<L>, V: Give<W>, L: $($bound +)+, W> Give<$to<L, W>> for $from<K, V> {
        fn give(self) -> $to<L, W> { self.into_iter().map(|(k, v)| (k.give(), v.give())).collect() }
    } )* } }
macro_rules! sets { ($($from:ident $to:ident $($bound:ident)+;)*) => { $(
    impl<K: Give<L>, L: $($bound +)+> Give<$to<L>> for $from<K> {
        fn give(self) -> $to<L> { self.into_iter().map(Give::give).collect() }
    } )* } }
tables! { HashMap HashMap Hash Eq; HashMap BTreeMap Ord; BTreeMap HashMap Hash Eq; }
sets! { HashSet HashSet Hash Eq; HashSet BTreeSet Ord; BTreeSet HashSet Hash Eq; }
macro_rules! parts { ($($a:ident $b:ident $at:tt),+) => {
    impl<$($a: Give<$b>, $b),+> Give<($($b,)+)> for ($($a,)+) {
        fn give(self) -> ($($b,)+) { ($(self.$at.give(),)+) }
    } } }
parts!(A P 0);
parts!(A P 0, B Q 1);
parts!(A P 0, B Q 1, C R 2);
parts!(A P 0, B Q 1, C R 2, D S 3);
parts!(A P 0, B Q 1, C R 2, D S 3, E T 4);
parts!(A P 0, B Q 1, C R 2, D S 3, E T 4, F U 5);
}
""".strip()
"""Ways from one type to another.  A number that does not fit is a panic."""


def shim(rust: str, signature: Signature) -> str:
    """Return a function of the given signature that calls the program's own by the types which that has.

    Empty where the program has that signature already, has no such function, or has types of its own there:
    then the tests call it as it is.  Raises ``PluginError`` A401 without the extra ``rust``.

    >>> from assay.families.transpile.cases.kinds import INT
    >>> wanted = Signature(name="f", parameters=(("n", INT),), returns=INT, may_fail=False)
    >>> shim("pub fn f(n: i64) -> i64 { n }", wanted)
    ''
    >>> "super::f(a0).give()" in shim("fn f(n: u8) -> u8 { n }", wanted)
    True
    """
    found = _types(rust, name_of(signature.name))
    if found is None:
        return ""
    given, returned = found
    wanted = [parameter_of(kind) for _, kind in signature.parameters]
    result = type_of(signature.returns)
    inner, fails = _unwrapped(returned)
    told = f"Result<{result}, String>" if fails else result
    if len(given) != len(wanted) or fails != signature.may_fail:
        return ""
    if [_plain(each) for each in given] == wanted and _plain(returned) in (result, told):
        return ""
    if not all(set(re.findall(r"[A-Za-z_]\w*", _plain(each))) <= KNOWN for each in (*given, inner)):
        return ""
    lines, arguments = [], []
    for number, (kind, theirs) in enumerate(zip(wanted, given, strict=True)):
        owned, reference = _owned(_plain(theirs))
        source = f"p{number}.clone()" if kind.startswith("&std") else f"p{number}"
        lines.append(f"let mut a{number}: {owned} = give::Give::give({source});")
        arguments.append(f"{reference}a{number}")
    parameters = ", ".join(f"p{number}: {kind}" for number, kind in enumerate(wanted))
    call = f"super::{name_of(signature.name)}({', '.join(arguments)})"
    value = f"{call}.map_err(|_| String::new()).give()" if fails else f"{call}.give()"
    body = "\n    ".join([*lines, "use give::Give as _;", value])
    allowed = "#[allow(unused_mut, unused_imports)]"
    return f"{GIVE}\n{allowed}\nfn {name_of(signature.name)}({parameters}) -> {told} {{\n    {body}\n}}"


def _types(rust: str, name: str) -> tuple[Sequence[str], str] | None:
    """Return the types of a function's parameters, and what it returns."""
    for node in nodes(parse(rust)):
        if node.type == "function_item" and text(node.child_by_field_name("name")) == name:
            inside = node.child_by_field_name("parameters").named_children
            given = [text(each.child_by_field_name("type")) for each in inside]
            return given, text(node.child_by_field_name("return_type")) or "()"
    return None


def _unwrapped(returned: str) -> tuple[str, bool]:
    """Return the type of success, and whether there is another one."""
    found = re.fullmatch(r"(?:std::result::)?Result<(.*),[^,]*>", returned.strip(), re.DOTALL)
    return (found[1].strip(), True) if found else (returned, False)


def _plain(theirs: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"'\w+\s*", "", theirs)).strip()


def _owned(theirs: str) -> tuple[str, str]:
    """Return what a parameter borrows, and how it is borrowed.

    >>> _owned("&[i32]"), _owned("&str"), _owned("Vec<f32>")
    (('Vec<i32>', '&'), ('String', '&'), ('Vec<f32>', ''))
    """
    reference = re.match(r"&(?:mut )?", theirs)
    inner = theirs[reference.end() :] if reference else theirs
    if inner.startswith("[") and ";" not in inner:
        inner = f"Vec<{inner[1:-1]}>"
    return ("String" if inner == "str" else inner), reference[0] if reference else ""
