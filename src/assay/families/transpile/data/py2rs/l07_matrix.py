class Matrix:
    """Numbers in rows."""

    def __init__(self, rows: list[list[int]]) -> None:
        self.rows = rows

    @classmethod
    def unit(cls, size: int) -> "Matrix":
        return cls([[int(row == column) for column in range(size)] for row in range(size)])

    def __matmul__(self, other: "Matrix") -> "Matrix":
        columns = list(zip(*other.rows))
        return Matrix(
            [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in self.rows]
        )

    def __pow__(self, exponent: int) -> "Matrix":
        result, square = Matrix.unit(len(self.rows)), self
        while exponent:
            if exponent & 1:
                result = result @ square
            square = square @ square
            exponent >>= 1
        return result


def matrix(rows: list[list[int]], exponent: int) -> list[list[int]]:
    """Return a power of a square matrix."""
    if any(len(row) != len(rows) for row in rows):
        raise ValueError("not square")
    return (Matrix(rows) ** exponent).rows
