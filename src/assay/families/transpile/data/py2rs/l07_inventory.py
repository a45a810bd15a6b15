from abc import ABC, abstractmethod


class Discount(ABC):
    """What takes cents off a price."""

    @abstractmethod
    def off(self, cents: int, count: int) -> int:
        """Return the cents that are taken off."""


class NoDiscount(Discount):
    def off(self, cents: int, count: int) -> int:
        return 0


class Percent(Discount):
    def __init__(self, percent: int) -> None:
        self.percent = percent

    def off(self, cents: int, count: int) -> int:
        return cents * count * self.percent // 100


class EveryNth(Discount):
    def __init__(self, nth: int) -> None:
        self.nth = nth

    def off(self, cents: int, count: int) -> int:
        return count // self.nth * cents


class Cart:
    def __init__(self) -> None:
        self._lines: list[tuple[int, int, Discount]] = []

    def add(self, cents: int, count: int, discount: Discount) -> "Cart":
        self._lines.append((cents, count, discount))
        return self

    def total(self) -> int:
        return sum(cents * count - each.off(cents, count) for cents, count, each in self._lines)


def cart(cents: int, count: int, percent: int, nth: int) -> list[int]:
    """Return what goods cost: plain, with a discount in per cent, with every nth free, all three at once."""
    kinds = [NoDiscount(), Percent(percent), EveryNth(nth)]
    every = Cart()
    totals = []
    for kind in kinds:
        totals.append(Cart().add(cents, count, kind).total())
        every.add(cents, count, kind)
    return [*totals, every.total()]
