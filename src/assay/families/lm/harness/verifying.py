"""Answers scored by the harness's own metric functions; programs are run in our sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from assay import Answer, Check, Crash, Reply, Sample
from assay.sandbox import Limits, run_python

from ..extras import harness
from .asking import has_several
from .definitions import Definition

PROGRAM = Limits(wall_s=10.0, memory_mb=1024)
"""Of one program; the harness's own executor gives it 3 seconds."""

HEADLINES = ("acc_norm", "acc", "exact_match", "pass@1")
"""Which score says whether an answer is right, the first that a task has."""


def shown(metric: str, filtered: str, *, first: str) -> str:
    """Return the name of a score: the metric's own, with the filter where it is not the first.

    >>> shown("exact_match", "strict-match", first="strict-match")
    'exact_match'
    >>> shown("exact_match", "flexible-extract", first="strict-match")
    'exact_match_flexible_extract'
    """
    return metric if filtered == first else f"{metric}_{filtered.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class HarnessScores:
    """A verifier: ``process_results`` of the task that a sample comes from."""

    definitions: Callable[[], Mapping[str, Definition]]

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Score each answer; programs of a batch share a sandbox."""
        found: list[Check | Crash | None] = []
        programs: list[tuple[int, str, str]] = []
        for at, (sample, reply) in enumerate(batch):
            name, _, number = sample.id.rpartition("/")
            definition = self.definitions()[name]
            doc = definition.eval_docs[int(number)]
            assert isinstance(reply.said, Answer)
            if getattr(definition, "UNSAFE_CODE", False):
                sentinel = token_hex(16)
                programs.append(
                    (at, sentinel, _program(definition, doc, str(reply.said.value), sentinel))
                )
                found.append(None)
            else:
                found.append(_scored(definition, doc, reply.said))
        ended = (
            run_python([source for _, _, source in programs], limits=PROGRAM) if programs else []
        )
        for (at, sentinel, _), how in zip(programs, ended, strict=True):
            # The last line is printed only where every assertion was passed: exit(0) does not get there.
            passed = how.well and how.stdout.decode("utf-8", "replace").rstrip().endswith(sentinel)
            found[at] = Check(
                passed=passed,
                scores={"pass@1": float(passed)},
                evidence={"run": str(how.stderr[-2000:], "utf-8", "replace")},
            )
        return [one for one in found if one is not None]


def _scored(definition: Definition, doc: Mapping[str, Any], said: Answer) -> Check | Crash:
    if definition.OUTPUT_TYPE == "generate_until":
        if not isinstance(said.value, str):
            return Check(passed=False, evidence={"answer": "no text"})
        filtered = _filtered(definition, doc, said.value)
        first = definition._filters[0].name  # noqa: SLF001  (the harness offers no other way)
        scores = {
            shown(metric, name, first=first): value
            for name, result in filtered.items()
            for metric, value in _processed(definition, doc, [result]).items()
        }
    else:
        count = sum(1 for name in said.scores if name.startswith("ll:"))
        if definition.OUTPUT_TYPE == "loglikelihood_rolling":
            results: list[Any] = [said.scores.get("ll")]
        else:
            results = [
                (said.scores[f"ll:{k}"], bool(said.scores[f"greedy:{k}"])) for k in range(count)
            ]
        if not results or None in results:
            # A control, or a system that does not weigh texts: it answered something else.
            return Check(passed=False, evidence={"answer": "no likelihoods"})
        scores = _processed(definition, doc, results)
    headline = next((scores[name] for name in HEADLINES if name in scores), None)
    # A share of likelihood is no verdict, though rounding makes it 1 where one choice has all of it.
    is_share = has_several(definition.config.process_results)
    passed = None if is_share or headline not in (0.0, 1.0) else headline == 1.0
    return Check(passed=passed, scores=scores)


def _processed(
    definition: Definition, doc: Mapping[str, Any], results: list[Any]
) -> dict[str, float]:
    found = definition.process_results(doc, results)
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) or getattr(value, "shape", None) == ()
    }


def _filtered(definition: Definition, doc: Mapping[str, Any], text: str) -> dict[str, Any]:
    instance = harness("lm_eval.api.instance").Instance(
        request_type="generate_until", doc=doc, arguments=("", {}), idx=0, resps=[text]
    )
    for each in definition._filters:  # noqa: SLF001  (likewise)
        each.apply([instance])
    return {each.name: instance.filtered_resps[each.name] for each in definition._filters}  # noqa: SLF001


def _program(definition: Definition, doc: Mapping[str, Any], text: str, sentinel: str) -> str:
    """Return the program that the harness would run, and a last line that only its end reaches."""
    (said,) = _filtered(definition, doc, text).values()
    code = said[0] if isinstance(said, list) else said
    return f"{code}\n{definition.doc_to_target(doc)}\nprint({sentinel!r})\n"
