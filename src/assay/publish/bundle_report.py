"""What a bundle is, beside the run that it is from: its operating points, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.metric import Estimate
from .bundle import Bundle
from .decisions import decision_sentence
from .document import Block, Document, Facts, Inline, Para, Row, Section, Span, Table, cell
from .facts import estimate_facts
from .run import Run

WORTH = ("coverage", "risk")
"""What is said of an operating point, behind the headline of its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A system that has the network of a bundle, above a threshold of its own."""

    system: str
    says: str
    """What its threshold was chosen for, and what that promises."""

    threshold: float | None
    """Under the seed of the bundle; None: the network's own gate."""

    estimates: tuple[Estimate, ...]
    """Headline, coverage, risk, over all seeds."""

    claims: tuple[tuple[str, str], ...]
    """Id and status of every claim on it."""

    bundled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """A bundle and its run."""

    folder: Path
    bundle: Bundle
    run: Run

    @property
    def points(self) -> Iterator[OperatingPoint]:
        """Every operating point of the network, the one that was bundled first."""
        origin, run = self.bundle.origin, self.run
        results = run.results
        case = results.cases[origin.task]
        named = [
            name
            for name, facts in run.manifest.systems.items()
            if origin.of in (name, facts.of) and name in case.tables
        ]
        for system in sorted(named, key=lambda name: (name != origin.system, name)):
            chosen = case.thresholds.get(system, {}).get(origin.seed)
            names = dict.fromkeys((case.headline.name, *WORTH))
            yield OperatingPoint(
                system=system,
                says="its own gate" if chosen is None else chosen.promise,
                threshold=None if chosen is None else chosen.value,
                estimates=tuple(case.estimate(system, name) for name in names if case.knows(name)),
                claims=tuple(
                    (finding.claim.id, finding.status.value)
                    for finding in results.findings
                    if finding.claim.system == system and finding.claim.task == origin.task
                ),
                bundled=system == origin.system,
            )

    @property
    def facts(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "bundle": str(self.folder),
            "run": str(self.run.path),
            "origin": self.bundle.origin.model_dump(mode="json"),
            "model": dict(self.bundle.model),
            "operating_points": [
                {
                    "system": point.system,
                    "says": point.says,
                    "threshold": point.threshold,
                    "bundled": point.bundled,
                    "estimates": [estimate_facts(one) for one in point.estimates],
                    "claims": dict(point.claims),
                }
                for point in self.points
            ],
        }

    @property
    def document(self) -> Document:
        """The report, before it is Markdown or a page."""
        origin = self.bundle.origin
        said = " ".join(decision_sentence(d) for d in self.run.results.decisions.values())
        what = f"{origin.system}, seed {origin.seed}, on {origin.task}"
        return Document(
            title=f"Bundle of {origin.run}",
            says=what,
            line=(Span(origin.seal[:19], "code"), f" · {origin.use}"),
            sections=(
                Section("points", "Operating points", tuple(self._points())),
                Section("bundle", "The bundle", (Facts(tuple(self._pairs())),)),
                Section("run", "Its run", (Para(said),)),
            ),
            foot="Made by assay from a bundle and the sealed run that it is from, found by its seal.",
        )

    def _points(self) -> Iterator[Block]:
        points = list(self.points)
        rows = []
        for point in points:
            claims = ", ".join(f"{name} {status}" for name, status in point.claims) or "none"
            shown = "none" if point.threshold is None else f"{point.threshold:.6g}"
            note = "bundled" if point.bundled else ""
            rows.append(
                Row(
                    (
                        Span(point.system, "name", note=note),
                        point.says,
                        Span(shown, "number"),
                        *(cell(one) for one in point.estimates),
                        claims,
                    ),
                    "chosen" if point.bundled else "",
                )
            )
        yield Table(
            says=f"Thresholds are those of seed {self.bundle.origin.seed}; what they are worth is of all "
            "seeds on the test samples, with two-sided 95 % intervals.",
            header=(
                "system",
                "chosen for",
                "threshold",
                *(one.metric for one in points[0].estimates),
                "claims",
            ),
            rows=tuple(rows),
        )

    def _pairs(self) -> Iterator[tuple[str, Inline]]:
        origin, model = self.bundle.origin, self.bundle.model
        gate = model.get("gate")
        if isinstance(gate, dict):
            yield "tau_infer", f"{gate.get('tau_infer')} ({gate.get('chosen')})"
            yield "tau_train", str(gate.get("tau_train"))
        for name, digest in self.bundle.files.items():
            yield name, Span(digest, "code")
        if "network" in model:
            yield "network", Span(str(model["network"]), "code")
        for split, digest in origin.data.items():
            yield f"{split} samples", Span(digest, "code")
        yield "seal of the run", Span(origin.seal, "code")
