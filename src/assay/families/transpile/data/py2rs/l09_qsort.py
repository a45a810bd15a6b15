import ctypes

LIBC = ctypes.CDLL(None)
COMPARE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(ctypes.c_int64)
)


def by_last_digit(a, b) -> int:
    """Compare by last digit, then by value."""
    one, two = (abs(a[0]) % 10, a[0]), (abs(b[0]) % 10, b[0])
    return (one > two) - (one < two)


def digits_sorted(numbers: list[int]) -> list[int]:
    """Return numbers in order of their last digits, sorted by qsort() of the C library."""
    array = (ctypes.c_int64 * len(numbers))(*numbers)
    LIBC.qsort(array, ctypes.c_size_t(len(numbers)), ctypes.c_size_t(8), COMPARE(by_last_digit))
    return list(array)
