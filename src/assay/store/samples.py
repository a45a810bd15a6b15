"""Samples as files, and their fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from ..core.errors import DataError, SealError
from ..core.reply import Answer, Bottom
from ..core.sample import Sample, Target
from .canon import canonical, digest_value, open_plain, write_whole


class StoredSample(msgspec.Struct, frozen=True, gc=False):
    """A sample as a line of ``samples/<task>/<split>.jsonl``."""

    id: str
    group: str
    input: Any
    tags: list[str]
    target: dict[str, Any] | None


_decode = msgspec.json.Decoder(StoredSample).decode


def sample_line(sample: Sample) -> bytes:
    """Return a sample's canonical line, without the newline."""
    return canonical(
        {
            "id": sample.id,
            "group": sample.cluster,
            "input": sample.input,
            "tags": sorted(sample.tags),
            "target": target_facts(sample.target),
        }
    )


def digested(sample: Sample) -> Sample:
    """Return a sample with digests in the place of its input and of the value of its answer.

    That the right answer is to decline stays, with its reason: metrics are made of it.

    >>> digested(Sample(id="a", input="pay", target=Bottom("none"))).target
    Bottom(reason='none', proposal=None)
    >>> digested(Sample(id="a", input="pay")).input["sha256"][:8]
    '08ff0df7'

    *Not to be trusted when* there are few possible answers: whoever knows them all can find out
    which one a digest stands for.
    """
    target = sample.target
    if isinstance(target, Answer):
        target = Answer(_named(target.value))
    elif isinstance(target, Bottom):
        target = Bottom(target.reason)
    return replace(sample, input=_named(sample.input), target=target)


def _named(value: Any) -> dict[str, str]:
    return {"sha256": digest_value(value).removeprefix("sha256:")}


def plain_line(sample: Sample) -> bytes:
    """Return a sample's canonical line; raise ``DataError`` A200 unless it is read back as it is.

    A tuple comes back as a list and a number as a key comes back as text: a system's answer, which
    also comes as JSON, would never equal such a target.
    """
    hint = "give samples text ids, and plain JSON: lists, text as keys, finite numbers"
    try:
        line = sample_line(sample)
        row = _decode(line)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the sample {sample.id!r} cannot be stored: {error}", hint=hint) from None
    if row.input != sample.input or row.target != target_facts(sample.target):
        raise DataError(f"the sample {sample.id!r} would be read back otherwise", hint=hint)
    return line


def fingerprint(samples: Iterable[Sample]) -> str:
    """Return the digest of samples, whatever their order."""
    sha = hashlib.sha256()
    for line in sorted(sample_line(s) for s in samples):
        sha.update(line + b"\n")
    return "sha256:" + sha.hexdigest()


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write samples, one line each, in the order in which they are asked."""
    write_whole(path, b"".join(sample_line(s) + b"\n" for s in samples))


def read_samples(path: Path) -> list[Sample]:
    """Return the samples of a file."""
    return list(each_sample(path))


def each_sample(path: Path) -> Iterator[Sample]:
    """Yield the samples of a file, one at a time: there may be more than memory should hold."""
    alike: dict[Any, Any] = {}
    with open_plain(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                made = sample_of(raw)
            except SealError as error:
                raise SealError(error.what, where=f"{path}:{number}", hint=error.hint) from None
            # A group and its tags have many samples: one of each is enough for all of them.
            group, tags = (alike.setdefault(one, one) for one in (made.group, made.tags))
            yield replace(made, group=group, tags=tags)


def sample_of(raw: bytes) -> Sample:
    """Return the sample that a line stores; raise ``SealError`` A300 where it stores none."""
    try:
        row = _decode(raw)
        target = _NOT_SAID if row.target == _STORED else _read_target(row.target)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise SealError(
            f"a sample cannot be read: {error}", hint="run `assay verify` on the run directory"
        ) from None
    return Sample(
        id=row.id,
        input=row.input,
        target=target,
        group=row.group,
        tags=frozenset(row.tags),
    )


def target_facts(target: Target) -> dict[str, Any] | None:
    """Return a target as it is stored: with the scores of an answer and the proposal of a decline.

    They are what is known of a value beside it: the ends of an interval, the limit it lies beyond.

    >>> target_facts(Answer(2.0, scores={"lower": 1.0, "upper": 3.0}))
    {'answer': 2.0, 'scores': {'lower': 1.0, 'upper': 3.0}}
    >>> target_facts(Bottom("below", Answer(5.0)))
    {'bottom': 'below', 'proposal': {'answer': 5.0}}
    """
    match target:
        case Answer(value, scores=scores):
            return {"answer": value, **({"scores": dict(scores)} if scores else {})}
        case Bottom(reason, None):
            return {"bottom": reason}
        case Bottom(reason, proposal):
            return {"bottom": reason, "proposal": target_facts(proposal)}
        case None:
            return None


_NOT_SAID = Answer(None)
_STORED = target_facts(_NOT_SAID)
# One value for every sample of a log that says right or wrong, and not what was right.


def _read_target(stored: Any) -> Target:
    """Return a target as it was stored; raise ``ValueError`` for what is none."""
    match stored:
        case None:
            return None
        case {"answer": value, **more}:
            scores = more.get("scores", {})
            if not isinstance(scores, dict) or not all(
                type(n) in (int, float) for n in scores.values()
            ):
                raise ValueError("the scores of a target are no numbers")
            return Answer(value, scores=scores)
        case {"bottom": str(reason), **more}:
            proposal = _read_target(more.get("proposal"))
            return Bottom(reason, proposal if isinstance(proposal, Answer) else None)
        case _:
            raise ValueError("a target is neither an answer nor a decline")
