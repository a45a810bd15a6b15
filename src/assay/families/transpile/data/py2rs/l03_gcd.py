def gcd(a: int, b: int) -> int:
    """Return the greatest common divisor, by Euclid; never negative."""
    if b == 0:
        return abs(a)
    return gcd(b, a % b)
