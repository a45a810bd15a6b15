def ackermann(m: int, n: int) -> int:
    """Return Ackermann's function: it grows faster than any loop could be nested."""
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))
