import asyncio


async def player(
    name: str, turns: int, mine: asyncio.Event, next_one: asyncio.Event, log: list[str]
) -> None:
    """Write a line whenever it is my turn, then give the turn away."""
    for turn in range(1, turns + 1):
        await mine.wait()
        mine.clear()
        log.append(f"{name}{turn}")
        next_one.set()


async def game(names: list[str], turns: int) -> list[str]:
    events = [asyncio.Event() for _ in names]
    log: list[str] = []
    events[0].set()
    async with asyncio.TaskGroup() as group:
        for at, name in enumerate(names):
            following = events[(at + 1) % len(names)]
            group.create_task(player(name, turns, events[at], following, log))
    return log


def turns_taken(names: list[str], turns: int) -> str:
    """Return who played when: players take turns, and nobody plays before their turn."""
    return " ".join(asyncio.run(game(names, turns))) if names else "nobody"
