def spiral(rows: list[list[int]]) -> list[int]:
    """Return the numbers of a matrix from outside to inside, clockwise; of rows that differ in length, nothing."""
    if any(len(row) != len(rows[0]) for row in rows):
        return []
    seen = []
    top, bottom, left, right = 0, len(rows) - 1, 0, (len(rows[0]) if rows else 0) - 1
    while top <= bottom and left <= right:
        for column in range(left, right + 1):
            seen.append(rows[top][column])
        for row in range(top + 1, bottom + 1):
            seen.append(rows[row][right])
        if top < bottom and left < right:
            for column in range(right - 1, left - 1, -1):
                seen.append(rows[bottom][column])
            for row in range(bottom - 1, top, -1):
                seen.append(rows[row][left])
        top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
    return seen
