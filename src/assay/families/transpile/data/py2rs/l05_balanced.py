def balanced(text: str) -> int:
    """Return where the first bracket stands that has no partner; -1 when all have one."""
    opened: list[tuple[str, int]] = []
    for at, letter in enumerate(text):
        match letter:
            case "(" | "[" | "{":
                opened.append((letter, at))
            case ")" | "]" | "}":
                if not opened or opened[-1][0] + letter not in ("()", "[]", "{}"):
                    return at
                opened.pop()
            case _:
                pass
    return opened[0][1] if opened else -1
