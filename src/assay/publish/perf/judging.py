"""Whether code became slower: a gate over the benchmarks of two measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from pathlib import Path

import numpy as np

from ...analysis.alarms import Alarms, family
from ...analysis.noise import Rate
from ...core.errors import PlanError
from ...core.metric import Estimate, Over
from ...stats import multiple
from ...stats.arrays import Floats
from ...stats.inference import Inference
from ..gate import ALPHA, Check, Gate, Source
from ..gated.judged import Judged, Place
from ..words import Scale
from .compared import Clock, compare, ratio
from .document import Measurement, digest

MARGIN = 0.25
"""How much longer is still good enough where nobody says: see the false alarms in docs/performance.md."""

TRIALS = 200

NAME = "performance"

WITHIN = (
    "False alarms are measured within these two measurements; hours of one machine differ more "
    "(docs/performance.md)"
)


def judge(
    then: Measurement, now: Measurement, *, margin: float = MARGIN, clock: Clock = "cpu"
) -> tuple[Gate, tuple[str, ...]]:
    """Return the gate, and the sentences that it has to be read with.

    Every benchmark of the baseline must be *shown* to take at most ``margin`` longer, Holm over benchmarks
    at 2.5 %: a difference that is not significant does not pass by that.

    Raises ``PlanError`` A106 for a margin that is none, ``DataError`` A203 where ``compare`` does.
    """
    if not 0 < margin < inf:
        raise PlanError(
            f"the margin {margin:g} is no share above 0",
            where="--margin",
            hint="give how much longer is still good enough, for example 0.25",
            code="A106",
        )
    found = compare(then, now, clock=clock)
    tested = multiple.holm(
        family([one.found.p_at_most(1 + margin) for one in found.rows]), alpha=ALPHA
    )
    checks = [
        _check(one.name, one.found, tested[str(at)], margin) for at, one in enumerate(found.rows)
    ]
    absent = {one.name: one.why for one in now.assay.absent}
    checks += [
        Check(
            source=Source.PERFORMANCE,
            name=name,
            passes=False,
            why="is in the baseline, and was not measured now"
            + (f": {absent[name]}" if name in absent else ""),
        )
        for name in found.only_then
    ]
    names = [one.name for one in found.rows]
    alarms = false_alarms(
        *({n: s for n, s in each.seconds(clock).items() if n in names} for each in (then, now)),
        margin=margin,
    )
    more = (f"Not in the baseline: {', '.join(found.only_now)}",) if found.only_now else ()
    return Gate(checks=tuple(checks), alarms=alarms), (*found.read_with, *more, WITHIN)


def _check(name: str, found: Inference, tested: multiple.Tested, margin: float) -> Check:
    value, ends = found.value, found.interval(1 - 2 * tested.level)
    if value is None or ends is None:
        return Check(source=Source.PERFORMANCE, name=name, passes=False, why=found.method)
    low, high = ends
    slower = low > 1 + margin
    told = f"at most {margin:.0%} slower than in the baseline"
    why = f"is shown to be {told}" if tested.rejected else f"is not shown to be {told}"
    if slower:
        why = f"is more than {margin:.0%} slower than in the baseline"
    return Check(
        source=Source.PERFORMANCE,
        name=name,
        passes=tested.rejected,
        why=why,
        estimate=Estimate(
            metric="time",
            value=value,
            low=low,
            high=high,
            confidence=1 - 2 * tested.level,
            over=frozenset({Over.SAMPLES}),
            method=found.method,
        ),
        scale=Scale.TIMES,
    )


def false_alarms(
    then: Mapping[str, Sequence[float]],
    now: Mapping[str, Sequence[float]],
    *,
    margin: float,
    trials: int = TRIALS,
) -> Alarms:
    """Measure how often the gate is closed though nothing got slower, on these very times.

    Logarithms of the seconds of each process, less the mean of its measurement, are drawn again with
    replacement for both sides: the sides then differ as processes do, in no direction.

    Source: bootstrap of residuals, Efron 1979.

    *Not to be trusted when* the hour of one measurement was busier than that of the other.
    """
    rng = np.random.Generator(np.random.PCG64([len(now), 11]))
    pools = {name: (_residuals(then[name]), _residuals(now[name])) for name in now}
    if any(min(a.size, b.size) < 2 for a, b in pools.values()):
        return Alarms(rate=None, why_not="a benchmark has fewer than two processes")
    closed = 0
    for _ in range(trials):
        found = []
        for a, b in pools.values():
            pool = np.concatenate([a, b])
            drawn = (np.exp(rng.choice(pool, side.size)) for side in (b, a))
            found.append(ratio(*drawn).p_at_most(1 + margin))
        tested = multiple.holm(family(found), alpha=ALPHA)
        closed += any(not one.rejected for one in tested.values())
    return Alarms(rate=Rate(count=closed, trials=trials), of="times")


def _residuals(seconds: Sequence[float]) -> Floats:
    """Return logarithms around zero, spread as those of processes are: a mean that was taken off took its part."""
    logs = np.log(np.asarray(seconds, dtype=np.float64))
    n = logs.size
    found: Floats = (logs - logs.mean()) * sqrt(n / max(n - 1, 1))
    return found


def judged(gate: Gate, path: Path, read_with: Sequence[str]) -> Judged:
    """Return the verdict as the texts about it need it; what fails points at the file of the measurement."""
    return Judged(
        gate=gate,
        plan=NAME,
        seal=digest(path),
        sealed="Digest of the measurement",
        read_with=tuple(read_with),
        places=tuple(Place(path=path.as_posix(), line=1) for _ in gate.checks),
    )
