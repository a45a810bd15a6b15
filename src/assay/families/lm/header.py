"""What the head of a GGUF file says, read in a moment: the file is not loaded.

*Covered*: a file that is cut short or whose head is nonsense is told before llama.cpp opens it.
*Not covered*: damage of the weights; only the digest tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import Struct, error
from typing import TypeAlias

from assay import PluginError

_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i",
    6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRUCTS = {kind: Struct(code) for kind, code in _SCALARS.items()}
_TEXT, _ARRAY = 8, 9
_U32, _U64 = _STRUCTS[4], _STRUCTS[10]

_LONGEST = 2**24
"""Bytes of one text, entries of the head: no real file has more."""

Value: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The metadata of a GGUF file, lists left out."""

    values: dict[str, Value]

    @property
    def chat_template(self) -> str | None:
        """The Jinja template by which messages become a prompt; None when the file has none."""
        found = self.values.get("tokenizer.chat_template")
        return found if isinstance(found, str) and found else None

    def number(self, key: str) -> int | None:
        """Return a whole number."""
        found = self.values.get(key)
        return found if isinstance(found, int) else None

    def of_architecture(self, key: str) -> int | None:
        """Return a whole number of the model's own architecture (``block_count``)."""
        return self.number(f"{self.values.get('general.architecture')}.{key}")

    @property
    def kv_bytes(self) -> int | None:
        """Bytes of the keys and values of one token in 16 bits; None when the file does not say."""
        layers, heads = (self.of_architecture(k) for k in ("block_count", "attention.head_count"))
        width = self.of_architecture("embedding_length")
        if layers is None or heads is None or width is None or heads == 0:
            return None
        shared = self.of_architecture("attention.head_count_kv") or heads
        keys = self.of_architecture("attention.key_length") or width // heads
        values = self.of_architecture("attention.value_length") or keys
        return layers * shared * (keys + values) * 2


def read_header(path: Path) -> Header:
    """Return the head of a GGUF file.

    Raises ``PluginError`` A403 when it is no GGUF file, or cut short.  The format:
    github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
    """
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return _Reader(data).header()
    except (error, IndexError, ValueError, OverflowError) as problem:
        why = "it is cut short" if isinstance(problem, error) else problem
        raise PluginError(
            f"the file is not a whole GGUF model: {why}",
            where=str(path),
            hint="fetch the file again and compare its size and sha256",
            code="A403",
        ) from None


class _Reader:
    def __init__(self, data: mmap) -> None:
        self.data, self.at = data, 0

    def header(self) -> Header:
        if self.data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self.at = 4
        version = self.number(_U32)
        if version not in (2, 3):
            raise ValueError(f"its version is {version}")
        tensors, entries = self.number(_U64), self.number(_U64)
        if max(tensors, entries) > _LONGEST:
            raise ValueError("its head makes no sense")
        values: dict[str, Value] = {}
        for _ in range(entries):
            name = self.text()
            values[name] = self.value(self.number(_U32))
        last = max((self.tensor() for _ in range(tensors)), default=0)
        alignment = values.get("general.alignment", 32)
        start = self.at + (-self.at) % (alignment if isinstance(alignment, int) else 32)
        if start + last >= len(self.data):
            raise ValueError("it is cut short")
        return Header(values=values)

    def number(self, code: Struct) -> int:
        (found,) = code.unpack_from(self.data, self.at)
        self.at += code.size
        return int(found)

    def text(self) -> str:
        size = self.number(_U64)
        if size > _LONGEST or self.at + size > len(self.data):
            raise ValueError("it is cut short, or its head makes no sense")
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def value(self, kind: int) -> Value:
        if kind == _TEXT:
            return self.text()
        if kind == _ARRAY:
            self.skip_list()
            return None
        if kind not in _STRUCTS:
            raise ValueError(f"its head has a value of the unknown kind {kind}")
        code = _STRUCTS[kind]
        (found,) = code.unpack_from(self.data, self.at)
        self.at += code.size
        return found  # type: ignore[no-any-return]  # a number or a truth value, by the table

    def skip_list(self) -> None:
        kind, count = self.number(_U32), self.number(_U64)
        if count > _LONGEST:
            raise ValueError("its head makes no sense")
        if kind in _STRUCTS:
            self.at += count * _STRUCTS[kind].size
        elif kind == _TEXT:
            data, at, unpack = self.data, self.at, _U64.unpack_from
            for _ in range(count):  # hundreds of thousands: the words of a vocabulary
                at += 8 + unpack(data, at)[0]
            self.at = at
        else:
            raise ValueError(f"its head has a list of the unknown kind {kind}")

    def tensor(self) -> int:
        """Skip what is said of a tensor, and return where its weights begin."""
        self.text()
        shape = self.number(_U32)
        self.at += 8 * shape + 4
        return self.number(_U64)
