"""Programs that nobody has read, run where they can do no harm, for families whose answers are programs.

>>> from assay import sandbox
>>> sandbox.Limits(wall_s=5).memory_mb
2048
"""

from __future__ import annotations

from .core.errors import AssayError
from .engine.sandbox.bubblewrap import bubblewrap
from .engine.sandbox.job import Ended, How, Job, Limits, Sandbox
from .engine.sandbox.unsafe import Unsafe

__all__ = ["Ended", "How", "Job", "Limits", "Sandbox", "Unsafe", "find_sandbox"]


def find_sandbox() -> Sandbox:
    """Return the sandbox of this machine.

    Raises ``AssayError`` A500 where none works: a program that nobody has read does not run without
    one unless somebody says so (``Unsafe``).
    """
    found = bubblewrap()
    if isinstance(found, str):
        raise AssayError(
            f"no sandbox works here: {found}",
            hint="install bubblewrap, and run `assay doctor`",
            code="A500",
        )
    return found
