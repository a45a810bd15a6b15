"""Python expressions as Rust, each with its type."""

from __future__ import annotations

import ast
from math import isfinite

from ..cases.kinds import BOOL, FLOAT, INT, TEXT, Kind, Seq, Unknown, Unmapped, joined
from ..cases.spelling import name_of, text
from .scope import Scope, no_rule

PRELUDE = """
#[allow(dead_code)] fn floor_div(a: i64, b: i64) -> i64 { let q = a / b; if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q } }
#[allow(dead_code)] fn divided(a: f64, b: f64) -> f64 { if b == 0.0 { panic!("division by zero") } else { a / b } }
#[allow(dead_code)] fn floor_mod(a: i64, b: i64) -> i64 { a - b * floor_div(a, b) }
#[allow(dead_code)] fn at(len: usize, i: i64) -> usize { if i < 0 { (len as i64 + i) as usize } else { i as usize } }
""".strip()
"""Division and indices as Python has them."""

Typed = tuple[str, Kind]

_PLAIN = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_BITS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>"}
_COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
MOST_BITS = 63


def expression(node: ast.expr, scope: Scope) -> Typed:
    """Return an expression in Rust and its type.  Raises ``NoRule``."""
    match node:
        case ast.Constant():
            return _constant(node)
        case ast.Name(id=name) if name in scope.kinds:
            return f"{name_of(name)}.clone()", scope.kinds[name]
        case ast.BinOp():
            return _operation(node, scope)
        case ast.UnaryOp():
            return _unary(node, scope)
        case ast.BoolOp(op=op, values=values):
            parts = [condition(value, scope) for value in values]
            return f"({(' && ' if isinstance(op, ast.And) else ' || ').join(parts)})", BOOL
        case ast.Compare():
            return _comparison(node, scope)
        case ast.IfExp():
            return _choice(node, scope)
        case ast.List(elts=elts):
            return _listed(node, [expression(each, scope) for each in elts])
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
            return _index(node, value, index, scope)
        case ast.JoinedStr(values=values):
            return _formatted(values, scope)
        case ast.Call():
            return _call(node, scope)
    raise no_rule(node)


def _unary(node: ast.UnaryOp, scope: Scope) -> Typed:
    if isinstance(node.op, ast.Not):
        return f"(!{truth(node.operand, scope)})", BOOL
    code, kind = expression(node.operand, scope)
    if isinstance(node.op, ast.USub) and kind in (INT, FLOAT):
        return f"(-{code})", kind
    if isinstance(node.op, ast.Invert) and kind == INT:
        return f"(!{code})", kind
    raise no_rule(node)


def _choice(node: ast.IfExp, scope: Scope) -> Typed:
    one, other = expression(node.body, scope), expression(node.orelse, scope)
    kind = _joined(node, one[1], other[1])
    both = (cast(one, kind), cast(other, kind))
    return f"(if {truth(node.test, scope)} {{ {both[0]} }} else {{ {both[1]} }})", kind


def _listed(node: ast.expr, items: list[Typed]) -> Typed:
    kind: Kind = Unknown()
    for _, each in items:
        kind = _joined(node, kind, each)
    return f"vec![{', '.join(cast(item, kind) for item in items)}]", Seq(kind)


def truth(node: ast.expr, scope: Scope) -> str:
    """Return a condition in Rust: what is a number, text or list is true where it is not empty."""
    code, kind = expression(node, scope)
    match kind:
        case _ if kind == BOOL:
            return code
        case _ if kind == INT:
            return f"({code} != 0)"
        case _ if kind == TEXT or isinstance(kind, Seq):
            return f"(!{code}.is_empty())"
    raise no_rule(node, "a condition of another type")


def condition(node: ast.expr, scope: Scope) -> str:
    """Return an operand of ``and`` or ``or``: only a bool, since Python returns the operand itself."""
    code, kind = expression(node, scope)
    if kind != BOOL:
        raise no_rule(node, "`and` or `or` of what is no bool")
    return code


def cast(typed: Typed, kind: Kind) -> str:
    """Return an expression as another type that holds it."""
    code, own = typed
    return f"({code} as f64)" if own == INT and kind == FLOAT else code


def _joined(node: ast.AST, one: Kind, other: Kind) -> Kind:
    try:
        return joined(one, other)
    except Unmapped as why:
        raise no_rule(node, str(why)) from None


def _constant(node: ast.Constant) -> Typed:
    match node.value:
        case bool() as value:
            return str(value).lower(), BOOL
        case int() as value if value.bit_length() <= MOST_BITS:
            return f"{value}i64", INT
        case float() as value if isfinite(value):
            return f"{value!r}f64", FLOAT
        case str() as value:
            return f"String::from({text(value)})", TEXT
    raise no_rule(node)


def _operation(node: ast.BinOp, scope: Scope) -> Typed:
    one, other = expression(node.left, scope), expression(node.right, scope)
    kinds = {one[1], other[1]}
    operator = type(node.op)
    if kinds <= {INT, FLOAT}:
        kind = FLOAT if FLOAT in kinds else INT
        a, b = cast(one, kind), cast(other, kind)
        if operator in _PLAIN:
            return f"({a} {_PLAIN[operator]} {b})", kind
        if operator is ast.Div:
            return f"divided({cast(one, FLOAT)}, {cast(other, FLOAT)})", FLOAT
        if kind == INT and operator in (ast.FloorDiv, ast.Mod):
            name = "floor_div" if operator is ast.FloorDiv else "floor_mod"
            return f"{name}({a}, {b})", INT
        if kind == INT and operator in _BITS:
            return f"({a} {_BITS[operator]} {b})", INT
        if operator is ast.Pow and isinstance(node.right, ast.Constant) and kind == INT:
            return f"{a}.pow({b} as u32)", INT
    if kinds == {TEXT} and operator is ast.Add:
        return f'format!("{{}}{{}}", {one[0]}, {other[0]})', TEXT
    if operator is ast.Add and isinstance(one[1], Seq) and one[1] == other[1]:
        return f"[{one[0]}, {other[0]}].concat()", one[1]
    if one[1] == TEXT and other[1] == INT and operator is ast.Mult:
        return f"{one[0]}.repeat({other[0]}.max(0) as usize)", TEXT
    raise no_rule(node, f"{operator.__name__} of these types")


def _comparison(node: ast.Compare, scope: Scope) -> Typed:
    parts: list[str] = []
    operands = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        one, other = expression(left, scope), expression(right, scope)
        if isinstance(operator, ast.In | ast.NotIn):
            sign = "!" if isinstance(operator, ast.NotIn) else ""
            if not (isinstance(other[1], Seq) and other[1].of == one[1]) and {one[1], other[1]} != {
                TEXT
            }:
                raise no_rule(node, "`in` of these types")
            asked = f"{one[0]}.as_str()" if one[1] == other[1] == TEXT else f"&{one[0]}"
            parts.append(f"({sign}{other[0]}.contains({asked}))")
            continue
        if type(operator) not in _COMPARE:
            raise no_rule(node, type(operator).__name__)
        kind = _joined(node, one[1], other[1])
        parts.append(f"({cast(one, kind)} {_COMPARE[type(operator)]} {cast(other, kind)})")
    return f"({' && '.join(parts)})" if len(parts) > 1 else parts[0], BOOL


def _index(node: ast.expr, value: ast.expr, index: ast.expr, scope: Scope) -> Typed:
    base, at = expression(value, scope), expression(index, scope)
    if not isinstance(base[1], Seq) or at[1] != INT:
        raise no_rule(node, "an index of this type")
    return f"{{ let xs = {base[0]}; let i = at(xs.len(), {at[0]}); xs[i].clone() }}", base[1].of


def _formatted(values: list[ast.expr], scope: Scope) -> Typed:
    form, given = "", ""
    for part in values:
        match part:
            case ast.Constant(value=str(said)):
                form += (
                    text(said)[1:-1].replace("{", "{{").replace("}", "}}")
                    if "\\u" not in text(said)
                    else said
                )
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                form += "{}"
                given += f", {shown(value, scope)}"
            case _:
                raise no_rule(part, "this format")
    return f'format!("{form}"{given})', TEXT


def shown(node: ast.expr, scope: Scope) -> str:
    """Return a value as ``str()`` writes it.  Raises ``NoRule`` for floats and lists."""
    code, kind = expression(node, scope)
    if kind == BOOL:
        return f'(if {code} {{ "True" }} else {{ "False" }})'
    if kind in (INT, TEXT):
        return code
    raise no_rule(node, "a value that Rust writes otherwise")


def _call(node: ast.Call, scope: Scope) -> Typed:
    if node.keywords or not isinstance(node.func, ast.Name):
        raise no_rule(node, "this call")
    given = [expression(arg, scope) for arg in node.args]
    name = node.func.id
    known = scope.functions.get(name)
    if known is not None and len(given) == len(known.parameters):
        args = ", ".join(
            f"&{cast(arg, kind)}" if kind == TEXT or isinstance(kind, Seq) else cast(arg, kind)
            for arg, (_, kind) in zip(given, known.parameters, strict=True)
        )
        again = '.expect("it fails")' if known.may_fail else ""
        return f"{name_of(name)}({args}){again}", known.returns
    return _builtin(node, name, given)


def _builtin(node: ast.Call, name: str, given: list[Typed]) -> Typed:
    match name, given:
        case "len", [(code, Seq())]:
            return f"({code}.len() as i64)", INT
        case "len", [(code, kind)] if kind == TEXT:
            return f"({code}.chars().count() as i64)", INT
        case "abs", [(code, kind)] if kind in (INT, FLOAT):
            return f"{code}.abs()", kind
        case "min" | "max", [(one, kind), (other, same)] if kind == same and kind in (INT, FLOAT):
            return f"{one}.{name}({other})", kind
        case "min" | "max", [(code, Seq(of))] if of == INT:
            return f'*{code}.iter().{name}().expect("it is empty")', INT
        case "sum", [(code, Seq(of))] if of in (INT, FLOAT):
            return f"{code}.iter().sum::<{'i64' if of == INT else 'f64'}>()", of
        case "sorted", [(code, Seq(of))] if of in (INT, TEXT):
            return f"{{ let mut xs = {code}; xs.sort(); xs }}", Seq(of)
        case "str", [(code, kind)] if kind in (INT, TEXT):
            return f"{code}.to_string()", TEXT
        case "float", [(code, kind)] if kind == INT:
            return f"({code} as f64)", FLOAT
    raise no_rule(node, f"a call of {name}")
