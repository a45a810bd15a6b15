import ctypes

LIBC = ctypes.CDLL(None)
LIBC.strlen.argtypes = [ctypes.c_char_p]
LIBC.strlen.restype = ctypes.c_size_t


def size(text: str) -> tuple[int, int]:
    """Return the characters of a text, and the bytes that C sees: up to the first zero."""
    return len(text), int(LIBC.strlen(text.encode()))
