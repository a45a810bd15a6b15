"""A model as one GGUF file: head by the package ``gguf``, tensors a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay import DataError

from ..extras import extra
from .decoders import Decoder, decoder_of_config, for_gguf
from .ggml import FILE_TYPES, MIXES
from .gguf_head import head_of_config
from .gguf_vocabulary import Vocabulary, vocabulary
from .placing import require_room
from .precision import for_gguf as choice
from .precision import target, unchanged
from .source import Source
from .weights import Target

ALIGNMENT = 32
_DERIVED = "rotary_emb.inv_freq"
_HEAD, _EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
_FILE_TYPES = {"F32": "f32", "F16": "f16", "BF16": "bf16", **{t.upper(): t for t in MIXES}}


def write_gguf(
    path: Path, source: Source, quantise: str | None, made: Mapping[str, Any]
) -> tuple[str, ...]:
    """Write a model as llama.cpp reads it; return the matrices that stay wide.

    Raises ``DataError`` A205 for a model that assay cannot rename, A208 for numbers that cannot be
    quantised, ``AssayError`` A500 where the disk has no room.
    """
    if source.config is None:
        raise DataError(
            "bare tensors make no GGUF file: there is no config.json",
            where=str(source.path),
            hint="give the model's folder",
            code="A205",
        )
    config, decoder = source.config, decoder_of_config(source.config, source.path)
    tied = _is_tied(source)
    weights = tuple(
        for_gguf(weight, decoder, config)
        for weight in source.weights
        if not weight.name.endswith(_DERIVED) and not (tied and weight.name == _HEAD)
    )
    choose = choice(quantise, layers=int(config["num_hidden_layers"]), tied=tied)
    targets = [target(weight, choose(weight)) for weight in weights]
    words = vocabulary(source.side_files, _with_rows(config, source), source.path)
    require_room(
        path, sum(each.size for each in targets) + len(source.side_files["tokenizer.json"])
    )
    writer = _head(path, source, decoder, words)
    writer.add_file_type(FILE_TYPES[quantise or _most(targets)])
    writer.add_string("assay", json.dumps(made, sort_keys=True))
    _describe(writer, targets)
    with path.open("ab") as file:
        file.write(bytes(-file.tell() % ALIGNMENT))
        for each in targets:
            for piece in each.pieces():
                file.write(piece.data)
            file.write(bytes(-each.size % ALIGNMENT))
    return unchanged(weights, choose) if quantise in MIXES else ()


def _head(path: Path, source: Source, decoder: Decoder, words: Vocabulary) -> Any:
    gguf = extra("gguf")
    writer = gguf.GGUFWriter(path, decoder.gguf)
    writer.add_type("model")
    if source.license:
        writer.add_license(source.license)
    assert source.config is not None
    for key, value in head_of_config(source.config, decoder, source.path).items():
        writer.add_float32(key, value) if isinstance(value, float) else writer.add_uint32(
            key, value
        )
    prefix = "tokenizer.ggml."
    for key, text in words.words.items():
        writer.add_string(prefix + key, text)
    for key, values in words.lists.items():
        writer.add_array(prefix + key, values)
    for key, number in words.numbers.items():
        writer.add_uint32(prefix + key, number)
    for key, switch in words.switches.items():
        writer.add_bool(prefix + key, switch)
    if words.chat_template:
        writer.add_chat_template(words.chat_template)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    return writer


def _describe(writer: Any, targets: list[Target]) -> None:
    """Write the head and what is said of each tensor, and leave the file where tensors begin."""
    import numpy as np

    kinds = extra("gguf").GGMLQuantizationType
    for each in targets:
        # Of these types gguf takes the shape as it is; uint8 would mean that it counts bytes.
        writer.add_tensor_info(
            each.name, each.shape, np.dtype(np.float32), each.size, kinds[each.dtype]
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()


def _most(targets: list[Target]) -> str:
    """Return the file type that says what most of the numbers are."""
    counts: dict[str, int] = {}
    for each in targets:
        kind = _FILE_TYPES.get(each.dtype, each.dtype.lower())
        counts[kind] = counts.get(kind, 0) + each.numbers
    most = max(counts, key=lambda kind: (counts[kind], kind))
    return most if most in FILE_TYPES else {"q4_k": "q4_k_m", "q5_k": "q5_k_m"}.get(most, "f16")


def _is_tied(source: Source) -> bool:
    assert source.config is not None
    has_head = any(weight.name == _HEAD for weight in source.weights)
    return not has_head or bool(source.config.get("tie_word_embeddings"))


def _with_rows(config: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Return the configuration with as many tokens as the embedding has rows, which llama.cpp counts."""
    rows = next((w.shape[0] for w in source.weights if w.name == _EMBEDDING), None)
    return {**config, "vocab_size": rows or config["vocab_size"]}
