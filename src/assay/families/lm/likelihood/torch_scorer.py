"""The likelihood of continuations by a model in torch: shared beginnings once, choices as one tree.

The keys and values of what questions share are computed once and lent to all of them; the continuations
of one question stand in one row, where each token sees its ancestors only.  *Covered*: whether the model
follows such masks is tried when it is loaded, against plain rows; one that does not is asked plainly.
*Not covered*: low bits depend on what is computed together, as in every batched computation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .branching import Row, laid_out, stem_of
from .sharing import Group, shared
from .tokens import Scored

Layers: TypeAlias = list[tuple[Any, Any]]
"""Keys and values of each layer, of shape [1, heads, tokens, width]."""

MOST_LOGITS = 2**26
"""Numbers of one matrix of predictions (256 MB)."""

LEAST_SHARED = 16
"""Tokens from which a shared beginning is computed apart: below, one more call costs more."""


class Likelihood(NamedTuple):
    """How likely a continuation is."""

    total: float
    """Natural logarithm; the sum over its tokens."""

    greedy: bool
    """Whether every token of it was the most likely one."""

    tokens: int


class Scores(NamedTuple):
    """What was found out about one question."""

    at: int
    """Its place in what was asked."""

    likelihoods: tuple[Likelihood, ...]
    """One for each continuation."""

    tokens: int
    """How many tokens stand in its tree."""

    lent: int
    """How many of them were computed for others, too."""


class TorchScorer:
    """Scores continuations with a causal model of transformers, on its device.

    ``batch`` rows are computed together, less where the matrix of predictions would be too large.
    """

    def __init__(self, model: Any, *, batch: int = 8, trees: bool = True) -> None:
        self._torch: Any = import_module("torch")
        self._cache: Any = import_module("transformers").DynamicCache
        self._model, self._batch = model, batch
        config = model.config.get_text_config()
        self._vocabulary = int(config.vocab_size)
        self._windows = _windows(config)
        self.computed = self.asked = 0
        self.trees = trees and self._follows_trees()

    def score(self, questions: Sequence[Sequence[Scored]]) -> Iterator[Scores]:
        """Yield what each question's continuations come to, in any order."""
        self.asked += sum(len(one.given) for scored in questions for one in scored)
        if self.trees:
            stems = [stem_of(scored) for scored in questions]
            yield from self._walk(shared(stems, least=LEAST_SHARED), [], questions)
            return
        for at, scored in enumerate(questions):
            rows = [laid_out([one], 0) for one in scored]
            yield Scores(
                at, tuple(self._plainly(row) for row in rows), sum(len(r.tokens) for r in rows), 0
            )

    def _walk(
        self, group: Group, above: Layers, questions: Sequence[Sequence[Scored]]
    ) -> Iterator[Scores]:
        layers = self._extended(above, group) if group.edge else above
        rows = {at: laid_out(questions[at], group.depth) for at in group.members}
        for batch in self._batches(rows, group.members):
            found = self._together([rows[at] for at in batch], layers, group.depth)
            for at, likelihoods in zip(batch, found, strict=True):
                yield Scores(at, likelihoods, group.depth + len(rows[at].tokens), group.depth)
        for below in group.groups:
            yield from self._walk(below, layers, questions)

    def _batches(self, rows: Any, places: Sequence[int]) -> Iterator[list[int]]:
        """Divide rows into batches, the longest first, so that little is padding."""
        batch: list[int] = []
        looked = 0
        for at in sorted(places, key=lambda place: -len(rows[place].tokens)):
            looked = max(looked, len(rows[at].tokens) - rows[at].stem + 1)
            most = max(1, min(self._batch, MOST_LOGITS // (looked * self._vocabulary)))
            if len(batch) >= most:
                yield batch
                batch, looked = [], len(rows[at].tokens) - rows[at].stem + 1
            batch.append(at)
        if batch:
            yield batch

    def _extended(self, above: Layers, group: Group) -> Layers:
        """Return keys and values of everything that a group shares."""
        torch = self._torch
        cache = self._cache(ddp_cache_data=above) if above else self._cache()
        tokens = torch.tensor([group.edge], device=self._model.device)
        places = torch.arange(group.depth - len(group.edge), group.depth, device=tokens.device)
        mask = self._mask([_path(len(group.edge), group.depth)], group.depth - len(group.edge))
        with torch.inference_mode():
            self._model(
                tokens,
                attention_mask=mask,
                position_ids=places[None],
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self.computed += len(group.edge)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _together(
        self, rows: list[Row], layers: Layers, computed: int
    ) -> Iterator[tuple[Likelihood, ...]]:
        """Compute rows behind what is computed; pad them on the left, so that their ends meet."""
        torch = self._torch
        width, count = max(len(row.tokens) for row in rows), len(rows)
        tokens = np.zeros((count, width), np.int64)
        places = np.zeros((count, width), np.int64)
        for at, row in enumerate(rows):
            tokens[at, width - len(row.tokens) :] = row.tokens
            places[at, width - len(row.tokens) :] = row.depths
        cache = self._cache()
        if layers:
            lent = [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in layers]
            cache = self._cache(ddp_cache_data=lent)
        looked = [
            [(width - len(row.tokens) + place, token) for place, token in pairs]
            for row in rows
            for pairs in row.wanted
        ]
        columns = sorted({place for pairs in looked for place, _ in pairs})
        device = self._model.device
        with torch.inference_mode():
            predicted = self._model(
                torch.from_numpy(tokens).to(device),
                attention_mask=self._mask(rows, computed),
                position_ids=torch.from_numpy(places).to(device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=torch.tensor(columns, device=device),
            ).logits
            self.computed += sum(len(row.tokens) for row in rows)
            where = {column: k for k, column in enumerate(columns)}
            owners = [at for at, row in enumerate(rows) for _ in row.wanted]
            flat = [
                (at, where[p], t)
                for at, pairs in zip(owners, looked, strict=True)
                for p, t in pairs
            ]
            owner, column, token = torch.tensor(flat, device=device).T
            # Only the predictions that are looked at, each once, in 32 bits.
            kept, back = torch.unique(owner * len(columns) + column, return_inverse=True)
            chosen = predicted.reshape(-1, predicted.shape[-1])[kept].float()
            normal = torch.logsumexp(chosen, -1)
            best = chosen.argmax(-1)
            values = (chosen[back, token] - normal[back]).double().tolist()
            hits = (best[back] == token).tolist()
        at = 0
        for row in rows:
            found = []
            for pairs in row.wanted:
                stretch = slice(at, at + len(pairs))
                found.append(Likelihood(sum(values[stretch]), all(hits[stretch]), len(pairs)))
                at += len(pairs)
            yield tuple(found)

    def _mask(self, rows: Sequence[Row], computed: int) -> Any:
        """Return what each token sees, 0 or a large negative number, of shape [rows, 1, asked, seen]."""
        torch = self._torch
        width = max(len(row.tokens) for row in rows)
        masks = {
            kind: np.zeros((len(rows), 1, width, computed + width), bool) for kind in self._windows
        }
        for at, row in enumerate(rows):
            size, start = len(row.tokens), width - len(row.tokens)
            sees, depths = _ancestors(row), np.asarray(row.depths)
            back = depths[:, None] - np.concatenate([np.arange(computed), depths])[None, :]
            for kind, window in self._windows.items():
                seen = np.concatenate([np.ones((size, computed), bool), sees], axis=1)
                if window is not None:
                    seen &= back < window
                mask = masks[kind][at, 0]
                mask[start:, :computed] = seen[:, :computed]
                mask[start:, computed + start :] = seen[:, computed:]
                mask[np.arange(start), computed + np.arange(start)] = True  # padding sees itself
        least = torch.finfo(self._model.dtype).min
        made = {
            kind: torch.where(torch.from_numpy(mask), 0.0, least).to(
                self._model.device, self._model.dtype
            )
            for kind, mask in masks.items()
        }
        return made if len(made) > 1 else next(iter(made.values()))

    def _plainly(self, row: Row) -> Likelihood:
        """Compute a row without branches, whole, as any causal model can."""
        torch = self._torch
        (pairs,) = row.wanted
        with torch.inference_mode():
            tokens = torch.tensor([row.tokens], device=self._model.device)
            predicted = self._model(tokens, use_cache=False).logits[0]
            self.computed += len(row.tokens)
            chosen = predicted[[place for place, _ in pairs]].float().log_softmax(-1).cpu()
        token = torch.tensor([token for _, token in pairs])
        values = chosen[torch.arange(len(pairs)), token].double()
        return Likelihood(float(values.sum()), bool((chosen.argmax(-1) == token).all()), len(pairs))

    def _follows_trees(self) -> bool:
        """Whether the model does with trees and lent keys what it does with plain rows."""
        span = range(3, 3 + LEAST_SHARED + 6)
        stem = tuple(token % self._vocabulary for token in span)
        tried = [
            [
                Scored((*stem, 7, 8, 9, 10), len(stem) + 1),
                Scored((*stem, 7, 11, 12), len(stem) + 1),
            ],
            [Scored((*stem, 13, 14), len(stem) + 1), Scored((*stem, 13, 15, 4, 5), len(stem) + 1)],
        ]
        try:
            self.trees = True
            trees = {found.at: found.likelihoods for found in self.score(tried)}
        except (
            TypeError,
            ValueError,
            RuntimeError,
            AttributeError,
        ):  # it takes no such mask or cache
            return False
        self.trees = False
        plain = {found.at: found.likelihoods for found in self.score(tried)}
        self.computed = self.asked = 0
        near = 1e-3 if self._model.dtype == self._torch.float32 else 0.25
        return all(
            abs(one.total - other.total) < near
            for at, found in trees.items()
            for one, other in zip(found, plain[at], strict=True)
        )


def _windows(config: Any) -> dict[str, int | None]:
    """Return how far back each kind of layer sees; None for all the way."""
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if len(kinds) > 1:
        return {kind: window if "sliding" in kind else None for kind in sorted(kinds)}
    slides = any("sliding" in kind for kind in kinds) if kinds else window is not None
    return {"all": window if slides else None}


def _path(size: int, end: int) -> Row:
    """Return a row without branches that ends at ``end``."""
    return Row((0,) * size, tuple(range(-1, size - 1)), tuple(range(end - size, end)), ())


def _ancestors(row: Row) -> Any:
    """Return which tokens of a row each token sees: itself and those on its way from the stem."""
    sees = np.tri(len(row.tokens), dtype=bool)
    for at in range(row.stem, len(row.tokens)):
        parent = row.parents[at]
        sees[at] = sees[parent] if parent >= 0 else False
        sees[at, at] = True
    return sees
