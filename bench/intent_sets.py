"""CLINC150, BANKING77 and HWU64 as samples, each in the parts that its authors made."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path

from assay import Answer, Bottom, Sample

SETS = ("clinc150", "banking77", "hwu64")
HELD_OUT = 0.1
"""Share of a train part that validates, where the authors made no validation part."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """One set.  Prompts without an answer are in validation and test, and in ``spare``."""

    name: str
    train: list[Sample]
    validation: list[Sample]
    test: list[Sample]
    spare: list[Sample]
    """Training prompts without an answer: CLINC150 has 100."""

    def tune(self) -> list[Sample]:
        """Return a third of the validation prompts that have an answer."""
        known = [s for s in self.validation if isinstance(s.target, Answer)]
        random.Random(0).shuffle(known)
        return known[: len(known) // 3]

    def calibration(self) -> list[Sample]:
        """Return the rest of validation."""
        used = {sample.id for sample in self.tune()}
        return [sample for sample in self.validation if sample.id not in used]


def read(name: str, data: Path) -> Prompts:
    with gzip.open(data / name / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for number, row in enumerate(rows):
        target = Bottom("out_of_scope") if row.get("oos") else Answer(row["intent"])
        part = {"val": "validation", "valid": "validation"}.get(row["split"], row["split"])
        parts[part].append(Sample(id=f"{name}/{number}", input=row["text"], target=target))
    known = [s for s in parts["train"] if isinstance(s.target, Answer)]
    spare = [s for s in parts["train"] if isinstance(s.target, Bottom)]
    validation = parts["validation"]
    if not validation:
        random.Random(0).shuffle(known)
        cut = round(HELD_OUT * len(known))
        validation, known = known[:cut], known[cut:]
    return Prompts(name=name, train=known, validation=validation, test=parts["test"], spare=spare)
