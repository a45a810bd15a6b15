import ctypes

LIBC = ctypes.CDLL(None)
LIBC.memmove.restype = ctypes.c_void_p
LIBC.memmove.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
LIBC.memset.restype = ctypes.c_void_p
LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def shifted(numbers: list[int], by: int, fill: int) -> list[int]:
    """Return bytes moved to the right in their own memory, with a byte written where they were."""
    if by < 0 or by > len(numbers):
        raise IndexError(f"{len(numbers)} bytes cannot be moved by {by}")
    array = (ctypes.c_uint8 * len(numbers))(*numbers)
    start = ctypes.addressof(array)
    LIBC.memmove(start + by, start, len(numbers) - by)
    LIBC.memset(start, fill, by)
    return list(array)
