"""The files of a bench: views of one sealed run, written again whenever they are asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay import Answer, Estimate
from assay.estimates import facts, spell
from assay.visible import cell

from .classes import confusion, per_class
from .measure import SPEED, SURENESS, Bench, said_at
from .page import report

COLUMNS = (
    "threshold",
    "total",
    "abstain_count",
    "abstain_rate",
    "coverage",
    "fired",
    "correct_on_fired",
    "accuracy_on_fired",
    "overall_correct",
    "overall_accuracy",
)
"""Of ``metrics.csv``; behind them stand the split, what calibration picked, and the intervals."""


def write_views(made: Bench, out: Path) -> list[Path]:
    """Write ``summary.json``, ``metrics.csv``, ``rows_thr_*.csv`` and ``report.md`` into ``out``.

    Nothing in them is new: equal runs give equal bytes.
    """
    files = {
        "summary.json": json.dumps(summary(made), indent=2, ensure_ascii=False) + "\n",
        "metrics.csv": metrics_csv(made),
        "report.md": report(made),
        **{
            f"rows_thr_{p.threshold:g}.csv": rows_csv(made, p.threshold) for p in made.offers.points
        },
    }
    for name, text in files.items():
        (out / name).write_text(text, "utf-8")
    return [out / name for name in files]


def summary(made: Bench) -> dict[str, Any]:
    """Return what the bench found as plain values."""
    offers, gate = made.offers, made.gate
    chosen = offers.chosen
    at = 0.0 if chosen is None else chosen.threshold
    return {
        "schema": "assay.intent.bench/1",
        "bench": "mapper",
        "backend": None if made.subject.mapper else made.subject.backend,
        "mapper": made.mapper,
        "file": made.file,
        "confidence_from": made.confidence_from or None,
        "run": str(made.run.path.name),
        "run_name": made.run.manifest.run,
        "task": next(iter(made.run.manifest.tasks)),
        "caveats": list(made.caveats),
        "learnt_from": dict(made.learnt),
        "thresholds": [point.threshold for point in offers.points],
        "picked_on": "calibration",
        "promise": offers.promise,
        "why_none": offers.why,
        "chosen": None if chosen is None else _flat(chosen.test, chosen.threshold),
        "chosen_estimates": None if chosen is None else _estimates(chosen.test),
        "chosen_on_calibration": None if chosen is None else _estimates(chosen.calibration),
        "guarantee": {
            "global": _guarantee(made.guarantee),
            "per_class": _guarantee(made.by_class),
        },
        "gate": None
        if gate is None
        else {"min_accuracy": gate.needed, "status": gate.status, "passed": made.passed},
        "sureness": {name: facts(made.estimate(name)) for name in _known(made, SURENESS)},
        "out_of_scope": {
            name: facts(made.estimate(name))
            for name in _known(made, ("oos_auroc", "oos_fpr_at_95tpr"))
        },
        "speed": {
            **{name: facts(made.estimate(name)) for name in SPEED},
            "prompts_per_second": made.per_second,
            "peak_bytes": made.peak_bytes,
        },
        "files": dict(made.files),
        "per_class": {
            one.label: {
                "asked": one.asked,
                "said": one.said,
                "precision": facts(one.precision),
                "recall": facts(one.recall),
                "f1": facts(one.f1),
            }
            for one in per_class(made.records(), at)
        },
        "confusion": [
            {"wanted": wanted, "said": said, "prompts": n}
            for (wanted, said), n in confusion(made.records(), at).items()
        ],
        "systems": {
            system: {
                name: facts(made.estimate(name, system))
                for name in ("accuracy", "coverage", "risk", "invention_rate")
            }
            for system in made.systems()
        },
    }


def metrics_csv(made: Bench) -> str:
    """Return one line per threshold and split."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = [
        f"{name}_{end}"
        for name in ("accuracy_on_fired", "overall_accuracy")
        for end in ("low", "high")
    ]
    writer.writerow((*COLUMNS, "split", "picked", *ends))
    for split in ("calibration", "test"):
        for point in made.offers.points:
            found = point.test if split == "test" else point.calibration
            flat = _flat(found, point.threshold)
            picked = int(point.threshold == made.offers.picked)
            intervals = [
                _plain(end)
                for name in ("selective_accuracy", "accuracy")
                for end in (found[name].low, found[name].high)
            ]
            writer.writerow((*(flat[name] for name in COLUMNS), split, picked, *intervals))
    return text.getvalue()


def rows_csv(made: Bench, threshold: float) -> str:
    """Return every test prompt with what was said of it above a threshold."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("prompt", "gold_label", "predicted", "confidence", "abstain", "threshold", "sample")
    )
    for sample, record in made.records():
        value, confidence, withheld = said_at(record, threshold)
        target = sample.target
        gold = target.value if isinstance(target, Answer) else ""
        prompt = sample.input if isinstance(sample.input, str) else json.dumps(sample.input)
        said = "" if value is None else value
        sure = "" if confidence is None else f"{confidence:.6f}"
        texts = (cell(prompt), cell(str(gold)), cell(str(said)))
        writer.writerow((*texts, sure, int(withheld), f"{threshold:g}", cell(sample.id)))
    return text.getvalue()


def _flat(found: Mapping[str, Estimate], threshold: float) -> dict[str, float | int | str]:
    """Return the counts that the earlier system wrote, under the names that it gave them."""
    accuracy, coverage = found["accuracy"], found["coverage"]
    answered = found["selective_accuracy"]
    total = accuracy.n
    fired = round((coverage.value or 0.0) * total)
    right = round((answered.value or 0.0) * fired)
    return {
        "threshold": threshold,
        "total": total,
        "abstain_count": total - fired,
        "abstain_rate": _plain(None if coverage.value is None else 1 - coverage.value),
        "coverage": _plain(coverage.value),
        "fired": fired,
        "correct_on_fired": right,
        "accuracy_on_fired": _plain(answered.value),
        "overall_correct": round((accuracy.value or 0.0) * total),
        "overall_accuracy": _plain(accuracy.value),
    }


def _plain(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)


def _estimates(found: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: {**facts(one), "says": spell(one)} for name, one in found.items()}


def _guarantee(found: Any) -> dict[str, Any]:
    return {
        "promise": found.promise,
        "thresholds": [
            {
                "for": cut.said,
                "threshold": cut.value,
                "accepted": cut.accepted,
                "errors": cut.errors,
                "why": cut.why,
            }
            for chosen in found.chosen.values()
            for cut in chosen.cuts
        ],
        "test": _estimates(found.estimates),
    }


def _known(made: Bench, names: tuple[str, ...]) -> list[str]:
    """Return the metrics of these that this task has."""
    [case] = made.run.results.cases.values()
    return [name for name in names if name in case.metrics or name in SURENESS]
