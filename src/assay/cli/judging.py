"""``assay verify``: a command whose exit status is an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from .fitting import table
from .page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..publish.rerun import Again
    from ..publish.signing import PublicKey
    from ..store.seal import Fault


def verify(
    run: Path,
    /,
    *,
    rerun: Annotated[PositiveInt | None, Parameter(name="--rerun")] = None,
    key: Path | None = None,
) -> Page:
    """Check that every file of a run is as it was sealed, and every number as it computes.

    Exit status 1 when anything differs; each file is named with what is wrong with it.

    Args:
        run: A run's folder.
        rerun: Also build every system again, ask it this many questions drawn at random, and
            compare what it decides with the records.
        key: Also verify the run's signature with this public key (PEM).
    """
    from ..publish.run import Run
    from ..publish.verify import verify as verify_run

    signer, unsigned = _signer(run, key)
    faults = [*verify_run(run), *unsigned]
    again: Sequence[Again] = ()
    if rerun is not None and all(f.path.startswith("derived/") or f in unsigned for f in faults):
        from ..publish.rerun import ask_again

        again = ask_again(Run.load(run), rerun)
    return _verify_page(run, faults, again, signer)


WRITTEN_ELSEWHERE = (
    "What was sealed is as it was. Where nobody changed the report, another version of assay wrote it: "
    "`assay report RUN` writes this one's."
)


def _signer(run: Path, key: Path | None) -> tuple[PublicKey | None, Sequence[Fault]]:
    """Return the key whose signature a run must have, and what is wrong with it."""
    if key is None:
        return None, ()
    from ..publish.board.signing import signature_faults
    from ..publish.signing import read_public_key

    return read_public_key(key), signature_faults(run, key)


def _verify_page(
    run: Path, faults: Sequence[Fault], again: Sequence[Again], signer: PublicKey | None
) -> Page:
    lines: list[Line] = [(Span(f.path, Style.BAD), f" {f.what}") for f in faults]
    if faults:
        several = "s are" if len(faults) > 1 else " is"
        lines += [f"{len(faults)} file{several} not as it should be in {run}."]
        if all(f.path.startswith("derived/") for f in faults):
            lines += [WRITTEN_ELSEWHERE]
    else:
        lines += [f"{run} is as it was sealed, and every number is what its records compute to."]
    if signer and not any(fault.path == "SEAL.sig" for fault in faults):
        lines.append(f"It is signed by {signer.fingerprint} ({signer.algorithm}).")
    if again:
        lines += ["", strong("Asked again"), *table([_again_row(a) for a in again])]
    sound = not faults and all(a.sound for a in again)
    lines.append(Span("verified" if sound else "not verified", Style.GOOD if sound else Style.BAD))
    facts = {
        "run": str(run),
        "verified": sound,
        "key": signer.fingerprint if signer else None,
        "faults": [{"path": f.path, "what": f.what} for f in faults],
        "rerun": [
            {
                "task": a.task,
                "system": a.system,
                "asked": a.asked,
                "same": a.same,
                "differ": list(a.differ),
                "why_not": a.why_not,
            }
            for a in again
        ],
    }
    return Page(lines=lines, facts=facts, code=0 if sound else 1)


def _again_row(again: Again) -> tuple[str | Span, ...]:
    if again.why_not:
        return (again.task, again.system, Span(again.why_not, Style.UNSURE))
    told = Span(
        f"{again.same} of {again.asked} decided the same", Style.PLAIN if again.sound else Style.BAD
    )
    return (
        again.task,
        again.system,
        told,
        faint(f"not: {', '.join(again.differ)}") if again.differ else "",
    )
