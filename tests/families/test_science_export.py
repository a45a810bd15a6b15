"""A network as an ONNX graph says what it says in NumPy, and in torch, on any input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.families.science.export.deployed import NAMES, Deployed, Gate, before_rounding, outputs
from assay.families.science.learning.binned import Binned
from assay.families.science.learning.projective import Projective, Taus
from assay.families.science.learning.rows import Scale
from assay.families.science.learning.shape import Shape, begin
from assay.families.science.learning.two_heads import TwoHeads

pytest.importorskip("onnxruntime", reason="the extra science is not installed")

REASONS = ("a", "b", "c")
HEADS = {
    "sign": Projective(width=1, reasons=2),
    "no direction": Projective(width=2, reasons=3, direction="none", epsilon=0.01),
    "one reason": Projective(width=3, reasons=1),
    "no reason": Projective(width=1, reasons=0),
    "joint": Projective(width=2, reasons=3, direction="joint", anchored=True),
    "detached": Projective(width=2, reasons=2, direction="detached", shock=0.01),
    "angle": Projective(width=1, reasons=2, form="angle"),
    "angle, joint": Projective(width=1, reasons=3, form="angle", direction="joint"),
    "angle, detached": Projective(width=1, reasons=2, form="angle", direction="detached"),
    "two heads": TwoHeads(width=2, reasons=2),
    "two heads, spread": TwoHeads(width=1, reasons=3, spread=True),
    "two heads, no reason": TwoHeads(width=1, reasons=0),
    "softmax": Binned(width=2, reasons=2, bins=7),
}


def deployed_of(head, *, own=False, arsinh=False, activation="relu", seed=0) -> Deployed:
    rng = np.random.Generator(np.random.PCG64(seed))
    inputs, width = 4, head.width
    shape = Shape(inputs=inputs, hidden=(16, 8), outputs=head.outputs, activation=activation)
    parts = [*shape.parts(), *head.parts(8)]
    weights = {name: w.astype(np.float32).astype(float) for name, w in begin(parts, seed).items()}
    scale = Scale(
        x_mean=rng.normal(size=inputs),
        x_sd=rng.uniform(0.5, 2, inputs),
        y_mean=rng.normal(size=width),
        y_sd=rng.uniform(0.5, 2, width),
        y_unit=rng.uniform(0.1, 10, width) if arsinh else None,
    )
    projective = isinstance(head, Projective)
    gate = Gate(tau=0.3, own=own, tau_train=0.5 if projective else None)
    return Deployed(
        shape=shape,
        head=head,
        scale=scale,
        weights=weights,
        reasons=REASONS[: head.reasons],
        gate=gate,
    )


def rows(seed: int = 1) -> np.ndarray:
    """Ordinary rows, extreme ones up to the largest double, and rows with NaN and infinities."""
    rng = np.random.Generator(np.random.PCG64(seed))
    usual = rng.normal(size=(300, 4))
    sizes = 10.0 ** rng.uniform(-300, 307, size=(300, 4))
    extreme = sizes * rng.choice([-1.0, 1.0], size=sizes.shape)
    mixed = np.where(rng.random((200, 4)) < 0.5, extreme[:200], usual[:200])
    broken = usual[:60].copy()
    broken[np.arange(60), rng.integers(0, 4, 60)] = np.resize([np.nan, np.inf, -np.inf], 60)
    largest = np.full((1, 4), np.finfo(float).max)
    return np.concatenate([usual, extreme, mixed, broken, largest, -largest, np.zeros((1, 4))])


def onnx_says(deployed: Deployed, x: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    from assay.families.science.export.graph import graph_of

    session = onnxruntime.InferenceSession(graph_of(deployed), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == list(NAMES)
    with np.errstate(all="ignore"):
        return dict(zip(NAMES, session.run(None, {"features": x}), strict=True))


def same(deployed: Deployed, x: np.ndarray) -> None:
    """Hold a graph to NumPy: masks exactly, but where a number meets its threshold within rounding."""
    said = onnx_says(deployed, x)
    wanted = dict(zip(NAMES, outputs(deployed, x).arrays, strict=True))
    # Sums in another order: extreme rows may overflow in one and not in the other by a last bit.
    sure, gate = wanted["confidence"], deployed.gate
    edges = [e for e in (gate.tau, gate.tau_train, 0.025) if e is not None]
    clear = np.all([np.abs(sure - edge) > 1e-9 for edge in edges], axis=0)
    assert clear.mean() > 0.95
    for name in NAMES:
        if name in ("decoded", "confidence"):
            continue
        assert (said[name] == wanted[name])[clear].all(), name
    assert np.allclose(said["confidence"][clear], sure[clear], rtol=1e-9, atol=1e-12)
    # P / Q near Q = 0 magnifies what the last bits of Q are off by.
    one, other = said["decoded"][clear], wanted["decoded"][clear]
    assert (np.isnan(one) == np.isnan(other)).all()
    assert np.allclose(one, other, rtol=1e-7, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("own", [False, True])
def test_a_graph_says_what_numpy_says(name: str, own: bool) -> None:
    head = HEADS[name]
    same(deployed_of(head, own=own), rows())
    same(deployed_of(head, own=own, arsinh=True, activation="silu", seed=3), rows(4))


def test_every_kind_of_bottom_is_met_by_the_rows_above() -> None:
    kinds = {
        int(kind)
        for head in HEADS.values()
        for kind in outputs(deployed_of(head), rows()).provenance
    }
    assert kinds == {0, 1, 2, 3}
    assert any(outputs(deployed_of(head), rows()).gap.any() for head in HEADS.values())


@pytest.mark.parametrize("name", HEADS)
def test_what_is_not_a_number_is_a_fault_and_never_a_value(name: str) -> None:
    x = rows()
    broken = ~np.isfinite(x).all(axis=1)
    said = onnx_says(deployed_of(HEADS[name]), x)
    assert said["fault_mask"][broken].all()
    assert np.isnan(said["decoded"][said["bottom_mask"]]).all()
    assert np.isfinite(said["decoded"][~said["bottom_mask"]]).all()
    assert (said["bottom_mask"] == (said["fault_mask"] | said["semantic_bottom_mask"])).all()
    assert (said["confidence"][said["fault_mask"]] == 0).all()
    assert (said["reason"][said["fault_mask"]] == -1).all()


def test_zero_over_zero_is_a_bottom_of_the_algebra_and_no_fault() -> None:
    head = Projective(width=1, reasons=2)
    deployed = deployed_of(head)
    weights = {n: np.zeros_like(w) for n, w in deployed.weights.items()}
    never = replace(deployed, weights=weights, gate=Gate(tau=0.0))
    said = onnx_says(never, np.zeros((1, 4)))
    assert said["bottom_provenance"].tolist() == [2]
    same_as = outputs(never, np.zeros((1, 4)))
    assert same_as.provenance.tolist() == [2]


def test_no_row_and_one_row_are_batches() -> None:
    deployed = deployed_of(HEADS["joint"])
    assert onnx_says(deployed, np.zeros((0, 4)))["decoded"].shape == (0, 2)
    one = onnx_says(deployed, rows()[:1])
    many = onnx_says(deployed, rows())
    assert np.allclose(one["decoded"], many["decoded"][:1], equal_nan=True, rtol=1e-12)


def test_equal_networks_are_equal_bytes() -> None:
    from assay.families.science.export.graph import graph_of

    assert graph_of(deployed_of(HEADS["sign"])) == graph_of(deployed_of(HEADS["sign"]))


@pytest.mark.parametrize("tau", [0.3, 0.123456, 0.1234567, 1e-7, 1.0, float(np.nextafter(1, 2))])
def test_a_threshold_declines_before_rounding_what_it_declines_after(tau: float) -> None:
    from assay.families.science.domains.drawn import rounded

    rng = np.random.Generator(np.random.PCG64(0))
    sure = np.clip(tau * (1 + 2e-6 * rng.normal(size=10_000)), 0, 1)
    edge = before_rounding(tau)
    clear = np.abs(sure / edge - 1) > 1e-12
    assert ((rounded(sure, 6) < tau) == (sure < edge))[clear].all()


@pytest.mark.heavy
@pytest.mark.parametrize("name", HEADS)
def test_a_graph_says_what_torch_says(name: str) -> None:
    from assay.families.science.export.torch_side import torch_says

    for arsinh, activation in ((False, "relu"), (True, "silu")):
        deployed = deployed_of(HEADS[name], arsinh=arsinh, activation=activation)
        if isinstance(deployed.head, Projective):
            taus = Taus(infer=0.3, train=0.5)
            deployed = replace(deployed, head=replace(deployed.head, taus=taus))
        x = rows()
        # The sine of a huge angle is whatever its last bits are.
        x = x if "angle" not in name else x[~(np.abs(x) > 1e3).any(axis=1)]
        said = onnx_says(deployed, x)
        value, sure = torch_says(deployed, x)
        with np.errstate(all="ignore"):
            decoded = deployed.scale.outward(value)
        there = ~said["bottom_mask"]
        assert there.any()
        assert np.allclose(said["decoded"][there], decoded[there], rtol=1e-7, atol=1e-9)
        assert np.allclose(said["confidence"][there], np.clip(sure[there], 0, 1), rtol=1e-9)
        # What torch has no number for is a fault, and nothing else is declined above the threshold.
        number = np.isfinite(decoded).all(axis=1) & np.isfinite(sure) & np.isfinite(x).all(axis=1)
        assert (there == (number & ~(sure < 0.3)))[np.abs(np.nan_to_num(sure) - 0.3) > 1e-9].all()
