class Shape:
    """Something flat."""

    name = "shape"

    def area(self) -> float:
        raise NotImplementedError

    def told(self) -> str:
        return f"{self.name} of {self.area():.2f}"


class Rectangle(Shape):
    name = "rectangle"

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        return self.width * self.height


class Square(Rectangle):
    name = "square"

    def __init__(self, side: float) -> None:
        super().__init__(side, side)


class Circle(Shape):
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return 3.14159 * self.radius**2

    def told(self) -> str:
        return "round " + super().told()


def shapes(sizes: list[list[float]]) -> list[str]:
    """Tell of a circle for each list of one number, of a square or rectangle for two; the largest first."""
    made: list[Shape] = []
    for size in sizes:
        if len(size) == 1:
            made.append(Circle(size[0]))
        elif len(size) != 2:
            raise ValueError(f"no shape has {len(size)} sizes")
        elif size[0] == size[1]:
            made.append(Square(size[0]))
        else:
            made.append(Rectangle(size[0], size[1]))
    return [shape.told() for shape in sorted(made, key=lambda shape: -shape.area())]
