"""The rows of a table as samples: grouped, divided, filled where something is missing, censored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay import DataError, Sample

from .drawn import SPLITS, Floats, rounded
from .features import read_features
from .parts import Leaks, divide, find_leaks, given_by_column, given_by_file, groups_of
from .sheet import Sheet, read_sheet
from .table_options import Missing, Wanted
from .targets import ABOVE, BELOW, Limits, Told, limited, of_intervals, of_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The samples of a table, and what their numbers have to be read with."""

    splits: Mapping[str, Sequence[Sample]]
    deviation: float
    """Of the training values."""

    caveats: tuple[str, ...]


def make(wanted: Wanted) -> Made:
    """Read a table and make its samples."""
    sheet = read_sheet(wanted.path)
    if wanted.interval:
        told = list(of_intervals(sheet, wanted.interval, wanted.censored))
    else:
        told = list(of_values(sheet, wanted.target or "", wanted.censored))
    found = read_features(sheet, wanted.features, kept=wanted.kept, categorical=wanted.categorical)
    given = _given(wanted, sheet)
    whole = [
        row
        for row in range(len(told))
        if _is_whole(wanted.missing, sheet, told[row], found.names, found.x[row], row)
    ]
    dropped = len(told) - len(whole)
    if not whole:
        raise DataError("no row is whole", where=str(wanted.path), hint="look at empty columns")
    kept = Sheet(
        path=sheet.path,
        names=sheet.names,
        lines=[sheet.lines[row] for row in whole],
        rows=[sheet.rows[row] for row in whole],
    )
    x = found.x[whole]
    values = [value for row in whole if (value := told[row]) is not None]
    groups = groups_of(kept, x, wanted.group)
    where = _divided(wanted, groups, [given[row] for row in whole])
    leaks = find_leaks(groups, where)
    if leaks.example and wanted.leaks == "error":
        raise _leak(kept, where, leaks)
    learned = [part == "train" for part in where]
    x, filled = _filled(wanted, found.names, x, np.array(learned))
    limits = _limits(wanted, values, learned)
    values = [limited(value, limits) for value in values]
    splits: dict[str, list[Sample]] = {part: [] for part in SPLITS}
    for row, (value, group, part) in enumerate(zip(values, groups, where, strict=True)):
        splits[part].append(
            Sample(
                id=f"line/{kept.lines[row]}",
                input=x[row].tolist(),
                target=value.target(),
                group=f"{part}/{group}" if group in leaks.groups else group,
                tags=_tags(value),
            )
        )
    return Made(
        splits=splits,
        deviation=_deviation(
            wanted, [v for v, is_of in zip(values, learned, strict=True) if is_of]
        ),
        caveats=(
            *_censored_caveat(wanted, limits, splits),
            *_leak_caveat(groups, where, leaks),
            *_missing_caveat(dropped, filled),
        ),
    )


def _given(wanted: Wanted, sheet: Sheet) -> list[str]:
    if wanted.split is not None:
        return given_by_column(sheet, wanted.split)
    if wanted.test_rows is not None:
        return given_by_file(wanted.test_rows, wanted.fold, len(sheet.rows))
    return [""] * len(sheet.rows)


def _is_whole(
    missing: Missing, sheet: Sheet, told: Told | None, names: Sequence[str], x: Floats, row: int
) -> bool:
    """Whether a row can be used; ``DataError`` A200 where it cannot and the plan does not say drop."""
    gone = np.flatnonzero(np.isnan(x))
    if told is not None and (not len(gone) or missing == "mean"):
        return True
    if missing == "drop":
        return False
    what = "the target" if told is None else repr(names[gone[0]])
    raise sheet.wrong(
        row,
        f"{what} is missing",
        "say `missing: drop` to leave such rows out"
        + ("" if told is None else ", or `missing: mean` to put the training mean there"),
    )


def _divided(wanted: Wanted, groups: Sequence[str], given: Sequence[str]) -> list[str]:
    try:
        return divide(groups, given, shares=wanted.shares, seed=wanted.seed)
    except DataError as error:
        raise DataError(error.what, where=str(wanted.path), hint=error.hint) from None


def _filled(
    wanted: Wanted, names: Sequence[str], x: Floats, learned: NDArray[np.bool_]
) -> tuple[Floats, int]:
    """Return features with the mean of training wherever one is missing, and how many were."""
    gone = np.isnan(x)
    if not gone.any():
        return x, 0
    there = ~gone[learned]
    count = there.sum(axis=0)
    if never := [name for name, seen in zip(names, count.tolist(), strict=True) if not seen]:
        raise DataError(
            f"{never[0]!r} is missing in every training row",
            where=str(wanted.path),
            hint="leave the column out: name the others in `features`",
        )
    mean = np.where(there, x[learned], 0.0).sum(axis=0) / count
    return np.where(gone, rounded(mean), x), int(gone.sum())


def _limits(wanted: Wanted, values: Sequence[Told], learned: Sequence[bool]) -> Limits:
    """Return the limits: the plan's, or values that hide at most what the quantiles say of training.

    Of a target with few values (marks from 3 to 8) the quantile itself would hide far more.
    """
    if wanted.quantiles == (None, None):
        return wanted.limits
    seen = sorted(told.value for told, is_of in zip(values, learned, strict=True) if is_of)
    lower, upper = wanted.quantiles
    low = None if lower is None else _last(seen, lower)
    high = None if upper is None else _last([-value for value in reversed(seen)], 1 - upper)
    if (low is None) != (lower is None) or (high is None) != (upper is None):
        raise DataError(
            f"no value hides so few of the {len(seen)} training rows as {list(wanted.quantiles)}",
            where=str(wanted.path),
            hint="give quantiles nearer to the middle",
        )
    return low, None if high is None else -high


def _last(seen: Sequence[float], share: float) -> float | None:
    """Return the largest of ordered values that at most this share of them do not exceed."""
    allowed = [value for value in seen if bisect_right(seen, value) <= share * len(seen) + 1e-9]
    return allowed[-1] if allowed else None


def _deviation(wanted: Wanted, learned: Sequence[Told]) -> float:
    there = [told.value for told in learned if not told.reason]
    found = float(np.std(there)) if there else 0.0
    if not found > 0:
        few = "no training row has a value" if not there else "the training values do not differ"
        raise DataError(
            f"{few} (of {len(learned)} rows): there is nothing to learn",
            where=str(wanted.path),
            hint="widen `limits`, or give a table with more values",
        )
    return found


def _tags(told: Told) -> frozenset[str]:
    return frozenset({told.reason or "in_range", *(() if told.ends is None else ("interval",))})


def _leak(sheet: Sheet, where: Sequence[str], leaks: Leaks) -> DataError:
    assert leaks.example is not None
    one, other = leaks.example
    return DataError(
        f"line {sheet.lines[one]} ({where[one]}) and line {sheet.lines[other]} ({where[other]}) "
        f"belong together: equal features, or one group"
        + (f"; so do {len(leaks.groups) - 1} more groups" if len(leaks.groups) > 1 else ""),
        where=f"{sheet.path}:{sheet.lines[other]}",
        hint="leave the split to assay; `leaks: allow` uses this one, and says so beside every number",
        code="A201",
    )


def _censored_caveat(
    wanted: Wanted, limits: Limits, splits: Mapping[str, Sequence[Sample]]
) -> tuple[str, ...]:
    if wanted.quantiles == (None, None):
        return ()
    test = splits["test"]
    told = sum("in_range" in sample.tags for sample in test)
    ends = " and ".join(
        f"at or {word} {limit:g}"
        for word, limit in zip((BELOW, ABOVE), limits, strict=True)
        if limit is not None
    )
    hidden = f"{len(test) - told} of {len(test)} test rows"
    return (f"censored on purpose: values {ends} are known, and hidden ({hidden})",)


def _leak_caveat(groups: Sequence[str], where: Sequence[str], leaks: Leaks) -> tuple[str, ...]:
    if not leaks.groups:
        return ()
    seen = {g for g, part in zip(groups, where, strict=True) if part in ("train", "tune")}
    test = [g for g, part in zip(groups, where, strict=True) if part == "test"]
    twins = sum(group in seen for group in test)
    said = (
        f"not held out: {twins} of {len(test)} test rows have a row with equal features, or of their "
        "group, among those that systems learn from"
    )
    return (said,)


def _missing_caveat(dropped: int, filled: int) -> tuple[str, ...]:
    said = []
    if dropped:
        said.append(f"{dropped} rows were left out: something in them is missing")
    if filled:
        said.append(f"{filled} missing features are the mean of the training rows")
    return tuple(said)
