def power(base: int, exponent: int, modulus: int) -> int:
    """Return base ** exponent % modulus by squaring, without large numbers."""
    if exponent == 0:
        return 1 % modulus
    half = power(base, exponent // 2, modulus)
    square = half * half % modulus
    return square * base % modulus if exponent % 2 else square
