"""The machine that a plugin measures on outside of a run, in the words of a run's provenance.

>>> from assay.machines import machine
>>> sorted(machine())
['cpu', 'cpus', 'cpus_usable', 'gpus', 'libc', 'memory_mb', 'os', 'python']
"""

from __future__ import annotations

from .store.machine import machine, usable_cpus

__all__ = ["machine", "usable_cpus"]
