"""Two figures of categories from plain arrays: who took what for what, and what probabilities are worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..core.errors import DataError
from ..stats import calibration
from ..stats.binomial import wilson
from .drawing import PALETTE, Datum, Drawing, draw, template
from .words import percent

MOST_CELLS = 1_000
"""Of all matrices of one figure."""

Names: TypeAlias = "Sequence[str] | Sequence[int]"


def plot_confusion_matrix(
    truth: Names,
    said: Names,
    *,
    panel: Names | None = None,
    order: Names = (),
    file: str = "figures/confusion_matrix.svg",
) -> Drawing:
    """Draw what was said against what is there, as shares of each row; one matrix per panel.

    ``truth`` and ``said`` name a category for each record, shape [records], by text or by numbers;
    ``panel`` names the matrix that it counts in (a system).  ``order`` puts categories first that are to come first.
    What is right is blue, what is not is red; pointing at a cell shows its counts.

    Raises ``DataError`` A202 for shapes that differ, no record, or more than 1,000 cells.

    >>> drawn = plot_confusion_matrix(["cat", "cat", "dog"], ["cat", "dog", "dog"])
    >>> "<title>cat said as dog: 1 of 2 (50 %)</title>" in drawn.svg
    True
    >>> drawn.svg[:4]  # all of it, written to a file, is a picture
    '<svg'

    *Not to be trusted when* a row rests on a handful of records: look at the counts.
    """
    panels = [""] * len(truth) if panel is None else _names(panel)
    if not len(truth) == len(said) == len(panels) or not panels:
        raise DataError(
            f"{len(truth)} truths, {len(said)} answers and {len(panels)} panels",
            hint="give one of each for every record, and a record at least",
            code="A202",
        )
    truth, said, order = _names(truth), _names(said), _names(order)
    rows = _ordered(truth, order)
    columns = _ordered([*rows, *_ordered(said, order)], order)
    names = list(dict.fromkeys(panels))
    if len(rows) * len(columns) * len(names) > MOST_CELLS:
        raise DataError(
            f"{len(names)} matrices of {len(rows)} by {len(columns)} cells cannot be read",
            hint=f"at most {MOST_CELLS:,} cells in all: join rare categories",
            code="A202",
        )
    counts = Counter(zip(panels, truth, said, strict=True))
    asked = Counter(zip(panels, truth, strict=True))
    cells = [
        _cell(one, (true, told), counts[one, true, told], asked[one, true])
        for one in names
        for true in rows
        for told in columns
    ]
    spec = template("matrix")
    spec["spec"]["encoding"]["x"]["sort"] = list(columns)
    spec["spec"]["encoding"]["y"]["sort"] = list(rows)
    spec["facet"]["sort"] = names
    spec["columns"] = max(1, min(len(names), 680 // (44 * len(columns) + 22)))
    says = (
        "What was said (across) where the truth is (down), as shares of each row: blue is right, "
        "red is not. Pointing at a cell shows its counts."
    )
    return draw(spec, {"rows": cells}, file=file, says=says)


def _ordered(found: Sequence[str], order: Sequence[str]) -> list[str]:
    there = set(found)
    first = [name for name in dict.fromkeys(order) if name in there]
    return [*first, *sorted(there - set(first), key=_in_order)]


def _names(given: Names) -> list[str]:
    """Return categories as they are shown: a class is often a number, and 1.0 is the class 1."""
    return [
        str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)
        for name in np.asarray(given, dtype=object).tolist()
    ]


def _in_order(name: str) -> tuple[float, str]:
    """Put numbers before words, and 9 before 10."""
    try:
        value = float(name)
    except ValueError:
        value = math.inf
    return value if not math.isnan(value) else math.inf, name


def _cell(panel: str, at: tuple[str, str], n: int, of: int) -> Datum:
    truth, said = at
    share = n / of if of else 0.0
    where = f"{panel}: " if panel else ""
    count = f"{n:,} of {of:,} ({percent(share)})" if of else "never asked"
    return {
        "panel": panel,
        "truth": truth,
        "said": said,
        "share": round(share, 4),
        "shown": f"{100 * share:.0f}" if n and share >= 0.005 else ("<1" if n else ""),
        "colour": PALETTE[0] if truth == said else PALETTE[1],
        "tip": f"{where}{truth} said as {said}: {count}",
    }


def plot_categorical_reliability(
    probabilities: npt.ArrayLike,
    truth: Names,
    *,
    categories: Names,
    bins: int = 10,
    file: str = "figures/categorical_reliability.svg",
) -> Drawing:
    """Draw, for each category, how often it came true against the probability it was given.

    ``probabilities`` have the shape [records, categories], ``truth`` names what came true, shape
    [records].  Bins hold equally many records; dots have 95 % intervals (Wilson), of independent
    records.  On the dashed line a probability means what it says.

    Raises ``DataError`` A202 for shapes that differ, no record, a name that is no category or stands
    twice, no bins, and probabilities outside of [0, 1].
    Source: Vaicenavicius et al. 2019 (classwise reliability).

    >>> drawn = plot_categorical_reliability(
    ...     [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]], ["a", "a", "a", "b"],
    ...     categories=("a", "b"), bins=2)
    >>> "a: given 0.25, came true in 1 of 2" in drawn.svg
    True

    *Not to be trusted when* records come in groups: the intervals are too narrow.
    """
    try:
        given = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "the probabilities are no table of numbers",
            hint="give a row for each record, and in it a number for each category",
            code="A202",
        ) from None
    truth, categories = _names(truth), _names(categories)
    if given.ndim != 2 or not len(given) or given.shape != (len(truth), len(categories)):
        raise DataError(
            f"probabilities of shape {list(given.shape)}, {len(truth)} truths, "
            f"{len(categories)} categories",
            hint="give a row for each record, and in it a number for each category",
            code="A202",
        )
    if not np.all((given >= 0) & (given <= 1)):
        raise DataError(
            "a probability is not in [0, 1]",
            hint="give probabilities, not logits; leave out records without one",
            code="A202",
        )
    if unknown := sorted(set(truth) - set(categories)):
        raise DataError(
            f"{unknown[0]!r} is no category",
            hint=f"there are: {', '.join(categories)}",
            code="A202",
        )
    if bins < 1 or len(set(categories)) < len(categories):
        what = f"{bins} bins" if bins < 1 else "a category is named twice"
        raise DataError(what, hint="give a bin at least, and different names", code="A202")
    rows = [
        dot
        for place, name in enumerate(categories)
        for dot in _dots(name, place, given[:, place], np.array([t == name for t in truth]), bins)
    ]
    rows += [
        {"category": name, "kind": "ideal", "sure": at, "came": at}
        for name in categories
        for at in (0, 1)
    ]
    spec = template("categorical")
    spec["facet"]["sort"] = list(categories)
    says = (
        f"Of each category, how often it came true against the probability that it was given; at most {bins} "
        "bins of equal size, 95 % intervals. On the dashed line a probability means what it says."
    )
    return draw(spec, {"rows": rows}, file=file, says=says)


def _dots(
    name: str, place: int, sure: npt.NDArray[np.float64], came: npt.NDArray[np.bool_], bins: int
) -> list[Datum]:
    edges = calibration.equal_mass(sure, bins)
    held = np.searchsorted(edges, sure, side="right")
    found = []
    for one in np.unique(held):
        here = held == one
        n, k = int(here.sum()), int(came[here].sum())
        ends = wilson(k, n)
        assert isinstance(ends, tuple)  # a bin that is named holds a record
        mean = float(sure[here].mean())
        found.append(
            {
                "category": name,
                "kind": "bin",
                "colour": PALETTE[place % len(PALETTE)],
                "sure": round(mean, 5),
                "came": round(k / n, 5),
                "low": round(ends[0], 5),
                "high": round(ends[1], 5),
                "tip": f"{name}: given {mean:.2g}, came true in {k:,} of {n:,}",
            }
        )
    return found
