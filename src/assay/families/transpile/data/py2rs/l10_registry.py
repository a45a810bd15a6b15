class Registry(type):
    """A metaclass that knows every class it makes, by the unit that it is of."""

    known: "dict[str, Registry]" = {}

    def __new__(mcs, name, bases, namespace):
        made = super().__new__(mcs, name, bases, namespace)
        for unit in namespace.get("units", ()):
            mcs.known[unit] = made
        return made


class Unit(metaclass=Registry):
    units: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()

    @classmethod
    def base(cls, amount: float, unit: str) -> float:
        return amount * cls.factors[cls.units.index(unit)]


class Length(Unit):
    units = ("m", "km", "ft")
    factors = (1.0, 1000.0, 0.3048)


class Mass(Unit):
    units = ("g", "kg", "lb")
    factors = (1.0, 1000.0, 453.59237)


def convert(amount: float, source: str, target: str) -> float:
    """Return an amount in another unit.

    Raises KeyError for a unit that nobody knows, TypeError for units of different kinds.
    """
    kind = Registry.known[source]
    if Registry.known[target] is not kind:
        raise TypeError(f"{source} and {target} measure different things")
    return kind.base(amount, source) / kind.base(1.0, target)
