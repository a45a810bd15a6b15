"""What thresholds promise, beside what came of it on the test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..analysis.case import SAMPLES, Case
from ..analysis.cuts import Cut
from ..analysis.infer import infer, summarise
from ..analysis.metrics import coverage as coverage_metric
from ..analysis.metrics import payoff_metric, risk
from ..analysis.rules import AtBest, AtCoverage, ByUtility, MaxRisk, Rule
from ..analysis.table import Table as Records
from ..analysis.thresholds import Chosen
from ..core.metric import Estimate, Metric, Ratio
from .browser import link
from .document import Block, Fold, Para, Row, Span, Table, cell
from .hostile import visible
from .words import Scale, label, percent


def thresholds(case: Case, task: int) -> tuple[Block, ...]:
    """Return what was chosen on calibration, what it promises, and what the test then showed."""
    if not case.thresholds:
        return ()
    rows = [_promise(case, task, system, chosen) for system, chosen in case.thresholds.items()]
    blocks: list[Block] = [
        Para(
            "Thresholds are chosen on calibration records only; test records are never looked at."
        ),
        Table(
            says="What each threshold promises, and what came of it on the test, with two-sided "
            "95 % intervals. A promise with a guarantee speaks of questions of this kind, and may "
            "fail once in twenty; these test questions are one sample of them.",
            header=("system", "promised", "on the test", "wrong", "answered"),
            rows=tuple(rows),
        ),
    ]
    if same := _same(case):
        blocks.append(Para(same))
    for system, by_seed in case.thresholds.items():
        every = list(by_seed.values())
        by_class = every[0].rule.by_class
        detail = _by_class(case, system, every) if by_class else _by_seed(case, task, system, every)
        n = len(detail.rows)
        blocks.append(Fold(f"{system}: {n} threshold{'s' if n > 1 else ''}", (detail,)))
    return tuple(blocks)


def _same(case: Case) -> str:
    """Return which systems are one operating point under several names, as a sentence; as a rule nothing."""
    found = {frozenset((s, *others)) for s in case.thresholds if (others := case.points.same(s))}
    each = [
        " and ".join(s for s in case.thresholds if s in names)
        for names in sorted(found, key=sorted)
    ]
    return (
        f"No operating points of their own, because nothing on calibration tells them apart: {'; '.join(each)}."
        if each
        else ""
    )


def _promise(case: Case, task: int, system: str, by_seed: Mapping[int, Chosen]) -> Row:
    every = list(by_seed.values())
    kept = next((c for c in every if c.values), every[0])
    table = case.tables[system]
    metric = _asked(kept.rule)
    wrong, answered = _of(case, table, risk), _of(case, table, coverage_metric)
    found = _of(case, table, metric)
    kind = "guaranteed" if kept.guaranteed else "tuned, no guarantee"
    sure = Span(f"({kind})" if kept.values else "", "muted")
    return Row(
        (
            Span(system, "name"),
            (kept.promise.removesuffix(": tuned, no guarantee"), " ", sure),
            cell(found, flag=_broken(kept.rule, found), scale=_scale(kept.rule)),
            cell(wrong, href=link(task, system, outcome="wrong,invented")),
            cell(answered, href=link(task, system, outcome="withheld,declined")),
        )
    )


def _asked(rule: Rule) -> Metric:
    """Return the number that a rule speaks of."""
    match rule:
        case MaxRisk():
            return risk
        case AtCoverage():
            return coverage_metric
        case ByUtility(payoff=payoff):
            return payoff_metric(payoff)
        case AtBest(metric=metric):
            return metric


def _scale(rule: Rule) -> Scale | None:
    return Scale.PLAIN if isinstance(rule, ByUtility) else None


def _broken(rule: Rule, found: Estimate) -> str:
    """Return a warning where the point estimate is not what was promised."""
    if isinstance(rule, MaxRisk) and found.value is not None and found.value > rule.max_risk:
        return f"above {percent(rule.max_risk)}"
    return ""


def _by_seed(case: Case, task: int, system: str, every: Sequence[Chosen]) -> Table:
    return Table(
        says=f"{system}: {every[0].rule.method}.",
        header=("seed", "threshold", "on calibration", "wrong on test", "answered on test"),
        rows=tuple(_seed(case, task, system, row, chosen) for row, chosen in enumerate(every)),
    )


def _seed(case: Case, task: int, system: str, row: int, chosen: Chosen) -> Row:
    table = case.tables[system].of_seed(row)
    cut = chosen.cuts[0]
    wrong, answered = _of(case, table, risk), _of(case, table, coverage_metric)
    only = {"seed": "first"} if row == 0 else {}
    return Row(
        (
            Span(f"seed {chosen.seed}", "name"),
            Span("none" if cut.value is None else f"{cut.value:.4g}", "number"),
            Span(_found(cut, chosen), "muted"),
            cell(
                wrong,
                href=link(task, system, outcome="wrong,invented", **only),
                flag=_broken(chosen.rule, wrong),
            ),
            cell(answered, href=link(task, system, outcome="withheld,declined", **only)),
        )
    )


def _found(cut: Cut, chosen: Chosen) -> str:
    """Return what calibration showed of one threshold."""
    if cut.value is None:
        return cut.why
    bound = "" if cut.at_most is None else f", at most {percent(cut.at_most)}"
    of = "groups" if chosen.guaranteed else "answers"
    found = f"{cut.errors} wrong of {cut.accepted} {of}{bound}"
    if isinstance(chosen.rule, ByUtility) and cut.worth is not None:
        found += f", worth {cut.worth:.3g} a question"
    if isinstance(chosen.rule, AtBest) and cut.worth is not None:
        found += f", {label(chosen.rule.metric.name)} {cut.worth:.3g}"
    if isinstance(chosen.rule, AtCoverage) and cut.worth is not None:
        found += f", {percent(cut.worth)} answered"
    return f"{found}; {cut.why}" if cut.why else found


def _by_class(case: Case, system: str, every: Sequence[Chosen]) -> Table:
    """Return a row for each class, seeds pooled."""
    names = sorted({cut.said or "" for chosen in every for cut in chosen.cuts})
    return Table(
        says=f"{system}: {every[0].rule.method}. One row for each class that it answers, seeds "
        "pooled; a class without a threshold is declined.",
        header=("answer", "threshold", "on calibration", "wrong on test", "answered on test"),
        rows=tuple(_class(case, system, name, every) for name in names),
    )


def _class(case: Case, system: str, name: str, every: Sequence[Chosen]) -> Row:
    cuts = [(cut, c) for c in every for cut in c.cuts if cut.said == name]
    values = sorted(cut.value for cut, _ in cuts if cut.value is not None)
    none = f"{len(every) - len(values)} of {len(every)} seeds: none"
    said = f"{values[0]:.3g}" if len(set(values)) == 1 else ""
    if len(set(values)) > 1:
        said = f"{values[0]:.3g} to {values[-1]:.3g}"
    shown, chosen = next(((c, w) for c, w in cuts if c.value is not None), cuts[0])
    table = case.tables[system]
    assert table.answers is not None  # thresholds by class were applied to them
    of_class = table.answers == name
    wrong, answered = (
        _of(case, replace(table, extra={**table.extra, "of_class": of_class.astype(np.float64)}), m)
        for m in (_within(risk), _within(coverage_metric))
    )
    return Row(
        (
            Span(_spoken(name), "code"),
            Span(said or "none", "number", note="" if len(values) in (0, len(every)) else none),
            Span(_found(shown, chosen), "muted"),
            cell(wrong, flag=_broken(chosen.rule, wrong)),
            cell(answered),
        )
    )


def _within(metric: Metric) -> Metric:
    """Return a metric among the samples whose answer, given or withheld, is of the class."""
    form = metric.form
    assert isinstance(form, Ratio)  # risk and coverage are shares
    return replace(
        metric,
        form=replace(
            form,
            numerator=lambda c: form.numerator(c) * c["of_class"],
            denominator=lambda c: form.denominator(c) * c["of_class"],
        ),
        columns=(*metric.columns, "of_class"),
    )


def _spoken(name: str) -> str:
    """Return an answer as people read it."""
    value = json.loads(name) if name else ""
    return visible(value if isinstance(value, str) else name, 60)


def _of(case: Case, table: Records, metric: Metric) -> Estimate:
    return summarise(
        metric.name,
        infer(metric, table, over=SAMPLES, rng=case.rng),
        n=len(table.samples),
        n_groups=table.n_groups,
        n_seeds=len(table.seeds),
        over=SAMPLES,
    )
