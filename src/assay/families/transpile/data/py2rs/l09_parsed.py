import ctypes

LIBC = ctypes.CDLL(None)
LIBC.strtol.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int]
LIBC.strtol.restype = ctypes.c_long


def number_and_rest(text: str, base: int) -> tuple[int, str]:
    """Return the number that a text begins with, in a base of 2 to 36, and what follows it."""
    if not 2 <= base <= 36:
        raise ValueError(f"there is no base {base}")
    given = text.encode()  # it must live as long as `rest` points into it
    rest = ctypes.c_char_p()
    number = LIBC.strtol(given, ctypes.byref(rest), base)
    return number, (rest.value or b"").decode()
