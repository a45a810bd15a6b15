"""Several prompts continued together: shared beginnings once, one token of every row at a time.

*Covered*: a row that has ended costs nothing once half of them have; draws depend on the seed of their
own prompt alone.  *Not covered*: low bits depend on what is computed together, and with them, now and then,
a token that two were equally likely to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .branching import path_of
from .lending import Layers, Lending
from .sharing import Group, shared
from .torch_scorer import LEAST_SHARED

NON_FINITE = "non_finite"
"""Why an answer ended whose next prediction was no number."""

TAIL = 24
"""Tokens at the end of an answer in which a stop text is looked for, beyond its own length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be continued, and how."""

    tokens: tuple[int, ...]
    most: int
    """Tokens of the answer."""

    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    timeout_s: float = float("inf")


class Written(NamedTuple):
    """What came of a wish."""

    at: int
    tokens: tuple[int, ...]
    finish: str
    """``stop``, ``length`` or ``timeout``; ``non_finite`` where a prediction was no number."""

    first_s: float
    """Seconds from the beginning of its batch to its first token."""

    total_s: float
    lent: int
    """How many tokens of its prompt were computed for others, too."""


@dataclass(slots=True)
class _Row:
    at: int
    wish: Wish
    generator: Any
    said: list[int] = field(default_factory=list)
    first_s: float = 0.0


class TorchWriter:
    """Continues prompts with a causal model of transformers, ``batch`` of them together."""

    def __init__(
        self,
        lending: Lending,
        *,
        decode: Callable[[list[int]], str],
        ends: frozenset[int],
        batch: int = 8,
        least: int = LEAST_SHARED,
    ) -> None:
        self._lending, self._decode, self._ends, self._batch = lending, decode, ends, batch
        self._least = least

    def write(self, wishes: Sequence[Wish]) -> Iterator[Written]:
        """Yield what comes of each wish, in any order."""
        # The prediction behind the last token is the first that is looked at: it stays in the row.
        yield from self._walk(
            shared([wish.tokens[:-1] for wish in wishes], least=self._least), [], wishes
        )

    def _walk(self, group: Group, above: Layers, wishes: Sequence[Wish]) -> Iterator[Written]:
        layers = self._lending.extended(above, group) if group.edge else above
        order = sorted(group.members, key=lambda at: -len(wishes[at].tokens))
        for start in range(0, len(order), self._batch):
            yield from self._together(
                [(at, wishes[at]) for at in order[start : start + self._batch]], layers, group.depth
            )
        for below in group.groups:
            yield from self._walk(below, layers, wishes)

    def _together(
        self, wished: Sequence[tuple[int, Wish]], layers: Layers, computed: int
    ) -> Iterator[Written]:
        torch, device = self._lending.torch, self._lending.device
        started = perf_counter()
        rows = [_Row(at, wish, torch.Generator().manual_seed(wish.seed)) for at, wish in wished]
        asked = [path_of(row.wish.tokens[computed:], computed) for row in rows]
        width = max(len(one.tokens) for one in asked)
        tokens, places = np.zeros((2, len(rows), width), np.int64)
        for k, one in enumerate(asked):
            tokens[k, width - len(one.tokens) :] = one.tokens
            places[k, width - len(one.tokens) :] = one.depths
        # Which keys a row sees, and where they stand: its padding never.
        seen = np.ones((len(rows), computed + width), bool)
        stands = np.concatenate(
            [np.broadcast_to(np.arange(computed), (len(rows), computed)), places], axis=1
        )
        for k, one in enumerate(asked):
            seen[k, computed : computed + width - len(one.tokens)] = False
        cache = self._lending.lent(layers, len(rows))
        mask = self._lending.mask(asked, computed)
        self._lending.computed += sum(len(one.tokens) for one in asked)
        given, where = torch.from_numpy(tokens), torch.from_numpy(places)
        while rows:
            with torch.inference_mode():
                predicted = self._lending.model(
                    given.to(device),
                    attention_mask=mask,
                    position_ids=where.to(device),
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits[:, -1]
            now = perf_counter() - started
            broken = (~_is_prediction(torch, predicted)).tolist()
            open_ = []
            for k, row in enumerate(rows):
                if broken[k]:  # the largest of these would be a token, and a lie
                    finish = NON_FINITE
                else:
                    row.said.append(self._next(predicted[k], row))
                    row.first_s = row.first_s or now
                    finish = self._finish(row, now)
                if finish:
                    yield Written(row.at, tuple(row.said), finish, row.first_s, now, computed)
                else:
                    open_.append(k)
            if len(open_) < len(rows):  # what has ended goes: fewer rows cost less
                rows = [rows[k] for k in open_]
                if not rows:
                    return
                cache.batch_select_indices(torch.tensor(open_, device=device))
                seen, stands = seen[open_], stands[open_]
            at = stands.max(axis=1) + 1
            seen = np.concatenate([seen, np.ones((len(rows), 1), bool)], axis=1)
            stands = np.concatenate([stands, at[:, None]], axis=1)
            given = torch.tensor([[row.said[-1]] for row in rows])
            where = torch.from_numpy(at[:, None])
            mask = self._lending.seen(seen, at[:, None] - stands)
            self._lending.computed += len(rows)

    def _next(self, logits: Any, row: _Row) -> int:
        if row.wish.temperature == 0:
            return int(logits.argmax())
        shares = (logits.float().cpu() / row.wish.temperature).softmax(-1)
        return int(self._lending.torch.multinomial(shares, 1, generator=row.generator))

    def _finish(self, row: _Row, now: float) -> str:
        if row.said[-1] in self._ends:
            return "stop"
        if row.wish.stop:
            longest = max(len(text) for text in row.wish.stop)
            tail = self._decode(row.said[-(TAIL + longest) :])
            if any(text in tail for text in row.wish.stop):
                return "stop"
        if len(row.said) >= row.wish.most:
            return "length"
        return "timeout" if now > row.wish.timeout_s else ""


def _is_prediction(torch: Any, logits: Any) -> Any:
    """Return for each row whether it says anything: no NaN, no infinity but that of a token ruled out."""
    return ~(torch.isnan(logits) | torch.isposinf(logits)).any(-1) & torch.isfinite(logits).any(-1)
