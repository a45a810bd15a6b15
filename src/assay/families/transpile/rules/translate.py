"""Python programs as Rust, statement by statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..cases.kinds import BOOL, FLOAT, INT, NOTHING, TEXT, Kind, Plain, Seq, Unknown, of_annotation
from ..cases.signature import SCRIPT
from ..cases.spelling import name_of, parameter_of, text, type_of
from ..levels import parsed
from .expressions import PRELUDE, cast, expression, shown, truth
from .scope import Function, Scope, no_rule

_START = {INT: "0i64", FLOAT: "0.0f64", BOOL: "false", TEXT: "String::new()"}


def translate(source: str, signature: str) -> str:
    r"""Return a Python program in Rust, with the function that the signature names as it wants it.

    Raises ``NoRule`` for the first construct that there is no rule for; ``DataError`` A200 for what is
    no Python.

    >>> print(translate("def twice(n: int) -> int:\n    return 2 * n", "pub fn twice(n: i64) -> i64").splitlines()[-3])
        return (2i64 * n.clone());

    *Not to be trusted as* a compiler: it knows no aliases, so that a list which two names share is two.
    """
    body = parsed(source).body
    functions: dict[str, Function] = {}
    rest: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.FunctionDef):
            may_fail = f"fn {name_of(node.name)}(" in signature and "-> Result<" in signature
            functions[node.name] = _head(node, may_fail=may_fail)
        elif not _says_nothing(node):
            rest.append(node)
    if not functions:
        return f"{PRELUDE}\n{_script(rest)}"
    if rest:
        raise no_rule(rest[0], "a statement outside of functions")
    made = [_function(node, functions) for node in body if isinstance(node, ast.FunctionDef)]
    return "\n".join([PRELUDE, *made])


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is an import of types, or a text that nobody reads."""
    match node:
        case ast.ImportFrom(module="__future__" | "typing") | ast.Pass():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
    return False


def _head(node: ast.FunctionDef, *, may_fail: bool) -> Function:
    at = node.args
    if node.decorator_list or at.vararg or at.kwarg or at.kwonlyargs or at.defaults:
        raise no_rule(node, "decorators, defaults, or arguments by name")
    parameters = tuple((arg.arg, of_annotation(arg.annotation)) for arg in at.args)
    returns = of_annotation(node.returns)
    if any(not _has_rules(kind) for _, kind in parameters) or not _has_rules(returns):
        raise no_rule(node, "a type without rules, or no type")
    return Function(name=node.name, parameters=parameters, returns=returns, may_fail=may_fail)


def _has_rules(kind: Kind) -> bool:
    if isinstance(kind, Seq):
        return _has_rules(kind.of)
    return kind in (INT, FLOAT, BOOL, TEXT, NOTHING)


def _function(node: ast.FunctionDef, functions: dict[str, Function]) -> str:
    head = functions[node.name]
    scope = Scope(functions=functions, inside=head, kinds=dict(head.parameters))
    given = ", ".join(f"{name_of(name)}: {parameter_of(kind)}" for name, kind in head.parameters)
    own = [
        f"    let mut {name_of(name)}: {type_of(kind)} = {name_of(name)}.to_owned();"
        for name, kind in head.parameters
    ]
    returned = type_of(head.returns)
    lines = list(_block(node.body, scope, "    "))
    declared = list(_declared(scope, head))
    last = "    unreachable!()" if head.returns != NOTHING or head.may_fail else ""
    wanted = f"Result<{returned}, String>" if head.may_fail else returned
    return "\n".join(
        [
            "#[allow(unused_mut, unused_variables, unreachable_code, unused_assignments, unused_parens)]",
            f"pub fn {name_of(head.name)}({given}) -> {wanted} {{",
            *own,
            *declared,
            *lines,
            *([last] if last else []),
            "}",
        ]
    )


def _declared(scope: Scope, head: Function | None) -> Iterator[str]:
    """Yield the variables of a function: Python knows them everywhere in it."""
    given = {name for name, _ in head.parameters} if head else set()
    for name, kind in scope.kinds.items():
        if name not in given:
            start = _START[kind] if isinstance(kind, Plain) else "Vec::new()"
            yield f"    let mut {name_of(name)}: {type_of(kind)} = {start};"


def _script(body: list[ast.stmt]) -> str:
    scope = Scope(functions={}, inside=None)
    lines = list(_block(body, scope, "    "))
    return "\n".join(
        [
            "#[allow(unused_mut, unused_assignments, unused_parens)]",
            f"pub fn {SCRIPT}() -> String {{",
            "    let mut printed = String::new();",
            *_declared(scope, None),
            *lines,
            "    printed",
            "}",
        ]
    )


def _block(body: list[ast.stmt], scope: Scope, indent: str) -> Iterator[str]:
    for node in body:
        if not _says_nothing(node):
            yield from _statement(node, scope, indent)


def _statement(node: ast.stmt, scope: Scope, indent: str) -> Iterator[str]:
    deeper = indent + "    "
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            yield f"{indent}if {truth(test, scope)} {{"
            yield from _block(body, scope, deeper)
            if orelse:
                yield f"{indent}}} else {{"
                yield from _block(orelse, scope, deeper)
            yield f"{indent}}}"
        case ast.While(test=test, body=body, orelse=[]):
            yield f"{indent}while {truth(test, scope)} {{"
            yield from _block(body, scope, deeper)
            yield f"{indent}}}"
        case ast.For(target=ast.Name(id=name), iter=over, body=body, orelse=[]):
            yield from _loop(node, name, over, scope, indent)
            yield from _block(body, scope, deeper)
            yield f"{indent}}}"
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            yield from _unpacked(node, names, values, scope, indent)
        case _:
            yield f"{indent}{_line(node, scope)}"


def _line(node: ast.stmt, scope: Scope) -> str:
    """Return a statement that has no block in one line of Rust."""
    match node:
        case ast.Return(value=value):
            return f"return {_returned(node, value, scope)};"
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return _assigned(node, name, value, scope)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return _assigned(node, name, value, scope, of_annotation(node.annotation))
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
            load = ast.Name(id=name, ctx=ast.Load(), lineno=target.lineno)
            whole = ast.BinOp(left=load, op=op, right=value, lineno=node.lineno)
            return _assigned(node, name, whole, scope)
        case ast.Break() | ast.Continue():
            return f"{type(node).__name__.lower()};"
        case ast.Raise(exc=raised):
            return _raised(raised, scope)
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=args, keywords=[])):
            return _printed(node, args, scope)
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])
        ):
            return _appended(node, name, item, scope)
    raise no_rule(node)


def _printed(node: ast.stmt, args: list[ast.expr], scope: Scope) -> str:
    if scope.inside is not None:
        raise no_rule(node, "print in a function")
    form = " ".join("{}" for _ in args)
    given = "".join(f", {shown(arg, scope)}" for arg in args)
    return f'printed.push_str(&format!("{form}\\n"{given}));'


def _unpacked(
    node: ast.stmt, names: list[ast.expr], values: list[ast.expr], scope: Scope, indent: str
) -> Iterator[str]:
    """Yield ``a, b = b, a``: every value is taken before any name changes."""
    if len(names) != len(values) or not all(isinstance(name, ast.Name) for name in names):
        raise no_rule(node, "this assignment")
    kept = [f"kept_{k}" for k in range(len(values))]
    yield f"{indent}{{"
    for name, value in zip(kept, values, strict=True):
        yield f"{indent}    let {name} = {expression(value, scope)[0]};"
    for target, name, value in zip(names, kept, values, strict=True):
        told = _assigned(node, getattr(target, "id", ""), value, scope)
        left, _, right = told.partition(" = ")
        as_float = " as f64" if right.endswith(" as f64);") else ""
        yield f"{indent}    {left} = {name}{as_float};"
    yield f"{indent}}}"


def _returned(node: ast.Return, value: ast.expr | None, scope: Scope) -> str:
    if scope.inside is None:
        raise no_rule(node, "return outside of a function")
    head = scope.inside
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        code = "()" if head.returns == NOTHING else ""
    else:
        typed = expression(value, scope)
        code = cast(typed, head.returns) if _fits(typed[1], head.returns) else ""
    if not code:
        raise no_rule(node, "another type than the function returns")
    return f"Ok({code})" if head.may_fail else code


def _fits(own: Kind, wanted: Kind) -> bool:
    if isinstance(own, Seq) and isinstance(wanted, Seq):
        return isinstance(own.of, Unknown) or own == wanted
    return own == wanted or (own, wanted) == (INT, FLOAT)


def _assigned(
    node: ast.stmt, name: str, value: ast.expr, scope: Scope, said: Kind | None = None
) -> str:
    typed = expression(value, scope)
    known = scope.kinds.get(name)
    kind = known or (said if said is not None and _has_rules(said) else typed[1])
    if known is not None and isinstance(known, Seq) and isinstance(known.of, Unknown):
        kind = typed[1]
    if not _fits(typed[1], kind) or not (_has_rules(kind) or kind == Seq(Unknown())):
        raise no_rule(node, f"{name} becomes another type")
    scope.kinds[name] = kind
    return f"{name_of(name)} = {cast(typed, kind)};"


def _appended(node: ast.stmt, name: str, item: ast.expr, scope: Scope) -> str:
    kind, typed = scope.kinds.get(name), expression(item, scope)
    if not isinstance(kind, Seq):
        raise no_rule(node, "append to what is no list")
    if isinstance(kind.of, Unknown):
        kind = scope.kinds[name] = Seq(typed[1])
    if not _fits(typed[1], kind.of):
        raise no_rule(node, "append of another type")
    return f"{name_of(name)}.push({cast(typed, kind.of)});"


def _loop(node: ast.For, name: str, over: ast.expr, scope: Scope, indent: str) -> Iterator[str]:
    """Yield the head of a loop.  The variable outlives it, as in Python."""
    kind: Kind = INT
    if isinstance(over, ast.Call) and getattr(over.func, "id", "") == "range" and not over.keywords:
        bounds = [expression(arg, scope) for arg in over.args]
        if any(kind != INT for _, kind in bounds) or not 1 <= len(bounds) <= 2:
            raise no_rule(node, "range with a step")
        first, last = ("0i64", bounds[0][0]) if len(bounds) == 1 else (bounds[0][0], bounds[1][0])
        source = f"{first}..{last}"
    else:
        code, listed = expression(over, scope)
        if not isinstance(listed, Seq) or not _has_rules(listed):
            raise no_rule(node, "a loop over this")
        source, kind = code, listed.of
    if scope.kinds.setdefault(name, kind) != kind:
        raise no_rule(node, f"{name} becomes another type")
    yield f"{indent}for each_{name} in {source} {{"
    yield f"{indent}    {name_of(name)} = each_{name};"


def _raised(raised: ast.expr | None, scope: Scope) -> str:
    said = "it fails"
    if isinstance(raised, ast.Call) and len(raised.args) == 1:
        [arg] = raised.args
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            said = arg.value
    if scope.inside is not None and scope.inside.may_fail:
        return f"return Err(String::from({text(said)}));"
    return f'panic!("{{}}", {text(said)});'
