"""A sentence encoder taught on labelled prompts: cross-entropy beside supervised contrast, in torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import PlanError, PluginError

from ..extras import extra
from ..lessons import Lessons
from .bert import Noise, Packed, pack, sentence_vectors
from .encoder import open_tokenizer
from .files import BertShape, EncoderFiles

LONGEST = 64
"""Tokens of a training prompt.  The encoder itself reads as many as before."""

WORDS = "embeddings.word_embeddings.weight"
"""Stays as it is: half of the parameters, most of them of words that no training prompt has."""

ALIKE = 4
"""Prompts of one class that go into a batch together: contrast needs pairs."""

SCALE = 20.0
"""Logits are cosines times this."""

CLOSENESS = 0.1
"""Temperature of the contrast.  Khosla et al. 2020, as measured there."""

WARM = 0.1
"""Share of the steps in which the rate rises; then it falls to 0 along a cosine."""

SHORT, LONG = 1e-2, 1e-2
"""Rate of the class vectors, weight decay of the matrices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How an encoder is taught.

    Raises ``PlanError`` A102 for a number that makes no training.
    """

    epochs: int = 4
    batch: int = 64
    rate: float = 2e-4
    """The highest rate of AdamW."""

    contrast: float = 0.5
    """Weight of the contrast beside the cross-entropy; 0: none."""

    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what makes no training."""
        sound = (
            self.epochs >= 1
            and self.batch >= 2 * ALIKE
            and 0 < self.rate < 1
            and 0 <= self.contrast < math.inf
            and 0 <= self.dropout < 1
        )
        if not sound:
            raise PlanError(
                f"this makes no training: {asdict(self)}",
                hint=f"at least 1 epoch, batches of at least {2 * ALIKE}, a rate and a dropout in "
                "[0, 1), a contrast of at least 0",
                code="A102",
            )


def finetune(
    base: EncoderFiles,
    lessons: Lessons,
    *,
    n_labels: int,
    tuning: Tuning,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    """Return the weights of an encoder after learning from lessons, as the base names them.

    The loss is cross-entropy of scaled cosines to one vector per class, plus ``tuning.contrast``
    times the supervised contrast between the prompts of a batch.  Classes from ``n_labels`` on are
    reasons to decline: they are classes of the cross-entropy, and in the contrast nobody's
    neighbours, because requests without an answer need have nothing in common.  The seed draws the
    batches and the dropout; equal seeds give equal weights on one machine with one thread of torch.

    Raises ``PluginError`` A401 without torch; A403 when the base is no float32 BERT.
    Source: Khosla et al., "Supervised contrastive learning" (2020); Wang et al., "NormFace" (2017).

    *Not to be trusted when* train holds near-duplicates of what the encoder is judged on: it learns
    them by heart faster than a frozen encoder's head does.
    """
    torch = extra("torch")
    sequences = _tokens(base, lessons.texts)
    weights = _load(base)
    generator = torch.Generator().manual_seed(seed)
    classes = torch.from_numpy(lessons.classes)
    count = max(n_labels, int(lessons.classes.max()) + 1)
    heads = _class_vectors(weights, base.shape, sequences, classes, count)
    learner = _Learner(weights=weights, heads=heads, shape=base.shape, tuning=tuning)
    optimiser = learner.optimiser()
    draws = np.random.Generator(np.random.PCG64(seed))
    order = [list(_batches(lessons.classes, tuning.batch, draws)) for _ in range(tuning.epochs)]
    steps = [rows for epoch in order for rows in epoch]
    noise = Noise(tuning.dropout, generator)
    for number, rows in enumerate(steps):
        for group in optimiser.param_groups:
            group["lr"] = group["top"] * _share(number, len(steps))
        batch = pack([sequences[row] for row in rows])
        loss = learner.loss(batch, classes[torch.from_numpy(rows)], n_labels, noise)
        optimiser.zero_grad()
        loss.backward()
        learner.clip()
        optimiser.step()
    found = {name: tensor.detach().numpy() for name, tensor in weights.items()}
    if not all(np.isfinite(array).all() for array in found.values()):
        raise PluginError("the training diverged", hint="try a lower rate", code="A403")
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Learner:
    """The parameters, and what they are to make small."""

    weights: dict[str, Any]
    heads: Any
    shape: BertShape
    tuning: Tuning

    def learning(self) -> list[Any]:
        return [*(w for name, w in self.weights.items() if name != WORDS), self.heads]

    def optimiser(self) -> Any:
        torch = extra("torch")
        matrices = [w for n, w in self.weights.items() if n != WORDS and w.ndim > 1]
        vectors = [w for n, w in self.weights.items() if n != WORDS and w.ndim == 1]
        for parameter in (*matrices, *vectors, self.heads):
            parameter.requires_grad_(True)
        groups = [
            {"params": matrices, "weight_decay": LONG, "top": self.tuning.rate},
            {"params": vectors, "weight_decay": 0.0, "top": self.tuning.rate},
            {"params": [self.heads], "weight_decay": 0.0, "top": SHORT},
        ]
        return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=True)

    def clip(self) -> None:
        """Scale the gradients to length one where they are longer.

        The length is summed in double precision: torch's own sums depend, in their last bits, on
        where in memory a tensor lies, and equal seeds would no longer give equal weights.
        """
        torch = extra("torch")
        slopes = [weight.grad for weight in self.learning()]
        squares = torch.stack([slope.double().square().sum() for slope in slopes])
        share = (1 / squares.sum().sqrt().float()).clamp(max=1.0)
        for slope in slopes:
            slope.mul_(share)

    def loss(self, batch: Packed, classes: Any, n_labels: int, noise: Noise) -> Any:
        functional = extra("torch").nn.functional
        vectors = sentence_vectors(self.weights, self.shape, batch, noise=noise)
        unit = functional.normalize(vectors, dim=-1)
        logits = SCALE * unit @ functional.normalize(self.heads, dim=-1).T
        loss = functional.cross_entropy(logits, classes)
        if not self.tuning.contrast:
            return loss
        return loss + self.tuning.contrast * _contrast(unit, classes, n_labels)


def _contrast(unit: Any, classes: Any, n_labels: int) -> Any:
    """Minus the mean log share that a prompt gives the others of its label among all others."""
    torch = extra("torch")
    itself = torch.eye(len(classes), dtype=torch.bool)
    near = (unit @ unit.T / CLOSENESS).masked_fill(itself, torch.finfo(torch.float32).min)
    shares = near.log_softmax(dim=1).masked_fill(itself, 0.0)
    alike = (classes[:, None] == classes[None]) & ~itself & (classes < n_labels)[:, None]
    paired = alike.any(dim=1)
    if not paired.any():
        return unit.sum() * 0.0
    means = (shares * alike).sum(dim=1)[paired] / alike.sum(dim=1)[paired]
    return -means.mean()


def _share(step: int, steps: int) -> float:
    """Return the share of the highest rate at a step."""
    warm = max(1, math.ceil(WARM * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _batches(
    classes: NDArray[np.int64], size: int, draws: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield every row number once, blocks of one class side by side, blocks in random order."""
    blocks: list[NDArray[np.int64]] = []
    for number in np.unique(classes):
        rows = draws.permutation(np.flatnonzero(classes == number))
        blocks += [rows[first : first + ALIKE] for first in range(0, len(rows), ALIKE)]
    order = np.concatenate([blocks[place] for place in draws.permutation(len(blocks))])
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _tokens(base: EncoderFiles, texts: Sequence[str]) -> list[list[int]]:
    tokenizer = open_tokenizer(base)
    tokenizer.enable_truncation(min(LONGEST, base.shape.max_tokens))
    return [found.ids for found in tokenizer.encode_batch(list(texts))]


def _load(base: EncoderFiles) -> dict[str, Any]:
    torch = extra("torch")
    arrays = extra("safetensors.numpy").load(base.read(base.weights))
    return {
        name: torch.from_numpy(array).clone()
        for name, array in arrays.items()
        if array.dtype == np.float32 and not name.startswith("pooler.")
    }


def _class_vectors(
    weights: Mapping[str, Any],
    shape: BertShape,
    sequences: Sequence[Sequence[int]],
    classes: Any,
    count: int,
) -> Any:
    """Return where the class vectors start: at the mean of what the base makes of each class."""
    torch = extra("torch")
    totals = torch.zeros(count, shape.hidden)
    order = sorted(range(len(sequences)), key=lambda row: len(sequences[row]))
    still = Noise(0.0, torch.Generator())
    with torch.no_grad():
        for first in range(0, len(order), 128):
            rows = order[first : first + 128]
            batch = pack([sequences[row] for row in rows])
            vectors = sentence_vectors(weights, shape, batch, noise=still)
            totals.index_add_(0, classes[rows], vectors)
    return torch.nn.functional.normalize(totals, dim=-1)
