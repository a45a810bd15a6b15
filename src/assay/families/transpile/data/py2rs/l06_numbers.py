def numbers(words: list[str]) -> tuple[int, list[str]]:
    """Return the sum of the words that are whole numbers, and the words that are none."""
    total = 0
    others = []
    for word in words:
        try:
            total += int(word)
        except ValueError:
            others.append(word)
    return total, others
