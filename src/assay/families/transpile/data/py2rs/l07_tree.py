class Node:
    """A number, and what is smaller and larger than it."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.left: Node | None = None
        self.right: Node | None = None


class Tree:
    """Numbers in order, each once."""

    def __init__(self) -> None:
        self.root: Node | None = None

    def add(self, value: int) -> bool:
        """Return whether it was not there."""
        if self.root is None:
            self.root = Node(value)
            return True
        node = self.root
        while node.value != value:
            side = "left" if value < node.value else "right"
            below = node.left if side == "left" else node.right
            if below is None:
                if side == "left":
                    node.left = Node(value)
                else:
                    node.right = Node(value)
                return True
            node = below
        return False

    def depth(self) -> int:
        def of(node: Node | None) -> int:
            return 0 if node is None else 1 + max(of(node.left), of(node.right))

        return of(self.root)

    def ordered(self) -> list[int]:
        def of(node: Node | None) -> list[int]:
            return [] if node is None else [*of(node.left), node.value, *of(node.right)]

        return of(self.root)


def tree(numbers: list[int]) -> tuple[list[int], int, int]:
    """Return numbers in order, the depth of their tree, and how many came twice."""
    grown = Tree()
    twice = sum(not grown.add(number) for number in numbers)
    return grown.ordered(), grown.depth(), twice
