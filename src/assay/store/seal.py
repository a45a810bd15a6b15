"""Seal a run, and find what was changed since.

Covered: an edited, truncated, swapped, added or deleted file; a line dropped from a journal.
Not covered: a forger who edits a run and seals it again.  Publish the digest of SEAL, or sign it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..core.errors import SealError
from .canon import digest_file
from .journal import decisions_of, read_lines
from .kept import know
from .manifest import Seal, doc_bytes, read_doc, write_doc
from .rundir import RunDir, cell_of
from .stamps import Stamps

GLANCE_BYTES = 1 << 16
"""Files up to this size are read at a glance."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was sealed."""

    path: str
    what: str


def seal(run: RunDir, *, decisions: dict[str, str], incomplete: tuple[str, ...]) -> Seal:
    """Write the seal.  From here on the sealed files are only read."""
    files = {str(p.relative_to(run.root)): digest_file(p) for p in run.sealed_files()}
    made = Seal(files=files, decisions=dict(sorted(decisions.items())), incomplete=incomplete)
    write_doc(run.seal, made)
    return made


def read_seal(run: RunDir) -> Seal:
    """Return the seal; raise ``SealError`` A301 when the run has none."""
    run.require()
    if not run.seal.is_file():
        raise SealError(
            "this run is not sealed: it did not finish",
            where=str(run.root),
            hint="run `assay run PLAN` again: it resumes where it stopped",
            code="A301",
        )
    made = read_doc(Seal, run.seal)
    if run.seal.read_bytes() != doc_bytes(made):
        raise SealError(
            "the seal was changed: these are not the bytes that assay writes",
            where=str(run.seal),
            hint="restore the run directory from a copy",
        )
    return made


def faults(run: RunDir, *, keep: bool = False) -> list[Fault]:
    """Return everything that is not as it was sealed, sorted by path.

    With ``keep``, large journals whose digests fit are decoded once, and kept under ``cache/``; and a
    large file that is the one whose digest was taken before is not read again.
    """
    sealed = read_seal(run)
    stamps = Stamps(run) if keep else None
    taken = stamps.digest if stamps else digest_file
    there = {str(p.relative_to(run.root)): p for p in run.sealed_files()}
    found = []
    for name, wanted in sealed.files.items():
        path = there.pop(name, None)
        if path is None:
            found.append(Fault(name, "is missing"))
        elif (now := taken(path)) != wanted:
            twin = next((o for o, d in sealed.files.items() if d == now and o != name), None)
            what = f"holds what {twin} was sealed with" if twin else "was changed after sealing"
            found.append(Fault(name, what))
    found += [Fault(name, "was added after sealing") for name in there]
    found += [Fault(name, "is nothing that a run has") for name in run.strange()]
    if stamps:
        stamps.keep()
    if not found:
        found = _decision_faults(run, sealed, keep=keep)
    return sorted(found, key=lambda fault: fault.path)


def _decision_faults(run: RunDir, sealed: Seal, *, keep: bool) -> list[Fault]:
    """Return where the seal's own words are not what its intact files say."""
    there = {str(p.relative_to(run.root)): p for p in journals(run)}
    found = [
        Fault(name, "is a journal whose decisions stand on one side only: here, or in the seal")
        for name in there.keys() ^ sealed.decisions.keys()
    ]
    incomplete = []
    for name, path in there.items():
        if keep:
            made = know(run, path, sealed.files[name]).decisions
        else:
            made = decisions_of(read_lines(path))
        if name in sealed.decisions and made.digest != sealed.decisions[name]:
            found.append(Fault(name, "does not hold the decisions that the seal names"))
        if made.crashed:
            incomplete.append(str(cell_of(run.root, path)))
    if sorted(incomplete) != sorted(sealed.incomplete):
        found.append(Fault("SEAL", "does not name the cells that have crashes left"))
    return found


class Glance(StrEnum):
    """What a quick look at a sealed run shows.  None of them is a verdict: ``faults`` gives it."""

    ALIKE = "sealed, not verified"
    """Nothing speaks against it."""

    NEWER = "sealed, newer files"
    """A file is newer than the seal, as after an edit, or after a careless copy."""

    CHANGED = "changed since sealed"
    """A file is missing, was added, or is small and was edited."""


def glance(run: RunDir) -> Glance:
    """Look at a sealed run without reading its large files.

    *Not to be trusted when* somebody edits a large file and sets its time back.
    """
    sealed = read_seal(run)
    there = {str(p.relative_to(run.root)): p for p in run.sealed_files()}
    if there.keys() != sealed.files.keys():
        return Glance.CHANGED
    when, newer = run.seal.stat().st_mtime_ns, False
    for name, path in there.items():
        facts = path.stat()
        if facts.st_size <= GLANCE_BYTES and digest_file(path) != sealed.files[name]:
            return Glance.CHANGED
        newer = newer or facts.st_mtime_ns > when
    return Glance.NEWER if newer else Glance.ALIKE


def require_intact(run: RunDir, *, keep: bool = False) -> Seal:
    """Return the seal, or raise ``SealError`` A300 that names what was changed."""
    if broken := faults(run, keep=keep):
        names = "; ".join(f"{fault.path} {fault.what}" for fault in broken[:5])
        more = f"; and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise SealError(
            f"the run was changed after it was sealed: {names}{more}",
            where=str(run.root),
            hint="restore the named files from a copy; nothing is computed from a changed run",
        )
    return read_seal(run)


def journals(run: RunDir) -> list[Path]:
    """Return every journal of a run, sorted."""
    return sorted(p for p in (run.root / "records").glob("*/*/*.jsonl") if p.is_file())
