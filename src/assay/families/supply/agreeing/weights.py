"""Whether a converted file holds the tensors of its source, each within what its type allows.

*Covered*: tensors that are missing, new, transposed, sign-flipped, scaled, permuted, zeroed, swapped or
changed; each is named with what happened to it.  *Not covered*: a change that is smaller than what the
type allows, which only the outputs show; what the configuration beside the tensors says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from .precision import precision_of
from .tensor import Change, change_of, distance

Array: TypeAlias = Any
FINE = frozenset({Change.SAME, Change.WITHIN})
_HEAD, _EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
_SEEN = 4096


class Tensors(Protocol):
    """The tensors of a model under Hugging Face's names, one in memory at a time."""

    @property
    def kinds(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """Name to the type that it is stored as, and its shape."""

    def numbers(self, name: str) -> Array:
        """Return a tensor in single precision, in its shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFound:
    """What became of one tensor."""

    name: str
    change: Change
    dtype: str = ""
    """As the candidate stores it."""

    max_abs: float | None = None
    relative: float | None = None
    """Of the Frobenius norms."""

    cosine: float | None = None
    detail: str = ""

    def __str__(self) -> str:
        """Return the tensor with what happened to it, as a sentence."""
        said = f"{self.name}: {self.change.value}"
        return f"{said} ({self.detail})" if self.detail else said


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFound:
    """Every tensor of the candidate and of the source."""

    tensors: tuple[TensorFound, ...]

    @property
    def wrong(self) -> tuple[TensorFound, ...]:
        """The tensors that are not those of the source."""
        return tuple(one for one in self.tensors if one.change not in FINE)

    @property
    def passed(self) -> bool:
        """Whether there are tensors, and each is the source's within what its type allows."""
        return bool(self.tensors) and not self.wrong

    def worst(self, field: str) -> float:
        """Return the largest ``max_abs`` or ``relative``, or the smallest ``cosine``, of what was compared."""
        known = [value for one in self.tensors if (value := getattr(one, field)) is not None]
        if not known:
            return 0.0 if field == "cosine" else float("inf")
        return float(min(known) if field == "cosine" else max(known))


def compare_weights(candidate: Tensors, source: Tensors) -> WeightsFound:
    """Compare every tensor of a converted model with its source.

    An output matrix that one side leaves out because it is the embedding is compared with the embedding.
    Two tensors are in memory at a time.

    >>> class Two:
    ...     def __init__(self, **arrays):
    ...         self.arrays = arrays
    ...         self.kinds = {name: ("F32", array.shape) for name, array in arrays.items()}
    ...     def numbers(self, name):
    ...         return self.arrays[name]
    >>> ones, twos = np.ones((2, 2), "f4"), np.full((2, 2), 2, "f4")
    >>> for found in compare_weights(Two(a=ones, b=ones), Two(b=twos, c=ones)).tensors:
    ...     print(found)
    a: not in the source
    b: scaled (by 0.5)
    c: missing

    *Not to be trusted alone*: which numbers a model can do without is seen on its outputs.
    """
    ours, theirs = dict(candidate.kinds), dict(source.kinds)
    found = []
    for name in sorted(ours.keys() | theirs.keys()):
        here, there = _twin(name, ours), _twin(name, theirs)
        if there is None:
            found.append(TensorFound(name=name, change=Change.EXTRA, dtype=ours[name][0]))
        elif here is None:
            found.append(TensorFound(name=name, change=Change.MISSING))
        else:
            one = _compare(name, (candidate, here), (source, there))
            # A tied matrix that is no twin of the embedding is one that was dropped.
            lost = here != name and one.change not in FINE
            found.append(TensorFound(name=name, change=Change.MISSING) if lost else one)
    return WeightsFound(tensors=tuple(_with_swaps(found, candidate, source)))


def _twin(name: str, kinds: Mapping[str, Any]) -> str | None:
    """Return the name that holds a tensor's numbers, the embedding for an output matrix that is tied to it."""
    if name in kinds:
        return name
    return _EMBEDDING if name == _HEAD and _EMBEDDING in kinds else None


def _compare(name: str, ours: tuple[Tensors, str], theirs: tuple[Tensors, str]) -> TensorFound:
    dtype, shape = ours[0].kinds[ours[1]]
    wanted = theirs[0].kinds[theirs[1]][1]
    a, b = ours[0].numbers(ours[1]), theirs[0].numbers(theirs[1])
    if tuple(shape) != tuple(wanted):
        turned = tuple(shape) == tuple(wanted)[::-1] and len(shape) == 2
        near = turned and distance(a.T, b).cosine >= precision_of(dtype).cosine - 1e-6
        change = Change.TRANSPOSED if near else Change.WRONG_SHAPE
        detail = f"{_spelt(shape)}, not {_spelt(wanted)}"
        return TensorFound(name=name, change=change, dtype=dtype, detail=detail)
    apart = distance(a, b)
    change = change_of(a, b, found=apart, precision=precision_of(dtype))
    return TensorFound(
        name=name,
        change=change,
        dtype=dtype,
        max_abs=apart.max_abs,
        relative=apart.relative,
        cosine=apart.cosine,
        detail=_detail(change, apart.ratio, apart.relative, apart.cosine),
    )


def _detail(change: Change, ratio: float, relative: float, cosine: float) -> str:
    match change:
        case Change.SAME | Change.WITHIN | Change.NON_FINITE | Change.ZEROED:
            return ""
        case Change.SCALED:
            return f"by {ratio:.4g}"
        case _:
            return f"relative error {relative:.3g}, cosine {cosine:.4g}"


def _with_swaps(
    found: Iterable[TensorFound], candidate: Tensors, source: Tensors
) -> Iterable[TensorFound]:
    """Say of changed tensors which other tensor of the source they are."""
    seen: dict[str, Array] = {}
    for one in found:
        if one.change is not Change.CHANGED or one.name not in candidate.kinds:
            yield one
            continue
        ours = candidate.kinds[one.name]
        alike = [name for name, kind in source.kinds.items() if kind[1] == ours[1]]
        start = _start(candidate.numbers(one.name))
        near = max(0.9, precision_of(ours[0]).cosine - 1e-3)
        for name in alike:
            if name not in seen:
                seen[name] = _start(source.numbers(name))
            if name != one.name and distance(start, seen[name]).cosine >= near:
                yield TensorFound(
                    name=one.name,
                    change=Change.SWAPPED,
                    dtype=one.dtype,
                    max_abs=one.max_abs,
                    relative=one.relative,
                    cosine=one.cosine,
                    detail=f"it is {name}",
                )
                break
        else:
            yield one


def _start(numbers: Array) -> Array:
    """Return a tensor's first numbers, copied: enough to know it again, and no more in memory."""
    return np.array(numbers.reshape(-1)[:_SEEN], dtype=np.float32)


def _spelt(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a number"
