"""Keys and values that are computed once and lent to every row that begins alike."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from .branching import Row, path_of
from .sharing import Group

Layers: TypeAlias = list[tuple[Any, Any]]
"""Keys and values of each layer, of shape [1, heads, tokens, width]."""


class Lending:
    """A causal model of transformers, its masks and caches under our control.

    ``computed`` counts the tokens that went through the model.
    """

    def __init__(self, model: Any) -> None:
        self.torch: Any = import_module("torch")
        self._cache: Any = import_module("transformers").DynamicCache
        self.model = model
        self.windows = _windows(model.config.get_text_config())
        self.computed = 0

    @property
    def device(self) -> Any:
        """Where the model is."""
        return self.model.device

    def lent(self, layers: Layers, count: int) -> Any:
        """Return a cache for ``count`` rows that begins with what is computed."""
        if not layers:
            return self._cache()
        rows = [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in layers]
        return self._cache(ddp_cache_data=rows)

    def extended(self, above: Layers, group: Group) -> Layers:
        """Return keys and values of everything that a group shares."""
        torch = self.torch
        cache = self.lent(above, 1)
        tokens = torch.tensor([group.edge], device=self.model.device)
        places = torch.arange(group.depth - len(group.edge), group.depth, device=tokens.device)
        before = group.depth - len(group.edge)
        mask = self.mask([path_of(group.edge, before)], before)
        with torch.inference_mode():
            self.model(
                tokens,
                attention_mask=mask,
                position_ids=places[None],
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self.computed += len(group.edge)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def mask(self, rows: Sequence[Row], computed: int) -> Any:
        """Return what each token sees, 0 or a large negative number, of shape [rows, 1, asked, seen]."""
        width = max(len(row.tokens) for row in rows)
        masks = {
            kind: np.zeros((len(rows), 1, width, computed + width), bool) for kind in self.windows
        }
        for at, row in enumerate(rows):
            size, start = len(row.tokens), width - len(row.tokens)
            sees, depths = ancestors(row), np.asarray(row.depths)
            back = depths[:, None] - np.concatenate([np.arange(computed), depths])[None, :]
            for kind, window in self.windows.items():
                seen = np.concatenate([np.ones((size, computed), bool), sees], axis=1)
                if window is not None:
                    seen &= back < window
                mask = masks[kind][at, 0]
                mask[start:, :computed] = seen[:, :computed]
                mask[start:, computed + start :] = seen[:, computed:]
                mask[np.arange(start), computed + np.arange(start)] = True  # padding sees itself
        return self._masked(masks)

    def seen(self, keys: Any, back: Any) -> Any:
        """Return the mask of one token a row: the keys it sees, and how far back each stands.

        Both of shape [rows, keys].
        """
        masks = {
            kind: keys if window is None else keys & (back < window)
            for kind, window in self.windows.items()
        }
        return self._masked({kind: mask[:, None, None, :] for kind, mask in masks.items()})

    def _masked(self, masks: dict[str, Any]) -> Any:
        torch = self.torch
        least = torch.finfo(self.model.dtype).min
        made = {
            kind: torch.where(torch.from_numpy(mask), 0.0, least).to(self.device, self.model.dtype)
            for kind, mask in masks.items()
        }
        return made if len(made) > 1 else next(iter(made.values()))


def _windows(config: Any) -> dict[str, int | None]:
    """Return how far back each kind of layer sees; None for all the way."""
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if len(kinds) > 1:
        return {kind: window if "sliding" in kind else None for kind in sorted(kinds)}
    slides = any("sliding" in kind for kind in kinds) if kinds else window is not None
    return {"all": window if slides else None}


def ancestors(row: Row) -> Any:
    """Return which tokens of a row each token sees: itself and those on its way from the stem."""
    sees = np.tri(len(row.tokens), dtype=bool)
    for at in range(row.stem, len(row.tokens)):
        parent = row.parents[at]
        sees[at] = sees[parent] if parent >= 0 else False
        sees[at, at] = True
    return sees
