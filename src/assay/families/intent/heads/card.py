"""The card of a trained mapper: what stands beside its numbers, as strict JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from assay import PluginError

from ..encoders.facts import EncoderFacts

if TYPE_CHECKING:
    from .head import Head

FORMAT = "assay.intent.mapper/1"
"""Bump it when a reader of the last version would misread the folder."""

CARD = "card.json"
MeasuredOn: TypeAlias = Literal["cross_fitted", "held_back", "calibration"]
"""``cross_fitted``: train, by heads that did not see its group; ``held_back``: the part of train that
neither this head nor its taught encoder learnt from; ``calibration``: by this head."""

Options: TypeAlias = dict[str, str | int | float | list[float] | None]
"""What a training was told, as JSON."""


class HeadFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The layers in ``head.safetensors``."""

    kind: Literal["linear", "mlp"]
    digest: str = ""
    """Of the file; whoever writes it fills it in."""

    features: int
    strength: float
    """The inverse strength C of its penalty."""


class OutsideFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells prompts that are out of scope; its arrays are in ``head.safetensors``."""

    kind: Literal["softmax", "logit", "energy", "mahalanobis", "relative", "knn", "familiar"]
    slope: float
    offset: float
    """Confidence is the logistic function of ``slope * score + offset``."""


class CalibrationFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How logits become probabilities; the numbers are in ``head.safetensors``."""

    kind: Literal["temperature", "sigmoid", "isotonic", "none"]
    how: str = ""


class SplitFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the data one use got; no group has two uses."""

    prompts: int
    groups: int
    without: list[str] = []
    """Labels, and reasons to decline, that training knows and this part has no prompt of."""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it was trained and measured on."""

    fingerprint: str
    """Digest of the sorted rows; their order in the file does not matter."""

    labels: dict[str, int]
    splits: dict[str, SplitFacts]


class ThresholdFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The confidence from which on answers keep a risk, chosen on calibration groups alone."""

    max_risk: float
    delta: float
    value: float | None
    """None: there is none, and ``says`` why."""

    says: str


class TaughtFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How its own encoder was taught before it was frozen, and what was kept from it."""

    base: str
    """Name of the encoder that it began as."""

    weights: str
    """Digest of the base's weights."""

    epochs: int
    rate: float
    contrast: float
    seed: int
    on: SplitFacts
    """The part of train that encoder, head and score learnt from."""

    held_back: SplitFacts
    """The rest: it chose C, calibration and confidence, and gave ``held_back`` numbers."""


class MetricFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number with its interval, and what it was measured on."""

    on: MeasuredOn

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    n_groups: int
    method: str


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about a trained mapper that is not an array."""

    format: str = FORMAT
    made_by: str
    labels: list[str]
    reasons: list[str]
    encoder: EncoderFacts
    head: HeadFacts
    calibration: CalibrationFacts
    outside: OutsideFacts | None = None
    """Where its confidence comes from; None: it is the calibrated probability of the label."""

    lessons: str = ""
    """Digest of what it learnt from; equal lessons and equal options are equal mappers."""

    options: Options = {}
    data: DataFacts | None = None
    caveats: list[str] = []
    """What its held-out numbers have to be read with."""

    taught: TaughtFacts | None = None
    """None: the encoder is as it was found."""

    thresholds: list[ThresholdFacts] = []
    max_risk: float | None = None
    """The risk whose threshold is in force; None: every answer is given."""

    metrics: list[MetricFacts] = []
    versions: dict[str, str] = {}

    @classmethod
    def of(cls, head: Head, *, made_by: str, encoder: EncoderFacts, strength: float) -> Card:
        """Return the card of a head: what every training has to say."""
        return cls(
            made_by=made_by,
            labels=list(head.labels.names),
            reasons=list(head.labels.reasons),
            encoder=encoder,
            head=HeadFacts(kind=head.kind, features=head.features, strength=strength),
            calibration=CalibrationFacts(kind=head.calibration.kind),
        )

    @property
    def confidence_from(self) -> str:
        """Say in words where the confidence of its answers comes from."""
        if self.outside is None:
            return f"the probability of the label ({self.calibration.kind})"
        if self.outside.kind == "familiar":
            return "the probability of the label, lowered where a prompt is strange (familiar)"
        return f"how much a prompt looks like those that were learnt ({self.outside.kind})"

    def in_force(self) -> ThresholdFacts | None:
        """Return the threshold that answers have to reach, where one was asked for."""
        return next((t for t in self.thresholds if t.max_risk == self.max_risk), None)


class _Formatted(msgspec.Struct):
    format: str = ""


def write_card(card: Card, folder: Path) -> Path:
    """Write the card into a folder.  Equal cards are equal bytes."""
    path = folder / CARD
    text = json.dumps(msgspec.to_builtins(card), indent=1, sort_keys=True, ensure_ascii=True)
    path.write_text(text + "\n", encoding="ascii")
    return path


def read_card(folder: Path) -> Card:
    """Read the card of a folder.

    Raises ``PluginError`` A403, each with its own words, when it is missing, cut off, of another
    version, or says what no card says.

    >>> read_card(Path("/nowhere"))
    Traceback (most recent call last):
        ...
    assay.core.errors.PluginError: A403 this is no trained mapper: card.json is missing
      at: /nowhere
      try: give the folder that the training wrote, or train again
    """
    try:
        data = (folder / CARD).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise not_a_mapper(f"{CARD} is missing", folder) from None
    try:
        version = msgspec.json.decode(data, type=_Formatted).format
    except msgspec.ValidationError as error:
        raise not_a_mapper(f"{CARD} is no card: {error}", folder) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_a_mapper(f"{CARD} is cut off or damaged: {error}", folder) from None
    if version != FORMAT:
        said = f"of format {version!r}" if version else "of no format"
        raise not_a_mapper(f"{CARD} is {said}, and this assay reads {FORMAT!r}", folder)
    try:
        return msgspec.json.decode(data, type=Card)
    except msgspec.ValidationError as error:
        raise not_a_mapper(f"{CARD} is damaged: {error}", folder) from None


def not_a_mapper(fact: str, folder: Path) -> PluginError:
    """Return the error for a folder that cannot be loaded."""
    return PluginError(
        f"this is no trained mapper: {fact}",
        where=str(folder),
        hint="give the folder that the training wrote, or train again",
        code="A403",
    )
