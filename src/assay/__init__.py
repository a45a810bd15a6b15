"""Assay asks systems the same questions, keeps every answer, and says only what the answers support.

This is the whole public API; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .analysis.claims import weigh as weigh
    from .analysis.metrics import OUTCOME_METRICS as OUTCOME_METRICS
    from .core.artifact import Artifact as Artifact
    from .core.claim import Claim as Claim
    from .core.claim import Finding as Finding
    from .core.claim import Published as Published
    from .core.claim import Relation as Relation
    from .core.claim import Status as Status
    from .core.errors import AssayError as AssayError
    from .core.errors import DataError as DataError
    from .core.errors import PlanError as PlanError
    from .core.errors import PluginError as PluginError
    from .core.metric import Better as Better
    from .core.metric import Contrast as Contrast
    from .core.metric import Estimate as Estimate
    from .core.metric import Metric as Metric
    from .core.metric import Over as Over
    from .core.metric import Ratio as Ratio
    from .core.metric import Statistic as Statistic
    from .core.record import Cell as Cell
    from .core.record import Record as Record
    from .core.reply import Answer as Answer
    from .core.reply import Bottom as Bottom
    from .core.reply import Crash as Crash
    from .core.reply import Failed as Failed
    from .core.reply import Reply as Reply
    from .core.reply import Usage as Usage
    from .core.sample import Question as Question
    from .core.sample import Sample as Sample
    from .core.system import Built as Built
    from .core.system import Needs as Needs
    from .core.system import Recipe as Recipe
    from .core.system import System as System
    from .core.task import Task as Task
    from .core.verdict import Check as Check
    from .core.verdict import Outcome as Outcome
    from .core.verdict import SameAnswer as SameAnswer
    from .core.verdict import Verdict as Verdict
    from .core.verdict import Verifier as Verifier
    from .engine.plan import load_plan as load_plan
    from .engine.plugins import load_tasks as load_tasks
    from .families.transpile.verifying import verify_rust as verify_rust
    from .publish.compare import compare as compare
    from .publish.report import Report as Report
    from .publish.run import Run as Run
    from .publish.run import front as front
    from .publish.running import run as run
    from .systems.railed import Railed as Railed

_HOME = {
    "core.artifact": ("Artifact",),
    "core.claim": ("Claim", "Finding", "Published", "Relation", "Status"),
    "core.errors": ("AssayError", "DataError", "PlanError", "PluginError"),
    "core.metric": (
        "Better",
        "Contrast",
        "Estimate",
        "Metric",
        "Over",
        "Ratio",
        "Statistic",
    ),
    "core.record": ("Cell", "Record"),
    "core.reply": ("Answer", "Bottom", "Crash", "Failed", "Reply", "Usage"),
    "core.sample": ("Question", "Sample"),
    "core.system": ("Built", "Needs", "Recipe", "System"),
    "core.task": ("Task",),
    "core.verdict": ("Check", "Outcome", "SameAnswer", "Verdict", "Verifier"),
    "analysis.claims": ("weigh",),
    "analysis.metrics": ("OUTCOME_METRICS",),
    "engine.plan": ("load_plan",),
    "engine.plugins": ("load_tasks",),
    "families.transpile.verifying": ("verify_rust",),
    "publish.compare": ("compare",),
    "publish.report": ("Report",),
    "publish.run": ("Run", "front"),
    "publish.running": ("run",),
    "systems.railed": ("Railed",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE)  # noqa: PLE0605  (one table serves the lazy loader and the list)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
