"""Whether a response is right, and what else is measured of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from assay import Answer, Check, Crash, Reply, Sample

from .resonance import highest

FLOOR, CEILING = 1e-6, 1e6
"""Magnitudes and errors outside of these score as these: no response comes near either."""


@dataclass(frozen=True, slots=True)
class WithinShare:
    """Right where the response is off by at most so much of its magnitude."""

    tolerance: float

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each response with the one asked for.

        Scores: ``squared_error``; ``log_error``, of the magnitude, in decibels; ``peak_kept``, where
        the sample is the highest of its sweep: at least 0.9 of it is said; ``false_peak``: more is
        said than 1/0.9 of the highest that the filter has anywhere.
        """
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            truth = read_response(wanted.value) if isinstance(wanted, Answer) else None
            if truth is None or not isinstance(said, Answer):
                yield Crash("no_target", f"sample {sample.id!r} has no response to compare with")
                continue
            given = read_response(said.value)
            if given is None:
                yield Check(passed=False)
                continue
            error, height = min(abs(given - truth), CEILING), abs(given)
            decibels = 20.0 * abs(log10(min(max(height, FLOOR), CEILING) / abs(truth)))
            scores = {
                "squared_error": error**2,
                "log_error": decibels,
                "false_peak": float(height > highest(truth) / 0.9),
            }
            if "peak" in sample.tags:
                scores["peak_kept"] = float(height >= 0.9 * abs(truth))
            yield Check(passed=error <= self.tolerance * abs(truth), scores=scores)


def read_response(value: object) -> complex | None:
    """Return a response that is a list of two numbers; None for anything else.

    >>> read_response([0.5, -1]), read_response([True, 1]), read_response("0.5")
    ((0.5-1j), None, None)
    """
    match value:
        case [bool(), _] | [_, bool()]:
            return None
        case [int() | float() as real, int() | float() as imaginary]:
            # No response has more than a million digits, and whole numbers may.
            low, high = -(CEILING**2), CEILING**2
            return complex(min(max(real, low), high), min(max(imaginary, low), high))
        case _:
            return None
