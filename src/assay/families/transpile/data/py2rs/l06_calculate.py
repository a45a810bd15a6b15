def calculate(expression: str) -> int:
    """Return the value of an expression in reverse Polish notation: `2 3 +` is 5.

    Raises ValueError for what is no such expression, ZeroDivisionError as `//` does.
    """
    stack: list[int] = []
    for word in expression.split():
        if word in ("+", "-", "*", "//"):
            try:
                right, left = stack.pop(), stack.pop()
            except IndexError:
                raise ValueError(f"{word} lacks a number") from None
            if word == "+":
                stack.append(left + right)
            elif word == "-":
                stack.append(left - right)
            elif word == "*":
                stack.append(left * right)
            else:
                stack.append(left // right)
        else:
            stack.append(int(word))
    if len(stack) != 1:
        raise ValueError(f"{len(stack)} numbers are left")
    return stack[0]
