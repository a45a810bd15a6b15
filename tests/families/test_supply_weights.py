"""What became of tensors: every change of the attack list is told, and no honest rounding is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.families.supply.agreeing.precision import precision_of
from assay.families.supply.agreeing.tensor import Change, change_of, distance
from assay.families.supply.agreeing.weights import compare_weights
from assay.families.supply.formats.apr.codecs import decode, encode

SIDES = st.integers(2, 40)


class Arrays:
    """Tensors in memory."""

    def __init__(self, arrays: dict[str, np.ndarray], dtype: str = "F32") -> None:
        self.arrays = arrays
        self.kinds = {name: (dtype, array.shape) for name, array in arrays.items()}

    def numbers(self, name: str) -> np.ndarray:
        return self.arrays[name]


def matrix(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.standard_normal(shape).astype(np.float32)


def told(candidate: np.ndarray, source: np.ndarray, dtype: str = "F32") -> Change:
    apart = distance(candidate, source)
    return change_of(candidate, source, found=apart, precision=precision_of(dtype))


ATTACKS = {
    Change.SIGN_FLIPPED: lambda w: -w,
    Change.SCALED: lambda w: w * np.float32(1000),
    Change.PERMUTED_ROWS: lambda w: np.roll(w, 1, axis=0),
    Change.PERMUTED_COLUMNS: lambda w: np.roll(w, 1, axis=1),
    Change.TRANSPOSED: lambda w: np.ascontiguousarray(w.T),
    Change.ZEROED: lambda w: w * 0,
    Change.NON_FINITE: lambda w: w * np.float32(np.nan),
    Change.CHANGED: lambda w: w + np.float32(1) * matrix(999, *w.shape),
}


@pytest.mark.parametrize("change", ATTACKS)
@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16", "APR_Q8", "Q8_0"])
def test_every_attack_on_a_matrix_is_told_by_its_name(change, dtype):
    source = matrix(3, 24, 24)
    assert told(ATTACKS[change](source), source, dtype) is change


@pytest.mark.parametrize("change", ATTACKS)
@pytest.mark.parametrize("dtype", ["APR_Q4", "Q4_0", "Q4_K", "Q2_K"])
def test_every_attack_is_refused_whatever_the_type(change, dtype):
    source = matrix(4, 64, 64)
    assert told(ATTACKS[change](source), source, dtype) not in (Change.SAME, Change.WITHIN)


@given(st.integers(0, 5000), SIDES, SIDES, st.floats(-12, 12))
def test_half_precision_is_always_within_its_own_bounds(seed, rows, columns, power):
    source = matrix(seed, rows, columns) * np.float32(2.0**power)
    half = source.astype(np.float16).astype(np.float32)
    assert told(half, source, "F16") in (Change.SAME, Change.WITHIN)
    bits = source.view(np.uint32) + np.uint32(0x7FFF) + ((source.view(np.uint32) >> 16) & 1)
    brain = (bits & np.uint32(0xFFFF0000)).view(np.float32)
    assert told(brain, source, "BF16") in (Change.SAME, Change.WITHIN)


@pytest.mark.parametrize("dtype", ["APR_Q8", "APR_Q4"])
@pytest.mark.parametrize("seed", range(20))
def test_apr_codecs_keep_their_own_bounds(dtype, seed):
    source = matrix(seed, 40, 64) * np.float32(0.05)
    back = decode(b"".join(encode(source, dtype)), dtype, source.shape)
    assert told(back, source, dtype) is Change.WITHIN
    assert told(-back, source, dtype) is Change.SIGN_FLIPPED


@pytest.mark.parametrize("dtype", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_block_types_of_gguf_keep_their_own_bounds(dtype):
    gguf = pytest.importorskip("gguf")
    source = matrix(9, 64, 96) * np.float32(0.05)
    kind = gguf.GGMLQuantizationType[dtype]
    back = gguf.dequantize(gguf.quantize(source, kind), kind).reshape(source.shape)
    assert told(back, source, dtype) is Change.WITHIN


def test_a_number_that_is_the_least_bit_off_is_no_exact_copy():
    source = matrix(1, 8, 8)
    off = source.copy()
    off[3, 3] = np.nextafter(off[3, 3], np.float32(9))
    assert told(off, source) is not Change.SAME
    assert told(off, source) is not Change.WITHIN


def test_one_number_in_a_million_that_is_far_off_is_told():
    source = matrix(1, 1000, 1000)
    off = source.copy()
    off[17, 400] += 5
    for dtype in ("F32", "F16", "BF16", "APR_Q8", "Q8_0"):
        assert told(off, source, dtype) is Change.CHANGED


def test_a_type_too_coarse_for_an_outlier_is_told():
    source = matrix(1, 64, 64) * np.float32(0.01)
    source[0, 0] = 100  # one scale for all: every other number becomes zero
    coarse = np.rint(source / (100 / 127)) * np.float32(100 / 127)
    small = np.delete(source.reshape(-1), 0)
    assert told(coarse, source, "APR_Q8") is Change.WITHIN  # the outlier is all of its direction
    assert not np.delete(coarse.reshape(-1), 0).any()
    assert small.any()
    source[0, 0] = 3.0
    coarse = np.rint(source / (3 / 7)) * np.float32(3 / 7)
    assert told(coarse.astype(np.float32), source, "APR_Q4") in (Change.WITHIN, Change.COARSE)


def test_tensors_that_lack_are_new_or_have_another_shape_are_named():
    source = Arrays({"a": matrix(1, 4, 6), "b": matrix(2, 4), "c": matrix(3, 4, 4)})
    candidate = Arrays({"a": source.arrays["a"].T.copy(), "c": matrix(3, 2, 8), "d": matrix(4, 2)})
    found = {one.name: one.change for one in compare_weights(candidate, source).tensors}
    assert found == {
        "a": Change.TRANSPOSED,
        "b": Change.MISSING,
        "c": Change.WRONG_SHAPE,
        "d": Change.EXTRA,
    }


def test_two_layers_that_changed_places_are_told_with_where_they_are_from():
    source = Arrays({f"layers.{n}": matrix(n, 16, 16) for n in range(4)})
    swapped = dict(source.arrays)
    swapped["layers.0"], swapped["layers.1"] = swapped["layers.1"], swapped["layers.0"]
    wrong = compare_weights(Arrays(swapped), source).wrong
    assert [(one.name, one.change, one.detail) for one in wrong] == [
        ("layers.0", Change.SWAPPED, "it is layers.1"),
        ("layers.1", Change.SWAPPED, "it is layers.0"),
    ]


HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"


def test_a_head_that_is_tied_to_the_embedding_may_be_left_out_or_written_twice():
    table = matrix(1, 10, 4)
    one, two = Arrays({EMBEDDING: table}), Arrays({EMBEDDING: table, HEAD: table.copy()})
    assert compare_weights(one, two).passed
    assert compare_weights(two, one).passed


def test_a_head_of_its_own_cannot_be_left_out():
    source = Arrays({EMBEDDING: matrix(1, 10, 4), HEAD: matrix(2, 10, 4)})
    found = compare_weights(Arrays({EMBEDDING: matrix(1, 10, 4)}), source)
    assert [str(one) for one in found.wrong] == ["lm_head.weight: missing"]


def test_a_model_without_tensors_agrees_with_nothing():
    assert not compare_weights(Arrays({}), Arrays({})).passed
    assert not compare_weights(Arrays({}), Arrays({"a": matrix(1, 2)})).passed


def test_the_old_gate_would_pass_what_this_one_refuses():
    """It compared |weights|, each divided by their sum: blind to sign, to scale, and to what is missing."""
    source = matrix(0, 64, 64)

    def old(candidate: np.ndarray) -> float:
        p, q = (np.abs(w).reshape(-1) / np.abs(w).sum() + 1e-10 for w in (source, candidate))
        return float((p * np.log(p / q)).sum())

    for candidate in (-source, source * 1000):
        assert old(candidate) < 1e-5
        assert told(candidate, source) not in (Change.SAME, Change.WITHIN)
