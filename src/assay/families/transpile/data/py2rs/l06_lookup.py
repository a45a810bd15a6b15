def lookup(tree: dict[str, str], name: str) -> str:
    """Return the root that a name leads to, parent by parent.

    Raises KeyError for a name that nobody knows, RecursionError for a ring.
    """
    steps = 0
    try:
        while tree[name] != "":
            name = tree[name]
            steps += 1
            if steps > len(tree):
                raise RecursionError(name)
    except KeyError as missing:
        raise KeyError(f"after {steps} steps") from missing
    return f"{name} after {steps}"
