from concurrent.futures import ThreadPoolExecutor


def divisors(number: int) -> int:
    """Return how many numbers divide a number."""
    return sum(1 for part in range(1, number + 1) if number % part == 0)


def most_divisors(numbers: list[int], workers: int) -> tuple[int, list[int]]:
    """Return the first number with the most divisors (0 of none), and the divisors of each."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        counts = list(pool.map(divisors, numbers))
    if not counts:
        return 0, []
    return numbers[counts.index(max(counts))], counts
