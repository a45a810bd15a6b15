"""A file or folder that appears under its name when it is whole, and not before.

*Covered*: a process that is killed at any moment leaves no half file under the name, and its leavings are
cleared by the next that writes there; two processes that want the same name; a full disk; power that
fails after the name is there.  *Not covered*: a folder that is replaced is gone for a moment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay import AssayError, PlanError
from assay.locks import locking


@contextmanager
def placed(target: Path, *, replaces: bool) -> Iterator[Path]:
    """Yield a path to write to; what stands there afterwards takes the name ``target``.

    Raises ``PlanError`` A106 where there is a ``target`` and it is not to be replaced, ``AssayError``
    A500 where the disk says no, A501 where another process is writing the same.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with placed(Path(folder) / "made", replaces=False) as path:
    ...         _ = path.write_text("whole")
    ...     sorted(each.name for each in Path(folder).iterdir())
    ['made']
    """
    require_free(target, replaces=replaces)
    staging = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(staging):
            _clear(staging)
            try:
                yield staging / target.name
                _settle(staging / target.name)
                require_free(target, replaces=replaces)
                _take_place(staging, target)
            except BaseException:
                _clear(staging)
                raise
            finally:
                if staging.is_dir() and not any(staging.iterdir()):
                    staging.rmdir()
    except OSError as error:
        raise cannot_write(error, target) from error


def require_free(target: Path, *, replaces: bool) -> None:
    """Raise ``PlanError`` A106 where something stands that is not to be replaced."""
    if target.exists() and not replaces:
        raise PlanError(
            f"{target.name} is there already",
            where="--out",
            hint="name another file, or say --force to replace it",
            code="A106",
        )


def require_room(target: Path, size: int) -> None:
    """Raise ``AssayError`` A500 where the disk has less room than what is to be written."""
    free = shutil.disk_usage(_existing(target.absolute().parent)).free
    if free < size:
        raise AssayError(
            f"cannot write: {size / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free",
            where=str(target),
            hint="free some space, or name a file on another disk",
            code="A500",
        )


def cannot_write(error: OSError, target: Path) -> AssayError:
    """Return the error A500 of a disk that said no."""
    return AssayError(
        f"cannot write: {error.strerror or error}",
        where=str(target),
        hint="free some space or mend the permission, then run the same command again",
        code="A500",
    )


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.is_dir())


@contextmanager
def _alone(staging: Path) -> Iterator[None]:
    """Hold the staging folder, which ends with the process whatever happens to it."""
    fcntl = locking(staging)
    while True:
        staging.mkdir(exist_ok=True)
        held = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AssayError(
                    "another process is writing this file",
                    where=str(staging),
                    hint="wait until it is done, or name another file",
                    code="A501",
                ) from None
            # Whoever was here before may have removed the folder between the two lines above.
            if not staging.exists() or os.fstat(held).st_ino != staging.stat().st_ino:
                continue
            yield
            return
        finally:
            os.close(held)


def _clear(staging: Path) -> None:
    for left in staging.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _settle(made: Path) -> None:
    """Have the disk keep what was written before it gets its name."""
    for path in (made, *(made.rglob("*") if made.is_dir() else ())):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _take_place(staging: Path, target: Path) -> None:
    made, old = staging / target.name, staging / "replaced"
    if target.is_dir():
        target.rename(old)
    made.replace(target)
    if old.exists():
        shutil.rmtree(old)
    handle = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
