"""How texts are cut before byte pairs are merged: llama.cpp's names, tokenizers' JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"


def _bytes(*, words: bool) -> dict[str, Any]:
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": words,
    }


def _sequence(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", "pretokenizers": list(parts)}


def _split(pattern: str) -> dict[str, Any]:
    kind = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return _sequence(kind, _bytes(words=False))


PRE_TOKENIZERS = {
    "gpt-2": _bytes(words=True),
    "smollm": _sequence({"type": "Digits", "individual_digits": True}, _bytes(words=True)),
    "qwen2": _split(_WORDS + r"\p{N}" + _TAIL),
    "llama-bpe": _split(_WORDS + r"\p{N}{1,3}" + _TAIL),
}
"""By ``tokenizer.ggml.pre``; the patterns are those of llama.cpp's src/llama-vocab.cpp."""

NORMALIZERS: dict[str, dict[str, Any] | None] = {"qwen2": {"type": "NFC"}}
"""What is done to the text first; llama.cpp leaves it to its users."""

KNOWN_AS = {
    "deepseek-r1-qwen": "qwen2",
    "llama3": "llama-bpe",
    "llama-v3": "llama-bpe",
    "phi-2": "gpt-2",
    "default": "gpt-2",
}
"""Other names for the same in GGUF files."""

WHOLE_WORDS = frozenset({"llama-bpe"})
"""Those that look a word up whole before its pairs are merged (``ignore_merges``)."""


def name_of(pre_tokenizer: object) -> str | None:
    """Return llama.cpp's name of a ``pre_tokenizer`` of tokenizer.json; None for one that is unknown.

    >>> name_of(PRE_TOKENIZERS["qwen2"])
    'qwen2'
    """
    given = _bare(pre_tokenizer)
    return next((name for name, known in PRE_TOKENIZERS.items() if _bare(known) == given), None)


def _bare(value: object) -> object:
    """Return the value without what says nothing of how a text is cut."""
    match value:
        case Mapping():
            return {key: _bare(each) for key, each in value.items() if key != "trim_offsets"}
        case list() | tuple():
            return [_bare(each) for each in value]
    return value
