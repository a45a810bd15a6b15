import ast


class OnlyNumbers(ast.NodeVisitor):
    """Refuse whatever is no arithmetic."""

    def generic_visit(self, node: ast.AST) -> None:
        allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop)
        if not isinstance(node, allowed) or isinstance(node, ast.Pow):
            raise ValueError(f"{type(node).__name__} is not allowed")
        super().generic_visit(node)


def evaluated(expression: str) -> int:
    """Return the value of + - * over whole numbers and parentheses, as Python itself computes it.

    Raises ValueError for anything else, SyntaxError for what is no expression.
    """
    tree = ast.parse(expression, mode="eval")
    OnlyNumbers().visit(tree)
    return int(eval(compile(tree, "<expression>", "eval")))
