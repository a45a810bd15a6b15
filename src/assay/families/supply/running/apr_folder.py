"""The folder that transformers loads, made of one model file alone: whole, once, and found again by digest.

*Covered*: a file that is damaged or of an architecture that nobody here knows; a maker that is killed; a
folder that somebody changed; names of side files that point elsewhere.  *Not covered*: what the weights
are worth, which ``assay model validate`` finds out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from assay.kept import cache_folder, digest_of, kept_folder

from ..faults import Fault, damaged
from ..header import ModelFile
from .config import config_of, turns_adjacent
from .weights import write_weights

MAKER = 1
"""Bump it when any byte of a folder could change."""

SIDE_FILE = re.compile(r"(?!config\.json$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}\.(json|jinja|model|txt)")
"""What a side file may be called: a plain name of a kind of file that nothing runs."""


MARKS = ("bos_token", "eos_token", "unk_token", "pad_token")
"""What the format calls special tokens, of those that transformers knows."""


def as_folder(path: Path) -> Path:
    """Return a folder with ``config.json``, ``model.safetensors`` and the tokenizer of an APR file.

    Numbers of 32 and 16 bits are copied as they stand, quantised ones unpacked to 32 bits.  The folder
    lies in the cache under the digest of the file.  Raises ``DataError`` A205 for a file that is damaged
    or whose architecture is not known, ``AssayError`` A500 where the cache cannot be written.

    *Not to be trusted when* another program wrote the file: its keys are taken at their word wherever
    tensors do not contradict them (``rope_type: 0`` is read as llama.cpp's order of queries and keys).
    """
    digest = digest_of(path).sha256
    return kept_folder(
        cache_folder() / "folders" / f"{digest[:32]}-{MAKER}", lambda folder: _fill(folder, path)
    )


def _fill(folder: Path, path: Path) -> None:
    from ..formats.apr import open_apr

    with open_apr(path) as model:
        config = config_of(model.header, path)
        _write_side_files(folder, model)
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        adjacent = int(config["head_dim"]) if turns_adjacent(model.header) else 0
        with (folder / "model.safetensors").open("wb") as file:
            write_weights(model, file, adjacent=adjacent)


def _write_side_files(folder: Path, model: ModelFile) -> None:
    for name in model.header.side_files:
        if SIDE_FILE.fullmatch(name) is None:
            raise damaged(Fault.NONSENSE, model.path, f"a side file is called {name!r}")
        (folder / name).write_bytes(model.side_file(name))
    if (folder / "tokenizer.json").is_file() and not (folder / "tokenizer_config.json").is_file():
        # Without it transformers takes the class of the architecture, which may ask for other tokens.
        said = model.header.metadata.get("special_tokens")
        marks = (
            {k: v for k, v in said.items() if k in MARKS and isinstance(v, str)}
            if isinstance(said, Mapping)
            else {}
        )
        config = {"tokenizer_class": "PreTrainedTokenizerFast", **marks}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    template = model.header.metadata.get("chat_template")
    if isinstance(template, str) and template and not _has_template(folder):
        (folder / "chat_template.jinja").write_text(template, "utf-8")


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        said = json.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and bool(said.get("chat_template"))
