"""The measurement that later ones must not be slower than: a copy, because all that a gate needs is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.errors import DataError, PlanError
from ...store.canon import write_whole
from ...store.outputs import check_output
from .document import Measurement, digest, newest, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept, and from where."""

    source: Path
    measurement: Measurement
    digest: str


def set_baseline(source: Path, out: Path) -> Kept:
    """Copy the newest measurement of a folder, or one file, whole or not at all.

    Raises ``PlanError`` A106 where ``out`` is a folder or belongs to a run, ``DataError`` A200 where there is no
    measurement, or it was a quick look: three processes tell little, and a gate would be closed for nothing.
    """
    if out.is_dir():
        hint = f"name a file, as {out / 'baseline.json'}"
        raise PlanError(f"{out} is a folder", where="--out", hint=hint, code="A106")
    check_output("--out", out)
    path = newest(source) if source.is_dir() else source
    made = read(path)
    if made.assay.quick:
        raise DataError(
            "this is a quick look, and no measurement to hold others to",
            where=str(path),
            hint="measure without --quick",
        )
    write_whole(out, path.read_bytes())
    return Kept(source=path, measurement=made, digest=digest(out))
