"""A network of a run in a folder of its own: the graph, what it is from, and what it was held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from assay.runs import Place, write_bundle

from ..learning.projective import Projective
from ..learning.rows import features_of
from ..recipes.answering import UNDIRECTED
from .deployed import PROVENANCE
from .found import Found, find
from .graph import graph_of
from .units import Column, columns_of
from .validation import Held, held, report
from .writer import OPSET

GRAPH, TOLD, DATA = "model.onnx", "VALIDATION.md", "VALIDATION.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A bundle that was written."""

    folder: Path
    found: Found
    held: tuple[Held, ...]

    @property
    def agrees(self) -> bool:
        """Whether the graph may ship."""
        return all(one.agrees for one in self.held)


def bundle(place: Place, folder: Path, *, samples: int) -> Bundled:
    """Write the bundle of one seed of a system, held to the records of some test samples.

    Raises what ``found.find`` raises, and ``RunError`` A500 when the disk says no.

    *Not to be trusted when* ``agrees`` is false: the validation says where it does not.
    """
    found = find(place)
    graph = graph_of(found.deployed)
    asked = list(islice(place.run.read(place.system, task=place.task, seed=place.seed), samples))
    content = {sample.id: sample for sample in found.samples["test"]}
    asked = [(content[sample.id], record) for sample, record in asked]
    point = None if found.point is None else found.point.value
    checked = held(graph, found.deployed, asked, point)
    told, data = report(checked, place.system)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content_of in ((GRAPH, graph), (TOLD, told), (DATA, data)):
        (folder / name).write_bytes(content_of)
    model = _model(place, found, [one.facts for one in checked])
    write_bundle(folder, place, files=[GRAPH, TOLD, DATA], model=model)
    return Bundled(folder=folder, found=found, held=tuple(checked))


def _model(place: Place, found: Found, checked: list[dict[str, Any]]) -> dict[str, Any]:
    deployed, gate = found.deployed, found.deployed.gate
    head, width = deployed.head, len(deployed.scale.y_mean)
    task = place.run.manifest.tasks[place.task]
    columns = columns_of(task.use, inputs=deployed.shape.inputs, values=width)
    seen = features_of(found.samples["train"])
    projective = isinstance(head, Projective)
    return {
        "graph": GRAPH,
        "opset": OPSET,
        "network": found.digest,
        "taught_again": found.taught_again,
        "parameters": sum(part.size for part in found.lesson.parts),
        "head": type(head).__name__,
        "inputs": [
            {
                "name": "features",
                "type": "float64",
                "shape": ["rows", deployed.shape.inputs],
                "columns": [
                    {
                        **_named(column),
                        "least_in_training": float(seen[:, i].min()),
                        "most_in_training": float(seen[:, i].max()),
                    }
                    for i, column in enumerate(columns.inputs)
                ],
            }
        ],
        "outputs": _outputs(width, columns.values),
        "reasons": list(deployed.reasons),
        "undirected": UNDIRECTED,
        "provenance": list(PROVENANCE),
        "gate": {
            "on": "|Q|, in [0, 1]" if projective else "the probability that there is a value",
            "tau_infer": gate.tau,
            "chosen": found.chosen,
            "own_rule": gate.own,
            "tau_train": gate.tau_train,
        },
        "validation": checked,
    }


def _outputs(width: int, values: Sequence[Column]) -> list[dict[str, Any]]:
    rows = ["rows"]
    return [
        {
            "name": "decoded",
            "type": "float64",
            "shape": ["rows", width],
            "columns": [_named(column) for column in values],
            "says": "the value; NaN under bottom_mask",
        },
        _output("bottom_mask", "bool", rows, "there is no value: a fault, or below the gate"),
        _output("gap_mask", "bool", rows, "a value, but below tau_train: watch it"),
        _output("fault_mask", "bool", rows, "a number that is none went in, or came out"),
        _output("semantic_bottom_mask", "bool", rows, "below the gate: the network declines"),
        _output("bottom_provenance", "int64", rows, "a place in `provenance`"),
        _output("confidence", "float64", rows, "how sure it is that there is a value, in [0, 1]"),
        _output("reason", "int64", rows, "a place in `reasons`; -1: none"),
    ]


def _output(name: str, type_: str, shape: list[str], says: str) -> dict[str, Any]:
    return {"name": name, "type": type_, "shape": shape, "says": says}


def _named(column: Column) -> dict[str, Any]:
    name, unit = column
    return {"name": name, "unit": unit}
