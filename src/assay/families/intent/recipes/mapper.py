"""``intent.mapper``: a frozen sentence encoder and a linear head."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import Artifact, Built, Needs, PlanError, PluginError, Sample, Usage

from ..encoders.encoder import Embeds, Remembering, matrix
from ..encoders.files import find_encoder
from ..encoders.opening import Opened, facts_of, open_encoder
from ..heads.answering import MapperSystem
from ..heads.calibration import Kind
from ..heads.card import Card, Options
from ..heads.fitting import Form, fit_head
from ..heads.head import Kind as HeadKind
from ..heads.kept import is_same, keep, kept_artifacts, lessons_digest, note, read_cost, write_cost
from ..heads.sureness import Reject, check_reject, learn_sureness, reject_by
from ..heads.weights import Saved, load
from ..labels import Labels, labels_of
from ..lessons import Lessons, check_bag, draw_groups, read_lessons
from .trained import Trained
from .trained import load as load_trained

MADE_BY = "intent.mapper/1"
GRID = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths.  Group-wise cross-validation on the train and tune groups of ``intent.defi``:
.736 at 10, .742 at 30, .744 at 100; the likelihood is best at 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """The recipe of ``intent.mapper``: embeddings and a calibrated head.

    ``encoder`` is a registered name or a sentence-transformers folder (a plan's starts at the
    plan's own folder); ``threads`` are onnxruntime's.  Inverse strength and temperature of the head are
    chosen on tune; so is ``calibration``.  A ``linear`` head is a multinomial regression, which is
    convex, so the seed means what it can mean: it draws which training *groups* the head sees, a
    share ``bag`` of them without replacement.  *Over seeds* then reads: over retraining on another
    draw of four fifths of the templates.  With ``bag = 1`` there is nothing to draw and the recipe is
    not seeded.  A head with a hidden layer (``mlp``) also starts from where the seed says.

    Each reason to decline is one more class; when the reasons together are more probable than the
    best label, the system declines for the most probable of them and proposes the label.  ``reject``
    chooses what its confidence says; without it, ``sureness.reject_by`` does.

    Raises ``PlanError`` A102 for a ``bag`` outside (0, 1] or fewer threads than one.

    >>> Mapper().seeded, Mapper(bag=1.0).seeded
    (True, False)

    *Not to be trusted when* the answer hangs on one small word: mean-pooled embeddings of a
    request and of its negation are neighbours.
    """

    encoder: Path | str = "minilm"
    head: HeadKind = "linear"
    calibration: Kind = "temperature"
    reject: Reject | None = None
    bag: float = 0.8
    threads: int = 1

    @classmethod
    def load(
        cls, folder: Path | str, *, encoder: Path | str | None = None, threads: int = 1
    ) -> Trained:
        """Return the mapper that a training wrote into a folder: ``load(folder).answer(text)``.

        See ``trained.load``.
        """
        return load_trained(Path(folder), encoder=encoder, threads=threads)

    def __post_init__(self) -> None:
        """Refuse a share that is none, threads that are none, and kinds that there are not."""
        check_bag(self.bag)
        Form(head=self.head, calibration=self.calibration)
        check_reject(self.reject)
        if self.threads < 1:
            raise PlanError(
                f"threads is {self.threads}; it is at least 1", hint="1 is usual", code="A102"
            )

    @property
    def seeded(self) -> bool:
        """Whether there is anything to draw."""
        return self.bag < 1 or self.head == "mlp"

    @property
    def needs(self) -> Needs:
        """Room for the encoder, twice while it is loaded."""
        return Needs(cpus=self.threads, memory_mb=700)

    def loads(self) -> tuple[Artifact, ...]:
        """Return weights and tokenizer of the encoder, found and verified.

        Raises ``PluginError`` A401 or A403, as ``find_encoder`` does.
        """
        files = find_encoder(self.encoder)
        return (files.weights, files.tokenizer)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Encode, fit on the drawn groups of train, choose on tune, write the head.

        The system remembers no prompt, so its latency can be measured.
        """
        start = time.perf_counter()
        encoder = open_encoder(self.encoder, threads=self.threads)
        if (kept := self._kept(encoder, lessons_digest(train, tune), seed, workdir)) is not None:
            return kept
        encoded = _encode(train, tune, encoder)
        spent = time.perf_counter() - start
        return self._fit(encoded, encoder, seed=seed, folder=workdir, spent=spent)

    def build_all(
        self,
        train: Sequence[Sample],
        tune: Sequence[Sample],
        *,
        seeds: Sequence[int],
        workdir: Path,
    ) -> Mapping[int, Built]:
        """Encode once, fit one head per seed; each equals what ``build`` makes for its seed.

        The systems share a memory of the prompts they were asked: five heads cost one encoding.
        The seconds of the encoding are divided between the seeds.
        """
        start = time.perf_counter()
        encoder = open_encoder(self.encoder, threads=self.threads)
        encoded = _encode(train, tune, encoder)
        spent = (time.perf_counter() - start) / len(seeds)
        memory = Remembering(encoder=encoder)
        return {
            seed: self._fit(encoded, memory, seed=seed, folder=workdir / str(seed), spent=spent)
            for seed in seeds
        }

    def _options(self, seed: int) -> Options:
        """Return what a head is made from, beside its lessons and its encoder."""
        return {
            "grid": list(GRID),
            "bag": self.bag,
            "seed": seed,
            "head": self.head,
            "calibration": self.calibration,
            "reject": self.reject,
        }

    def _kept(self, encoder: Opened, lessons: str, seed: int, folder: Path) -> Built | None:
        """Return the system that was trained here before from the same, or None."""
        try:
            saved = load(folder)
        except PluginError:
            return None
        options = self._options(seed)
        if not is_same(saved.card, MADE_BY, facts_of(encoder), lessons=lessons, options=options):
            return None
        loaded = encoder.artifacts()
        parents = tuple(artifact.digest for artifact in loaded)
        return Built(
            system=MapperSystem(embeds=encoder, head=saved.head, outside=saved.outside),
            usage=Usage(busy_s=read_cost(folder)),
            artifacts=(*loaded, *kept_artifacts(folder, made_by=MADE_BY, parents=parents)),
            notes={"trained": "before"},
        )

    def _fit(
        self, encoded: _Encoded, embeds: Embeds, *, seed: int, folder: Path, spent: float
    ) -> Built:
        start = time.perf_counter()
        drawn = draw_groups(encoded.train, bag=self.bag, seed=seed)
        fitted = fit_head(
            encoded.labels,
            train=(encoded.train_rows[drawn], encoded.train.classes[drawn]),
            tune=(encoded.tune_rows, encoded.tune.classes),
            grid=GRID,
            form=Form(head=self.head, calibration=self.calibration, seed=seed),
        )
        outside = None
        if (kind := reject_by(self.reject, encoded.labels, self.calibration)) is not None:
            outside = learn_sureness(
                kind,
                fitted.head,
                train=(encoded.train_rows[drawn], encoded.train.classes[drawn]),
                tune=(encoded.tune_rows, encoded.tune.classes),
            )
        loaded = encoded.encoder.artifacts()
        facts = facts_of(encoded.encoder)
        card = Card.of(fitted.head, made_by=MADE_BY, encoder=facts, strength=fitted.strength)
        card = note(card, lessons=encoded.lessons, options=self._options(seed))
        parents = tuple(artifact.digest for artifact in loaded)
        heads = keep(Saved(head=fitted.head, card=card, outside=outside), folder, parents=parents)
        spent += time.perf_counter() - start
        write_cost(folder, spent)
        return Built(
            system=MapperSystem(embeds=embeds, head=fitted.head, outside=outside),
            usage=Usage(busy_s=spent),
            artifacts=(*loaded, *heads),
            notes={**fitted.notes(), "n_train": len(drawn)},
        )


class _Encoded(NamedTuple):
    """What every seed shares."""

    encoder: Opened
    lessons: str
    labels: Labels
    train: Lessons
    tune: Lessons
    train_rows: NDArray[np.float64]
    tune_rows: NDArray[np.float64]


def _encode(train: Sequence[Sample], tune: Sequence[Sample], encoder: Opened) -> _Encoded:
    labels = labels_of(train)
    seen, chosen_on = read_lessons(train, labels), read_lessons(tune, labels)
    rows = (matrix(encoder, lessons.texts) for lessons in (seen, chosen_on))
    return _Encoded(encoder, lessons_digest(train, tune), labels, seen, chosen_on, *rows)
