"""``intent.finetuned``: a sentence encoder taught on the task's own prompts, and a head."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from assay import Artifact, Built, Needs, PlanError, Sample, Usage

from ..encoders.files import EncoderFiles, find_encoder
from ..encoders.finetune import Tuning, finetune
from ..encoders.registry import DERIVED
from ..encoders.taught import is_taught, mean_weights, save_encoder
from ..extras import extra, require
from ..heads.kept import lessons_digest, read_cost, write_cost
from ..labels import labels_of
from ..lessons import read_lessons
from .mapper import Mapper
from .own_encoder import OWN_ENCODER

MADE_BY = "intent.finetuned/1"
USUAL = Tuning()
MOST_RUNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finetuned:
    """The recipe of ``intent.finetuned``: ``intent.mapper`` on an encoder taught on train.

    ``base`` is a registered name or a sentence-transformers folder; ``threads`` are torch's, and
    onnxruntime's afterwards.  With several ``runs`` the encoder is taught that often from the same
    base, and the weights are averaged: one encoder, as quick as before (Wortsman et al., "Model
    soups", 2022).  The seed draws batches and dropout, so *over seeds* reads: over
    training again.  With one thread equal seeds give equal weights; with more they do not, to the
    last bits.  Nothing is chosen on tune but the head's strength and calibration.  What is
    written is a folder that ``mapper.load`` reads: head, card, and ``encoder/`` with safetensors
    weights that onnxruntime runs without torch.

    Raises ``PlanError`` A102 for numbers that make no training, or fewer threads than one; A104 for a
    base that is itself made of another encoder.

    >>> Finetuned(epochs=2).tuning.epochs
    2

    *Not to be trusted when* two splits share near-duplicates: it learns prompts by heart.
    """

    base: Path | str = "minilm"
    epochs: int = USUAL.epochs
    rate: float = USUAL.rate
    contrast: float = USUAL.contrast
    threads: int = 1
    runs: int = 1
    seeded: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        """Refuse what makes no training."""
        if self.threads < 1:
            raise PlanError(
                f"threads is {self.threads}; it is at least 1", hint="1 is usual", code="A102"
            )
        if not 1 <= self.runs <= MOST_RUNS:
            raise PlanError(
                f"runs is {self.runs}; it is 1 to {MOST_RUNS}", hint="1 is usual", code="A102"
            )
        if self.base == "tfidf" or (made := DERIVED.get(str(self.base))) is not None:
            hint = f"teach {made.source}" if self.base != "tfidf" and made else "teach minilm"
            raise PlanError(
                f"{self.base} has no weights that can be taught",
                hint=f"{hint}, or a sentence-transformers folder",
                code="A104",
            )
        _ = self.tuning

    @property
    def tuning(self) -> Tuning:
        """How the encoder is taught."""
        return Tuning(epochs=self.epochs, rate=self.rate, contrast=self.contrast)

    @property
    def needs(self) -> Needs:
        """Weights, gradients, two moments, and the activations of a batch."""
        return Needs(cpus=self.threads, memory_mb=2500)

    def loads(self) -> tuple[Artifact, ...]:
        """Return weights and tokenizer of the base, found and verified.

        Raises ``PluginError`` A401 or A403, as ``find_encoder`` does; A401 without torch.
        """
        require("torch")
        files = find_encoder(self.base)
        return (files.weights, files.tokenizer)

    def build(
        self, train: Sequence[Sample], tune: Sequence[Sample], *, seed: int, workdir: Path
    ) -> Built:
        """Teach the encoder on train, then fit, choose and write a head as the mapper does.

        An encoder that was taught here before, from the same lessons with the same options, is read.
        """
        base, folder = find_encoder(self.base), self.teach(train, seed=seed, workdir=workdir)
        head = Mapper(encoder=folder, bag=1.0, threads=self.threads)
        built = head.build(train, tune, seed=0, workdir=workdir)
        spent = [read_cost(folder), built.usage.busy_s]
        known = [seconds for seconds in spent if seconds is not None]
        return replace(
            built,
            usage=Usage(busy_s=sum(known) if len(known) == len(spent) else None),
            artifacts=(base.weights, *_with_parent(built.artifacts, base)),
            notes={**built.notes, "epochs": self.epochs, "base": base.name},
        )

    def teach(self, train: Sequence[Sample], *, seed: int, workdir: Path) -> Path:
        """Return the folder of an encoder taught on samples; one that is there already is kept.

        Raises ``DataError`` for samples that cannot be learnt from, ``PluginError`` as ``loads`` does.
        """
        start = time.perf_counter()
        base, folder = find_encoder(self.base), workdir / OWN_ENCODER
        card: dict[str, object] = {
            "made_by": MADE_BY,
            "base": base.weights.digest,
            "lessons": lessons_digest(train, ()),
            "options": {"seed": seed, "threads": self.threads, **asdict(self.tuning)},
        }
        if self.runs > 1:
            card["runs"] = self.runs
        if is_taught(folder, card):
            return folder
        if self.runs > 1:
            return self._averaged(train, folder, card, seed=seed)
        labels = labels_of(train)
        lessons = read_lessons(train, labels)
        torch = extra("torch")
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            taught = finetune(
                base, lessons, n_labels=len(labels.names), tuning=self.tuning, seed=seed
            )
        finally:
            torch.set_num_threads(before)
        save_encoder(taught, base, folder, card=card)
        write_cost(folder, time.perf_counter() - start)
        return folder

    def _averaged(
        self, train: Sequence[Sample], folder: Path, card: Mapping[str, object], *, seed: int
    ) -> Path:
        """Teach once for each run, from seeds that no other seed's runs have; average the weights.

        What a run has taught is kept until all are done, so a training that was stopped goes on.
        """
        base, once, runs = find_encoder(self.base), replace(self, runs=1), folder.parent / "runs"
        folders = [
            once.teach(train, seed=seed * self.runs + k, workdir=runs / str(k))
            for k in range(self.runs)
        ]
        save_encoder(mean_weights(folders), base, folder, card=card)
        spent = [read_cost(each) for each in folders]
        write_cost(folder, sum(seconds or 0.0 for seconds in spent))
        shutil.rmtree(runs)
        return folder


def _with_parent(artifacts: Sequence[Artifact], base: EncoderFiles) -> list[Artifact]:
    """Say of the taught weights what they come from: to the mapper they are a folder."""
    return [
        replace(
            artifact,
            parents=(base.weights.digest,),
            made_by=MADE_BY,
            license=base.weights.license,
        )
        if artifact.kind == "weights"
        else artifact
        for artifact in artifacts
    ]
