"""What a file looks like that is no model file: told to the person who has it."""

from __future__ import annotations

from assay.visible import plain

HEAD = 512
"""Bytes that are looked at."""

_BEGINS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs.github.com",
        "a pointer of Git LFS: the file itself was not fetched",
    ),
    (b"<!doctype html", "a web page: an address was fetched that needs a login, or does not exist"),
    (b"<html", "a web page: an address was fetched that needs a login, or does not exist"),
    (b"<?xml", "XML"),
    (b"PK\x03\x04", "a ZIP archive: a checkpoint of torch, an .npz or a wheel is one"),
    (b"PK\x05\x06", "a ZIP archive without files"),
    (b"\x89HDF\r\n\x1a\n", "HDF5: weights of Keras"),
    (b"\x93NUMPY", "an array of NumPy"),
    (b"lmgg", "GGML, as before GGUF"),
    (b"fmgg", "GGML, as before GGUF"),
    (b"tjgg", "GGJT, as before GGUF"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program of Windows"),
    (b"#!", "a script"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3", "a database"),
    (b"ORTM", "a model in ONNX Runtime's own format"),
)
_AT: tuple[tuple[int, bytes, str], ...] = (
    (4, b"TFL3", "a model of TensorFlow Lite"),
    (4, b"ORTM", "a model in ONNX Runtime's own format"),
    (257, b"ustar", "a tar archive"),
)


def looks_like(head: bytes) -> str:
    r"""Return what a file seems to be that begins so.

    >>> looks_like(b"PK\x03\x04...")
    'a ZIP archive: a checkpoint of torch, an .npz or a wheel is one'
    >>> looks_like(b"oh no")
    'text: oh no'
    >>> looks_like(b"\x80\x04\x95...")
    'a pickle, which runs code when it is read'
    """
    small = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for begins, what in _BEGINS:
        if head.startswith(begins) or (begins.islower() and small.startswith(begins)):
            return what
    for at, begins, what in _AT:
        if head[at : at + len(begins)] == begins:
            return what
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "a pickle, which runs code when it is read"
    if not head.strip(b"\0"):
        return "nothing but zeros"
    return _text(head) or f"it begins with the bytes {head[:8].hex(' ')}"


def _text(head: bytes) -> str:
    try:
        text = head.decode("utf-8", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return ""
    if any(char < " " and char not in "\r\n\t" for char in text) or not text.strip():
        return ""
    line = plain(text.strip().splitlines()[0][:40])
    return f"{'JSON' if text.lstrip()[:1] in '{[' else 'text'}: {line}"
