"""``supply.sanity``: does a model file still compute, know, write code and keep to a form?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay import OUTCOME_METRICS, Answer, Better, Metric, Ratio, Sample, Task

from .items import Item, read_items
from .verifier import Sane

CATEGORIES = ("sanity", "knowledge", "code", "transpile", "format")


def sanity() -> Task:
    """Return the task: short prompts of five categories, with checks that can fail."""
    file = read_items()

    def samples(split: str) -> Sequence[Sample]:
        return [_sample(item) for item in file.items if item.split == split]

    return Task(
        name="supply.sanity",
        version=file.version,
        says="Does a model file still compute, know, write code and keep to a form?",
        samples=samples,
        verifier=Sane(),
        metrics=(*OUTCOME_METRICS, *map(_right, CATEGORIES)),
        license="CC0-1.0",
    )


def _sample(item: Item) -> Sample:
    truth: dict[str, Any] = {
        "check": item.check,
        "right": item.right,
        "accepted": item.accepted,
        "rivals": item.rivals,
        "pattern": item.pattern,
        "json": item.json_value,
        "tests": item.tests,
    }
    return Sample(
        id=item.id,
        input=item.asks,
        target=Answer(truth),
        group=item.id,
        tags=frozenset({item.category}),
    )


def _right(category: str) -> Metric:
    tag = f"tag:{category}"
    return Metric(
        name=f"right_{category}",
        says=f"right answers, of the prompts of {category}",
        better=Better.HIGHER,
        form=Ratio(
            numerator=lambda c: c["correct"] * c[tag],
            denominator=lambda c: c["asked"] * c[tag],
        ),
        columns=("correct", "asked", tag),
        bounds=(0.0, 1.0),
    )
