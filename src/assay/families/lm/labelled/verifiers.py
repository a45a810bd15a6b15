"""What checks free text: against a closed set of labels, or against texts that are right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from assay import Answer, Check, Crash, Reply, Sample

from .labels import Labels
from .texts import is_exact, longest_in_common, overlap, runs_in_common

NO_LABEL = -1.0
"""Stands for the label of an answer in which none was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReader:
    """Right when the label that is read in an answer is the sample's: see ``Labels``.

    Scores: ``exact`` (the answer is the label and nothing else), and the places of both labels, from
    which macro-F1 is made.  Evidence: the label that was read, and how.
    """

    labels: Callable[[], Labels]

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Read a label in each answer."""
        labels = self.labels()
        for sample, reply in batch:
            wanted, said = sample.target, text_of(reply)
            if not isinstance(wanted, Answer) or not isinstance(wanted.value, str):
                yield Crash("no_target", f"sample {sample.id!r} has no label")
                continue
            if said is None:
                yield _no_text({"exact": 0.0, "truth": labels.code(wanted.value), "read": NO_LABEL})
                continue
            found = labels.read(said)
            right = found.label == wanted.value
            yield Check(
                passed=right,
                scores={
                    "exact": float(right and found.whole),
                    "truth": float(labels.code(wanted.value)),
                    "read": NO_LABEL if found.label is None else float(labels.code(found.label)),
                },
                evidence={"read": found.label or "", "why": found.why},
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReader:
    """Right when an answer is one of the accepted texts, both normalised as in SQuAD.

    Scores: ``exact``, ``f1`` (shared words), and where they are asked for ``rouge_l`` and the counts of
    BLEU.
    """

    metrics: tuple[str, ...]

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each answer with the accepted texts."""
        for sample, reply in batch:
            accepted, said = _accepted(sample), text_of(reply)
            if not accepted:
                yield Crash("no_target", f"sample {sample.id!r} has no text to compare with")
                continue
            right = said is not None and is_exact(said, accepted)
            scores = {"exact": float(right), "f1": overlap(said or "", accepted)}
            if "rouge_l" in self.metrics:
                scores["rouge_l"] = longest_in_common(said or "", accepted)
            if "bleu" in self.metrics:
                scores |= runs_in_common(said or "", accepted)
            if said is None:
                yield _no_text(scores)
            else:
                yield Check(passed=right, scores=scores, evidence={"read": said.strip()})


def text_of(reply: Reply) -> str | None:
    """Return what was answered as text; of a list of texts the first; None where it is no text.

    The list is what the controls say, whose answers are those of train.
    """
    value = reply.said.value if isinstance(reply.said, Answer) else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value and all(isinstance(each, str) for each in value) else None
    return value if isinstance(value, str) else None


def _no_text(scores: dict[str, float]) -> Check:
    return Check(passed=False, scores=scores, evidence={"why": "the answer is no text"})


def _accepted(sample: Sample) -> list[str]:
    value = sample.target.value if isinstance(sample.target, Answer) else None
    if isinstance(value, str):
        return [value]
    if isinstance(value, Sequence):
        return [each for each in value if isinstance(each, str)]
    return []
