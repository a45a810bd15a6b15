"""Logs of inspect-ai: ``.eval`` (a zip file) and ``.json``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.claim import Published
from ...core.record import Cell
from ...core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ...core.sample import Sample
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from .deciding import Deciding, Means
from .reading import Entries, amount, below, count, inner, number, parse, read_json, want, wrong

WORDS: Mapping[str, float] = {
    "C": 1.0,
    "I": 0.0,
    "P": 0.5,
    "N": 0.0,
    **dict.fromkeys(("yes", "true"), 1.0),
    **dict.fromkeys(("no", "false"), 0.0),
}
"""What a scorer writes for correct, incorrect, partial, no answer, as inspect-ai counts it."""


MEANS = (None, "", "mean")
"""What inspect-ai may have made one of the epochs of a sample by, where it is their mean."""


@dataclass(slots=True, kw_only=True)
class InspectLog:
    """Every log below a path."""

    paths: Sequence[Path]
    heads: Sequence[Mapping[str, Any]]
    scorer: str
    where: str = ""
    notes: list[str] = field(default_factory=list)
    lower: frozenset[str] = frozenset()
    with_rows: set[Path] = field(default_factory=set)
    deciding: Deciding = field(default_factory=Deciding)
    means: Means = field(default_factory=Means)

    @property
    def tool(self) -> str:
        """inspect-ai, and the versions that wrote the logs."""
        found = {
            str((h["eval"].get("packages") or {}).get("inspect_ai", "unknown")) for h in self.heads
        }
        return f"inspect-ai {', '.join(sorted(found))}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Every log."""
        return tuple(self.paths)

    @property
    def versions(self) -> Mapping[str, str]:
        """Task to its version."""
        return {h["eval"]["task"]: str(h["eval"].get("task_version", "1")) for h in self.heads}

    def rows(self) -> Iterator[Row]:
        """Yield every sample of every log; an epoch is a seed."""
        for about, given, where in self._given():
            if not given.get("error") and not given.get("limit"):
                task, scores = str(about["task"]), self._scores(given, where)
                value = scores.get(self._first(task, scores))
                if value is not None:
                    self.deciding.see(task, value)
        for about, given, where in self._given():
            yield self._row(about, given, where)
        for path, head in zip(self.paths, self.heads, strict=True):
            if head.get("status") != "success":
                status = f"ended with status {head.get('status')!r}"
                self.notes.append(f"{path.name} {status}: what it has is taken")
            self._check_mean(path, head)

    def _given(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], str]]:
        """Yield what each sample belongs to, the sample, and its place."""
        for path, head in zip(self.paths, self.heads, strict=True):
            for where, sample in _samples(path):
                self.where = where
                self.with_rows.add(path)
                yield head["eval"], want(sample, dict, "an object", where), where

    def _first(self, task: str, scores: Mapping[str, Any]) -> str:
        """Return the scorer that decides: the one that was named, else the first that was met."""
        if not scores:
            return ""
        return self.deciding.by.setdefault(task, self.scorer or next(iter(scores)))

    def _scores(self, given: Mapping[str, Any], where: str) -> dict[str, float | None]:
        scores = want(given.get("scores") or {}, dict, "`scores`, an object,", where)
        if scores and self.scorer and self.scorer not in scores:
            raise wrong(f"no scorer {self.scorer!r} here", where, f"it has {', '.join(scores)}")
        return {name: _value(one, name, where) for name, one in scores.items()}

    def _check_mean(self, path: Path, head: Mapping[str, Any]) -> None:
        """Say where the log's own number is not what its samples come to."""
        task, system = str(head["eval"]["task"]), str(head["eval"]["model"])
        where = str(path)
        for one in inner(inner(head, "results", dict, where), "scores", list, where):
            metrics = inner(one, "metrics", dict, where)
            if one.get("name") != self.deciding.by.get(task) or one.get("reducer") not in MEANS:
                continue
            for name in ("accuracy", "mean"):
                told = inner(metrics, name, dict, where).get("value")
                self.notes.extend(self.means.differs(task, system, name, told))

    def _row(self, about: Mapping[str, Any], given: Mapping[str, Any], where: str) -> Row:
        if "id" not in given or "epoch" not in given:
            raise wrong("a sample without id or epoch", where, "is this a log of inspect-ai?")
        epoch = count(given["epoch"], "epoch", where) or 0
        cell = Cell(
            task=str(about["task"]),
            system=str(about["model"]),
            seed=max(epoch - 1, 0),
            split="test",
        )
        sample = Sample(
            id=str(given["id"]),
            input=_words(given.get("input")),
            target=Answer(given.get("target")),
        )
        said, check = self._said(given, about, where)
        return cell, sample, Reply(sample.id, said, _usage(given, about, where)), check

    def _said(
        self, given: Mapping[str, Any], about: Mapping[str, Any], where: str
    ) -> tuple[Said, Check | None]:
        if given.get("error"):
            message = given["error"].get("message") if isinstance(given["error"], dict) else ""
            return Crash("inspect_error", str(message)), None
        task, system, part = str(about["task"]), str(about["model"]), str(given["id"])
        if limit := given.get("limit"):
            kind = limit.get("type") if isinstance(limit, dict) else limit
            if task not in self.deciding.scored:
                self.means.add(task, system, 0.0, part)
            return Failed(f"limit_{kind}"), None
        values = self._scores(given, where)
        first = self._first(task, values)
        main = values.pop(first, None)
        if main is None:
            return Crash("not_scored"), None
        self.means.add(task, system, main, part)
        others = {name: value for name, value in values.items() if value is not None}
        score = given["scores"][first]
        is_none = isinstance(score, dict) and score.get("value") == "N"
        if is_none and task not in self.deciding.scored:
            return Bottom("no_answer"), None
        return Answer(_answer(score, given)), self.deciding.check(task, main, others)

    def numbers(self) -> Iterator[Number]:
        """Yield the results of every log without samples."""
        for path, head in zip(self.paths, self.heads, strict=True):
            if path in self.with_rows:
                continue
            about = head["eval"]
            cell = Cell(task=str(about["task"]), system=str(about["model"]), seed=0, split="test")
            where = str(path)
            for one in inner(inner(head, "results", dict, where), "scores", list, where):
                for name in inner(one, "metrics", dict, where):
                    if name != "stderr":
                        metric = inner(one["metrics"], name, dict, where)
                        value = number(metric.get("value"), name, where)
                        said = Published(value=value, source=f"{self.tool}, {path.name}")
                        yield cell, f"{one.get('name')} {name}", said


def _samples(path: Path) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".json":
        value = read_json(path)
        for i, sample in enumerate(want(value.get("samples") or [], list, "a list", str(path))):
            yield f"{path}#samples[{i}]", sample
        return
    entries = Entries(path)
    try:
        for name in entries.names:
            if re.fullmatch(r"samples/[^/]+\.json", name):
                where = f"{path}#{name}"
                yield where, parse(entries.read(name), where)
    finally:
        entries.close()


def _value(score: Any, name: str, where: str) -> float | None:
    """Return a score as a number, as inspect-ai counts it; None for what is none of them."""
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, str):
        if (word := WORDS.get(value, WORDS.get(value.lower()))) is not None:
            return word
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        none = isinstance(value, float) and math.isnan(value)
        return None if none else number(value, name, where)
    return None


def _answer(score: Any, given: Mapping[str, Any]) -> Any:
    said = score.get("answer") if isinstance(score, dict) else None
    if said is None and isinstance(given.get("output"), dict):
        said = given["output"].get("completion")
    return said


def _words(given: Any) -> Any:
    """Return a question: its text, or role and text of each message, without ids of the run."""
    if not isinstance(given, list):
        return given
    return [
        {"role": m.get("role"), "content": m.get("content")} if isinstance(m, dict) else m
        for m in given
    ]


def _usage(given: Mapping[str, Any], about: Mapping[str, Any], where: str) -> Usage:
    used = given.get("model_usage") or {}
    mine = used.get(about["model"]) if isinstance(used, dict) else None
    mine = mine if isinstance(mine, dict) else {}
    return Usage(
        latency_s=amount(given.get("working_time"), "working_time", where),
        tokens_in=count(mine.get("input_tokens"), "input_tokens", where),
        tokens_cached=count(mine.get("input_tokens_cache_read"), "input_tokens_cache_read", where),
        tokens_out=count(mine.get("output_tokens"), "output_tokens", where),
        billed_usd=amount(mine.get("total_cost"), "total_cost", where),
    )


def read(path: Path, *, scorer: str = "") -> InspectLog:
    """Open inspect-ai's logs: an ``.eval``, a ``.json``, or a folder of them.

    ``scorer`` decides right or wrong; without it the first of each log.
    """
    paths = [path]
    if path.is_dir():
        paths = [
            p for p in (*below(path, "*.eval"), *below(path, "*.json")) if p.name != "logs.json"
        ]
    if not paths:
        raise wrong("there is no .eval or .json in it", str(path), "name a log of inspect-ai")
    return InspectLog(paths=paths, heads=[_head(one) for one in paths], scorer=scorer)


def _head(path: Path) -> Mapping[str, Any]:
    where = str(path)
    if path.suffix == ".eval":
        entries = Entries(path)
        try:
            if "header.json" not in entries.names:
                hint = "the eval did not end; `inspect log recover` may finish its log"
                raise wrong("the log has no header", where, hint)
            value = parse(entries.read("header.json"), f"{path}#header.json")
        finally:
            entries.close()
    else:
        value = read_json(path)
    about = value.get("eval") if isinstance(value, dict) else None
    if not isinstance(about, dict) or not all(
        isinstance(about.get(name), str) for name in ("task", "model")
    ):
        raise wrong("this is no log of inspect-ai", where, "it names no task and no model")
    if value.get("version") != 2:
        hint = "write it again with today's inspect-ai: `inspect log convert`"
        raise wrong(f"a log of version {value.get('version')!r}, not 2", where, hint)
    inner(about, "packages", dict, where)
    return {k: value.get(k) for k in ("eval", "status", "results")}
