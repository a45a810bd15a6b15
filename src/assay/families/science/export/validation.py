"""What a graph is held to before it ships: the records of its run, NumPy, torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, Failed, Record, Sample

from ..domains.drawn import rounded
from ..extras import extra
from ..learning.rows import Floats, features_of
from ..recipes.answering import SAID_DIGITS, UNDIRECTED
from .deployed import NAMES, Deployed, Outputs, outputs
from .torch_side import torch_says

RECORDS = 1.1e-5
"""Largest relative difference from a record: a step of its last digit, where rounding met a middle."""

ARITHMETIC = 1e-6
"""Largest relative difference between ONNX, NumPy and torch: P / Q near its gate loses digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A graph beside something that it has to agree with."""

    against: str
    rows: int
    kinds_differ: int
    """Rows on which one has a value, a decline or a fault, and the other has not; or another reason."""

    values: int
    """Rows on which both have a value."""

    largest: float
    """Largest difference of a value, relative to its size, or to the deviation of all values."""

    confidence: float
    """Largest difference of a confidence."""

    most: float

    @property
    def agrees(self) -> bool:
        """Whether there is no difference but rounding."""
        return not self.kinds_differ and max(self.largest, self.confidence) <= self.most

    @property
    def facts(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "against": self.against,
            "agrees": self.agrees,
            "rows": self.rows,
            "kinds_differ": self.kinds_differ,
            "values": self.values,
            "largest_relative_difference": self.largest,
            "largest_difference_of_confidence": self.confidence,
            "at_most": self.most,
        }


def run_graph(graph: bytes, x: Floats) -> Outputs:
    """Return what ONNX Runtime says of some rows."""
    runtime = extra("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    decoded, bottom, gap, fault, semantic, provenance, confidence, reason = session.run(
        list(NAMES), {"features": x}
    )
    return Outputs(
        decoded=decoded,
        bottom=bottom,
        gap=gap,
        fault=fault,
        semantic=semantic,
        provenance=provenance,
        confidence=confidence,
        reason=reason,
    )


def held(
    graph: bytes, deployed: Deployed, asked: Sequence[tuple[Sample, Record]], point: float | None
) -> list[Held]:
    """Return a graph beside the records of some test samples, and beside NumPy and torch.

    ``point`` is the plan's threshold, which records of answers do not know yet.
    """
    x = features_of([sample for sample, _ in asked])
    said = run_graph(graph, x)
    found = [
        _against_records(said, deployed, asked, point),
        _against(said, outputs(deployed, x), "numpy", deployed),
    ]
    value, sure = torch_says(deployed, x)
    with np.errstate(all="ignore"):
        decoded = deployed.scale.outward(value)
    sure = np.clip(np.where(said.fault, 0.0, sure), 0.0, 1.0)
    values = ~said.bottom
    found.append(
        Held(
            against="torch",
            rows=len(x),
            kinds_differ=int((values & ~np.isfinite(decoded).all(axis=1)).sum()),
            values=int(values.sum()),
            largest=_largest(said.decoded, decoded, values, deployed),
            confidence=_most(np.abs(said.confidence - sure)),
            most=ARITHMETIC,
        )
    )
    return found


def _against(said: Outputs, other: Outputs, name: str, deployed: Deployed) -> Held:
    differ = (
        (said.provenance != other.provenance)
        | (said.gap != other.gap)
        | (said.reason != other.reason)
    )
    values = ~said.bottom & ~other.bottom
    return Held(
        against=name,
        rows=len(said.bottom),
        kinds_differ=int(differ.sum()),
        values=int(values.sum()),
        largest=_largest(said.decoded, other.decoded, values, deployed),
        confidence=_most(np.abs(said.confidence - other.confidence)),
        most=ARITHMETIC,
    )


def _against_records(
    said: Outputs,
    deployed: Deployed,
    asked: Sequence[tuple[Sample, Record]],
    point: float | None,
) -> Held:
    differ, values = 0, np.zeros(len(asked), dtype=np.bool_)
    recorded = np.full_like(said.decoded, np.nan)
    sure = np.zeros(len(asked))
    told = np.asarray(rounded(said.confidence, SAID_DIGITS))
    for i, (_, record) in enumerate(asked):
        kind, reason = _graph_kind(said, deployed, i)
        match record.said:
            case Failed():
                differ += kind != "fault"
            case Bottom(because, proposal):
                differ += (kind, reason) != ("decline", because)
                sure[i] = told[i] if proposal is None else _sure(proposal)
            case Answer(value) as answer:
                withheld = point is not None and _sure(answer) < point
                differ += (kind, reason) != ("decline" if withheld else "value", answer.instead)
                sure[i] = _sure(answer)
                if not withheld and kind == "value":
                    recorded[i] = np.asarray(value, dtype=np.float64)
                    values[i] = True
            case _:
                differ += 1
    shown = np.asarray(rounded(np.nan_to_num(said.decoded), SAID_DIGITS))
    return Held(
        against="records",
        rows=len(asked),
        kinds_differ=differ,
        values=int(values.sum()),
        largest=_largest(shown, recorded, values, deployed),
        confidence=_most(np.abs(told - sure)),
        most=RECORDS,
    )


def _graph_kind(said: Outputs, deployed: Deployed, row: int) -> tuple[str, str]:
    place = int(said.reason[row])
    reason = deployed.reasons[place] if place >= 0 else UNDIRECTED
    if said.fault[row]:
        return "fault", reason
    return ("decline" if said.bottom[row] else "value"), reason


def _sure(answer: Answer) -> float:
    return 0.0 if answer.confidence is None else answer.confidence


def _largest(one: Floats, other: Floats, rows: NDArray[np.bool_], deployed: Deployed) -> float:
    # A value may be zero, or next to it: there the deviation of all values is what counts.
    scale = deployed.scale
    usual = scale.y_sd if scale.y_unit is None else scale.y_unit
    sizes = np.maximum(np.abs(other[rows]), usual)
    return _most(np.abs(one[rows] - other[rows]) / sizes)


def _most(differences: Floats) -> float:
    """Return the largest difference, with three digits; infinity where one is no number."""
    if not differences.size:
        return 0.0
    if not np.isfinite(differences).all():
        return 1e308
    return float(f"{differences.max():.3g}")


def report(found: Sequence[Held], system: str) -> tuple[bytes, bytes]:
    """Return the validation of a bundle as Markdown and as JSON."""
    good = all(one.agrees for one in found)
    lines = [
        f"# Validation of {system}",
        "",
        "The graph agrees with everything that it was held to."
        if good
        else "**The graph does not agree: do not ship it.**",
        "",
        "| against | rows | other kind | values | largest difference | of a confidence | at most |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.against} | {one.rows:,} | {one.kinds_differ:,} | {one.values:,} | {one.largest:.3g} "
        f"| {one.confidence:.3g} | {one.most:.3g} |"
        for one in found
    ]
    lines += [
        "",
        "Rows are test samples of the run; its records hold six significant digits.  A row is of another",
        "kind where one has a value, a decline or a fault and the other has not, or another reason.",
        "Differences are relative to the value, or to what values deviate by where that is more.",
    ]
    facts = {"agrees": good, "held_to": [one.facts for one in found]}
    told = json.dumps(facts, sort_keys=True, indent=2) + "\n"
    return ("\n".join(lines) + "\n").encode(), told.encode()
