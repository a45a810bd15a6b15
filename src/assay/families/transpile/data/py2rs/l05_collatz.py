def collatz(start: int) -> list[int]:
    """Return the numbers from a start to 1: halved when even, else three times and one."""
    path = [start]
    while start > 1:
        start = start // 2 if start % 2 == 0 else 3 * start + 1
        path.append(start)
    return path
