class Animal:
    """Every subclass says what it is called, and is found by that."""

    kinds: "dict[str, type[Animal]]" = {}
    sound = "..."

    def __init_subclass__(cls, *, called: str, **more: object) -> None:
        super().__init_subclass__(**more)
        cls.kinds[called] = cls

    @property
    def said(self) -> str:
        return f"{type(self).__name__}: {self.sound}"


class Dog(Animal, called="dog"):
    sound = "woof"


class Puppy(Dog, called="puppy"):
    @property
    def said(self) -> str:
        return super().said.lower()


class Cat(Animal, called="cat"):
    sound = "meow"


class Fish(Animal, called="fish"):
    pass


def sounds(names: list[str]) -> list[str]:
    """Return what animals say; who is not known is an Animal, and says nothing."""
    return [Animal.kinds.get(name, Animal)().said for name in names]
