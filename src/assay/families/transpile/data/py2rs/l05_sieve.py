def sieve(limit: int) -> list[int]:
    """Return the primes up to and with a limit, by Eratosthenes."""
    crossed = [False] * (limit + 1)
    primes = []
    for number in range(2, limit + 1):
        if crossed[number]:
            continue
        primes.append(number)
        for multiple in range(number * number, limit + 1, number):
            crossed[multiple] = True
    return primes
