from functools import cache


@cache
def ways(amount: int, largest: int) -> int:
    """Return in how many ways coins of 1, 2, 5, ... up to the largest make an amount."""
    if amount == 0:
        return 1
    if amount < 0 or largest < 1:
        return 0
    smaller = {50: 20, 20: 10, 10: 5, 5: 2, 2: 1, 1: 0}[largest]
    return ways(amount - largest, largest) + ways(amount, smaller)


def change_ways(amount: int) -> int:
    """Return in how many ways an amount can be paid with coins of 1, 2, 5, 10, 20 and 50."""
    return ways(amount, 50)
