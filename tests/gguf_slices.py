"""A slice of a real GGUF file: its first layers and a part of its words, with its own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.families.supply.formats.gguf_file import open_gguf

TOKENS, SCORES, TYPES, MERGES = (
    f"tokenizer.ggml.{what}" for what in ("tokens", "scores", "token_type", "merges")
)


def cut(source: Path, target: Path, *, layers: int, words: int, letters: str) -> Path:
    """Write a GGUF file of the first layers, the first words and every letter that is given."""
    import gguf

    with open_gguf(source) as model:
        said = dict(model.header.metadata)
        architecture = str(said.pop("general.architecture"))
        tokens = [str(token) for token in said[TOKENS]]
        kept = [
            i
            for i, token in enumerate(tokens)
            if i < words or (len(token) == 1 and token in letters)
        ]
        said[f"{architecture}.block_count"] = layers
        if f"{architecture}.vocab_size" in said:
            said[f"{architecture}.vocab_size"] = len(kept)
        writer = gguf.GGUFWriter(target, architecture)
        add_values(writer, said)
        add_words(writer, said, kept)
        for entry in model.header.tensors:
            if entry.name.startswith("blk.") and int(entry.name.split(".")[1]) >= layers:
                continue
            raw = np.frombuffer(model.raw(entry.name), np.uint8).reshape(*entry.shape[:-1], -1)
            if entry.name in ("token_embd.weight", "output.weight"):
                raw = raw[kept]
            if entry.dtype == "F32":
                writer.add_tensor(entry.name, raw.copy().view(np.float32))
            else:
                kind = gguf.GGMLQuantizationType[entry.dtype]
                writer.add_tensor(entry.name, raw, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return target


def add_values(writer, said) -> None:
    """Add everything that is no list, each in the type that llama.cpp asks for."""
    for key, value in said.items():
        match value:
            case bool():
                writer.add_bool(key, value)
            case int():
                writer.add_uint32(key, value)
            case float():
                writer.add_float32(key, value)
            case str():
                writer.add_string(key, value)


def add_words(writer, said, kept: list[int]) -> None:
    """Add the words that are kept, and the merges that make words of words."""
    words = [str(said[TOKENS][i]) for i in kept]
    writer.add_array(TOKENS, words)
    for key in (SCORES, TYPES):
        if key in said:
            writer.add_array(key, [said[key][i] for i in kept])
    if MERGES in said:
        known = set(words)
        merges = [str(merge) for merge in said[MERGES]]
        writer.add_array(MERGES, [one for one in merges if set(parts(one)) <= known])


def parts(merge: str) -> tuple[str, str, str]:
    """Return both halves of a merge, and what they become."""
    one, _, other = merge.partition(" ")
    return one, other, one + other
