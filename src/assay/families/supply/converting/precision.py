"""Which type each tensor is written as, and its bytes as that type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from typing import TypeAlias

from assay import DataError, PlanError

from ..formats.apr import codecs
from . import ggml
from .elements import GGML_BLOCKS, PLAIN, Bytes, from_singles, is_float, to_apr_q8
from .weights import Target, Weight

FORMATS = ("apr", "gguf", "onnx", "safetensors")
_WIDTHS = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
PRECISIONS = {
    "apr": (*_WIDTHS, "q8", "q4", "q4_k", "q6_k"),
    "gguf": (*_WIDTHS, *ggml.MIXES),
    "onnx": ("f32",),
    "safetensors": tuple(_WIDTHS),
}
"""What can be asked for, by format."""

_MATRICES = {"q8": "APR_Q8", "q4": "APR_Q4", "q4_k": "Q4_K", "q6_k": "Q6_K"}
Choice: TypeAlias = Callable[[Weight], str]


def check(to: str, quantise: str | None) -> None:
    """Raise ``PlanError`` A106 for a format or a precision that there is not.

    >>> check("safetensors", "q4")
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A106 safetensors files cannot be written as 'q4'
      at: --quantise
      try: one of f32, f16, bf16, or --to apr
    """
    if to not in FORMATS:
        near = get_close_matches(to, FORMATS, n=1)
        hint = f"write {near[0]}" if near else f"one of {', '.join(FORMATS)}"
        raise PlanError(f"no format is called {to!r}", where="--to", hint=hint, code="A106")
    if quantise is None or quantise in PRECISIONS[to]:
        return
    others = [other for other in FORMATS if quantise in PRECISIONS[other]]
    hint = f"one of {', '.join(PRECISIONS[to])}" + (f", or --to {others[0]}" if others else "")
    what = f"{to} files cannot be written as {quantise!r}"
    raise PlanError(what, where="--quantise", hint=hint, code="A106")


def for_apr(quantise: str | None) -> Choice:
    """Return the type of each tensor in an APR file: matrices are quantised, all else is kept."""
    return partial(_in_apr, quantise=quantise)


def for_safetensors(quantise: str | None) -> Choice:
    """Return the type of each tensor in a safetensors file."""
    return partial(_kept, known=frozenset(PLAIN), wide=quantise and _WIDTHS[quantise])


def for_gguf(quantise: str | None, *, layers: int, tied: bool) -> Choice:
    """Return the type of each tensor in a GGUF file: what has one dimension stays F32, as in llama.cpp."""

    def chosen(weight: Weight) -> str:
        if not is_float(weight.dtype):
            raise _no_type(weight, "GGUF")
        if len(weight.shape) < 2:
            return "F32"
        if quantise in ggml.MIXES:
            return ggml.type_in(quantise, weight.name, weight.shape, layers, tied=tied)
        known = frozenset({"F32", "F16", "BF16", *GGML_BLOCKS})
        return _kept(weight, known=known, wide=quantise and _WIDTHS[quantise])

    return chosen


def target(weight: Weight, dtype: str) -> Target:
    """Return a tensor as it is to be written."""
    return Target(
        name=weight.name,
        dtype=dtype,
        shape=weight.shape,
        pieces=partial(_pieces, weight, dtype),
    )


def _in_apr(weight: Weight, *, quantise: str | None) -> str:
    wanted = _MATRICES.get(quantise or "")
    if wanted and is_float(weight.dtype) and len(weight.shape) == 2:
        whole = wanted not in GGML_BLOCKS or weight.shape[-1] % GGML_BLOCKS[wanted][0] == 0
        if whole and weight.numbers:
            return wanted
    return _kept(weight, known=frozenset(codecs.IDS), wide=_WIDTHS.get(quantise or ""))


def _kept(weight: Weight, *, known: frozenset[str], wide: str | None) -> str:
    """Return the type itself where it can be kept; F32 holds every number of the block types."""
    if wide and is_float(weight.dtype):
        return wide
    if weight.dtype in known and (weight.dtype in PLAIN or weight.is_as_stored):
        return weight.dtype
    if is_float(weight.dtype):
        return "F32"
    raise _no_type(weight, "this format")


def _no_type(weight: Weight, what: str) -> DataError:
    return DataError(
        f"{what} has no type for {weight.name}, which is {weight.dtype}",
        where=str(weight.path),
        hint="leave the tensor out of the source, or convert to safetensors",
        code="A208",
    )


def _pieces(weight: Weight, dtype: str) -> Iterator[Bytes]:
    if dtype == weight.dtype and weight.is_as_stored:
        yield from weight.raw()
    elif dtype == "APR_Q8":
        yield from to_apr_q8(weight.singles)
    elif dtype in GGML_BLOCKS:
        row = weight.shape[-1]
        for numbers in weight.singles(unit=row):
            yield _named(weight, partial(ggml.quantised, numbers, dtype, row))
    else:
        for numbers in weight.singles(unit=32):  # of 32 numbers each are the blocks of APR_Q4
            yield _named(weight, partial(from_singles, numbers, dtype))


def _named(weight: Weight, make: Callable[[], Bytes]) -> Bytes:
    """Add which tensor it was to an error about its numbers."""
    try:
        return make()
    except DataError as error:
        what = f"{weight.name}: {error.what}"
        raise DataError(what, where=str(weight.path), hint=error.hint, code=error.code) from None


def unchanged(weights: tuple[Weight, ...], choose: Choice) -> tuple[str, ...]:
    """Return the names of matrices that stay wide although a quantised type was asked for."""
    wide = {"F32", "F16", "BF16", "F64"}
    return tuple(w.name for w in weights if len(w.shape) == 2 and choose(w) in wide)
