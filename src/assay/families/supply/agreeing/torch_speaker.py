"""Logits of a decoder, or states of an encoder, through torch in single precision.

*Covered*: no code of a model is run, no network is used, a tensor that a file lacks is told and never
made up.  *Not covered*: what another program would compute from the same file.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from assay import DataError, PluginError

from ..extras import extra

Array: TypeAlias = Any


def is_decoder(folder: Path) -> bool:
    """Whether a model folder holds a model that says what comes next.  Raises ``PluginError`` A403."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        names = list(config.get("architectures") or [])
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise PluginError(
            "the folder has no config.json that can be read",
            where=str(folder),
            hint="give the folder of a model, or a file that carries its configuration",
            code="A403",
        ) from error
    return any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in names)


class TorchModel:
    """A model folder in memory, in float32 on processor cores.

    Raises ``DataError`` A205 for weights that lack a tensor or have one of another shape, ``PluginError``
    A401 without torch or transformers, A403 when transformers cannot load the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._torch, library = extra("torch"), extra("transformers")
        kind = library.AutoModelForCausalLM if is_decoder(folder) else library.AutoModel
        given = {"local_files_only": True, "trust_remote_code": False}
        try:
            with _silent(library):
                self._tokenizer = library.AutoTokenizer.from_pretrained(str(folder), **given)
                self._model, found = kind.from_pretrained(
                    str(folder),
                    use_safetensors=True,
                    dtype=self._torch.float32,
                    output_loading_info=True,
                    **given,
                )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as error:
            raise PluginError(
                f"transformers cannot load the model: {str(error)[:500]}",
                where=str(folder),
                hint="load it with transformers alone, to see what is missing",
                code="A403",
            ) from error
        _require_whole(found, folder)
        self._model.eval()
        self.ran = f"torch {self._torch.__version__}, transformers {library.__version__}, float32"

    @property
    def vocabulary(self) -> int:
        """How many tokens a decoder chooses from."""
        return int(self._model.get_output_embeddings().weight.shape[0])

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, with the special ones that the tokenizer adds."""
        return [int(token) for token in self._tokenizer(text)["input_ids"]]

    def logits(self, tokens: Sequence[int], places: Sequence[int]) -> Array:
        """Return logits after some places, float32 [places, vocabulary]."""
        with self._torch.inference_mode():
            asked = self._torch.tensor([list(tokens)])
            keep = self._torch.tensor(list(places))
            hidden = self._model(asked, use_cache=False).logits[0, keep]
        return hidden.float().numpy()

    def states(self, tokens: Sequence[int]) -> Array:
        """Return the last states of an encoder, float32 [tokens, width]."""
        with self._torch.inference_mode():
            found = self._model(self._torch.tensor([list(tokens)]))
        return np.asarray(found.last_hidden_state[0].float().numpy())


def read_tokens(folder: Path) -> Callable[[str], list[int]]:
    """Return what splits a text into the tokens of a model, without the model.

    Raises ``PluginError`` A403 when the folder has no tokenizer that transformers reads.
    """
    library = extra("transformers")
    try:
        with _silent(library):
            tokenizer = library.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError, ImportError, TypeError) as error:
        raise PluginError(
            f"transformers cannot load the tokenizer: {str(error)[:500]}",
            where=str(folder),
            hint="put tokenizer.json there, too",
            code="A403",
        ) from error
    return lambda text: [int(token) for token in tokenizer(text)["input_ids"]]


@contextmanager
def _silent(library: Any) -> Iterator[None]:
    """Keep transformers from writing to the terminal: what it would warn of is checked afterwards."""
    logging = library.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _require_whole(found: Any, folder: Path) -> None:
    """Refuse weights that transformers would fill up at random."""
    unseen = {"pooler.dense.weight", "pooler.dense.bias"}  # what an encoder's states do not pass
    missing = sorted(set(found["missing_keys"]) - unseen)
    other = sorted(str(one[0]) for one in found["mismatched_keys"])
    if missing or other:
        names = ", ".join([*missing, *other][:5])
        what = "lack tensors that" if missing else "have tensors of another shape than"
        raise DataError(
            f"the weights {what} the configuration names: {names}",
            where=str(folder),
            hint="convert the model again, with every tensor",
            code="A205",
        )
