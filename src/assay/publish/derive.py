"""Write everything that is computed from a sealed run, so that it can be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.cascade import Sweep
from ..analysis.decision import Beside
from ..analysis.thresholds import Chosen
from ..core.claim import Finding
from ..core.metric import Contrast
from ..store.canon import pretty
from ..store.folders import replace_folder
from ..store.machine import packages
from ..store.manifest import Manifest
from ..store.seal import Fault
from . import grounds
from .decisions import decision_sentence
from .facts import estimate_facts as estimate_facts  # noqa: PLC0414  (others import it from here)
from .facts import peaks
from .facts import short as _short
from .fronts import front_facts
from .metric_log import MEASURED, log_bytes, result_records
from .phrases import caveats_by_task
from .policy import NUMBERS, policy_facts
from .report import Report
from .results import Results
from .stopped import stopped_facts
from .texts import audit_text, paired_text, summary_text

if TYPE_CHECKING:
    from .run import Run

DRAWS = "vl-convert-python"
DATA_FILES = (
    "summary.json",
    "summary.md",
    "paired.json",
    "paired.md",
    "claims.json",
    "CLAIM_AUDIT.md",
    "fronts.json",
    "cascades.json",
    "metrics.jsonl",
)


def derive(run: Run, folder: Path) -> None:
    """Write the derived files of a run into ``folder``, replacing what was there."""
    replace_folder(folder, derived_files(run))


def derived_files(run: Run) -> dict[str, bytes]:
    """Return every derived file by its path below ``derived/``."""
    return {**data_files(run.results), **Report(run).files()}


def stale_files(run: Run) -> list[Fault]:
    """Compute everything again and return what does not stand in ``derived/`` like that.

    Figures, and the page that holds them, are compared only under the drawing library that drew
    them: "built by another version" is not "tampered".
    """
    folder = run.dir.derived
    there = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    redrawn = DRAWS in other_versions(run.manifest.packages)
    found = []
    for name, data in derived_files(run).items():
        file = there.pop(name, None)
        if file is None:
            found.append(Fault(f"derived/{name}", "is missing; `assay report` writes it again"))
        elif not (redrawn and name.endswith((".svg", ".html"))) and file.read_bytes() != data:
            found.append(Fault(f"derived/{name}", "is not what the records compute to"))
    # A report with a baseline has one figure more; whatever else is there was not made by us.
    there.pop("figures/baseline_delta.svg", None)
    found += [Fault(f"derived/{name}", "is not a file that assay derives") for name in there]
    return sorted(found, key=lambda fault: fault.path)


def other_versions(sealed: Mapping[str, str]) -> dict[str, str]:
    """Return the packages whose version is not the one that made the run's numbers."""
    here = packages()
    return {
        name: f"{version} then, {here.get(name, 'absent')} now"
        for name, version in sealed.items()
        if here.get(name) != version
    }


def data_files(results: Results) -> dict[str, bytes]:
    """Return the derived data: summaries, paired differences, claims, fronts, metrics."""
    paired = _paired(results)
    return {
        "summary.json": pretty(_summary(results)),
        "summary.md": summary_text(results).encode(),
        "paired.json": pretty(paired),
        "paired.md": paired_text(paired).encode(),
        "claims.json": pretty([finding_facts(f) for f in results.findings]),
        "CLAIM_AUDIT.md": audit_text(results).encode(),
        "fronts.json": pretty([front_facts(f) for f in results.fronts]),
        "cascades.json": pretty([sweep_facts(s, results.manifest) for s in results.sweeps]),
        "metrics.jsonl": log_bytes(result_records(results)),
    }


def finding_facts(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain values."""
    claim = finding.claim
    return {
        "id": claim.id,
        "says": claim.says,
        "status": finding.status.value,
        "task": claim.task,
        "system": claim.system,
        "against": claim.against,
        "metric": claim.metric,
        "relation": claim.relation.value,
        "bound": claim.bound,
        "over": sorted(o.value for o in claim.over),
        "exploratory": claim.exploratory,
        "headline": claim.headline,
        "estimate": estimate_facts(finding.estimate),
        "p_support": _short(finding.p_support),
        "p_refute": _short(finding.p_refute),
        "level": _short(finding.level),
        "more_samples": finding.more_samples,
        "hold": finding.hold,
        "notes": list(finding.notes),
    }


def sweep_facts(sweep: Sweep, manifest: Manifest) -> dict[str, Any]:
    """Return a cascade's policies as plain values; each of them can be run as it stands."""
    return {
        "task": sweep.task,
        "order": list(sweep.order),
        "n": sweep.n,
        "n_groups": sweep.n_groups,
        "picked": sweep.picked,
        "best_alone": sweep.best_alone,
        "gain": None if sweep.gain is None else estimate_facts(sweep.gain),
        "why": sweep.why,
        "policies": [
            policy_facts(sweep, option, manifest)
            | {
                "handed_on": list(option.handed_on),
                "on_hull": option.on_hull,
                "estimates": {n: estimate_facts(getattr(option, n)) for n in NUMBERS},
            }
            for option in sweep.options
        ],
    }


def decision_facts(results: Results) -> dict[str, Any]:
    """Return the decision of each task as plain values."""
    found = {}
    for task, d in results.decisions.items():
        found[task] = {
            "ship": d.system,
            "why": d.why,
            "thresholds": {str(c.seed): _values(c) for c in d.thresholds},
            "answers": estimate_facts(d.answers) if d.answers else None,
            "wrong": estimate_facts(d.wrong) if d.wrong else None,
            "wrong_at_most": _short(d.wrong_at_most),
            "cheaper_than": d.cheaper_than,
            "times_cheaper": estimate_facts(d.times_cheaper) if d.times_cheaper else None,
            "eligible": list(d.eligible),
            "metric": d.metric,
            "best": estimate_facts(d.best) if d.best else None,
            "control": _beside_facts(d.control),
            "rival": _beside_facts(d.rival),
            "sure": list(grounds.sure(results, task)),
            "saves": grounds.saves(results, task),
            "would_change": [c.says for c in d.would_change],
            "commands": [
                {"says": says, "command": command or None}
                for says, command in grounds.commands(results, task)
            ],
        }
    return found


def _beside_facts(beside: Beside | None) -> dict[str, Any] | None:
    if beside is None:
        return None
    return {
        "system": beside.system,
        "difference": estimate_facts(beside.difference),
        "shown": beside.shown,
    }


def _values(chosen: Chosen) -> float | dict[str, float | None] | None:
    if chosen.rule.by_class:
        return {cut.said or "": _short(cut.value) for cut in chosen.cuts}
    return _short(chosen.value)


def _metrics(results: Results) -> list[dict[str, Any]]:
    rows = []
    for task, case in results.cases.items():
        names = [*case.metrics, *MEASURED]
        for system in case.tables:
            for name in names:
                if case.metric_is_timed(name) and system not in case.timed:
                    continue
                estimate = case.estimate(system, name)
                rows.append({"task": task, "system": system, **estimate_facts(estimate)})
    return rows


def _summary(results: Results) -> dict[str, Any]:
    return {
        "name": results.manifest.name,
        "run": results.manifest.run,
        "says": "\n".join(decision_sentence(d) for d in results.decisions.values()),
        "decision": decision_facts(results),
        "findings": {f.claim.id: f.status.value for f in results.findings},
        "standings": [
            {
                "task": front.task,
                "objectives": [name for name, _ in front.objectives],
                "stands": {p.system: p.standing.value for p in front.points},
            }
            for front in results.fronts
        ],
        "systems": _metrics(results),
        "peak_bytes": peaks(results.cases),
        "thresholds": {
            task: {
                system: [
                    {
                        "seed": c.seed,
                        "for": cut.said,
                        "threshold": _short(cut.value),
                        "accepted": cut.accepted,
                        "errors": cut.errors,
                        "p": _short(cut.p),
                        "at_most": _short(cut.at_most),
                        "worth": _short(cut.worth),
                        "why": cut.why,
                        "guaranteed": c.guaranteed,
                        "promise": c.promise,
                    }
                    for c in by_seed.values()
                    for cut in c.cuts
                ]
                for system, by_seed in case.thresholds.items()
            }
            for task, case in results.cases.items()
        },
        "vacuous": {
            system: {
                "control": found.control,
                "claims": list(found.claims),
                "left_out": list(found.left_out),
            }
            for system, found in results.vacuous.items()
        },
        "correction": results.loaded.plan.correction,
        "flags": [
            {"task": t, "system": s, "metric": m, "control": c}
            for (t, s, m), c in sorted(results.flags.items())
        ],
        "prices": results.prices.says(),
        "caveats": caveats_by_task(results.manifest, results.cases),
        **stopped_facts(results),
    }


def _paired(results: Results) -> list[dict[str, Any]]:
    rows = []
    for task, case in results.cases.items():
        for one, other in combinations(case.rivals, 2):
            for name in (*case.metrics, "usd_per_1k", "latency_mean"):
                ratio = case.contrast(name) is Contrast.RATIO
                estimate = case.compare(one, other, name)
                if estimate.value is None:
                    continue
                rows.append(
                    {
                        "task": task,
                        "system": one,
                        "against": other,
                        "contrast": "ratio" if ratio else "difference",
                        **estimate_facts(estimate),
                    }
                )
    return rows
