"""How far two models' logits are apart, and how logits travel in a reply."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr, softmax

from assay import DataError
from assay.families.supply.agreeing.divergence import WORST, compare_logits, log_softmax
from assay.predictions import pack, unpack


def rows(seed: int, n: int, width: int, spread: float = 3.0) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    return (rng.standard_normal((n, width)) * spread).astype(np.float32)


def nothing_follows(n: int) -> np.ndarray:
    return np.full(n, -1)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 400), st.floats(0.1, 8))
def test_the_divergence_is_that_of_scipy_over_the_whole_vocabulary(seed, n, width, spread):
    p, q = rows(seed, n, width, spread), rows(seed + 1, n, width, spread)
    found = compare_logits(p, q, nothing_follows(n))
    wide = [softmax(one.astype(np.float64), axis=1) for one in (p, q)]
    assert np.allclose(found.kl, rel_entr(*wide).sum(axis=1), atol=1e-9)
    assert (found.kl >= 0).all()


@given(st.integers(0, 10_000), st.floats(-1000, 1000))
def test_adding_a_number_to_every_logit_changes_nothing(seed, shift):
    logits = rows(seed, 3, 50)
    found = compare_logits(logits, logits + np.float32(shift), nothing_follows(3))
    assert found.kl.max() < 1e-6
    assert found.cosine.min() > 0.999999
    assert found.top1.all()


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 80))
def test_a_model_agrees_with_itself_in_everything(seed, width, k):
    logits = rows(seed, 4, width)
    found = compare_logits(logits, logits, np.array([0, 1, -1, width - 1]), k=k)
    assert found.kl.max() == 0
    assert found.top1.all()
    assert found.topk.all()
    assert np.array_equal(found.source_nll, found.candidate_nll, equal_nan=True)
    assert np.isnan(found.source_nll).tolist() == [False, False, True, False]


def test_the_likelihood_of_the_text_is_that_of_the_softmax():
    logits = rows(1, 2, 9)
    found = compare_logits(logits, logits, np.array([4, 7]))
    assert found.source_nll == pytest.approx(-log_softmax(logits)[[0, 1], [4, 7]])


def test_what_is_not_finite_counts_as_the_worst():
    source, broken = rows(2, 3, 20), rows(3, 3, 20)
    broken[0, 4], broken[1, 0] = np.nan, np.inf
    found = compare_logits(source, broken, np.array([1, 1, 1]), k=5)
    assert found.finite.tolist() == [False, False, True]
    for name, worst in {"kl": WORST, "top1": 0, "topk": 0, "cosine": -1}.items():
        assert (getattr(found, name)[:2] == worst).all()
    assert (found.candidate_nll[:2] == WORST).all()
    assert found.kl[2] < WORST


def test_logits_as_far_apart_as_floats_allow_stay_numbers():
    source = np.array([[3e38, -3e38, 0]], dtype=np.float32)
    found = compare_logits(source, source[:, ::-1].copy(), np.array([1]))
    assert found.kl.tolist() == [WORST]
    assert found.source_nll.tolist() == [WORST]
    assert np.isfinite(found.cosine).all()


def test_constant_and_shuffled_logits_agree_with_nothing():
    source = rows(5, 40, 1000, spread=5)
    constant = compare_logits(source, np.zeros_like(source), nothing_follows(40))
    assert constant.kl.min() > 1
    assert constant.cosine.max() == 0
    shuffled = compare_logits(source, np.roll(source, 1, axis=1), nothing_follows(40))
    assert shuffled.kl.min() > 1
    assert shuffled.top1.mean() < 0.1
    assert shuffled.topk.mean() < 0.2


def test_shapes_that_differ_and_a_broken_source_are_errors():
    logits = rows(1, 2, 9)
    for wrong in (logits[:, :8], logits[:1]):
        with pytest.raises(DataError, match="A202"):
            compare_logits(logits, wrong, nothing_follows(2))
    broken = logits.copy()
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match="A202"):
        compare_logits(broken, logits, nothing_follows(2))
    with pytest.raises(DataError, match="A202"):
        compare_logits(logits[:0], logits[:0], nothing_follows(0))


@given(st.integers(0, 10_000), st.integers(1, 3000), st.floats(0, 60))
def test_packed_logits_come_back_within_half_a_step(seed, width, spread):
    logits = rows(seed, 1, width, spread)[0]
    packed = json.loads(json.dumps(pack(logits)))
    back = unpack(packed, size=width)
    assert back is not None
    assert np.abs(back - (logits - logits.max())).max() <= packed["step"] * 0.501 + 1e-4
    assert unpack(packed, size=width + 1) is None


def test_packing_costs_no_more_divergence_than_it_says():
    """The gate's limit is 1e-2; half a step is at most 4e-4 here."""
    source, other = rows(7, 20, 49_152, spread=4.0), rows(8, 20, 49_152, spread=4.0)
    mixed = source * np.float32(0.97) + other * np.float32(0.03)
    back = np.stack([unpack(pack(row), size=49_152) for row in mixed])
    exact = compare_logits(source, mixed, nothing_follows(20)).kl
    packed = compare_logits(source, back, nothing_follows(20)).kl
    assert np.abs(exact - packed).max() < 5e-5
    assert compare_logits(source, np.stack([unpack(pack(row), size=49_152) for row in source]),
                          nothing_follows(20)).kl.max() < 1e-6  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "codes",
        {"size": 3, "step": 1.0, "codes": ""},
        {"size": 3, "step": float("nan"), "codes": "eJxjYGBgAAAABAAB"},
        {"size": 3, "step": -1.0, "codes": "eJxjYGBgAAAABAAB"},
        {"size": True, "step": 1.0, "codes": "eJxjYGBgAAAABAAB"},
        {"size": 3, "step": 1.0, "codes": "%%%%"},
        {"size": 3, "step": 1.0, "codes": "AAAA" * 10_000},
    ],
)
def test_a_value_that_is_no_packed_logits_is_told(value):
    assert unpack(value, size=3) is None


def test_a_stream_that_unpacks_to_more_than_it_says_is_never_unpacked_whole():
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(b"\0" * 10_000_000)).decode()
    assert len(bomb) < 4 * 6000
    assert unpack({"size": 6000, "step": 1.0, "codes": bomb}, size=6000) is None


@pytest.mark.parametrize("wrong", [np.array([1.0, np.nan]), np.array([np.inf]), np.array([])])
def test_logits_that_are_not_finite_cannot_be_packed(wrong):
    with pytest.raises(ValueError, match="finite"):
        pack(wrong)
