from collections.abc import Iterator


def fibonacci() -> Iterator[int]:
    """Yield 0, 1, 1, 2, 3, 5, ... without an end."""
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def even_below(limit: int) -> list[int]:
    """Return the even Fibonacci numbers below a limit."""
    found = []
    for number in fibonacci():
        if number >= limit:
            break
        if number % 2 == 0:
            found.append(number)
    return found
