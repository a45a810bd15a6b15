"""The composite score of Py2Rs: each level counts for its weight, however many programs it has."""

from __future__ import annotations

from assay import OUTCOME_METRICS, Better, Metric, Ratio, Statistic

from ..levels import LEVELS, Level

[RIGHT] = [metric for metric in OUTCOME_METRICS if metric.name == "accuracy"]


def tag_of(level: Level) -> str:
    """Return the tag of the samples of a level.

    >>> tag_of(LEVELS[4])
    'L5'
    """
    return f"L{level.number}"


def _composite() -> Metric:
    assert isinstance(RIGHT.form, Ratio)
    weights = {f"tag:{tag_of(level)}": level.weight for level in LEVELS}
    return Metric(
        name="composite",
        says="what is right of each level, by the weights of Py2Rs; 100 is everything",
        better=Better.HIGHER,
        form=Statistic.weighted(RIGHT.form, weights, scale=100.0),
        columns=(*RIGHT.columns, *weights),
        bounds=(0.0, 100.0),
    )


COMPOSITE = _composite()
"""Sum of weight times the share that is right, over the sum of weights, times 100; of the levels that
have programs.  With one program a level, and one try, it is the score of Py2Rs itself."""
