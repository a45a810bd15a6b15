import threading


class Counter:
    """A sum that many threads add to."""

    def __init__(self) -> None:
        self.value = 0
        self.most = 0
        self._lock = threading.Lock()

    def add(self, amount: int, times: int) -> None:
        for _ in range(times):
            with self._lock:
                self.value += amount
                self.most = max(self.most, amount)


def counter(amounts: list[int], times: int) -> tuple[int, int]:
    """Let a thread add each amount a number of times; return the sum, and the largest amount (or 0)."""
    shared = Counter()
    threads = [threading.Thread(target=shared.add, args=(amount, times)) for amount in amounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return shared.value, shared.most
