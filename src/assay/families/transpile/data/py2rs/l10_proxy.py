class Recorder:
    """It has every attribute that is asked for, and writes the questions down."""

    def __init__(self, path: str = "root") -> None:
        self.path = path

    def __getattr__(self, name: str) -> "Recorder":
        return Recorder(f"{self.path}.{name}")

    def __getitem__(self, key: int) -> "Recorder":
        return Recorder(f"{self.path}[{key}]")


def recorded(steps: list[str]) -> str:
    """Return the path that steps lead along: a number is an index, a text the name of an attribute."""
    at = Recorder()
    for step in steps:
        at = at[int(step)] if step.lstrip("-").isdigit() else getattr(at, step or "_")
    return at.path
