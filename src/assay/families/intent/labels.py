"""The labels of a task and what a system says once it has their probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay import Answer, Bottom, DataError, Failed, Sample

DIGITS = 6
"""Confidences are rounded to this many decimals: more are noise and would make equal systems
differ in their journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The closed set of labels, and the reasons to decline; classes are in that order.

    Each reason is a class of its own: a negation and a question have little in common, and one
    class for both is harder to learn (3 points of accuracy on ``intent.defi``).
    """

    names: tuple[str, ...]
    """Sorted."""

    reasons: tuple[str, ...] = ()
    """Sorted; empty when every training sample had an answer."""

    def __len__(self) -> int:
        """Return the number of classes, reasons included."""
        return len(self.names) + len(self.reasons)

    def say(self, probabilities: Sequence[float]) -> Answer | Bottom | Failed:
        """Turn one probability per class into what the system says.

        The most probable label wins, the earlier one of equals, unless the reasons together are
        more probable: then the system declines for the most probable reason, and proposes the
        label.  Non-finite probabilities are ``Failed("non_finite")``.

        >>> labels = Labels(names=("stake", "swap"), reasons=("out_of_scope",))
        >>> labels.say([0.1, 0.7, 0.2])
        Answer(value='swap', confidence=0.7, scores={'stake': 0.1, 'swap': 0.7})
        >>> labels.say([0.1, 0.3, 0.6]).reason
        'out_of_scope'
        """
        if not all(map(math.isfinite, probabilities)):
            return Failed("non_finite")
        scores = {
            name: round(float(p), DIGITS)
            for name, p in zip(self.names, probabilities, strict=False)
        }
        best = max(range(len(self.names)), key=probabilities.__getitem__)
        name = self.names[best]
        proposal = Answer(name, scores[name], scores)
        rest = probabilities[len(self.names) :]
        if self.reasons and math.fsum(rest) > probabilities[best]:
            return Bottom(self.reasons[max(range(len(rest)), key=rest.__getitem__)], proposal)
        return proposal


def labels_of(train: Sequence[Sample]) -> Labels:
    """Read the labels from the targets of the training samples.

    Raises ``DataError`` when a target is missing or is not text, or when there are fewer than two
    classes, because then there is nothing to learn.

    >>> labels_of([
    ...     Sample(id="1", input="trade", target=Answer("swap")),
    ...     Sample(id="2", input="hello", target=Bottom("out_of_scope")),
    ... ])
    Labels(names=('swap',), reasons=('out_of_scope',))
    """
    names: set[str] = set()
    reasons: set[str] = set()
    for sample in train:
        match sample.target:
            case Bottom(reason):
                reasons.add(reason)
            case Answer(value=str() as name):
                names.add(name)
            case _:
                raise DataError(
                    "A training target must be a text label or a decline",
                    where=f"sample {sample.id!r}",
                    hint="name the label as text",
                )
    labels = Labels(names=tuple(sorted(names)), reasons=tuple(sorted(reasons)))
    if not names or len(labels) < 2:
        raise DataError(
            f"Training needs two classes, one of them a label; it has {len(labels)}",
            hint="give prompts of another label, or some that have no answer",
        )
    return labels
