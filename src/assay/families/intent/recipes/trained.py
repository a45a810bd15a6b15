"""A trained mapper: loaded from its folder, asked in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from assay import Answer, Artifact, Bottom, Failed, PlanError, PluginError, Question

from ..encoders.encoder import encoder_agrees, matrix
from ..encoders.facts import EncoderFacts
from ..encoders.files import find_encoder
from ..encoders.opening import Opened, facts_of, open_encoder
from ..encoders.registry import DERIVED, REGISTRY
from ..heads import weights
from ..heads.answering import MapperSystem, Scores, decide
from ..heads.card import CARD, Card, not_a_mapper
from ..heads.weights import HEAD, Saved, artifact_of
from ..prompt import prompt_of
from . import tfidf
from .blend import SUFFIX, Blend
from .own_encoder import OWN_ENCODER, bring_encoder, drop_encoder
from .tfidf import NgramClassifier, Ngrams

PROBES = ("swap 2 ETH to USDC on uniswap v3", "Do not pay my bill.", "what's the weather, please?")
"""What an encoder is asked when a head is trained on it, and again when the head is loaded."""

COORDINATES = 8
WITHIN = 1e-4
"""How far coordinates of the probes may be off: other processors add up in another order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A trained mapper, ready to answer.

    It gives the answers that reach its threshold, where its training put one in force.
    """

    saved: Saved
    reads: Opened | Ngrams | Blend
    """What turns text into features."""

    @property
    def system(self) -> MapperSystem | NgramClassifier:
        """What a plan asks: the same answers, without a threshold."""
        if isinstance(self.reads, Ngrams | Blend):
            return NgramClassifier(self.reads, self.saved.head)
        return MapperSystem(embeds=self.reads, head=self.saved.head, outside=self.saved.outside)

    @property
    def card(self) -> Card:
        """What stands on its card: data, calibration, thresholds, metrics with intervals."""
        return self.saved.card

    def answer(self, text: str) -> Answer | Bottom | Failed:
        """Say which label a text has, or decline.

        ``Answer(value, confidence, scores)``; ``Bottom(reason, proposal)`` for a text that seems to
        have no label, or whose label is less probable than the threshold (``below_threshold``);
        ``Failed("not_text")`` for what is no valid text.
        """
        return self.answer_all([text])[0]

    def answer_all(self, texts: Sequence[str]) -> list[Answer | Bottom | Failed]:
        """Say the same of each text, in order.  No answer depends on the other texts."""
        said: list[Answer | Bottom | Failed] = [Failed("no_reply")] * len(texts)
        sound: list[str] = []
        places: list[int] = []
        for place, text in enumerate(texts):
            read = prompt_of(Question(id=str(place), input=text))
            if isinstance(read, Failed):
                said[place] = read
            else:
                sound.append(read)
                places.append(place)
        scores: Scores = self.system
        for scored in scores.score(sound):
            said[places[scored.place]] = self._withheld(decide(scores.head, scored))
        return said

    def saw(self, texts: Sequence[str]) -> list[bool]:
        """Whether it learnt from each text, give or take casing, spacing and numbers.

        Raises ``PluginError`` A403 for a mapper whose training did not note it.
        """
        if not self.saved.seen.size:
            raise PluginError(
                "it did not note what it learnt from",
                hint="train it with `assay intent train`, which does",
                code="A403",
            )
        from ..likeness.canonical import marks  # an answer does not need it

        return [bool(found) for found in np.isin(marks(texts), self.saved.seen).tolist()]

    def at_risk(self, max_risk: float | None) -> Trained:
        """Return the same mapper with the threshold of another risk in force; None: without one.

        Raises ``PlanError`` A103 for a risk that its training chose no threshold for.
        """
        known = [t.max_risk for t in self.card.thresholds]
        if max_risk is not None and max_risk not in known:
            raise PlanError(
                f"it has no threshold for a risk of {max_risk:g}",
                hint=f"known: {', '.join(f'{risk:g}' for risk in known) or 'none'}",
                code="A103",
            )
        card = msgspec.structs.replace(self.card, max_risk=max_risk)
        return replace(self, saved=replace(self.saved, card=card))

    def save(self, folder: Path) -> tuple[Artifact, ...]:
        """Write the mapper into a folder; describe its files, the encoder's first.

        Head and card, the vocabulary of n-grams where it reads them, the encoder where it was taught
        with it: no executable file.  The parts of a mapper that lay there before are replaced.
        """
        match self.reads:
            case Ngrams() | Blend(ngrams=_):
                reads = self.reads
                tfidf.save_ngrams(reads if isinstance(reads, Ngrams) else reads.ngrams, folder)
            case _:
                (folder / tfidf.NGRAMS).unlink(missing_ok=True)
        if self.card.taught is not None and not isinstance(self.reads, Ngrams):
            opened = self.reads.encoder if isinstance(self.reads, Blend) else self.reads
            bring_encoder(opened.files.folder, folder)
        else:
            drop_encoder(folder)
        weights.save(self.saved, folder)
        return self.artifacts(folder)

    def artifacts(self, folder: Path) -> tuple[Artifact, ...]:
        """Describe what loading the mapper from a folder loads: the encoder, head and card."""
        loaded = () if isinstance(self.reads, Ngrams) else self.reads.artifacts()
        if isinstance(self.reads, Ngrams | Blend):
            loaded = (*loaded, _vocabulary(self.card, folder))
        return (*loaded, *_heads(self.card, folder, loaded))

    def _withheld(self, said: Answer | Bottom | Failed) -> Answer | Bottom | Failed:
        limit = self.card.in_force()
        if limit is None or not isinstance(said, Answer):
            return said
        if limit.value is None:
            return Bottom("no_threshold", said)
        sure = said.confidence
        return said if sure is not None and sure >= limit.value else Bottom("below_threshold", said)


def load(folder: Path, *, encoder: Path | str | None = None, threads: int = 1) -> Trained:
    """Load a trained mapper and the encoder that it was trained on.

    The card holds an encoder's name and digests, no place: one that is not registered is given as
    ``encoder``, or lies in the folder as ``encoder/``.  Raises ``PluginError`` A403, each with its own
    words, when a file is missing, cut off, of another version or another than the card names, and
    when the encoder is not the one that the head was trained on; A401 without the extra.
    """
    saved = weights.load(folder)
    card = saved.card
    if card.encoder.tokenizer == "":
        ngrams = tfidf.load_ngrams(card, folder)
        _require_features(saved, len(ngrams.idf), folder)
        return Trained(saved=saved, reads=ngrams)
    opened = open_encoder(_place_of(card.encoder.name, encoder, folder), threads=threads)
    _require_same(card.encoder, opened, folder)
    if not card.encoder.ngrams:
        return Trained(saved=saved, reads=opened)
    blend = Blend(ngrams=tfidf.load_ngrams(card, folder), encoder=opened)
    _require_features(saved, len(blend.ngrams.idf) + blend.hidden, folder)
    return Trained(saved=saved, reads=blend)


def loads(folder: Path, *, encoder: Path | str | None = None) -> tuple[Artifact, ...]:
    """Return the files that loading a mapper would load, found and verified, without running any.

    Raises what ``load`` raises, but for a computation that differs.
    """
    card = weights.load(folder).card
    if card.encoder.tokenizer == "":
        tfidf.load_ngrams(card, folder)
        found: tuple[Artifact, ...] = (_vocabulary(card, folder),)
    else:
        files = find_encoder(_place_of(card.encoder.name, encoder, folder))
        _require_digests(card.encoder, files.weights.digest, files.tokenizer.digest, folder)
        found = (files.weights, files.tokenizer)
        if card.encoder.ngrams:
            tfidf.load_ngrams(card, folder)
            found = (*found, _vocabulary(card, folder))
    return (*found, *_heads(card, folder, found))


def probed(encoder: Opened) -> EncoderFacts:
    """Return what a card says of an encoder, its answers to the probes included."""
    facts = facts_of(encoder)
    found = {
        text: [round(float(x), 7) for x in row[:COORDINATES]]
        for text, row in zip(PROBES, matrix(encoder, PROBES), strict=True)
    }
    return msgspec.structs.replace(facts, probes=found)


def _vocabulary(card: Card, folder: Path) -> Artifact:
    return artifact_of(folder / tfidf.NGRAMS, "vocabulary", made_by=card.made_by)


def _heads(card: Card, folder: Path, parents: tuple[Artifact, ...]) -> tuple[Artifact, Artifact]:
    digests = tuple(artifact.digest for artifact in parents)
    return (
        artifact_of(folder / HEAD, "head", made_by=card.made_by, parents=digests),
        artifact_of(folder / CARD, "card", made_by=card.made_by, parents=digests),
    )


def _place_of(name: str, given: Path | str | None, folder: Path) -> Path | str:
    name = name.removesuffix(SUFFIX)
    if given is not None:
        return given
    if (folder / OWN_ENCODER).is_dir():
        return folder / OWN_ENCODER
    if name in REGISTRY or name in DERIVED:
        return name
    raise PluginError(
        f"the head was trained on an encoder from a folder called {name!r}",
        where=str(folder),
        hint=f"give the encoder's folder, or copy it to {folder / OWN_ENCODER}",
        code="A403",
    )


def _require_same(facts: EncoderFacts, opened: Opened, folder: Path) -> None:
    found = facts_of(opened)
    _require_digests(facts, found.weights, found.tokenizer, folder)
    if facts.made_by != found.made_by:
        raise _changed(facts, f"its computation is {found.made_by}, not {facts.made_by}", folder)
    within = max(opened.files.within, WITHIN)
    # One of a registered encoder, which was just held to probes of its own: each costs 5 ms.
    asked = dict(list(facts.probes.items())[: 1 if opened.files.probes else None])
    if not encoder_agrees(opened, asked, within=within):
        raise _changed(facts, "it gives other embeddings to the card's probes", folder)


def _require_digests(facts: EncoderFacts, weights: str, tokenizer: str, folder: Path) -> None:
    for what, wanted, found in (
        ("weights file", facts.weights, weights),
        ("tokenizer", facts.tokenizer, tokenizer),
    ):
        if wanted != found:
            raise _changed(facts, f"its {what} is {found[:19]}, not {wanted[:19]}", folder)


def _require_features(saved: Saved, found: int, folder: Path) -> None:
    if saved.head.features != found:
        raise not_a_mapper(f"its head reads {saved.head.features} features, not {found}", folder)


def _changed(facts: EncoderFacts, fact: str, folder: Path) -> PluginError:
    return PluginError(
        f"the encoder {facts.name!r} is not the one that the head was trained on: {fact}",
        where=str(folder),
        hint="install the encoder that card.json names, or train again on this one",
        code="A403",
    )
