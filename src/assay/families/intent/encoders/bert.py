"""A BERT sentence encoder in torch: what ``graph`` computes, with gradients and dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..extras import extra
from .files import BertShape


class Packed(NamedTuple):
    """Token sequences end to end, so that no layer but attention computes on padding."""

    ids: Any
    """int64 [tokens], all sequences one after the other."""

    places: Any
    """int64 [tokens]: the place of each token in its sequence."""

    rows: Any
    """int64 [tokens]: the number of its sequence."""

    slots: Any
    """int64 [tokens]: its place in the padded [sequences, longest], flattened."""

    n: int
    longest: int


class Noise(NamedTuple):
    """Dropout with a random generator of its own: equal seeds drop equal units."""

    rate: float
    generator: Any
    """``torch.Generator``."""

    def __call__(self, x: Any) -> Any:
        """Zero a share of the units of a tensor and scale the others up."""
        if not self.rate:
            return x
        kept = extra("torch").empty_like(x, requires_grad=False)
        return x * kept.bernoulli_(1 - self.rate, generator=self.generator) / (1 - self.rate)


def pack(sequences: Sequence[Sequence[int]]) -> Packed:
    """Lay token sequences end to end.

    >>> pack([[101, 7, 102], [101, 102]]).slots.tolist()    # doctest: +SKIP
    [0, 1, 2, 3, 4]
    """
    torch = extra("torch")
    lengths = torch.tensor([len(tokens) for tokens in sequences])
    rows = torch.repeat_interleave(torch.arange(len(sequences)), lengths)
    starts = torch.cumsum(lengths, 0) - lengths
    places = torch.arange(len(rows)) - starts[rows]
    longest = int(lengths.max())
    ids = torch.tensor([token for tokens in sequences for token in tokens])
    return Packed(ids, places, rows, rows * longest + places, len(sequences), longest)


def sentence_vectors(
    weights: Mapping[str, Any], shape: BertShape, batch: Packed, *, noise: Noise
) -> Any:
    """Return one embedding per sequence, float32 [sequences, hidden].

    ``weights`` are torch tensors under the names of ``transformers``' ``BertModel``.  Dropout stands
    where BERT has it: after the embeddings, on the attention shares, and before both residual
    sums.  With ``noise.rate`` 0 this is the function that ``graph.bert_graph`` writes.
    """
    torch = extra("torch")
    functional = torch.nn.functional

    def dense(x: Any, name: str) -> Any:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Any, name: str) -> Any:
        scale, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(x, (shape.hidden,), scale, bias, shape.epsilon)

    def table(part: str) -> Any:
        return weights[f"embeddings.{part}_embeddings.weight"]

    absent = torch.full((batch.n * batch.longest,), torch.finfo(torch.float32).min)
    absent[batch.slots] = 0.0
    bias = absent.view(batch.n, 1, 1, batch.longest)

    def spread(x: Any) -> Any:
        """[tokens, hidden] to [sequences, heads, longest, hidden / heads], zero where padded."""
        padded = x.new_zeros(batch.n * batch.longest, shape.hidden)
        padded = padded.index_copy(0, batch.slots, x)
        split = padded.view(batch.n, batch.longest, shape.heads, shape.hidden // shape.heads)
        return split.transpose(1, 2)

    def attend(x: Any, name: str) -> Any:
        query, key, value = (spread(dense(x, f"{name}.{p}")) for p in ("query", "key", "value"))
        scores = query @ key.transpose(2, 3) / (shape.hidden // shape.heads) ** 0.5 + bias
        context = noise(scores.softmax(dim=-1)) @ value
        joined = context.transpose(1, 2).reshape(batch.n * batch.longest, shape.hidden)
        return joined[batch.slots]

    x = functional.embedding(batch.ids, table("word")) + table("position")[batch.places]
    x = noise(norm(x + table("token_type")[0], "embeddings.LayerNorm"))
    for number in range(shape.layers):
        layer = f"encoder.layer.{number}"
        attended = dense(attend(x, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
        x = norm(noise(attended) + x, f"{layer}.attention.output.LayerNorm")
        inner = functional.gelu(dense(x, f"{layer}.intermediate.dense"))
        x = norm(noise(dense(inner, f"{layer}.output.dense")) + x, f"{layer}.output.LayerNorm")
    total = x.new_zeros(batch.n, shape.hidden).index_add(0, batch.rows, x)
    pooled = total / torch.bincount(batch.rows, minlength=batch.n)[:, None]
    return functional.normalize(pooled, dim=-1) if shape.normalises else pooled
