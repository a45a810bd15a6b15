import asyncio


async def squared(number: int) -> int:
    """Square a number, after others have had their turn."""
    await asyncio.sleep(0)
    return number * number


async def all_squared(numbers: list[int]) -> list[int]:
    return list(await asyncio.gather(*(squared(number) for number in numbers)))


def squares(numbers: list[int]) -> list[int]:
    """Return the squares of numbers, in their order, computed side by side."""
    return asyncio.run(all_squared(numbers))
