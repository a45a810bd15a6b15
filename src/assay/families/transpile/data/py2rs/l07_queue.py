class Heap:
    """Numbers of which the smallest is always first."""

    def __init__(self) -> None:
        self._items: list[int] = []

    def __len__(self) -> int:
        return len(self._items)

    def push(self, item: int) -> None:
        items = self._items
        items.append(item)
        at = len(items) - 1
        while at > 0 and items[at] < items[(at - 1) // 2]:
            above = (at - 1) // 2
            items[at], items[above] = items[above], items[at]
            at = above

    def pop(self) -> int:
        items = self._items
        first, last = items[0], items.pop()
        if items:
            items[0] = last
            at = 0
            while 2 * at + 1 < len(items):
                child = 2 * at + 1
                if child + 1 < len(items) and items[child + 1] < items[child]:
                    child += 1
                if items[at] <= items[child]:
                    break
                items[at], items[child] = items[child], items[at]
                at = child
        return first


def smallest(numbers: list[int], size: int) -> list[int]:
    """Return the smallest numbers of a list, in order, by way of a heap."""
    heap = Heap()
    for number in numbers:
        heap.push(number)
    return [heap.pop() for _ in range(min(size, len(heap)))]
