def area(a: float, b: float, c: float) -> float:
    """Return the area of a triangle by Heron's formula; 0.0 where no such triangle exists."""
    half = (a + b + c) / 2
    product = half * (half - a) * (half - b) * (half - c)
    return product**0.5 if product > 0 else 0.0


def kind(a: float, b: float, c: float) -> str:
    """Return what sort of triangle it is, with its area."""
    size = area(a, b, c)
    if size == 0.0:
        return "none"
    if a == b == c:
        name = "equilateral"
    elif a == b or b == c or a == c:
        name = "isosceles"
    else:
        name = "scalene"
    return f"{name} {size:.3f}"
