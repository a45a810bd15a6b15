"""What is said of measured models: lines for people, plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

from assay import Estimate
from assay.estimates import facts as estimate_facts
from assay.estimates import spell
from assay.progress import sized

from .measuring import Measured, Setting
from .numbers import Numbers, numbers
from .profiles import QUIET, Profile
from .scoring import Range, Score, Unscored, score

Line: TypeAlias = "str | tuple[str, ...]"

SURER = 0.975
"""Confidence of each of the two components of a score that vary: 95 % together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A model with its numbers and its score."""

    measured: Measured
    share: float | None
    """Of its cores; see ``Measured.share``."""

    numbers: Numbers | None
    score: Score | Unscored | None


def tell(measured: Measured, setting: Setting, profile: Profile | None) -> Told:
    """Return what is to be said of one model."""
    if measured.why is not None:
        return Told(
            measured=measured,
            share=None,
            numbers=None,
            score=None if profile is None else Unscored(why=measured.why),
        )
    found, share = numbers(measured, prompt=setting.prompt), measured.share(setting.threads)
    if profile is None:
        return Told(measured=measured, share=share, numbers=found, score=None)
    surer = numbers(measured, prompt=setting.prompt, confidence=SURER)
    peak = measured.peak_bytes
    ranges = {
        "first_token_s": _range(surer.first_token_s),
        "decode_per_s": _range(surer.decode_per_s),
        "peak_bytes": None if peak is None else Range(value=peak, low=peak, high=peak),
    }
    reference = profile.values.model_dump()
    return Told(measured=measured, share=share, numbers=found, score=score(ranges, reference))


def lines(told: Told) -> Iterator[Line]:
    """Yield what people read of one model."""
    measured, found = told.measured, told.numbers
    yield measured.subject.says
    if found is None:
        yield "  not measured", measured.why or ""
        return
    yield "  size", f"{sized(measured.subject.size)} in {len(measured.subject.files)} file(s)"
    loads = measured.loads_s
    spread = f"{min(loads):.2f} to {max(loads):.2f} s" if len(loads) > 1 else f"{loads[0]:.2f} s"
    yield "  load time", f"{spread} ({len(loads)} processes)"
    yield "  time to first token", spell(found.first_token_s)
    yield "  prompt, tokens/s", spell(found.prompt_per_s)
    yield "  decode, tokens/s", spell(found.decode_per_s)
    for each, name in zip(found.per_token, ("p50", "p90", "p95"), strict=True):
        yield f"  a token, {name}", spell(each)
    peak = measured.peak_bytes
    yield "  peak memory", "not measured (no VmHWM here)" if peak is None else sized(peak)
    if found.joules is None:
        yield "  energy", f"not measured ({measured.no_energy or 'an answer had no reading'})"
    else:
        yield "  joules an answer", spell(found.joules)
    if told.share is not None:
        waits = (
            "" if told.share >= QUIET else ": it waited for others, and an idle machine is faster"
        )
        yield "  share of its cores", f"{told.share:.2f}{waits}"
    match told.score:
        case Score(total=total, components=parts):
            yield "  score", f"{total.value:.1f} [{total.low:.1f}, {total.high:.1f}] of 100"
            for name, part in parts.items():
                yield f"    {name}", f"{part.value:.1f} [{part.low:.1f}, {part.high:.1f}]"
        case Unscored(why=why):
            yield "  score", f"none ({why})"
        case None:
            pass


def facts(told: Told) -> dict[str, Any]:
    """Return plain values of one model; what is not measured is null."""
    measured, found = told.measured, told.numbers
    subject = measured.subject
    return {
        "model": subject.name,
        "runtime": subject.runtime,
        "dtype": subject.dtype if subject.runtime == "transformers" else None,
        "files": [
            {"digest": file.digest, "size": file.size, "source": file.source}
            for file in subject.files
        ],
        "size": subject.size,
        "not_measured": measured.why,
        "loads_s": list(measured.loads_s),
        "peak_bytes": measured.peak_bytes,
        "prompt_sha256": measured.prompt_sha256 or None,
        "no_energy": measured.no_energy,
        "share": told.share,
        "numbers": None if found is None else _numbers(found),
        "score": _score(told.score),
        "answers": [
            {"stamps": [list(s) for s in each.stamps], "cpu_s": each.cpu_s, "joules": each.joules}
            for each in measured.answers
        ],
    }


def reference(told: Told) -> Mapping[str, float] | None:
    """Return the numbers that a profile holds; None where one was not measured."""
    measured = told.measured
    if told.numbers is None or measured.peak_bytes is None:
        return None
    return {
        "first_token_s": median(each.first_s for each in measured.answers),
        "decode_per_s": median(1 / each.decoding_s for each in measured.answers),
        "peak_bytes": measured.peak_bytes,
    }


def _numbers(found: Numbers) -> dict[str, Any]:
    p50, p90, p95 = found.per_token
    named: dict[str, Estimate | None] = {
        "first_token_s": found.first_token_s,
        "prompt_per_s": found.prompt_per_s,
        "decode_per_s": found.decode_per_s,
        "per_token_p50_s": p50,
        "per_token_p90_s": p90,
        "per_token_p95_s": p95,
        "joules": found.joules,
    }
    return {name: None if each is None else estimate_facts(each) for name, each in named.items()}


def _score(found: Score | Unscored | None) -> dict[str, Any] | None:
    match found:
        case Score(total=total, components=parts):
            return {
                "total": _ends(total),
                "components": {name: _ends(part) for name, part in parts.items()},
            }
        case Unscored(why=why):
            return {"total": None, "why": why}
        case None:
            return None


def _ends(found: Range) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _range(found: Estimate) -> Range | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    low, high = max(found.low, 0.0), found.high
    return (
        None if low <= 0 or high == float("inf") else Range(value=found.value, low=low, high=high)
    )
