"""Every stage by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .asking import comment, gate, validate
from .bench import Bench, Done, Stage
from .publishing import push
from .reporting import report
from .working import evaluate, recheck

STAGES: Mapping[Stage, Callable[[Bench], Done]] = {
    "validate": validate,
    "comment": comment,
    "gate": gate,
    "evaluate": evaluate,
    "recheck": recheck,
    "report": report,
    "push": push,
}
