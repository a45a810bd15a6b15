"""The check of a value against a number, or an interval, that is known: right within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import special

from assay import Answer, Check, Crash, Reply, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """Right where a value is off by at most so much, in ``unit``: deviations of training, or its own.

    Where an interval is known (the target's scores ``lower`` and ``upper``), a value inside is off by
    nothing.  Scores: ``error``; ``error_sd``, in standard deviations of the training values; and of
    an answer whose scores have ``sd``, a Gaussian around its value: ``nll``, the negative
    logarithm of its density at the target or of its share of the interval, and ``crps`` (Gneiting
    and Raftery 2007) where the target is a number.

    >>> check = Within(tolerance=0.5, unit="target", deviation=lambda: 2.0)
    >>> sample = Sample(id="a", input=[1.0], target=Answer(3.0))
    >>> [found] = check.check([(sample, Reply("a", Answer(3.4)))])
    >>> found.passed, round(found.scores["error_sd"], 6)
    (True, 0.2)
    """

    tolerance: float
    unit: Literal["sd", "target"]
    deviation: Callable[[], float]
    """The standard deviation of the training values; asked when the first answer is checked."""

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each value with the one asked for."""
        for sample, reply in batch:
            wanted, said = sample.target, reply.said
            if not isinstance(wanted, Answer) or not isinstance(said, Answer):
                yield Crash("no_target", f"sample {sample.id!r} has no value to compare with")
            elif isinstance(said.value, bool) or not isinstance(said.value, int | float):
                yield Check(passed=False)
            else:
                yield self._check(wanted, float(said.value), said.scores)

    def _check(self, wanted: Answer, value: float, scores: Mapping[str, float]) -> Check:
        middle = float(str(wanted.value))
        lower, upper = (wanted.scores.get(end, middle) for end in ("lower", "upper"))
        error = max(lower - value, value - upper, 0.0)
        deviation = self.deviation()
        most = self.tolerance * (deviation if self.unit == "sd" else 1.0)
        found = {"error": error, "error_sd": error / deviation}
        sd = scores.get("sd", 0.0)
        if 0 < sd < math.inf:
            found |= _gaussian((lower - value) / sd, (upper - value) / sd, sd)
        # A hair more, so that 0.3 is within 0.1 of 0.2 and 0.4.
        return Check(passed=error <= most * (1 + 1e-12), scores=found)


def _gaussian(low: float, high: float, sd: float) -> dict[str, float]:
    """Return the scores of a Gaussian, given the ends of what is known in its own units."""
    if low < high:
        inside = log_between(low, high)
        return {"nll": -inside} if math.isfinite(inside) else {}
    density = math.exp(-low * low / 2) / math.sqrt(2 * math.pi)
    crps = sd * (low * math.erf(low / math.sqrt(2)) + 2 * density - 1 / math.sqrt(math.pi))
    return {"nll": low * low / 2 + math.log(sd) + math.log(2 * math.pi) / 2, "crps": crps}


def log_between(low: float, high: float) -> float:
    """Return the logarithm of a standard Gaussian's share between two numbers, far out in a tail too.

    >>> round(log_between(-1.0, 1.0), 4), round(log_between(40.0, 41.0), 1)
    (-0.3817, -804.6)
    """
    if low > 0:
        low, high = -high, -low
    above, below = float(special.log_ndtr(high)), float(special.log_ndtr(low))
    return above + math.log(-math.expm1(below - above)) if below < above else -math.inf
