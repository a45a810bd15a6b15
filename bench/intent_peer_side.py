"""Answer prompts with assay, semantic-router or SetFit, each inside its own environment.

    .cache/peers/setfit/bin/python bench/intent_peer_side.py setfit < asked.jsonl

``bench/intent_peers.py`` starts it.  One request a line, one reply a line, both JSON:

* ``{"do": "learn", "recipe": {..}, "encoder": folder, "keep": folder, "texts": [..], "labels": [..]}``:
  learn, or read back what ``keep`` holds.
* ``{"do": "fit", "texts": [..], "labels": [.., null]}``: let the peer calibrate, where it can.
* ``{"do": "answer", "texts": [..]}``: reply with labels and confidences.
* ``{"do": "time", "texts": [..]}``: the same one by one, with seconds of CPU and wall for each.

Every reply has the seconds of the request, ``all_cpu`` and ``all_wall``.  A side is a class named
``module:Class``, so that a test can bring its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

os.environ.update(
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
    HF_HUB_OFFLINE="1",
)

Labels = list[str]
Sure = list[float]


class Side(Protocol):
    """What answers."""

    def learn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Learn from texts with labels; return what is worth telling."""

    def fit(self, texts: list[str], labels: list[str | None]) -> dict[str, Any]:
        """Calibrate on texts that were not learnt; a label of None: no answer is right."""

    def answer(self, texts: list[str]) -> tuple[Labels, Sure]:
        """Return the best label of each text, however unsure, and how sure it is."""

    def alone(self, text: str) -> tuple[str, float]:
        """Return the same of one text, as a caller asks it, with nothing remembered."""


class Assay:
    """A mapper of ``assay intent train``."""

    def learn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Train, or load what was trained."""
        from assay import Answer, Sample
        from assay.families.intent.recipes.mapper import Mapper
        from assay.families.intent.training.learning import Training, train

        folder = Path(asked["keep"])
        if not (folder / "card.json").exists():
            lessons = [
                Sample(id=str(number), input=text, target=Answer(label))
                for number, (text, label) in enumerate(
                    zip(asked["texts"], asked["labels"], strict=True)
                )
            ]
            folder.mkdir(parents=True, exist_ok=True)
            train(lessons, Training(**asked["recipe"])).save(folder)
        self.mapper = Mapper.load(folder)
        return {"C": self.mapper.card.head.strength}

    def fit(self, texts: list[str], labels: list[str | None]) -> dict[str, Any]:
        """Do nothing: a mapper is calibrated when it is trained, on its own lessons."""
        del texts, labels
        return {}

    def answer(self, texts: list[str]) -> tuple[Labels, Sure]:
        """Ask the mapper all texts; each is answered as if it were alone."""
        said = self.mapper.answer_all(texts)
        return [str(a.value) for a in said], [float(a.confidence) for a in said]

    def alone(self, text: str) -> tuple[str, float]:
        """Ask the mapper."""
        said = self.mapper.answer(text)
        return str(said.value), float(said.confidence)


class SemanticRouter:
    """An ``IndexedRouter`` over its ``HuggingFaceEncoder``, every text an utterance of its route."""

    memory: dict[str, list[float]]
    """Embeddings of texts that were asked together; ``alone`` looks none up."""

    def __init__(self) -> None:
        self.memory = {}
        self.encoder: Any = None

    def learn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Encode the utterances, or read their embeddings back, and index them."""
        import numpy as np
        from semantic_router import IndexedRouter
        from semantic_router.encoders import HuggingFaceEncoder

        if self.encoder is None:
            one_thread()
            self.encoder = HuggingFaceEncoder(name=asked["encoder"])
        kept = Path(asked["keep"]) / "utterances.npy"
        known = all(text in self.memory for text in asked["texts"])
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, np.array(self._encoded(asked["texts"])))
        self.router = IndexedRouter(encoder=self.encoder, **asked["recipe"])
        # What the constructor does with routes, less their encoding.
        self.router.index.add(
            embeddings=np.load(kept).tolist(), routes=asked["labels"], utterances=asked["texts"]
        )
        self.router.refresh()
        return {"known": known, "routes": len(self.router.routes), "rows": len(self.router.index)}

    def fit(self, texts: list[str], labels: list[str | None]) -> dict[str, Any]:
        """Fit the router's calibrator, as its front page does."""
        with self._remembering(texts):
            report = self.router.fit(texts, labels)
        return {"accuracy": report.accuracy, "ece": report.ece}

    def answer(self, texts: list[str]) -> tuple[Labels, Sure]:
        """Encode the texts in batches, and ask the router each."""
        with self._remembering(texts):
            said = [self.router(text, threshold=0.0) for text in texts]
        return [choice.name for choice in said], [choice.confidence for choice in said]

    @contextmanager
    def _remembering(self, texts: list[str]) -> Iterator[None]:
        self._encoded(texts)
        self.router.encoder = lambda docs: [self.memory[doc] for doc in docs]
        yield
        self.router.encoder = self.encoder

    def _encoded(self, texts: list[str]) -> list[list[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self.memory]
        self.memory.update(zip(new, self.encoder(new), strict=True))
        return [self.memory[text] for text in texts]

    def alone(self, text: str) -> tuple[str, float]:
        """Ask the router."""
        choice = self.router(text, threshold=0.0)
        return choice.name, choice.confidence


class SetFit:
    """A ``SetFitModel`` with its logistic head, taught by its ``Trainer``."""

    def learn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Teach body and head, or read them back."""
        from setfit import SetFitModel

        one_thread()
        folder, said = Path(asked["keep"]) / "model", {}
        if not folder.exists():
            said = self._teach(asked, folder)
        self.names = json.loads((folder / "names.json").read_text())
        self.model = SetFitModel.from_pretrained(str(folder))
        return said

    def _teach(self, asked: dict[str, Any], folder: Path) -> dict[str, Any]:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        arguments = TrainingArguments(
            **asked["recipe"],
            output_dir=str(folder.parent / "steps"),
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            show_progress_bar=False,
            seed=0,
        )
        model = SetFitModel.from_pretrained(asked["encoder"])
        names = sorted(set(asked["labels"]))
        rows = {"text": asked["texts"], "label": [names.index(a) for a in asked["labels"]]}
        trainer = Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict(rows))
        trainer.train()
        model.save_pretrained(str(folder))
        (folder / "names.json").write_text(json.dumps(names))
        return {"steps": trainer.st_trainer.state.global_step}

    def fit(self, texts: list[str], labels: list[str | None]) -> dict[str, Any]:
        """Do nothing: SetFit calibrates nothing."""
        del texts, labels
        return {}

    def answer(self, texts: list[str]) -> tuple[Labels, Sure]:
        """Return the most probable class of each text."""
        shares = self.model.predict_proba(list(texts), as_numpy=True, show_progress_bar=False)
        classes = self.model.model_head.classes_
        return [self.names[classes[k]] for k in shares.argmax(axis=1)], shares.max(axis=1).tolist()

    def alone(self, text: str) -> tuple[str, float]:
        """Ask the model."""
        labels, sure = self.answer([text])
        return labels[0], sure[0]


SIDES = {"assay": Assay, "semantic-router": SemanticRouter, "setfit": SetFit}


def one_thread() -> None:
    """Keep torch to one thread."""
    import torch

    torch.set_num_threads(1)


def now() -> tuple[float, float]:
    """Return the clocks of CPU and wall."""
    return time.process_time(), time.perf_counter()


def since(began: tuple[float, float]) -> tuple[float, float]:
    """Return seconds of CPU and wall since ``began``."""
    return time.process_time() - began[0], time.perf_counter() - began[1]


def reply(side: Side, asked: dict[str, Any]) -> dict[str, Any]:
    """Carry out one request."""
    began = now()
    said: dict[str, Any]
    match asked["do"]:
        case "learn":
            said = side.learn(asked)
        case "fit":
            said = side.fit(asked["texts"], asked["labels"])
        case "answer":
            labels, sure = side.answer(asked["texts"])
            said = {"labels": labels, "sure": sure}
        case "time":
            said = {"labels": [], "sure": [], "cpu": [], "wall": []}
            for text in asked["texts"]:
                started = now()
                answered = side.alone(text)
                for key, value in zip(said, (*answered, *since(started)), strict=True):
                    said[key].append(value)
        case other:
            raise ValueError(f"unknown request {other!r}")
    cpu, wall = since(began)
    return {"all_cpu": cpu, "all_wall": wall, **said}


def main(arguments: Sequence[str]) -> None:
    """Serve one side until the input ends."""
    # Libraries print.  What they print goes to stderr; stdout holds replies alone.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    made = SIDES.get(arguments[0])
    if made is None:
        module, _, name = arguments[0].partition(":")
        made = getattr(importlib.import_module(module), name)
    side = made()
    for line in sys.stdin:
        replies.write(json.dumps(reply(side, json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
