class Bounded:
    """An attribute that keeps numbers between two others, and counts how often it had to."""

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.clamped = 0

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    def __get__(self, thing: object, owner: type) -> int:
        return thing.__dict__.get(self.name, self.low)

    def __set__(self, thing: object, value: int) -> None:
        kept = max(self.low, min(self.high, value))
        self.clamped += kept != value
        thing.__dict__[self.name] = kept


def bounded(low: int, high: int, values: list[int]) -> list[int]:
    """Return what an attribute holds before and after each value is set, and how often it clamped."""
    if low > high:
        raise ValueError("nothing is between them")
    limit = Bounded(low, high)
    made = type("Dial", (), {"level": limit})
    dial = made()
    seen = [dial.level]
    for value in values:
        setattr(dial, "level", value)
        seen.append(dial.level)
    return [*seen, limit.clamped]
