"""The arrays of a trained head as ``head.safetensors``, and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from assay import Artifact, PluginError

from ..encoders.files import digest_of
from ..extras import extra
from ..labels import Labels
from .calibration import Floats, to_calibration
from .card import Card, OutsideFacts, not_a_mapper, read_card, write_card
from .head import Head, Hidden
from .outside import restore_score
from .sureness import Sureness

HEAD = "head.safetensors"
NOTHING_SEEN: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saved:
    """What a folder holds."""

    head: Head
    card: Card
    seen: NDArray[np.uint64] = field(default_factory=lambda: NOTHING_SEEN)
    """Marks of the prompts that it learnt from, sorted; empty where that was not noted."""

    outside: Sureness | None = None

    def sealed(self, digest: str) -> Saved:
        """Return the same with a card that names the digest of the arrays."""
        named = msgspec.structs.replace(self.card.head, digest=digest)
        return replace(self, card=msgspec.structs.replace(self.card, head=named))


def head_bytes(
    head: Head, seen: NDArray[np.uint64] = NOTHING_SEEN, outside: Sureness | None = None
) -> bytes:
    """Return a head as safetensors: layers in single precision, the calibration in double.

    Equal heads are equal bytes: there is no time and no path in them.
    """
    layers = {"weights": head.weights, "bias": head.bias}
    if outside is not None:
        layers |= {f"outside.{name}": each for name, each in outside.score.arrays().items()}
    if head.hidden is not None:
        layers |= {"hidden.weights": head.hidden.weights, "hidden.bias": head.hidden.bias}
    arrays: dict[str, NDArray[np.generic]] = {
        **{name: np.ascontiguousarray(each, dtype=np.float32) for name, each in layers.items()},
        **{n: np.ascontiguousarray(each) for n, each in head.calibration.arrays().items()},
        **({"seen": seen} if seen.size else {}),
    }
    return bytes(extra("safetensors.numpy").save(arrays))


def save(saved: Saved, folder: Path) -> tuple[Path, Path]:
    """Write ``head.safetensors`` and ``card.json`` into a folder; return their paths.

    The card is written with the digest of the arrays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, data = folder / HEAD, head_bytes(saved.head, saved.seen, saved.outside)
    path.write_bytes(data)
    card = saved.sealed(digest_of(data)).card
    if (sure := saved.outside) is not None:
        facts = OutsideFacts(kind=sure.kind, slope=sure.slope, offset=sure.offset)
        card = msgspec.structs.replace(card, outside=facts)
    return path, write_card(card, folder)


def load(folder: Path) -> Saved:
    """Read a head and its card back, equal to what was saved.

    Raises ``PluginError`` A403 when a file is missing, is damaged, is of another format, or is not the
    one that the card names.
    """
    card = read_card(folder)
    try:
        data = (folder / HEAD).read_bytes()
    except FileNotFoundError:
        raise not_a_mapper(f"{HEAD} is missing", folder) from None
    if card.head.digest != digest_of(data):
        raise not_a_mapper(f"{HEAD} is not the file that card.json names", folder)
    arrays = extra("safetensors.numpy").load(data)
    labels = Labels(names=tuple(card.labels), reasons=tuple(card.reasons))
    try:
        return Saved(
            head=_head(labels, card, arrays),
            card=card,
            seen=arrays.get("seen", NOTHING_SEEN),
            outside=_outside(card, arrays),
        )
    except PluginError as error:
        raise not_a_mapper(error.what, folder) from None


def artifact_of(path: Path, kind: str, *, made_by: str, parents: tuple[str, ...] = ()) -> Artifact:
    """Describe a file that a recipe of this family made."""
    data = path.read_bytes()
    return Artifact(
        digest=digest_of(data), kind=kind, size=len(data), parents=parents, made_by=made_by
    )


def _outside(card: Card, arrays: dict[str, NDArray[np.generic]]) -> Sureness | None:
    facts = card.outside
    if facts is None:
        return None
    kept = {n.removeprefix("outside."): a for n, a in arrays.items() if n.startswith("outside.")}
    try:
        score = restore_score(facts.kind, kept)
    except KeyError as error:
        raise PluginError(f"its array outside.{error.args[0]} is missing") from None
    return Sureness(kind=facts.kind, score=score, slope=facts.slope, offset=facts.offset)


def _head(labels: Labels, card: Card, arrays: dict[str, NDArray[np.generic]]) -> Head:
    def layer(name: str, *shape: int) -> Floats:
        found = arrays.get(name)
        if found is None or found.shape != shape:
            said = "missing" if found is None else f"of shape {list(found.shape)}"
            raise PluginError(f"its layer {name} is {said}, not of shape {list(shape)}")
        return np.asarray(found, dtype=np.float64)

    hidden, inner = None, card.head.features
    if card.head.kind == "mlp":
        units = len(arrays.get("hidden.bias", ()))
        hidden = Hidden(
            weights=layer("hidden.weights", units, inner), bias=layer("hidden.bias", units)
        )
        inner = units
    numbers = {n: np.asarray(a, dtype=np.float64) for n, a in arrays.items() if n[:4] == "cali"}
    return Head(
        labels=labels,
        weights=layer("weights", len(labels), inner),
        bias=layer("bias", len(labels)),
        calibration=to_calibration(card.calibration.kind, numbers, classes=len(labels)),
        hidden=hidden,
    )
