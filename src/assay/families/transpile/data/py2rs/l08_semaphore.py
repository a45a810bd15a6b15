import asyncio


class Gauge:
    """How many are inside at once, and how many at most."""

    def __init__(self) -> None:
        self.inside = 0
        self.peak = 0

    def __enter__(self) -> None:
        self.inside += 1
        self.peak = max(self.peak, self.inside)

    def __exit__(self, *error: object) -> None:
        self.inside -= 1


async def visit(door: asyncio.Semaphore, gauge: Gauge, steps: int) -> int:
    async with door:
        with gauge:
            for _ in range(steps):
                await asyncio.sleep(0)
    return steps


async def open_doors(visitors: list[int], places: int) -> tuple[int, int]:
    door, gauge = asyncio.Semaphore(places), Gauge()
    stayed = await asyncio.gather(*(visit(door, gauge, steps) for steps in visitors))
    return sum(stayed), gauge.peak


def crowd(visitors: list[int], places: int) -> tuple[int, int]:
    """Return the steps of all visitors (each stays at least one), and the most that were inside at once."""
    if places < 1:
        raise ValueError("there is no room")
    return asyncio.run(open_doors([max(1, steps) for steps in visitors], places))
