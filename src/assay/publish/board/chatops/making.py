"""What a submission makes, made anew by every stage: its plan, its systems, the files that its source has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ....core.errors import DataError
from .. import planning
from ..checking import SUITE, check
from ..looking import Seen
from ..naming import system_name
from ..sent import Submission
from ..suites import suite_of
from .admitting import Source
from .pinning import Clock, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A submission and what is made of it."""

    submission: Submission
    plan: bytes
    systems: tuple[str, ...]
    """The plan's names of the model's quantizations."""

    source: Source | None
    """None where the systems load no files."""

    bring: Callable[[Path], None] = field(repr=False)
    """Fetches the model's files to where a plan at this path has them."""


def make(file: Path, suite: str) -> Made:
    """Make the plan of a submission; its sources are asked what they have, and no weights are fetched.

    Raises ``DataError`` A200 where it has errors, or a source does not show what the submission names.
    """
    checked = check(file)
    sent = checked.submission
    if sent is None or not checked.is_valid:
        first = next((note.says for note in checked.of("error")), "it cannot be read")
        raise DataError(
            f"the submission has errors: {first}",
            where=file.name,
            hint="run `assay board check` on it",
        )
    systems = planning.systems_of(sent, suite_of(suite), checked.seen)
    shown = {each.quantization for each in checked.seen}
    if missing := [s.quantization.name for s in systems if s.quantization not in shown]:
        raise DataError(
            f"its source does not show the files of {', '.join(missing)}",
            where=file.name,
            hint="try again when the source can be reached",
        )
    return Made(
        submission=sent,
        plan=planning.plan_of(sent, suite, seen=checked.seen, of=file.name).encode(),
        systems=tuple(system_name(each.quantization.name) for each in systems),
        source=_source(checked.seen),
        bring=lambda plan: planning.bring(systems, plan, beside=file.parent),
    )


def _source(seen: tuple[Seen, ...]) -> Source:
    files = [file for each in seen for file in each.files]
    named = {f"sha256:{f.sha256.removeprefix('sha256:')}" for f in files if f.sha256}
    sizes = {f.size for f in files if not f.sha256 and f.size is not None}
    return Source(digests=frozenset(named), sizes=frozenset(sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the stages get what is not GitHub's."""

    make: Callable[[Path, str], Made] = make
    suite: str = SUITE
    clock: Clock = now
