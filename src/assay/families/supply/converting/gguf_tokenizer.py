"""The tokenizer in the head of a GGUF file, as the files of a model folder.

Two kinds: pairs of bytes (``gpt2``) and pairs of pieces with scores (``llama``, as gemma has it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assay import DataError

from .pre_tokenizers import KNOWN_AS, NORMALIZERS, PRE_TOKENIZERS, WHOLE_WORDS

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
"""``tokenizer.ggml.token_type``: llama_token_type in llama.h."""

SPACE = "\u2581"
_ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def tokenizer_from_gguf(
    metadata: Mapping[str, Any], config: Mapping[str, Any], path: Path
) -> dict[str, bytes]:
    """Return tokenizer.json, tokenizer_config.json and what belongs to them.

    Raises ``DataError`` A205 for a tokenizer of another kind: a wrong one would be worse than none.
    """
    kind = metadata.get("tokenizer.ggml.model")
    match kind:
        case "gpt2":
            tokenizer = _of_bytes(metadata, path)
        case "llama":
            tokenizer = _of_pieces(metadata, path)
        case _:
            raise _unknown(f"a tokenizer of the kind {kind!r}", path)
    names = _roles(metadata)
    bos = names.get("bos")
    if bos is not None and metadata.get("tokenizer.ggml.add_bos_token", kind == "llama"):
        place = metadata["tokenizer.ggml.bos_token_id"]
        tokenizer["post_processor"] = _begins_with(bos, int(place))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": config["max_position_embeddings"],
        **{f"{role}_token": name for role, name in names.items()},
    }
    files = {"tokenizer.json": _json(tokenizer), "tokenizer_config.json": _json(settings)}
    template = metadata.get("tokenizer.chat_template")
    if isinstance(template, str) and template:
        files["chat_template.jinja"] = template.encode()
    ids = {key: config[key] for key in config if key.endswith("_token_id")}
    files["generation_config.json"] = _json({"_from_model_config": True, **ids})
    return files


def _of_bytes(metadata: Mapping[str, Any], path: Path) -> dict[str, Any]:
    given = str(metadata.get("tokenizer.ggml.pre", "default"))
    pre = KNOWN_AS.get(given, given)
    if pre not in PRE_TOKENIZERS:
        raise _unknown(f"texts cut as {given!r}", path)
    merges = metadata.get("tokenizer.ggml.merges") or ()
    tokens, types = _tokens(metadata, path)
    # An unused place has a name so that the file has one for each row; nothing ever becomes it.
    vocabulary = {
        token: i
        for i, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind != UNUSED
    }
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": pre in WHOLE_WORDS,
        "vocab": vocabulary,
        "merges": [_pair(merge, path) for merge in merges],
    }
    byte_level = {"add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return _whole(
        model,
        added=_added(tokens, types),
        normalizer=NORMALIZERS.get(pre),
        pre_tokenizer=PRE_TOKENIZERS[pre],
        decoder={"type": "ByteLevel", **byte_level},
    )


def _of_pieces(metadata: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if metadata.get("tokenizer.ggml.add_space_prefix", True):
        raise _unknown("pieces with a space put before every text", path)
    tokens, types = _tokens(metadata, path)
    scores = metadata.get("tokenizer.ggml.scores")
    if scores is None or len(scores) != len(tokens):
        raise _unknown("pieces without scores", path)
    vocabulary = {token: i for i, token in enumerate(tokens)}
    unknown = metadata.get("tokenizer.ggml.unknown_token_id")
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": tokens[unknown] if unknown is not None else None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": BYTE in types,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": merges_of(tokens, types, scores),
    }
    return _whole(
        model,
        added=_added(tokens, types),
        normalizer={"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        pre_tokenizer={
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        decoder={
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
    )


def merges_of(
    tokens: Sequence[str], types: Sequence[int], scores: Sequence[float]
) -> list[list[str]]:
    """Return the merges that make the same pieces as scores do: the best piece first.

    llama.cpp merges the neighbours whose piece has the highest score, wherever it was cut; so every
    cut of a piece into two pieces is a merge, in the order of the pieces' scores.

    >>> merges_of(["a", "b", "ab", "ba", "aba"], [1] * 5, [-9, -9, -1, -2, -3])
    [['a', 'b'], ['b', 'a'], ['a', 'ba'], ['ab', 'a']]
    """
    # A user-defined token is cut out of the text before anything is merged, so no merge makes one.
    joined = {
        token: score
        for token, kind, score in zip(tokens, types, scores, strict=True)
        if kind == NORMAL
    }
    found = [
        (-score, cut, token)
        for token, score in joined.items()
        for cut in range(1, len(token))
        if token[:cut] in joined and token[cut:] in joined
    ]
    found.sort(key=lambda each: each[:2])
    return [[token[:cut], token[cut:]] for _, cut, token in found]


def _tokens(metadata: Mapping[str, Any], path: Path) -> tuple[list[str], list[int]]:
    tokens = list(metadata.get("tokenizer.ggml.tokens") or ())
    types = list(metadata.get("tokenizer.ggml.token_type") or (NORMAL,) * len(tokens))
    if not tokens or len(types) != len(tokens) or not all(isinstance(t, str) for t in tokens):
        raise _unknown("a tokenizer whose lists do not fit each other", path)
    if len(set(tokens)) != len(tokens):
        raise _unknown("a tokenizer that has a token twice", path)
    if any("\udc80" <= letter <= "\udcff" for token in tokens for letter in token):
        raise _unknown("a token that is no text", path)
    return tokens, types


def _pair(merge: str, path: Path) -> list[str]:
    pair = merge.split(" ")
    if len(pair) != 2:
        raise _unknown(f"the merge {merge!r}", path)
    return pair


def _added(tokens: Sequence[str], types: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            "id": i,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": kind != USER_DEFINED,
        }
        for i, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (UNKNOWN, CONTROL, USER_DEFINED)
    ]


def _whole(model: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": parts["added"],
        "normalizer": parts["normalizer"],
        "pre_tokenizer": parts["pre_tokenizer"],
        "post_processor": None,
        "decoder": parts["decoder"],
        "model": dict(model),
    }


def _begins_with(token: str, place: int) -> dict[str, Any]:
    def special(kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": kind}}

    def text(name: str, kind: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": kind}}

    return {
        "type": "TemplateProcessing",
        "single": [special(0), text("A", 0)],
        "pair": [special(0), text("A", 0), special(1), text("B", 1)],
        "special_tokens": {token: {"id": token, "ids": [place], "tokens": [token]}},
    }


def _roles(metadata: Mapping[str, Any]) -> dict[str, str]:
    tokens, found = metadata["tokenizer.ggml.tokens"], {}
    for role, theirs in _ROLES.items():
        place = metadata.get(f"tokenizer.ggml.{theirs}_token_id")
        if isinstance(place, int) and 0 <= place < len(tokens):
            found[role] = str(tokens[place])
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _unknown(what: str, path: Path) -> DataError:
    return DataError(
        f"assay cannot write down the tokenizer of the file: {what}",
        where=str(path),
        hint="convert this one with transformers",
        code="A205",
    )
