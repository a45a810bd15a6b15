def ratio(part: int, whole: int) -> float:
    """Return a share in per cent.

    Raises ZeroDivisionError for a whole of nothing, ValueError for a part that is none.
    """
    if part < 0 or part > whole > 0:
        raise ValueError(f"{part} is no part of {whole}")
    return 100 * part / whole
