"""Whether a process writes a run: looked up, never tried.

To try the lock would hold it for a moment, and keep out a process that begins at that moment.  Linux lists who holds
which; where it does not, nothing is known.
"""

from __future__ import annotations

from pathlib import Path

LOCKS = Path("/proc/locks")


def is_written(folder: Path, *, locks: Path = LOCKS) -> bool | None:
    """Whether a process holds the lock of a run; None where the system does not say.

    >>> is_written(Path("/nowhere"))
    False
    """
    try:
        inode = (folder / ".lock").stat().st_ino
    except OSError:
        return False
    try:
        listed = locks.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    return any(_holds(line.split(), inode) for line in listed)


def _holds(words: list[str], inode: int) -> bool:
    """Whether a line such as ``7: FLOCK ADVISORY WRITE 812 fe:00:3941 0 EOF`` is about a file."""
    # A waiting process has an arrow in front.  The device is not compared: some file systems show another one.
    if "FLOCK" not in words or "->" in words:
        return False
    return any(word.count(":") == 2 and word.rpartition(":")[2] == str(inode) for word in words)
