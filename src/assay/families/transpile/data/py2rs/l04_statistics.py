def statistics(values: list[float]) -> tuple[float, float, float] | None:
    """Return mean, median and variance (of the whole); None of nothing."""
    if not values:
        return None
    count = len(values)
    mean = sum(values) / count
    ordered = sorted(values)
    median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    variance = sum((value - mean) ** 2 for value in values) / count
    return mean, median, variance
