def transpose(rows: list[list[int]]) -> list[list[int]]:
    """Return a matrix with rows and columns exchanged; rows that are longer are cut."""
    return [list(column) for column in zip(*rows)]
