"""A classifier head on disk: arrays in safetensors, and a card in JSON that says what they are.

Two cards are read: ``card.json`` of ``assay intent train`` (``assay.intent.mapper/1``), and ``head.json`` for
heads from elsewhere (``assay.head/1``): labels, and the layers in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from assay import Artifact, DataError, PluginError

from ..formats.opening import open_model
from .source import artifact_of

Floats = NDArray[np.float64]
Activation = Literal["relu", "tanh", "sigmoid", "none"]
HEAD, MAPPER, CARD = "head.safetensors", "card.json", "head.json"
_Name = Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """``activation(weights @ x + bias)``."""

    weights: Floats
    """[out, in]"""

    bias: Floats
    activation: Activation = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A logistic curve for each class against the rest, normalised to sum to 1 (Platt)."""

    slope: Floats
    offset: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierHead:
    """What features become: logits, and probabilities of the labels."""

    labels: tuple[str, ...]
    layers: tuple[Layer, ...]
    temperature: float = 1.0
    curve: Curve | None = None
    parents: tuple[Artifact, ...] = ()
    card: Mapping[str, Any] = field(default_factory=dict)
    """What the graph should say of itself besides."""

    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many numbers it takes."""
        return int(self.layers[0].weights.shape[1])

    def logits(self, rows: Floats) -> Floats:
        """Return [n, labels] of features [n, features], in double precision."""
        inner = rows
        for layer in self.layers:
            inner = inner @ layer.weights.T + layer.bias
            inner = _ACTIVATIONS[layer.activation](inner)
        return inner

    def probabilities(self, logits: Floats) -> Floats:
        """Return [n, labels] that sum to 1."""
        if self.curve is None:
            shares = np.exp((logits - logits.max(axis=1, keepdims=True)) / self.temperature)
        else:
            others = logits[:, None, :] + np.where(
                np.eye(logits.shape[1], dtype=bool), -np.inf, 0.0
            )
            top = others.max(axis=2)
            rest = top + np.log(np.exp(others - top[:, :, None]).sum(axis=2))
            odds = (logits - rest) * self.curve.slope + self.curve.offset
            shares = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)


_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "none": lambda x: x,
}


class _HeadFacts(msgspec.Struct):
    kind: Literal["linear", "mlp"]
    digest: str = ""


class _CalibrationFacts(msgspec.Struct):
    kind: Literal["temperature", "sigmoid", "isotonic", "none"]


class _Mapper(msgspec.Struct):
    """The parts of ``card.json`` that a graph needs; the rest stays with the mapper."""

    format: Literal["assay.intent.mapper/1"]
    labels: list[str]
    reasons: list[str]
    head: _HeadFacts
    calibration: _CalibrationFacts
    encoder: dict[str, Any] = {}
    outside: dict[str, Any] | None = None


class _LayerFacts(msgspec.Struct, forbid_unknown_fields=True):
    weights: _Name
    bias: _Name
    activation: Activation = "none"


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["assay.head/1"]
    labels: Annotated[list[str], msgspec.Meta(min_length=2)]
    layers: Annotated[list[_LayerFacts], msgspec.Meta(min_length=1)]
    temperature: Annotated[float, msgspec.Meta(gt=0)] = 1.0


_Read = TypeVar("_Read", _Mapper, _Head)


def open_head(path: Path) -> ClassifierHead:
    """Read the head in a folder, or of a safetensors file with ``head.json`` beside it.

    Raises ``PluginError`` A403 where there is none, ``DataError`` A205 where card and arrays do not fit
    each other, or the head computes what no graph of ours does.
    """
    folder, file = (path, path / HEAD) if path.is_dir() else (path.parent, path)
    card = next((folder / name for name in (MAPPER, CARD) if (folder / name).is_file()), None)
    if card is None or not file.is_file():
        raise PluginError(
            f"this is no classifier head: {HEAD if card else f'{MAPPER} or {CARD}'} is missing",
            where=str(folder),
            hint="give the folder that `assay intent train` wrote, or write head.json beside the arrays",
            code="A403",
        )
    arrays = _arrays(file)
    parents = (artifact_of(file, kind="head"), artifact_of(card, kind="config"))
    if card.name == MAPPER:
        return _of_mapper(_card(card, _Mapper), arrays, parents, file)
    return _of_card(_card(card, _Head), arrays, parents, file)


def _of_mapper(
    card: _Mapper, arrays: Mapping[str, Floats], parents: tuple[Artifact, ...], file: Path
) -> ClassifierHead:
    if card.head.digest and card.head.digest != parents[0].digest:
        raise _broken(f"{file.name} is not the file that {MAPPER} names", file)
    if card.calibration.kind == "isotonic":
        raise DataError(
            "its calibration is isotonic, which assay does not write as a graph",
            where=str(file),
            hint="train it with --calibration sigmoid or temperature",
            code="A205",
        )
    labels = (*card.labels, *card.reasons)
    layers = [_layer(arrays, "weights", "bias", "none", file)]
    if card.head.kind == "mlp":
        layers.insert(0, _layer(arrays, "hidden.weights", "hidden.bias", "relu", file))
    curve, temperature = None, 1.0
    if card.calibration.kind == "sigmoid":
        slope, offset = (_array(arrays, f"calibration.{n}", file) for n in ("slope", "offset"))
        if slope.shape != (len(labels),) or offset.shape != slope.shape:
            raise _broken("its calibration has not a number for each label", file)
        curve = Curve(slope=slope, offset=offset)
    else:
        temperature = float(_array(arrays, "calibration.temperature", file).reshape(-1)[0])
    kind = (card.outside or {}).get("kind")
    notes = (f"how strange a prompt is ({kind}) is not in the graph",) if kind else ()
    return _checked(
        ClassifierHead(
            labels=labels,
            layers=tuple(layers),
            temperature=temperature,
            curve=curve,
            parents=parents,
            card={"reasons": card.reasons, "encoder": card.encoder.get("name", "")},
            notes=notes,
        ),
        file,
    )


def _of_card(
    card: _Head, arrays: Mapping[str, Floats], parents: tuple[Artifact, ...], file: Path
) -> ClassifierHead:
    layers = tuple(_layer(arrays, x.weights, x.bias, x.activation, file) for x in card.layers)
    head = ClassifierHead(
        labels=tuple(card.labels), layers=layers, temperature=card.temperature, parents=parents
    )
    return _checked(head, file)


def _checked(head: ClassifierHead, file: Path) -> ClassifierHead:
    width = head.features
    for layer in head.layers:
        if layer.weights.shape[1] != width or layer.bias.shape != layer.weights.shape[:1]:
            raise _broken("the shapes of its layers do not fit each other", file)
        width = layer.weights.shape[0]
        if not (np.isfinite(layer.weights).all() and np.isfinite(layer.bias).all()):
            raise _broken("it holds a number that is not finite", file)
    if width != len(head.labels) or len(set(head.labels)) != width:
        raise _broken(f"its last layer has {width} rows for {len(head.labels)} labels", file)
    if not head.temperature > 0:
        raise _broken(f"its temperature is {head.temperature:g}", file)
    return head


def _arrays(file: Path) -> dict[str, Floats]:
    with open_model(file) as opened:
        if opened.header.format != "safetensors":
            raise _broken(f"its arrays are {opened.header.format}, not safetensors", file)
        return {
            entry.name: _doubles(opened.raw(entry.name), entry.dtype, entry.shape)
            for entry in opened.header.tensors
            if entry.dtype in _DOUBLES
        }


_DOUBLES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def _doubles(raw: memoryview, dtype: str, shape: tuple[int, ...]) -> Floats:
    # Not by ``numbers``: a calibration is stored in double precision.
    return np.frombuffer(raw, dtype=_DOUBLES[dtype]).reshape(shape).astype(np.float64)


def _layer(
    arrays: Mapping[str, Floats], weights: str, bias: str, activation: Activation, file: Path
) -> Layer:
    kernel, added = _array(arrays, weights, file), _array(arrays, bias, file)
    if kernel.ndim != 2:
        raise _broken(f"{weights} has the shape {list(kernel.shape)}", file)
    return Layer(weights=kernel, bias=added, activation=activation)


def _array(arrays: Mapping[str, Floats], name: str, file: Path) -> Floats:
    if name not in arrays or not arrays[name].size:
        raise _broken(f"its array {name} is missing", file)
    return arrays[name]


def _card(path: Path, kind: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(f"{path.name} is no card: {error}", path) from None


def _broken(what: str, path: Path) -> DataError:
    return DataError(
        f"the classifier head cannot be read: {what}",
        where=str(path),
        hint="write it again",
        code="A205",
    )
