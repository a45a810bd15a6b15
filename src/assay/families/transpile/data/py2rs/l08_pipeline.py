import queue
import threading


def stage(read: "queue.Queue[int | None]", write: "queue.Queue[int | None]", factor: int) -> None:
    """Multiply what comes, drop what is odd, until None comes."""
    while (item := read.get()) is not None:
        if item % 2 == 0:
            write.put(item * factor + 1)
        else:
            write.put(item - 1)
    write.put(None)


def pipeline(numbers: list[int], factors: list[int]) -> list[int]:
    """Send numbers through one thread for each factor, and return what comes out at the end."""
    queues: list[queue.Queue[int | None]] = [queue.Queue() for _ in range(len(factors) + 1)]
    threads = [
        threading.Thread(target=stage, args=(queues[at], queues[at + 1], factor))
        for at, factor in enumerate(factors)
    ]
    for thread in threads:
        thread.start()
    for number in numbers:
        queues[0].put(number)
    queues[0].put(None)
    found = []
    while (item := queues[-1].get()) is not None:
        found.append(item)
    for thread in threads:
        thread.join()
    return found
