import ctypes

LIBM = ctypes.CDLL(None)
for name in ("pow", "sqrt", "fmod"):
    function = getattr(LIBM, name)
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_double] * (1 if name == "sqrt" else 2)


def powers(base: float, exponent: float, divisor: float) -> list[float]:
    """Return base ** exponent, its square root, and its remainder, which has the sign of the power."""
    power = LIBM.pow(base, exponent)
    return [power, LIBM.sqrt(abs(power)), LIBM.fmod(power, divisor)]
