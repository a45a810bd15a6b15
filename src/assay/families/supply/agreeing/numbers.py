"""What the gate counts, made of what was found in weights and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..passport import Number
from .outputs import PromptFound, StatesFound
from .weights import WeightsFound

Array: TypeAlias = Any


def of_weights(found: WeightsFound) -> tuple[Number, ...]:
    """Return how many tensors are not the source's (at most none), and the largest distances."""
    n = len(found.tensors)
    compared = sum(one.max_abs is not None for one in found.tensors)
    return (
        Number(name="tensors_changed", value=len(found.wrong), n=n, of="tensors", limit=0),
        Number(name="weight_max_abs", value=found.worst("max_abs"), n=compared, of="tensors"),
        Number(name="weight_error", value=found.worst("relative"), n=compared, of="tensors"),
        Number(name="weight_cosine", value=found.worst("cosine"), n=compared, of="tensors"),
    )


def of_outputs(found: Sequence[PromptFound]) -> tuple[Number, ...]:
    """Return the numbers of two decoders over every position of every prompt, without limits.

    Quantiles are the smallest value that enough positions do not pass.
    """
    kl, top1, topk, cosine = (_all(found, name) for name in ("kl", "top1", "topk", "cosine"))
    theirs, ours = _all(found, "source_nll"), _all(found, "candidate_nll")
    followed = ~np.isnan(theirs)
    n, tokens = len(kl), int(followed.sum())
    numbers = [
        _unread(found),
        _non_finite(found, n),
        _of(n, "kl_mean", kl.mean()),
        _of(n, "kl_p99", np.quantile(kl, 0.99, method="inverted_cdf")),
        _of(n, "kl_max", kl.max()),
        Number(name="top1", value=float(top1.mean()), n=n, of="positions", relation="at_least"),
        Number(name="topk", value=float(topk.mean()), n=n, of="positions", relation="at_least"),
        Number(
            name="logit_cosine",
            value=float(cosine.mean()),
            n=n,
            of="positions",
            relation="at_least",
        ),
    ]
    if tokens:
        source, candidate = float(theirs[followed].mean()), float(ours[followed].mean())
        numbers += [
            Number(name="perplexity_source", value=_exp(source), n=tokens, of="tokens"),
            Number(name="perplexity", value=_exp(candidate), n=tokens, of="tokens"),
            Number(
                name="perplexity_difference",
                value=_exp(candidate) - _exp(source),
                n=tokens,
                of="tokens",
            ),
            Number(name="perplexity_ratio", value=_exp(candidate - source), n=tokens, of="tokens"),
        ]
    return tuple(numbers)


def of_states(found: Sequence[StatesFound]) -> tuple[Number, ...]:
    """Return the numbers of two encoders over every prompt, without limits."""
    n = len(found)
    each = np.concatenate([one.token_cosine for one in found])
    broken = sum(not one.finite for one in found)
    return (
        _unread(found),
        Number(name="non_finite", value=broken, n=n, of="prompts", limit=0),
        Number(
            name="cosine",
            value=min(one.cosine for one in found),
            n=n,
            of="prompts",
            relation="at_least",
        ),
        Number(name="token_cosine_mean", value=float(each.mean()), n=len(each), of="positions"),
        Number(name="token_cosine_min", value=float(each.min()), n=len(each), of="positions"),
        Number(name="state_error", value=max(one.relative for one in found), n=n, of="prompts"),
        Number(name="max_abs", value=max(one.max_abs for one in found), n=n, of="prompts"),
    )


def farthest(found: Sequence[PromptFound], *, most: int = 3) -> tuple[tuple[str, float], ...]:
    """Return the prompts with the largest mean KL, largest first."""
    means = [(one.id, float(one.compared.kl.mean())) for one in found]
    return tuple(sorted(means, key=lambda pair: (-pair[1], pair[0]))[:most])


def _unread(found: Sequence[PromptFound] | Sequence[StatesFound]) -> Number:
    other = sum(one.read_otherwise for one in found)
    return Number(name="read_otherwise", value=other, n=len(found), of="prompts", limit=0)


def _non_finite(found: Sequence[PromptFound], n: int) -> Number:
    # A prompt that the candidate read otherwise was never computed.
    read = [one.compared.finite for one in found if not one.read_otherwise]
    broken = int(sum((~finite).sum() for finite in read))
    return Number(name="non_finite", value=broken, n=n, of="positions", limit=0)


def _all(found: Sequence[PromptFound], name: str) -> Array:
    return np.concatenate([getattr(one.compared, name) for one in found])


def _of(n: int, name: str, value: Any) -> Number:
    return Number(name=name, value=float(value), n=n, of="positions")


def _exp(nats: float) -> float:
    return float(np.exp(nats))
