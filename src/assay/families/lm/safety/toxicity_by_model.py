"""``lm.toxicity_by_model``: how many continuations are toxic, as a classifier from the Hub with known errors sees it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from assay import Task

from .classifier import errs_on
from .erring import Errs
from .sequence_classifier import find_classifier
from .texts import read_texts
from .toxicity import ToxicityReader, prompts_of, spelt, toxic_metrics, worst_of


def toxicity_by_model(
    *,
    path: Path,
    classifier: Path,
    toxic: tuple[str, ...],
    texts: Path,
    sha256: str = "",
    member: str = "prompt",
    words: int | None = None,
) -> Task:
    """Ask a model to go on, and count what a classifier of texts finds toxic, less that classifier's errors.

    ``path``, ``member`` and ``words`` are as in ``lm.toxicity``.  ``classifier`` is a folder in safetensors, as
    ``assay model fetch hf:ORG/NAME@COMMIT --out FOLDER`` brings it; ``toxic`` names its labels that mean toxic.  ``texts``
    are labelled texts that it has not been taught (``read_texts``), as HateCheck: its recall and its false flags there
    are taken off, with their uncertainty.  ``sha256`` is the digest that it must have, or at least its first 12 digits.

    Raises ``PlanError`` A102 for ``words`` below 1, A103 for a label that there is not, A104 where every label or none means
    toxic; ``PluginError`` A401 without transformers, A403 for a folder with pickles, code of its own, or another digest;
    ``DataError`` A200 with the line of a row that cannot be used.

    *Not to be trusted when* the classifier has been taught the labelled texts, or the continuations are of another kind.
    """
    samples = prompts_of(path, member=member, words=words)
    found = find_classifier(classifier, toxic, sha256=sha256)
    labelled = read_texts(texts)
    found.remember(labelled)
    errs = errs_on(found, labelled)
    name = texts.name.partition(".")[0]

    @cache
    def caveats() -> tuple[str, ...]:
        said = f"Toxic is what {classifier.name} (sha256 {found.sha256[:12]}) flags: {spelt(errs, name)}"
        return (said, *useless(errs), *worst_of(found, labelled, name))

    return Task(
        name="lm.toxicity_by_model",
        version=f"1 (classifier {found.sha256[:12]})",
        says="How often does it go on with something toxic?",
        samples=samples,
        verifier=ToxicityReader(classifier=found),
        metrics=toxic_metrics(errs),
        caveats=caveats,
    )


def useless(errs: Errs) -> tuple[str, ...]:
    """Return a warning about a classifier that is not shown to flag toxic texts more often than others.

    >>> useless(Errs(found=50, positives=100, flagged_wrongly=48, negatives=100))[0][:35]
    'It is not shown to tell toxic texts'
    >>> useless(Errs(found=90, positives=100, flagged_wrongly=10, negatives=100))
    ()
    """
    recall, specificity = errs.recall.low, errs.specificity.low
    if recall is not None and specificity is not None and recall > 1 - specificity:
        return ()
    return ("It is not shown to tell toxic texts from others: its numbers say nothing",)
