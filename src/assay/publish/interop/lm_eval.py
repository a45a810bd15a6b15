"""Logs of lm-eval: ``results_*.json`` and, beside them, ``samples_*.jsonl``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

from ...core.claim import Published
from ...core.record import Cell
from ...core.reply import Answer, Reply
from ...core.sample import Sample
from ...engine.foreign import Number, Row
from .choices import chosen_of, text_of
from .deciding import Deciding, Means
from .reading import below, beside, inner, number, read_json, read_jsonl, want, wrong

DECIDES = ("acc", "exact_match", "pass@1", "em", "mc1", "acc_norm")
"""What says right or wrong, the first that a task has; another with ``--set metric=...``."""


@dataclass(slots=True, kw_only=True)
class Results:
    """One ``results_*.json``, and the files of its samples."""

    path: Path
    system: str
    version: str
    value: Mapping[str, Any]
    samples: Mapping[str, Path]


@dataclass(slots=True, kw_only=True)
class LmEvalLog:
    """Every result below a path."""

    results: Sequence[Results]
    metric: str
    filter: str
    where: str = ""
    notes: list[str] = field(default_factory=list)
    lower: frozenset[tuple[str, str]] = frozenset()
    deciding: Deciding = field(default_factory=Deciding)
    kinds: dict[str, str] = field(default_factory=dict)
    """Task to the filter that is taken, of every model."""

    means: Means = field(default_factory=Means)

    @property
    def tool(self) -> str:
        """lm-eval, and the versions that wrote the results."""
        return f"lm-eval {', '.join(sorted({r.version for r in self.results}))}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return tuple(p for r in self.results for p in (r.path, *r.samples.values()))

    @property
    def versions(self) -> Mapping[str, str]:
        """Task to its version."""
        found: dict[str, str] = {}
        for one in self.results:
            for task, version in one.value.get("versions", {}).items():
                if found.setdefault(task, str(version)) != str(version) and task in one.samples:
                    raise wrong(
                        f"{task} has version {version} here and {found[task]} elsewhere",
                        str(one.path),
                        "import each version by itself: their numbers cannot be compared",
                    )
        return found

    def rows(self) -> Iterator[Row]:
        """Yield every sample of every task and model."""
        parts = [(one, task, path) for one in self.results for task, path in one.samples.items()]
        for one, task, path in parts:
            for _, scores, decides in self._samples(one, task, path):
                self.deciding.see(task, scores[decides])
                if decides not in DECIDES:
                    self.deciding.scored.add(task)
        for one, task, path in parts:
            for line, scores, decides in self._samples(one, task, path):
                yield self._row(one, task, line, scores, decides)
        self._check_sums()

    def _samples(
        self, one: Results, task: str, path: Path
    ) -> Iterator[tuple[Mapping[str, Any], dict[str, float], str]]:
        """Yield the lines that are taken, with their scores and which of them decides."""
        keys = [key.partition(",")[::2] for key in one.value["results"][task]]
        if self.filter and self.filter in {kind for _, kind in keys}:
            self.kinds[task] = self.filter
        named = self.metric if self.metric in {name for name, _ in keys} else ""
        left = taken = 0
        for where, line in read_jsonl(path):
            self.where = where
            kind = str(line.get("filter", "none"))
            if kind != self.kinds.setdefault(task, kind):
                left += 1
                continue
            taken += 1
            names = want(line.get("metrics", _metrics(line)), list, "a list", where)
            found = {str(name): _score(line, str(name), where) for name in names}
            scores = {name: value for name, value in found.items() if value is not None}
            if not scores:
                hint = "take another task with --task"
                raise wrong("no metric of this sample is a number", where, hint)
            first = next((name for name in DECIDES if name in scores), next(iter(scores)))
            decides = self.deciding.by.setdefault(task, named or first)
            if decides not in scores:
                hint = "mend the log, or name what all have with --set metric=..."
                raise wrong(f"this sample has no {decides}", where, hint)
            yield line, scores, decides
        if left and not taken:
            hint = "name one that all have with --set filter=..."
            raise wrong(
                f"no sample of {task} is of the filter {self.kinds[task]!r}", str(path), hint
            )
        if left:
            self._note(f"{task}: filter {self.kinds[task]!r} is taken, the others are not")
        if self.metric and (decides := self.deciding.by.get(task, "")) != self.metric:
            self._note(f"{task} has no {self.metric}: {decides} decides")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _row(
        self,
        one: Results,
        task: str,
        line: Mapping[str, Any],
        scores: dict[str, float],
        decides: str,
    ) -> Row:
        where = self.where
        cell = Cell(task=task, system=one.system, seed=0, split="test")
        doc = want(line.get("doc"), dict, "`doc`, an object,", where)
        if "doc_id" not in line:
            raise wrong("this sample has no doc_id", where, "is this a samples file of lm-eval?")
        sample = Sample(id=str(line["doc_id"]), input=doc, target=Answer(line.get("target")))
        value = scores.pop(decides)
        self.means.add(task, one.system, value)
        answer = chosen_of(line, value) if decides == "acc" else None
        check = self.deciding.check(task, value, scores)
        return cell, sample, Reply(sample.id, answer or text_of(line)), check

    def _check_sums(self) -> None:
        """Say where the log's own mean is not the mean of its samples."""
        for one in self.results:
            for task in one.samples:
                for key, told in one.value["results"][task].items():
                    name, _, kind = key.partition(",")
                    if (name, kind or "none") == (self.deciding.by.get(task), self.kinds.get(task)):
                        self.notes.extend(self.means.differs(task, one.system, name, told))

    def numbers(self) -> Iterator[Number]:
        """Yield every result of a task without samples."""
        for one in self.results:
            for task, numbers in one.value["results"].items():
                if task in one.samples:
                    continue
                for key, value in numbers.items():
                    name, _, kind = key.partition(",")
                    if name.endswith("_stderr") or not kind or not isinstance(value, int | float):
                        continue
                    metric = name if kind == "none" else f"{name} ({kind})"
                    cell = Cell(task=task, system=one.system, seed=0, split="test")
                    found = number(value, f"{task} {key}", str(one.path))
                    yield (
                        cell,
                        metric,
                        Published(value=found, source=f"{self.tool}, {one.path.name}"),
                    )


def _metrics(line: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics of a sample that an older lm-eval wrote."""
    known = ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter")
    return [n for n, v in line.items() if n not in known and isinstance(v, int | float)]


def _score(line: Mapping[str, Any], name: str, where: str) -> float | None:
    """Return a metric of a sample; None for one that is no number (perplexity's pair of sums)."""
    value = line.get(name)
    if isinstance(value, bool):
        return float(value)
    return number(value, name, where) if isinstance(value, int | float) else None


def read(path: Path, *, metric: str = "", filter: str = "", system: str = "") -> LmEvalLog:
    """Open lm-eval's results: a ``results_*.json``, or a folder with any number of them.

    ``metric`` decides right or wrong, ``filter`` names one of a task's filters, ``system`` is the
    model's name where there is one model.
    """
    found = [path] if path.is_file() else below(path, "results*.json")
    if not found:
        raise wrong(
            "there is no results_*.json in or below this folder",
            str(path),
            "name the folder that lm-eval wrote with --output_path",
        )
    results = [_results(one, is_named=path.is_file()) for one in found]
    if system:
        if len(results) > 1:
            raise wrong("there are several results", str(path), "name one file, or no system")
        results[0].system = system
    _check_twice(results)
    keys = {k for one in results for r in one.value["results"].values() for k in r}
    for what, word, known in (
        ("metric", metric, {key.partition(",")[0] for key in keys if "," in key}),
        ("filter", filter, {key.partition(",")[2] for key in keys if "," in key}),
    ):
        if word and word not in known:
            hint = f"it has {', '.join(sorted(known))}"
            raise wrong(f"no task has the {what} {word!r}", str(path), hint)
    lower = {
        (task, name)
        for one in results
        for task, known in inner(one.value, "higher_is_better", dict, str(one.path)).items()
        for name, higher in want(known or {}, dict, "an object", str(one.path)).items()
        if higher is False
    }
    return LmEvalLog(results=results, metric=metric, filter=filter, lower=frozenset(lower))


def _results(path: Path, *, is_named: bool) -> Results:
    # Of a file that somebody names, links are followed: a cache is made of them.
    value = want(read_json(path), dict, "an object", str(path))
    if not isinstance(value.get("results"), dict) or not isinstance(value.get("config"), dict):
        raise wrong("these are no results of lm-eval", str(path), "it has no `results`, `config`")
    inner(value, "versions", dict, str(path))
    for name, numbers in value["results"].items():
        want(numbers, dict, f"`results.{name}`, an object,", str(path))
    stamp = path.name.removeprefix("results").removesuffix(".json")
    samples = {
        file.name.removeprefix("samples_").removesuffix(f"{stamp}.jsonl"): file
        for file in sorted(path.parent.glob(f"samples_*{escape(stamp)}.jsonl"))
        if is_named or beside(path.parent, file.name)
    }
    return Results(
        path=path,
        system=_model(value, path),
        version=str(value.get("lm_eval_version") or "unknown"),
        value=value,
        samples={task: file for task, file in samples.items() if task in value["results"]},
    )


def _model(value: Mapping[str, Any], path: Path) -> str:
    given = value["config"].get("model_args")
    if isinstance(given, str):
        given = dict(p.partition("=")[::2] for p in given.split(","))
    pretrained = given.get("pretrained") or given.get("model") if isinstance(given, dict) else None
    # Without arguments, lm-eval makes up a name for the model; its kind says more.
    name = pretrained or (value.get("model_name") if given else value["config"].get("model"))
    if not isinstance(name, str) or not name:
        raise wrong("the results name no model", str(path), "name it with --set system=NAME")
    return name.rstrip("/").rpartition("/")[2] if name.startswith(("/", ".")) else name


def _check_twice(results: Sequence[Results]) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for one in results:
        for task in one.samples:
            if (first := seen.setdefault((task, one.system), one.path)) is not one.path:
                raise wrong(
                    f"{one.system} was run twice on {task}: also in {first}",
                    str(one.path),
                    "name one results file, or move one of the two away",
                )
