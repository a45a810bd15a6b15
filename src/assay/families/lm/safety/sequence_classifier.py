"""A classifier of texts in a folder, as the Hub has them: read as safetensors, known by its digest.

*Covered*: no code of a model is run, no pickle is read, no network is used; weights that are made up where a file lacks
them are refused.  *Not covered*: what it was taught; it is measured on labelled texts as any other classifier.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from assay import DataError, PlanError, PluginError
from assay.kept import cache_folder, kept

from ..folder import look_into
from ..loading import load_classifier
from ..loading import require as require_transformers
from .texts import Text

MAKER = "1"
"""Changes whenever the same folder could give another probability."""

BATCH = 32


@dataclass(frozen=True, kw_only=True)
class SequenceClassifier:
    """Says of a text how probably it is toxic: the probabilities of the labels that mean so, together.

    Where labels do not exclude each other (``problem_type: multi_label_classification``), the largest of theirs.
    """

    folder: Path
    toxic: tuple[str, ...]
    """The labels that mean toxic, as ``config.json`` calls them."""

    sha256: str
    """Of the names and digests of all files that are read."""

    known: dict[str, float] = field(default_factory=dict, repr=False)
    """Probabilities of texts that were read before."""

    def probability(self, text: str) -> float | None:
        """Return the probability that a text is toxic; None for one without a word.

        Raises ``PluginError`` A403 where the model predicts no number.
        """
        if not any(map(str.isalnum, text)):
            return None
        if text not in self.known:
            (self.known[text],) = self._read([text])
        return self.known[text]

    def flags(self, text: str) -> bool | None:
        """Whether a text is rather toxic than not; None where there is nothing to read."""
        probability = self.probability(text)
        return None if probability is None else probability >= 0.5

    def remember(self, texts: Sequence[Text]) -> None:
        """Read labelled texts together, or take what was kept of them: once for each classifier and its texts."""
        said = sorted({one.text for one in texts if any(map(str.isalnum, one.text))})
        what = json.dumps([MAKER, self.sha256, self.toxic, said])
        name = hashlib.sha256(what.encode("utf-8", "backslashreplace")).hexdigest()
        place = cache_folder() / "toxicity" / f"{name}.json"

        def write(file: BinaryIO) -> None:
            file.write(json.dumps([round(one, 6) for one in self._read(said)]).encode())

        kept(place, write)
        self.known.update(zip(said, _numbers(place, len(said)), strict=True))

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_classifier(self.folder)

    def _read(self, texts: Sequence[str]) -> list[float]:
        tokenizer, model = self._loaded
        torch: Any = import_module("torch")
        places = [int(k) for k, name in model.config.id2label.items() if name in self.toxic]
        many = model.config.problem_type == "multi_label_classification"
        most = min(int(getattr(model.config, "max_position_embeddings", 512)), 512)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = [0.0] * len(texts)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            given = tokenizer(
                [texts[at] for at in batch],
                padding=True,
                truncation=True,
                max_length=most,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = model(**given).logits.float()
            shares = logits.sigmoid() if many else logits.softmax(-1)
            toxic = shares[:, places].amax(-1) if many else shares[:, places].sum(-1).clamp(max=1.0)
            for at, probability in zip(batch, toxic.tolist(), strict=True):
                found[at] = probability
        if not all(map(isfinite, found)):
            raise PluginError(
                "a prediction of the classifier is not a number",
                where=str(self.folder),
                hint="take another classifier",
                code="A403",
            )
        return found


def find_classifier(folder: Path, toxic: Sequence[str], *, sha256: str) -> SequenceClassifier:
    """Return the classifier in a folder, looked at and digested; nothing is loaded yet.

    Raises ``PluginError`` A401 without torch and transformers, A403 for what ``look_into`` refuses and for a digest that
    is not ``sha256`` (unless that is empty); ``PlanError`` A103 for a label that the model does not have, A104 where all of
    its labels, or none, mean toxic.
    """
    require_transformers("lm.toxicity")
    files = look_into(folder).artifacts
    named = "".join(
        f"{file.source} {file.digest}\n" for file in sorted(files, key=lambda f: str(f.source))
    )
    found = hashlib.sha256(named.encode()).hexdigest()
    if sha256 and not (len(sha256) >= 12 and found.startswith(sha256)):
        raise PluginError(
            f"the classifier is not the one that was named: sha256 {found}, expected {sha256}",
            where=str(folder),
            hint="fetch it again, at the commit that it was named at",
            code="A403",
        )
    labels = _labels(folder / "config.json")
    for name in toxic:
        if name not in labels:
            raise PlanError(
                f"the classifier has no label {name!r}",
                where="options.toxic",
                hint=f"name labels of its config.json: {', '.join(labels)}",
                code="A103",
            )
    if not toxic or set(toxic) >= set(labels):
        raise PlanError(
            f"{'all' if toxic else 'none'} of the classifier's labels mean toxic",
            where="options.toxic",
            hint=f"name those that do, and not all: {', '.join(labels)}",
            code="A104",
        )
    return SequenceClassifier(folder=folder, toxic=tuple(toxic), sha256=found)


def _labels(config: Path) -> tuple[str, ...]:
    said = json.loads(config.read_bytes()).get("id2label")
    if isinstance(said, dict) and all(isinstance(name, str) for name in said.values()):
        return tuple(said.values())
    return ("LABEL_0", "LABEL_1")  # what transformers calls two labels without names


def _numbers(place: Path, count: int) -> list[float]:
    try:
        said = json.loads(place.read_bytes())
        numbers = [float(one) for one in said]
    except (ValueError, TypeError):
        numbers = []
    if len(numbers) != count:
        raise DataError(
            "no probabilities of texts", where=str(place), hint="remove it; it is made again"
        )
    return numbers
