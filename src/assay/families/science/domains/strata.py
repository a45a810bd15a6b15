"""A metric on the samples of one stratum."""

from __future__ import annotations

from dataclasses import replace

from assay import Metric, PluginError, Ratio


def within(metric: Metric, tag: str, *, where: str) -> Metric:
    """Return a metric on the samples that have a tag; its name ends with it.

    Raises ``PluginError`` A400 for a metric that is no ratio.

    >>> from .metrics import OUTCOMES
    >>> within(OUTCOMES["accuracy"], "det_b0", where="|det J| below 0.02").name
    'accuracy_det_b0'
    """
    form, column = metric.form, f"tag:{tag}"
    if not isinstance(form, Ratio):
        raise PluginError(f"{metric.name!r} is no ratio, and has no strata", where=tag)
    return replace(
        metric,
        name=f"{metric.name}_{tag}",
        says=f"{metric.says}; where {where}",
        form=Ratio(
            numerator=lambda c: form.numerator(c) * c[column],
            denominator=lambda c: form.denominator(c) * c[column],
        ),
        columns=(*metric.columns, column),
    )
