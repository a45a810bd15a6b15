"""Samples as arrays: what every learner of this family sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay import Answer, Bottom, DataError, Question, Sample

Floats = NDArray[np.float64]

Values: TypeAlias = Literal["plain", "arsinh"]

PLAIN = {int, float}
"""Types of numbers: seen at a glance, where a look at each number costs more than the rest of a row."""

VALUE = 0
"""The class of rows that have a value; reasons count from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one split."""

    x: Floats
    """Shape [rows, features]."""

    y: Floats
    """Shape [rows, outputs]; NaN where there is no value."""

    kind: NDArray[np.int64]
    """``VALUE``, or one more than the place of the reason in ``reasons``, shape [rows]."""

    reasons: tuple[str, ...]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which rows have a value."""
        found: NDArray[np.bool_] = self.kind == VALUE
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How numbers are moved and stretched before a network sees them, and back."""

    x_mean: Floats
    x_sd: Floats
    y_mean: Floats
    y_sd: Floats
    y_unit: Floats | None = None
    """Values are taught as arsinh(y / unit), which is like y where it is small, and like the
    logarithm where it is large; None: as they are."""

    @classmethod
    def of(cls, rows: Rows, values: Values = "plain") -> Scale:
        """Return the scale that gives the features and values of these rows mean 0 and deviation 1.

        The unit of ``arsinh`` is the tenth part of the median size of a value.
        """
        y = rows.y[rows.there]
        unit = None
        if values == "arsinh" and len(y):
            unit = _positive(0.1 * np.median(np.abs(y), axis=0), np.zeros(y.shape[1]))
            y = np.arcsinh(y / unit)
        x_mean = rows.x.mean(axis=0)
        y_mean = y.mean(axis=0) if len(y) else np.zeros(rows.y.shape[1])
        return cls(
            y_unit=unit,
            x_mean=x_mean,
            x_sd=_positive(rows.x.std(axis=0), x_mean),
            y_mean=y_mean,
            y_sd=_positive(y.std(axis=0), y_mean) if len(y) else np.ones(rows.y.shape[1]),
        )

    def inward(self, x: Floats) -> Floats:
        """Return features as a network sees them."""
        made: Floats = (x - self.x_mean) / self.x_sd
        return made

    def outward(self, y: Floats) -> Floats:
        """Return what a network says as values."""
        made: Floats = y * self.y_sd + self.y_mean
        # Beyond that a double has no number: the infinity is reported as the fault that it is.
        return made if self.y_unit is None else np.sinh(np.clip(made, -800, 800)) * self.y_unit

    def spread(self, y: Floats, sd: Floats) -> Floats:
        """Return what a standard deviation around what a network says is around the value.

        Under ``arsinh`` to first order: the deviation grows with the value.

        >>> one = np.ones(1)
        >>> scale = Scale(x_mean=one, x_sd=one, y_mean=0 * one, y_sd=2 * one)
        >>> scale.spread(np.array([[3.0]]), np.array([[0.5]])).tolist()
        [[1.0]]
        """
        made: Floats = sd * self.y_sd
        if self.y_unit is None:
            return made
        slope = np.cosh(np.clip(y * self.y_sd + self.y_mean, -800, 800))
        return np.asarray(made * slope * self.y_unit, dtype=np.float64)

    def wanted(self, y: Floats) -> Floats:
        """Return values as a network is taught them."""
        near = y if self.y_unit is None else np.arcsinh(y / self.y_unit)
        made: Floats = (near - self.y_mean) / self.y_sd
        return made


def reasons_of(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return every reason for which some sample has no value, sorted."""
    return tuple(sorted({s.target.reason for s in samples if isinstance(s.target, Bottom)}))


def rows_of(samples: Sequence[Sample], reasons: Sequence[str] | None = None) -> Rows:
    """Return samples as arrays.

    ``reasons`` are those that training has seen; without them, those of the samples.  Raises
    ``DataError`` A200 for an input that is no list of numbers, all of one length, and for a target
    that is neither a number, nor a list of numbers, nor a ``Bottom``.

    >>> rows = rows_of([
    ...     Sample(id="a", input=[1.0, 2.0], target=Answer(0.5)),
    ...     Sample(id="b", input=[3.0, 4.0], target=Bottom("above")),
    ... ])
    >>> rows.x.shape, rows.kind.tolist(), rows.reasons
    ((2, 2), [0, 1], ('above',))
    """
    known = tuple(reasons_of(samples) if reasons is None else reasons)
    place = {reason: i + 1 for i, reason in enumerate(known)}
    values = [s.target.value if isinstance(s.target, Answer) else None for s in samples]
    width = next((len(_listed(v)) for v in values if v is not None), 1)
    y = np.full((len(samples), width), np.nan)
    kind = np.zeros(len(samples), dtype=np.int64)
    for i, (sample, value) in enumerate(zip(samples, values, strict=True)):
        match sample.target:
            case Answer():
                numbers = _listed(value)
                if len(numbers) != width or not all(map(_is_number, numbers)):
                    raise _no_rows(sample, f"its answer is no list of {width} numbers")
                y[i] = numbers
            case Bottom(reason):
                kind[i] = place.get(reason, 0)
                if reason not in place:
                    raise _no_rows(sample, f"nothing in training is {reason!r}")
            case None:
                raise _no_rows(sample, "it has no target")
    return Rows(x=features_of(samples), y=y, kind=kind, reasons=known)


def features_of(asked: Sequence[Sample | Question]) -> Floats:
    """Return the inputs, shape [rows, features].  Raises ``DataError`` A200 as ``rows_of`` does."""
    first: Any = asked[0].input if asked else []
    width = len(first) if isinstance(first, list | tuple) else 0
    for one in asked:
        given: Any = one.input
        if (
            not isinstance(given, list | tuple)
            or len(given) != width
            or not ({*map(type, given)} <= PLAIN or all(map(_is_number, given)))
        ):
            raise _no_rows(one, f"its input is no list of {width} numbers")
    return np.array([one.input for one in asked], dtype=np.float64).reshape(len(asked), width)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_rows(one: Sample | Question, why: str) -> DataError:
    return DataError(
        f"{one.id!r} is no row of numbers: {why}",
        hint="science recipes need lists of numbers, one length for all, and a number, several, or "
        "a reason as target",
    )


def _positive(sd: Floats, mean: Floats) -> Floats:
    # What never varies says nothing, and must not divide by zero, nor by what rounding makes of zero.
    made: Floats = np.where(sd > 1e-12 * np.abs(mean), sd, 1.0)
    return made
