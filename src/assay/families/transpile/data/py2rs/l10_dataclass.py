from dataclasses import dataclass, field, replace


@dataclass(order=True, frozen=True)
class Version:
    """A version as semver has it: compared by its numbers, not by its note."""

    major: int
    minor: int = 0
    patch: int = 0
    note: str = field(default="", compare=False)

    @classmethod
    def read(cls, text: str) -> "Version":
        numbers, _, note = text.partition("-")
        return cls(*(int(part) for part in numbers.split(".")), note=note)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.note}" if self.note else "")


def next_versions(texts: list[str]) -> list[str]:
    """Return versions in order, then what follows the last: a patch, a minor, a major version."""
    known = sorted(map(Version.read, texts))
    if not known:
        return []
    last = known[-1]
    following = [
        replace(last, patch=last.patch + 1, note=""),
        replace(last, minor=last.minor + 1, patch=0, note=""),
        Version(last.major + 1),
    ]
    return [str(version) for version in known + following]
