def histogram(text: str) -> dict[str, int]:
    """Return how often each letter occurs, whatever its case."""
    letters = [c.lower() for c in text if c.isalpha()]
    return {letter: letters.count(letter) for letter in letters}
