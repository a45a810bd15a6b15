"""Verify a run: rehash every sealed file, then compute every number again.

Covered: any edit of a sealed or derived file, by hash and by recomputation.
Not covered: a forger who edits and seals again (publish the digest of SEAL), and figures when
another version of the drawing library is installed: that is said, and is not tampering.
"""

from __future__ import annotations

from pathlib import Path

from ..store.rundir import RunDir
from ..store.seal import Fault, faults
from .run import Run


def verify(path: Path | str) -> list[Fault]:
    """Return everything that is not as it was sealed, or is not what the records compute to.

    Raises ``SealError`` when the folder is no run, has no seal, or is of another schema version.
    """
    return faults(RunDir(Path(path))) or Run.load(path).verify()
