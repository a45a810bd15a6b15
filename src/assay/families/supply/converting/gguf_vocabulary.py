"""The tokenizer of a model folder, as the head of a GGUF file has it.

As llama.cpp's ``convert_hf_to_gguf.py`` writes it, from tokenizer.json alone: the scores of pieces, which
that takes from a SentencePiece model, are the order in which pieces are merged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import DataError

from .apr_writer import chat_template
from .gguf_tokenizer import BYTE, CONTROL, NORMAL, SPACE, UNKNOWN, UNUSED, USER_DEFINED
from .pre_tokenizers import name_of

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
_RESERVED = -1000.0
"""Score of what is never merged: as llama.cpp writes it for control and user-defined tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Keys after ``tokenizer.ggml.``, and the chat template."""

    lists: Mapping[str, Sequence[Any]]
    words: Mapping[str, str]
    numbers: Mapping[str, int]
    switches: Mapping[str, bool]
    chat_template: str | None


def vocabulary(
    side_files: Mapping[str, bytes], config: Mapping[str, Any], path: Path
) -> Vocabulary:
    """Return what a GGUF head says of a tokenizer.

    Raises ``DataError`` A205 where there is none, or one that llama.cpp has no name for.
    """
    if "tokenizer.json" not in side_files:
        raise _unknown("the source has no tokenizer.json", path)
    tokenizer = _object(side_files["tokenizer.json"], path)
    settings = _object(side_files.get("tokenizer_config.json", b"{}"), path)
    special = _object(side_files.get("special_tokens_map.json", b"{}"), path)
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE":
        raise _unknown("its tokenizer does not merge pairs (BPE)", path)
    tokens, types = _tokens(tokenizer, int(config["vocab_size"]), path)
    merges = [_pair(merge) for merge in model.get("merges") or ()]
    if not merges:
        raise _unknown("its tokenizer has no merges", path)
    lists: dict[str, Sequence[Any]] = {"tokens": tokens, "token_type": types}
    if model.get("byte_fallback"):
        _require_plain_spaces(tokenizer, path)
        words = {"model": "llama", "pre": "default"}
        lists["scores"] = _scores(tokens, types, merges)
        lists["tokens"] = [
            token.replace(SPACE, " ") if kind == USER_DEFINED else token
            for token, kind in zip(tokens, types, strict=True)
        ]
    else:
        pre = name_of(tokenizer.get("pre_tokenizer"))
        if pre is None:
            raise _unknown("llama.cpp has no name that assay knows for how it cuts texts", path)
        words = {"model": "gpt2", "pre": pre}
        lists["merges"] = [" ".join(merge) for merge in merges]
    places = {token: place for place, token in enumerate(tokens)}
    numbers = _roles(places, settings | special, config)
    bos = tokens[numbers["bos_token_id"]] if "bos_token_id" in numbers else None
    return Vocabulary(
        lists=lists,
        words=words,
        numbers=numbers,
        switches={
            "add_bos_token": _adds(tokenizer, settings, bos),
            "add_space_prefix": False,
        },
        chat_template=chat_template(side_files),
    )


def _tokens(tokenizer: Mapping[str, Any], rows: int, path: Path) -> tuple[list[str], list[int]]:
    """Return a token and its type for each row of the embedding."""
    model, added = tokenizer["model"], tokenizer.get("added_tokens") or ()
    names = {int(place): str(token) for token, place in model["vocab"].items()}
    kinds = dict.fromkeys(names, NORMAL)
    unknown = model.get("unk_token")
    for place, name in names.items():
        if name == unknown:
            kinds[place] = UNKNOWN
        elif model.get("byte_fallback") and _BYTE.fullmatch(name):
            kinds[place] = BYTE
    for each in added:
        names[int(each["id"])] = str(each["content"])
        kinds[int(each["id"])] = CONTROL if each.get("special") else USER_DEFINED
    if names and max(names) >= rows:
        raise _unknown(
            f"its tokenizer has the number {max(names)}, its embedding {rows} rows", path
        )
    tokens = [names.get(place, f"[PAD{place}]") for place in range(rows)]
    if len(set(tokens)) != len(tokens):
        raise _unknown("its tokenizer has one token under two numbers", path)
    return tokens, [kinds.get(place, UNUSED) for place in range(rows)]


def _scores(
    tokens: Sequence[str], types: Sequence[int], merges: Sequence[tuple[str, str]]
) -> list[float]:
    """Return scores under which llama.cpp merges the same pieces in the same order."""
    ranks: dict[str, int] = {}
    for left, right in merges:
        ranks.setdefault(left + right, len(ranks))
    last = float(len(ranks))
    by_kind = {BYTE: 0.0, NORMAL: -last, UNKNOWN: _RESERVED, UNUSED: _RESERVED}
    return [
        -float(ranks[token]) if kind == NORMAL and token in ranks else by_kind.get(kind, _RESERVED)
        for token, kind in zip(tokens, types, strict=True)
    ]


def _require_plain_spaces(tokenizer: Mapping[str, Any], path: Path) -> None:
    normalizer = tokenizer.get("normalizer")
    plain = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    if normalizer != plain:
        raise _unknown("its tokenizer does more to a text than write spaces as a sign", path)


def _roles(
    places: Mapping[str, int], settings: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, int]:
    found = {}
    for role, theirs in _ROLES.items():
        given = settings.get(f"{role}_token")
        token = given.get("content") if isinstance(given, dict) else given
        place = places.get(token) if isinstance(token, str) else None
        if place is None:
            said: object = config.get(f"{role}_token_id")
            first = said[0] if isinstance(said, list) and said else said
            place = first if isinstance(first, int) else None
        if place is not None:
            found[f"{theirs}_token_id"] = place
    return found


def _adds(tokenizer: Mapping[str, Any], settings: Mapping[str, Any], bos: str | None) -> bool:
    """Whether a text is begun with the token that begins texts."""
    processor = tokenizer.get("post_processor") or {}
    parts = [processor, *(processor.get("processors") or ())]
    for part in parts:
        if part.get("type") == "TemplateProcessing":
            first: dict[str, Any] = next(iter(part.get("single") or ()), {})
            return bos is not None and first.get("SpecialToken", {}).get("id") == bos
    return bool(settings.get("add_bos_token", False))


def _pair(merge: object) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else tuple(merge)  # type: ignore[arg-type]
    return str(left), str(right)


def _object(data: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _unknown(f"its tokenizer is no JSON: {error}", path) from None
    return found if isinstance(found, dict) else {}


def _unknown(what: str, path: Path) -> DataError:
    return DataError(
        f"assay cannot put the tokenizer into a GGUF file: {what}",
        where=str(path),
        hint="convert this one with llama.cpp's own script",
        code="A205",
    )
