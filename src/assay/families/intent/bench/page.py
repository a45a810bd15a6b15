"""The report of a bench, one page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assay.estimates import spell

from .classes import DECLINED, NONE, confusion, per_class
from .measure import SURENESS, Bench

if TYPE_CHECKING:
    from assay.publish.rethreshold import Rethresholded

MOST_CLASSES = 30
MOST_CONFUSIONS = 15
SHOWN = {
    "accuracy": "right",
    "coverage": "answered",
    "selective_accuracy": "right when it answers",
    "invention_rate": "invented",
    "latency_p50": "median latency",
    "usd_per_1k": "dollars per 1,000",
}
SURE = {
    "ece": "how far confidence is from being right, expected calibration error",
    "brier": "squared distance of confidence from being right, Brier score",
    "aurc": "wrong answers, averaged over every coverage",
    "selective_accuracy_at_80": "right on the surest 80 %",
    "selective_accuracy_at_90": "right on the surest 90 %",
    "oos_auroc": "how often a prompt with an answer is surer than one without",
    "oos_fpr_at_95tpr": "without an answer, and above what 95 % of the others pass",
}


def report(made: Bench) -> str:
    """Return the page: the verdict first, then thresholds, classes, rivals, cost."""
    [(name, task)] = made.run.manifest.tasks.items()
    sizes = ", ".join(f"{s} {f.samples:,} in {f.groups:,} groups" for s, f in task.splits.items())
    lines = [
        f"# Bench of {made.system} on {_safe(made.file) or name}",
        *(line for said in verdict(made) for line in ("", said)),
        "",
        f"Prompts: {sizes}. Numbers are of the test split, with two-sided 95 % intervals over groups.",
        *_thresholds(made),
        *_sureness(made),
        *_classes(made),
        *_rivals(made),
        *_cost(made),
        "",
        (
            f"The evidence is the sealed run `{made.run.path.name}` beside this page: `assay verify` "
            "checks it, `assay report` shows it whole."
        ),
    ]
    return "\n".join(lines) + "\n"


def verdict(made: Bench) -> list[str]:
    """Return what a reader needs who reads one paragraph."""
    chosen, gate = made.offers.chosen, made.gate
    if chosen is None:
        found = [f"No threshold of the list: {made.offers.why}."]
    else:
        said = {name: spell(chosen.test[name]) for name in SHOWN if name in chosen.test}
        found = [
            (
                f"At threshold {chosen.threshold:g}, picked on calibration ({made.offers.promise}): "
                f"right on {said['accuracy']}; answers {said['coverage']}; right when it answers "
                f"{said['selective_accuracy']}; invents {said['invention_rate']}."
            )
        ]
    found.append(f"With a guarantee: {guarantee(made.guarantee)}.")
    if gate is not None:
        measured = "" if gate.estimate is None else f" ({spell(gate.estimate)})"
        found.append(f"Accuracy of at least {gate.needed:g}: **{gate.status}**{measured}.")
    return [*(f"Caveat: {caveat}." for caveat in made.caveats), *found]


def guarantee(found: Rethresholded) -> str:
    """Return what a rule with a guarantee came to, in one line."""
    values = sorted({v for chosen in found.chosen.values() for v in chosen.values})
    if not values:
        whys = {cut.why for chosen in found.chosen.values() for cut in chosen.cuts if cut.why}
        return f"{found.promise} ({'; '.join(sorted(whys)[:2])})"
    where = f"{values[0]:.3f}" if len(values) == 1 else f"{values[0]:.3f} to {values[-1]:.3f}"
    test = found.estimates
    return (
        f"threshold {where}: {found.promise}; on test it answers {spell(test['coverage'])}, "
        f"wrong {spell(test['risk'])}"
    )


def _thresholds(made: Bench) -> Iterator[str]:
    yield from ("", "## Thresholds", "")
    yield (
        "Answers are those of one pass; each line says what withholding below the threshold makes "
        "of them.  The pick is bold."
    )
    yield ""
    names = ("accuracy", "coverage", "selective_accuracy", "invention_rate")
    rows = []
    for point in made.offers.points:
        at = f"{point.threshold:g}"
        worth = "" if point.worth is None else f"{point.worth:+.3f}"
        picked = point.threshold == made.offers.picked
        cells = (spell(point.test[name]) for name in names)
        rows.append((f"**{at}**" if picked else at, *cells, worth))
    header = ("threshold", *(SHOWN[name] for name in names), "worth on calibration")
    yield from _table(header, rows)
    yield from ("", f"One threshold with a guarantee: {guarantee(made.guarantee)}.")
    yield from ("", f"One for each class: {guarantee(made.by_class)}.")


def _sureness(made: Bench) -> Iterator[str]:
    yield from ("", "## How sure it is", "")
    [case] = made.run.results.cases.values()
    extra = [metric for metric in case.metrics if metric.startswith("oos_")]
    if made.confidence_from:
        yield from (f"The confidence of the mapper is {made.confidence_from}.", "")
    rows = [
        (f"{SURE.get(metric, metric)} (`{metric}`)", spell(made.estimate(metric)))
        for metric in (*SURENESS, *extra)
    ]
    yield from _table(("metric", "value"), rows)


def _classes(made: Bench) -> Iterator[str]:
    at = made.offers.picked or 0.0
    yield from ("", f"## Class by class at threshold {at:g}", "")
    found = per_class(made.records(), at)
    shown = sorted(found, key=lambda one: (one.f1.value is None, one.f1.value))[:MOST_CLASSES]
    if len(found) > len(shown):
        yield f"The {len(shown)} of {len(found)} labels with the lowest F1; `summary.json` has all."
        yield ""
    rows = [
        (_safe(c.label), f"{c.asked:,}", spell(c.precision), spell(c.recall), spell(c.f1))
        for c in shown
    ]
    yield from _table(("label", "asked", "precision", "recall", "F1"), rows)
    wrong = [
        (n, wanted, said)
        for (wanted, said), n in confusion(made.records(), at).items()
        if wanted != said and (wanted, said) != (NONE, DECLINED)
    ]
    wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
    yield from ("", "Most frequent confusions (these prompts):", "")
    pairs = [(_safe(w), _safe(s), f"{n:,}") for n, w, s in wrong[:MOST_CONFUSIONS]]
    yield from _table(("asked for", "said", "prompts"), pairs)


def _rivals(made: Bench) -> Iterator[str]:
    yield from ("", "## Beside its rivals", "")
    yield (
        "Each answers where more of its calibration answers are right than wrong; controls do not "
        "try."
    )
    yield ""
    facts = made.run.manifest.systems
    rows = [
        (
            f"{system} (control)" if facts[system].control else system,
            *(_cell(made, metric, system) for metric in SHOWN),
        )
        for system in made.systems()
    ]
    yield from _table(("system", *SHOWN.values()), rows)
    yield ""
    for finding in made.run.results.findings:
        yield f"* {finding.status.value}: {finding.claim.says} ({spell(finding.estimate)})"


def _cost(made: Bench) -> Iterator[str]:
    yield from ("", "## Size and speed", "")
    fast, peak = made.per_second, made.peak_bytes
    rows = [
        ("median latency, one at a time", spell(made.estimate("latency_p50"))),
        ("95th percentile", spell(made.estimate("latency_p95"))),
        ("prompts a second, in batches", "not measured" if fast is None else f"{fast:,.0f}"),
        ("most memory of its process", "not measured" if peak is None else f"{peak / 1e6:,.0f} MB"),
        *((f"file: {kind}", f"{size / 1e6:,.2f} MB") for kind, size in made.files.items()),
    ]
    yield from _table(("what", "value"), rows)


def _cell(made: Bench, metric: str, system: str) -> str:
    [case] = made.run.results.cases.values()
    if case.metric_is_timed(metric) and system not in case.timed:
        return "-"
    return spell(made.estimate(metric, system))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _safe(text: str) -> str:
    """Return a label that cannot break a table or become markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#|!" else c for c in text.replace("\n", " "))
