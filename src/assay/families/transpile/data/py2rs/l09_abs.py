import ctypes

LIBC = ctypes.CDLL(None)
LIBC.abs.argtypes = [ctypes.c_int]
LIBC.abs.restype = ctypes.c_int


def distance(a: int, b: int) -> int:
    """Return how far two numbers are from each other, as abs() of the C library says it in 32 bits."""
    return int(LIBC.abs(a - b))
