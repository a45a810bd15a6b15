class Fraction:
    """A ratio of whole numbers in lowest terms, its sign above."""

    def __init__(self, above: int, below: int) -> None:
        if below == 0:
            raise ZeroDivisionError("a fraction of nothing")
        shared, rest = abs(above), abs(below)
        while rest:
            shared, rest = rest, shared % rest
        sign = -1 if below < 0 else 1
        self.above = sign * above // shared
        self.below = sign * below // shared

    def __add__(self, other: "Fraction") -> "Fraction":
        return Fraction(
            self.above * other.below + other.above * self.below, self.below * other.below
        )

    def __mul__(self, other: "Fraction") -> "Fraction":
        return Fraction(self.above * other.above, self.below * other.below)

    def __lt__(self, other: "Fraction") -> bool:
        return self.above * other.below < other.above * self.below

    def __str__(self) -> str:
        return str(self.above) if self.below == 1 else f"{self.above}/{self.below}"


def fraction(a: int, b: int, c: int, d: int) -> str:
    """Return a/b + c/d, their product, and which of them is smaller."""
    one, two = Fraction(a, b), Fraction(c, d)
    return f"{one + two} {one * two} {min(one, two)}"
