import ctypes

LIBC = ctypes.CDLL(None)


def shout(text: str, loud: bool) -> str:
    """Return a text in capitals or small letters, byte by byte: C knows those of ASCII only."""
    change = LIBC.toupper if loud else LIBC.tolower
    changed = bytes(change(byte) & 0xFF for byte in text.encode())
    return changed.decode()
