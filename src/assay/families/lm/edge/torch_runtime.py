"""A model in safetensors in transformers, measured token by token."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from assay import PluginError

from ..loading import load_decoder
from ..prompted.transformers_speaker import Dtype
from .stamps import Silent, Stamp, filled


class TorchRuntime:
    """A model held by transformers on processor cores, in the precision ``dtype``.

    Raises ``Silent`` when transformers cannot load the folder, tensors lack, or ``context`` tokens are
    more than the model was made for.
    """

    def __init__(self, folder: Path, *, threads: int, dtype: Dtype, context: int) -> None:
        self._torch: Any = import_module("torch")
        self._library: Any = import_module("transformers")
        self._torch.set_num_threads(threads)
        try:
            self._tokenizer, self._model = load_decoder(folder, dtype=dtype)
        except PluginError as error:
            raise Silent(error.what) from error
        # What a call leaves out is taken from here, and an end of text would end the answer.
        self._model.generation_config = self._library.GenerationConfig()
        config = self._model.config.get_text_config()
        most = getattr(config, "max_position_embeddings", None)
        if most is not None and context > most:
            raise Silent(f"prompt and answer have {context} tokens, and the model takes {most}")

    def prompt(self, tokens: int) -> list[int]:
        """Return a prompt of exactly so many tokens."""
        bos = self._tokenizer.bos_token_id
        return filled([] if bos is None else [int(bos)], self._encode, tokens)

    def write(self, prompt: Sequence[int], tokens: int) -> tuple[Stamp, ...]:
        """Continue a prompt, the most probable token each time, beyond any end."""
        torch = self._torch
        asked = torch.tensor([list(prompt)])
        config = self._library.GenerationConfig(max_new_tokens=tokens, do_sample=False)
        clock = _Clock(len(prompt))
        with torch.inference_mode():
            clock.started = perf_counter()
            self._model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                generation_config=config,
                stopping_criteria=self._library.StoppingCriteriaList([clock]),
            )
        return tuple(clock.stamps)

    def fault(self, prompt: Sequence[int]) -> str | None:
        """Return why the next token's logits are none."""
        torch = self._torch
        with torch.inference_mode():
            logits = self._model(torch.tensor([list(prompt)])).logits[0, -1].float()
        if not bool(torch.isfinite(logits).all()):
            return "its logits are no numbers"
        return (
            "it finds every token equally probable" if bool((logits == logits[0]).all()) else None
        )

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


class _Clock:
    """Looks at the clock after each token."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._torch: Any = import_module("torch")
        self.started = 0.0
        self.stamps: list[Stamp] = []

    def __call__(self, tokens: Any, scores: Any, **_: Any) -> Any:
        self.stamps.append(
            Stamp(perf_counter() - self.started, int(tokens.shape[1]) - self._before)
        )
        return self._torch.zeros(tokens.shape[0], dtype=self._torch.bool)
