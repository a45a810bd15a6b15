"""When a generation has to end, and when its first token came."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any


@dataclass(slots=True)
class Watch:
    """Looks at the clock after each token."""

    started: float
    deadline: float
    first_s: float | None = None
    is_late: bool = False

    def __call__(self, tokens: Any, scores: Any, **_: Any) -> Any:
        """Return whether each row has to end, as a stopping criterion of transformers."""
        now = perf_counter()
        if self.first_s is None:
            self.first_s = now - self.started
        self.is_late = now > self.deadline
        torch: Any = import_module("torch")
        return torch.full((tokens.shape[0],), self.is_late, device=tokens.device, dtype=torch.bool)
