import ctypes


class Parts(ctypes.LittleEndianStructure):
    """A float of 32 bits: mantissa, exponent, sign."""

    _fields_ = [
        ("mantissa", ctypes.c_uint32, 23),
        ("exponent", ctypes.c_uint32, 8),
        ("sign", ctypes.c_uint32, 1),
    ]


class Both(ctypes.Union):
    """The same four bytes, seen in two ways."""

    _fields_ = [("number", ctypes.c_float), ("parts", Parts)]


def float_parts(number: float) -> tuple[bool, int, int]:
    """Return whether a float has a minus sign, its exponent of 2, and the bits of its mantissa."""
    both = Both(number=number)
    return bool(both.parts.sign), both.parts.exponent - 127, both.parts.mantissa
