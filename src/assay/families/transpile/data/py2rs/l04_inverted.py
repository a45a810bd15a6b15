def inverted(index: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return which pages a word is on, from the words of each page; pages in order."""
    words = {word for page in index.values() for word in page}
    return {word: sorted(page for page in index if word in index[page]) for word in words}
