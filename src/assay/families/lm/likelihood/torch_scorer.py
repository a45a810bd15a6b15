"""The likelihood of continuations by a model in torch: shared beginnings once, choices as one tree.

The keys and values of what questions share are computed once and lent to all of them; the continuations
of one question stand in one row, where each token sees its ancestors only.  *Covered*: whether the model
follows such masks is tried when it is loaded, against plain rows; one that does not is asked plainly.
*Not covered*: low bits depend on what is computed together, as in every batched computation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .branching import Row, laid_out, stem_of
from .lending import Layers, Lending
from .scores import Likelihood, Scores
from .sharing import Group, shared
from .tokens import Scored

MOST_LOGITS = 2**26
"""Numbers of one matrix of predictions (256 MB)."""

LEAST_SHARED = 16
"""Tokens from which a shared beginning is computed apart: below, one more call costs more."""

NEVER_SHARED = 2**31
"""As many tokens as no prompt has: every prompt is computed whole."""


class TorchScorer:
    """Scores continuations with a causal model of transformers, on its device.

    ``batch`` rows are computed together, less where the matrix of predictions would be too large; a
    beginning of ``least`` tokens that questions share is computed once.
    """

    def __init__(
        self, model: Any, *, batch: int = 8, trees: bool = True, least: int = LEAST_SHARED
    ) -> None:
        self._lending = Lending(model)
        self._torch, self._model, self._batch = self._lending.torch, model, batch
        self._vocabulary = int(model.config.get_text_config().vocab_size)
        self._least = least
        self.asked = 0
        self._trees: bool | None = None if trees else False

    @property
    def trees(self) -> bool:
        """Whether continuations are computed as trees; tried once, before the first question."""
        if self._trees is None:
            self._trees = self._follows_trees()
        return self._trees

    @property
    def computed(self) -> int:
        """How many tokens went through the model."""
        return self._lending.computed

    def score(self, questions: Sequence[Sequence[Scored]]) -> Iterator[Scores]:
        """Yield what each question's continuations come to, in any order."""
        trees = self.trees
        self.asked += sum(len(one.given) for scored in questions for one in scored)
        if trees:
            stems = [stem_of(scored) for scored in questions]
            yield from self._walk(shared(stems, least=self._least), [], questions)
            return
        for at, scored in enumerate(questions):
            rows = [laid_out([one], 0) for one in scored]
            yield Scores(
                at, tuple(self._plainly(row) for row in rows), sum(len(r.tokens) for r in rows), 0
            )

    def expected(self, tokens: Sequence[int], places: Sequence[int]) -> Any:
        """Return logits after some places of a text, float32 [places, vocabulary], computed by itself."""
        torch = self._torch
        with torch.inference_mode():
            device = self._model.device
            asked = torch.tensor([list(tokens)], device=device)
            keep = torch.tensor(list(places), device=device)
            found = self._model(asked, use_cache=False, logits_to_keep=keep).logits[0]
            self._lending.computed += len(tokens)
            return found.float().cpu().numpy()

    def _walk(
        self, group: Group, above: Layers, questions: Sequence[Sequence[Scored]]
    ) -> Iterator[Scores]:
        layers = self._lending.extended(above, group) if group.edge else above
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
        cache = self._lending.lent(layers, count)
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
                attention_mask=self._lending.mask(rows, computed),
                position_ids=torch.from_numpy(places).to(device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=torch.tensor(columns, device=device),
            ).logits
            self._lending.computed += sum(len(row.tokens) for row in rows)
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

    def _plainly(self, row: Row) -> Likelihood:
        """Compute a row without branches, whole, as any causal model can."""
        torch = self._torch
        (pairs,) = row.wanted
        with torch.inference_mode():
            tokens = torch.tensor([row.tokens], device=self._model.device)
            predicted = self._model(tokens, use_cache=False).logits[0]
            self._lending.computed += len(row.tokens)
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
            self._trees = True
            trees = {found.at: found.likelihoods for found in self.score(tried)}
        except (
            TypeError,
            ValueError,
            RuntimeError,
            AttributeError,
        ):  # it takes no such mask or cache
            self._trees = False
            return False
        self._trees = False
        plain = {found.at: found.likelihoods for found in self.score(tried)}
        self._lending.computed = self.asked = 0
        near = 1e-3 if self._model.dtype == self._torch.float32 else 0.25
        return all(
            abs(one.total - other.total) < near
            for at, found in trees.items()
            for one, other in zip(found, plain[at], strict=True)
        )
