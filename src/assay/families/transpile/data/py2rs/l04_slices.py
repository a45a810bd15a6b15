def slices(items: list[int]) -> list[list[int]]:
    """Return a list cut in several ways: ends, middle, every second, backwards."""
    middle = len(items) // 2
    return [items[:2], items[-2:], items[middle:], items[1:-1], items[::2], items[::-1]]
