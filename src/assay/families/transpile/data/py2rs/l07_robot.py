class Robot:
    """It turns, goes, and remembers where it was."""

    STEPS = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}

    def __init__(self, facing: str) -> None:
        self.x = self.y = 0
        self.facing = facing
        self.seen = {(0, 0)}

    def turn(self, quarters: int) -> None:
        order = "NESW"
        self.facing = order[(order.index(self.facing) + quarters) % 4]

    def go(self, steps: int) -> None:
        dx, dy = self.STEPS[self.facing]
        for _ in range(steps):
            self.x, self.y = self.x + dx, self.y + dy
            self.seen.add((self.x, self.y))

    def obey(self, word: str) -> None:
        if word == "L":
            self.turn(-1)
        elif word == "R":
            self.turn(1)
        else:
            self.go(int(word))


def robot(orders: str) -> str:
    """Return where a robot that faces north comes to, and how many places it has seen."""
    machine = Robot("N")
    for word in orders.split():
        machine.obey(word)
    return f"{machine.x},{machine.y} {machine.facing} {len(machine.seen)}"
