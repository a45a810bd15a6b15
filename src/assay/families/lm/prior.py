"""A measured prior, kept beside the system, with a digest of everything it was measured on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MADE_BY = "lm.choose/1"


@dataclass(frozen=True, slots=True)
class PriorFile:
    """The prior of a model under a prompt.  A file made from anything else counts as absent."""

    path: Path
    made_from: object
    """Model digest, prompt tokens, label tokens, inputs."""

    @property
    def digest(self) -> str:
        """Name what the prior was measured on."""
        text = json.dumps([MADE_BY, self.made_from], ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def read(self) -> tuple[float, ...] | None:
        """Return the kept prior, or None when there is none of this very origin."""
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("made_from") != self.digest:
            return None
        return tuple(float(value) for value in found["prior"])

    def write(self, prior: Sequence[float]) -> tuple[float, ...]:
        """Keep a prior, whole or not at all, and return it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({"made_from": self.digest, "prior": list(prior)}))
        part.replace(self.path)
        return tuple(prior)
