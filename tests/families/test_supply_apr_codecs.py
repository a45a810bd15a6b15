"""The types of APR, against their rules written out a number at a time."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay import DataError
from assay.families.supply.formats.apr.codecs import IDS, PLAIN, decode, encode, sizes_of

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
MODEST = st.floats(-1000, 1000, width=32)
VECTORS = arrays.arrays(np.float32, st.integers(0, 100), elements=MODEST)
ANY_VECTORS = arrays.arrays(np.float32, st.integers(0, 70), elements=FLOATS)


def made(values, dtype: str) -> bytes:
    return b"".join(encode(np.asarray(values), dtype))


def back(raw: bytes, dtype: str, count: int) -> np.ndarray:
    return decode(raw, dtype, (count,))


def f32(number: float) -> float:
    return struct.unpack("<f", struct.pack("<f", number))[0]


def code(value: float, scale: float, low: int, high: int) -> int:
    """Divide in float32, round half away from zero, clamp; as Rust casts, not-a-number is 0."""
    if scale == 0:
        return 0 if value == 0 else low if value < 0 else high
    quotient = value / scale
    if abs(quotient) > 1e30:
        return low if quotient < 0 else high
    quotient = f32(quotient)
    return int(max(low, min(high, math.copysign(math.floor(abs(quotient) + 0.5), quotient))))


def slow_q8(values: list[float]) -> bytes:
    if not values:
        return b""
    top = max(abs(value) for value in values)
    scale = f32(top / 127) if top else 1.0
    codes = (code(value, scale, -127, 127) for value in values)
    return struct.pack("<f", scale) + b"".join(struct.pack("b", each) for each in codes)


def slow_q4(values: list[float]) -> bytes:
    blocks = []
    for at in range(0, len(values), 32):
        block = values[at : at + 32]
        top = max(abs(value) for value in block)
        scale = f32(top / 7) if top else 1.0
        packed = bytearray(16)
        for place, value in enumerate(block):
            packed[place // 2] |= (code(value, scale, -8, 7) + 8) << (4 * (place % 2))
        blocks.append(struct.pack("<e", scale) + packed)
    return b"".join(blocks)


@pytest.mark.slow
@given(ANY_VECTORS)
@example(np.array([1e-45, -1e-45, 0], np.float32))  # the scale underflows to zero
@example(np.array([127, 0.5, 1.5, 2.5, -0.5, 0.49999997], np.float32))
@settings(max_examples=300)
def test_q8_is_its_rule_written_out(values):
    assert made(values, "APR_Q8") == slow_q8(values.tolist())


@pytest.mark.slow
@given(arrays.arrays(np.float32, st.integers(0, 100), elements=st.floats(-4e5, 4e5, width=32)))
@example(np.array([1e-45, -1e-45, 0], np.float32))
@example(np.array([7, 0.5, 1.5, -0.5, 0.49999997, -7, 3.4999998], np.float32))
@settings(max_examples=300)
def test_q4_is_its_rule_written_out(values):
    assert made(values, "APR_Q4") == slow_q4(values.tolist())


@pytest.mark.parametrize(
    ("dtype", "values", "raw"),
    [
        # Scale 2.0; -0.25 steps is 0, 0.5 rounds away from zero, 127 is the largest code.
        ("APR_Q8", [254.0, -0.5, 1.0, -1.0, -254.0], "00000040 7f 00 01 ff 81"),
        ("APR_Q8", [0.0, 0.0], "0000803f 00 00"),
        # Scale 1.0 in half precision; the even place is the low nibble, eight more than the code; pads are 0.
        ("APR_Q4", [7.0, -7.0, 1.0], "003c 1f 09" + " 00" * 14),
        ("APR_Q4", [0.0] * 32, "003c" + " 88" * 16),
        ("APR_Q4", [14.0] * 32 + [-3.5], "0040" + " ff" * 16 + " 0038 01" + " 00" * 15),
        ("BF16", [1.0, -2.0], "803f 00c0"),
    ],
)
def test_a_type_is_byte_for_byte_what_the_format_describes(dtype, values, raw):
    array = np.array(values, np.float32)
    assert b"".join(encode(array, dtype)).hex() == raw.replace(" ", "")


def test_a_tensor_of_many_chunks_is_quantised_as_one():
    values = np.random.default_rng(1).normal(size=(1 << 20) + 33).astype(np.float32)
    values[-1] = 9.0  # the largest stands in the second chunk, and sets the scale of the first
    q8 = made(values, "APR_Q8")
    assert struct.unpack("<f", q8[:4])[0] == np.float32(9) / np.float32(127)
    assert len(q8) == 4 + values.size
    assert back(q8, "APR_Q8", values.size)[-1] == pytest.approx(9)
    q4 = made(values, "APR_Q4")
    assert q4[-36:] == slow_q4(values[-33:].tolist())
    assert np.abs(back(q4, "APR_Q4", values.size) - values).max() < 9 / 14 + 0.01


@given(VECTORS)
def test_q8_is_wrong_by_half_a_step_at_most(values):
    found = back(made(values, "APR_Q8"), "APR_Q8", values.size)
    top = np.abs(values).max(initial=0)
    assert np.all(np.abs(found - values) <= top / 127 / 2 * (1 + 1e-5) + 1e-44)


@given(VECTORS)
def test_q4_is_wrong_by_half_a_step_and_the_rounding_of_its_scale_at_most(values):
    found = back(made(values, "APR_Q4"), "APR_Q4", values.size)
    for at in range(0, values.size, 32):
        step = np.abs(values[at : at + 32]).max() / 7
        error = np.abs(found[at : at + 32] - values[at : at + 32]).max()
        assert error <= step / 2 * (1 + 1e-5) + 7 * max(step * 2**-11, 2**-25)


@given(VECTORS)
def test_q4_of_what_q4_holds_is_the_same_bytes(values):
    """Unless a scale vanished in f16, when nothing is left of the block."""
    raw = made(values, "APR_Q4")
    scales = np.frombuffer(raw, np.uint8).reshape(-1, 18)[:, :2].copy().view("<f2")
    if scales.all():
        assert made(back(raw, "APR_Q4", values.size), "APR_Q4") == raw


@given(VECTORS)
def test_q8_of_what_q8_holds_has_the_same_codes_and_a_scale_of_one_step_at_most(values):
    raw = made(values, "APR_Q8")
    again = made(back(raw, "APR_Q8", values.size), "APR_Q8")
    assert again[4:] == raw[4:] or np.abs(values).max() < 1e-36
    if values.size:
        first, second = (np.frombuffer(each[:4], "<i4")[0] for each in (raw, again))
        assert abs(int(first) - int(second)) <= 1 or np.abs(values).max() < 1e-36


def test_q8_of_what_q8_holds_can_move_its_scale_by_one_step():
    """One in 128 scales: 127 times it is a tie that rounds to another's multiple."""
    scale = np.array([0x3FC00040], "<i4").view("<f4")  # its last bits are 64 modulo 128
    raw = scale.tobytes() + bytes([127, 129])
    again = made(back(raw, "APR_Q8", 2), "APR_Q8")
    assert again[4:] == raw[4:]
    assert again[:4] != raw[:4]


@given(ANY_VECTORS)
def test_f32_keeps_every_bit(values):
    assert back(made(values, "F32"), "F32", values.size).tobytes() == values.tobytes()


@given(arrays.arrays(np.float16, st.integers(0, 50)))
def test_f16_numbers_come_back(values):
    found = back(made(values.astype(np.float32), "F16"), "F16", values.size)
    assert np.array_equal(found.astype(np.float16), values, equal_nan=True)


@given(arrays.arrays(np.uint16, st.integers(0, 50)))
def test_bf16_numbers_come_back(bits):
    found = back(bits.astype("<u2").tobytes(), "BF16", bits.size)
    again = back(made(found, "BF16"), "BF16", bits.size)
    assert np.array_equal(found, again, equal_nan=True)


@given(st.floats(-(2.0**126), 2.0**126, width=32))
@example(1.00390625)  # a tie, to even
@example(1.01171875)
def test_bf16_is_the_nearest(number):
    found = float(back(made(np.float32([number]), "BF16"), "BF16", 1)[0])
    bits = struct.unpack("<I", struct.pack("<f", number))[0] & 0xFFFF0000
    near = [struct.unpack("<f", struct.pack("<I", each))[0] for each in (bits, bits + 0x10000)]
    best = min(abs(each - number) for each in near)
    assert abs(found - number) == best
    if abs(near[0] - number) == abs(near[1] - number):
        assert not struct.unpack("<I", struct.pack("<f", found))[0] & 0x10000


@pytest.mark.parametrize("dtype", ["I8", "U8", "I32", "I64"])
def test_integers_keep_their_type(dtype):
    ends = np.iinfo(PLAIN[dtype])
    values = np.array([ends.min, 0, ends.max], PLAIN[dtype])
    found = back(made(values, dtype), dtype, 3)
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


@pytest.mark.parametrize(
    ("dtype", "values", "says"),
    [
        ("F16", [1e5], "would become infinite"),
        ("F32", [1e39], "would become infinite"),
        ("BF16", [3.4e38], "would become infinite"),
        ("APR_Q8", [math.nan], "not finite"),
        ("APR_Q4", [math.inf], "not finite"),
        ("APR_Q4", [5e5], "does not fit into f16"),
        ("I8", [0.5], "float64"),
        ("I8", [128], "128"),
        ("Q4_K", [0.0] * 256, "only the blocks of a GGUF file"),
    ],
)
def test_what_a_type_cannot_hold_is_refused(dtype, values, says):
    with pytest.raises(DataError, match=says) as refusal:
        made(np.array(values), dtype)
    assert refusal.value.code == "A208"


@pytest.mark.parametrize("dtype", ["F16", "F32", "BF16"])
def test_what_is_not_finite_stays_so_in_float_types(dtype):
    found = back(made(np.float32([math.inf, -math.inf, math.nan]), dtype), dtype, 3)
    assert found[:2].tolist() == [math.inf, -math.inf]
    assert math.isnan(found[2])


@pytest.mark.parametrize("dtype", ["Q4_K", "Q6_K"])
def test_super_blocks_are_what_gguf_makes_of_them(dtype):
    gguf = pytest.importorskip("gguf")
    kind = gguf.GGMLQuantizationType[dtype]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows = np.random.default_rng(0).integers(0, 60, (5000, size), np.uint8)
    assert sizes_of(dtype, (5000, block)) == (rows.size,)
    found = decode(rows.tobytes(), dtype, (5000, block))
    assert np.array_equal(found, gguf.quants.dequantize(rows, kind))
    assert np.abs(found).max() > 0


def test_super_blocks_are_padded_by_row_or_over_the_whole():
    blocks = np.random.default_rng(0).integers(0, 60, (2, 144), np.uint8)
    whole = decode(blocks.tobytes(), "Q4_K", (512,))
    by_row = decode(blocks.tobytes(), "Q4_K", (2, 100))
    assert np.array_equal(by_row, whole.reshape(2, 256)[:, :100])
    flat = decode(blocks[:1].tobytes(), "Q4_K", (2, 100))
    assert np.array_equal(flat, whole[:200].reshape(2, 100))


@pytest.mark.parametrize("dtype", sorted(set(IDS) - {"Q4_K", "Q6_K"}))
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (33,), (4, 5, 6)])
def test_every_type_takes_the_bytes_it_says(dtype, shape):
    kind = np.int8 if dtype[0] in "IU" else np.float32
    values = np.ones(shape, kind)
    raw = made(values, dtype)
    assert len(raw) == sizes_of(dtype, shape)[0]
    assert decode(raw, dtype, shape).shape == shape
    assert np.allclose(decode(raw, dtype, shape), values, atol=0.01)
