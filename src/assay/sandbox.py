"""Programs that nobody has read, run where they can do no harm, for families whose answers are programs.

>>> from assay import sandbox
>>> sandbox.Limits(wall_s=5).memory_mb
2048
"""

from __future__ import annotations

from .engine.sandbox.found import find_sandbox
from .engine.sandbox.job import Ended, How, Job, Limits, Sandbox
from .engine.sandbox.python import run_python
from .engine.sandbox.unsafe import Unsafe

__all__ = ["Ended", "How", "Job", "Limits", "Sandbox", "Unsafe", "find_sandbox", "run_python"]
