def root(square: float) -> float | None:
    """Return a square root, or None of what has none."""
    return square**0.5 if square >= 0 else None


def larger_root(a: float, b: float, c: float) -> float | None:
    """Return the larger solution of ax² + bx + c = 0, or None."""
    if a == 0:
        return None if b == 0 else -c / b
    found = root(b * b - 4 * a * c)
    if found is None:
        return None
    pick = lambda x, y: x if x > y else y
    return pick((-b + found) / (2 * a), (-b - found) / (2 * a))
