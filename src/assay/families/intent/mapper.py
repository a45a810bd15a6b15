"""``intent.mapper``: a frozen sentence encoder and a linear head."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import (
    Artifact,
    Built,
    Failed,
    Needs,
    PlanError,
    PluginError,
    Question,
    Reply,
    Sample,
    Usage,
)

from .encoder import Embeds, Encoder, Remembering, matrix, open_encoder
from .encoders import find_encoder
from .head import Head, artifact_of, fit_head, load_head, save_head
from .kept import is_kept, kept_artifacts, lessons_digest, read_cost, write_cost
from .labels import Labels, labels_of
from .prompt import prompt_of
from .training import Lessons, check_bag, draw_groups, read_lessons

MADE_BY = "intent.mapper/1"
GRID = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths.  Group-wise cross-validation on the train and tune groups of ``intent.defi``:
.736 at 10, .742 at 30, .744 at 100; the likelihood is best at 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """The recipe of ``intent.mapper``: MiniLM embeddings, multinomial regression.

    ``encoder`` is a registered name or a sentence-transformers folder (a plan's starts at the
    plan's own folder); ``threads`` are onnxruntime's.  Inverse strength and temperature of the head are
    chosen on tune.  The regression is convex, so the seed means what it can mean: it draws which
    training *groups* the head sees, a share ``bag`` of them without replacement.  *Over seeds*
    then reads: over retraining on another draw of four fifths of the templates.  With ``bag = 1``
    there is nothing to draw and the recipe is not seeded.

    Each reason to decline is one more class; when the reasons together are more probable than the
    best label, the system declines for the most probable of them and proposes the label.

    Raises ``PlanError`` A102 for a ``bag`` outside (0, 1] or fewer threads than one.

    >>> Mapper().seeded, Mapper(bag=1.0).seeded
    (True, False)

    *Not to be trusted when* the answer hangs on one small word: mean-pooled embeddings of a
    request and of its negation are neighbours.
    """

    encoder: Path | str = "minilm"
    bag: float = 0.8
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that is none and threads that are none."""
        check_bag(self.bag)
        if self.threads < 1:
            raise PlanError(f"threads is {self.threads}; it is at least 1", code="A102")

    @property
    def seeded(self) -> bool:
        """Whether there is anything to draw."""
        return self.bag < 1

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
        card = self._card(encoder, lessons_digest(train, tune), seed)
        if is_kept(workdir, card):
            loaded = encoder.artifacts()
            parents = [artifact.digest for artifact in loaded]
            return Built(
                system=MapperSystem(embeds=encoder, head=load_head(workdir)[0]),
                usage=Usage(busy_s=read_cost(workdir)),
                artifacts=(*loaded, *kept_artifacts(workdir, made_by=MADE_BY, parents=parents)),
                notes={"trained": "before"},
            )
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

    def _card(self, encoder: Encoder, lessons: str, seed: int) -> dict[str, object]:
        """Return what a head is made from: equal cards are equal heads."""
        return {
            "made_by": MADE_BY,
            "encoder": encoder.files.name,
            "weights": encoder.files.weights.digest,
            "tokenizer": encoder.files.tokenizer.digest,
            "lessons": lessons,
            "grid": list(GRID),
            "bag": self.bag,
            "seed": seed,
        }

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
        )
        loaded = encoded.encoder.artifacts()
        card = self._card(encoded.encoder, encoded.lessons, seed)
        weights, written = save_head(fitted.head, folder, card=card)
        parents = [artifact.digest for artifact in loaded]
        spent += time.perf_counter() - start
        write_cost(folder, spent)
        return Built(
            system=MapperSystem(embeds=embeds, head=fitted.head),
            usage=Usage(busy_s=spent),
            artifacts=(
                *loaded,
                artifact_of(weights, "head", made_by=MADE_BY, parents=parents),
                artifact_of(written, "card", made_by=MADE_BY, parents=parents),
            ),
            notes={**fitted.notes(), "n_train": len(drawn)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapperSystem:
    """A linear head over sentence embeddings."""

    embeds: Embeds
    head: Head

    def answer(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Reply to each question, those with few tokens first.

        ``busy_s`` of a reply is its share of the time of the batch that it was encoded in.
        """
        asked: list[Question] = []
        texts: list[str] = []
        for question in questions:
            text = prompt_of(question)
            if isinstance(text, Failed):
                yield Reply(question.id, text, attempt=question.attempt)
            else:
                asked.append(question)
                texts.append(text)
        for place, vector, seconds in self.embeds.embed(texts):
            start = time.perf_counter()
            said = self.head.say(vector)
            usage = Usage(busy_s=seconds + time.perf_counter() - start)
            yield Reply(asked[place].id, said, usage, asked[place].attempt)


def load(folder: Path, *, encoder: Path | str | None = None, threads: int = 1) -> MapperSystem:
    """Read back the system that a training wrote into a folder, with its encoder.

    The card holds an encoder's name, no place: one that is not registered is given as ``encoder``.
    Raises ``PluginError`` A403 when the head is not the one that its card names, or the encoder
    that is installed is not the one it was trained on; A401 without the extra.
    """
    head, card = load_head(folder)
    opened = open_encoder(encoder or str(card.get("encoder")), threads=threads)
    trained_on = (card.get("weights"), card.get("tokenizer"))
    if trained_on != (opened.files.weights.digest, opened.files.tokenizer.digest):
        raise PluginError(
            f"the head was trained on another encoder {card.get('encoder')!r}",
            where=str(folder),
            hint="install the encoder that card.json names, or train again",
            code="A403",
        )
    return MapperSystem(embeds=opened, head=head)


class _Encoded(NamedTuple):
    """What every seed shares."""

    encoder: Encoder
    lessons: str
    labels: Labels
    train: Lessons
    tune: Lessons
    train_rows: NDArray[np.float64]
    tune_rows: NDArray[np.float64]


def _encode(train: Sequence[Sample], tune: Sequence[Sample], encoder: Encoder) -> _Encoded:
    labels = labels_of(train)
    seen, chosen_on = read_lessons(train, labels), read_lessons(tune, labels)
    rows = (matrix(encoder, lessons.texts) for lessons in (seen, chosen_on))
    return _Encoded(encoder, lessons_digest(train, tune), labels, seen, chosen_on, *rows)
