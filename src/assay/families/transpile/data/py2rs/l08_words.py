import threading


def count(line: str, counts: dict[str, int], lock: threading.Lock) -> None:
    """Count the words of a line into what all threads share."""
    for word in line.lower().split():
        word = word.strip(".,!?")
        if word:
            with lock:
                counts[word] = counts.get(word, 0) + 1


def words(lines: list[str], least: int) -> list[str]:
    """Return the words that occur often enough, a thread for each line, the most frequent first."""
    counts: dict[str, int] = {}
    lock = threading.Lock()
    threads = [threading.Thread(target=count, args=(line, counts, lock)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    often = [(number, word) for word, number in counts.items() if number >= least]
    return [f"{word} {number}" for number, word in sorted(often, key=lambda one: (-one[0], one[1]))]
