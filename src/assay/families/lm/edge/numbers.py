"""The numbers of a measured model, each with its interval, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from assay import Estimate
from assay.estimates import quantile

from .measuring import Measured
from .stamps import Answered

TAILS = (0.5, 0.9, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What is said of a model that was measured.

    Estimates are medians over answers; those of ``per_token`` are quantiles over tokens, of which those
    of one answer are slow or fast together.  One whose number of answers does not support it has no value.
    """

    first_token_s: Estimate
    prompt_per_s: Estimate
    """Tokens of the prompt a second, up to the first token of the answer."""

    decode_per_s: Estimate
    """Tokens of the answer a second, from the first one on."""

    per_token: tuple[Estimate, ...]
    """p50, p90 and p95 of seconds a token."""

    joules: Estimate | None
    """Of a whole answer, prompt included; None when not measured."""


def numbers(measured: Measured, *, prompt: int, confidence: float = 0.95) -> Numbers:
    """Return the numbers of a model that was measured, of a prompt of so many tokens.

    Raises ``ValueError`` where it was not measured.
    """
    if measured.why is not None:
        raise ValueError(measured.why)
    answers = measured.answers
    gaps = [(gap, at) for at, each in enumerate(answers) for gap in each.gaps_s]

    def median(name: str, values: list[float]) -> Estimate:
        return quantile(name, values, 0.5, confidence=confidence)

    joules = [each.joules for each in answers if each.joules is not None]
    return Numbers(
        first_token_s=median("latency_first_token", _first(answers)),
        prompt_per_s=median("prompt_per_s", [prompt / s for s in _first(answers)]),
        decode_per_s=median("decode_per_s", [1 / each.decoding_s for each in answers]),
        per_token=tuple(
            quantile(
                f"latency_per_token_p{100 * q:g}",
                [gap for gap, _ in gaps],
                q,
                blocks=[at for _, at in gaps],
                confidence=confidence,
            )
            for q in TAILS
        ),
        joules=median("joules", joules) if len(joules) == len(answers) else None,
    )


def _first(answers: tuple[Answered, ...]) -> list[float]:
    return [each.first_s for each in answers]
