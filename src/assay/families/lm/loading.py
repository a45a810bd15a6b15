"""A model and its tokenizer, loaded by transformers: whole, or not at all."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from assay import PluginError

from .likelihood.tokens import require_known


class Loaded(NamedTuple):
    """What transformers loaded; it ships no types that say more."""

    tokenizer: Any
    model: Any


def require(where: str) -> None:
    """Raise ``PluginError`` A401 unless torch and transformers are installed."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise PluginError(
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not installed",
            where=where,
            hint="run pip install 'assay-eval[transformers]'",
            code="A401",
        )


def load_decoder(folder: Path, *, dtype: str) -> Loaded:
    """Load a model folder without running any code of its own, in the precision that torch calls ``dtype``.

    Raises ``PluginError`` A403 when transformers cannot load it, the weights lack a tensor, or the tokenizer
    has tokens, those that were added to it aside, that the model does not.
    """
    return _load(folder, "AutoModelForCausalLM", dtype)


def load_classifier(folder: Path) -> Loaded:
    """Load a classifier of texts as ``load_decoder`` loads a decoder, in 32 bits."""
    return _load(folder, "AutoModelForSequenceClassification", "float32")


def _load(folder: Path, kind: str, dtype: str) -> Loaded:
    library: Any = import_module("transformers")
    given = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(str(folder), **given)
        model, loaded = getattr(library, kind).from_pretrained(
            str(folder),
            use_safetensors=True,
            dtype=getattr(import_module("torch"), dtype),
            output_loading_info=True,
            **given,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise PluginError(
            f"transformers cannot load the model: {str(error)[:500]}",
            where=str(folder),
            hint="load it with transformers alone, to see what is missing",
            code="A403",
        ) from error
    # transformers makes up what it does not find, at random, and goes on.
    if absent := sorted(loaded["missing_keys"]):
        raise PluginError(
            f"the weights lack {len(absent)} of the model's tensors, the first is {absent[0]}",
            where=str(folder),
            hint="fetch or convert the model again",
            code="A403",
        )
    own = set(tokenizer.get_vocab().values()) - set(tokenizer.get_added_vocab().values())
    require_known(sorted(own)[-1:], int(model.get_input_embeddings().weight.shape[0]))
    return Loaded(tokenizer, model.eval())
