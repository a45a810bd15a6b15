"""Logs of promptfoo: what ``promptfoo eval -o`` writes as ``.json`` or ``.jsonl``.

Covered: results of version 3, which promptfoo 0.123.1 writes.
Not covered: derived metrics, tables of version 2, what a red team's strategies say of themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.record import Cell
from ...core.reply import Answer, Crash, Failed, Reply, Said, Usage
from ...core.sample import Sample
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from ...store.canon import digest_value
from .reading import amount, below, count, number, read_json, read_jsonl, want, wrong

VERSION = 3
ERROR = 2
"""What ``failureReason`` says where the provider or the assertion, not the answer, was at fault."""

IS_LOG = "is this a log of promptfoo? `promptfoo eval -o out.json` writes one"
FIELD = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(slots=True, kw_only=True)
class PromptfooLog:
    """Every file of results below a path."""

    paths: Sequence[Path]
    task: str
    group: str
    where: str = ""
    notes: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    lower: frozenset[str] = frozenset()
    several: bool = False
    """Whether there are several prompts: then each is part of a system's name."""

    columns: dict[tuple[Path, str, str], set[int]] = field(default_factory=dict)
    """File, provider and prompt to the columns of that name in it."""

    told: dict[Path, Any] = field(default_factory=dict)
    """How many tests passed, as a file says itself."""

    wrote: set[str] = field(default_factory=set)
    times: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """How often a system has answered a test of a task."""

    @property
    def tool(self) -> str:
        """Promptfoo, and the versions that wrote the logs, where they say so."""
        return f"promptfoo {', '.join(sorted(self.wrote))}".strip()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every log."""
        return tuple(self.paths)

    def rows(self) -> Iterator[Row]:
        """Yield every result; the second time that a test is answered is the second seed."""
        unchecked = cached = 0
        self._look()
        for path in self.paths:
            passed = 0
            for where, given, described in self._results(path):
                self.where = where
                row = self._row(given, described or path.stem, path)
                passed += given["success"]
                unchecked += row[2].said == NOT_CHECKED
                cached += _part(given, "response", where).get("cached") is True
                yield row
            if (told := self.told.get(path)) is not None and told != passed:
                self.notes.append(
                    f"{path.name}: it says that {str(told)[:20]} tests passed, "
                    f"and {passed:,} of its results did"
                )
        if unchecked:
            self.notes.append(
                f"{unchecked} results had no assertion, which promptfoo counts as passed: "
                "nothing was checked, so they count as not observed"
            )
        if cached:
            self.notes.append(
                f"{cached} replies came from promptfoo's cache: their time and cost are left out"
            )

    def numbers(self) -> Iterator[Number]:
        """Yield nothing: a log of promptfoo always has its results."""
        yield from ()

    def _look(self) -> None:
        """Learn which prompts there are, and which columns bear one name."""
        for path in self.paths:
            for where, given, _ in self._results(path):
                name = path, _provider(given, where), _label(given, where)
                self.columns.setdefault(name, set()).add(_column(given))
        self.several = len({label for _, _, label in self.columns}) > 1

    def _results(self, path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
        """Yield place, result and the description of the evaluation."""
        if path.suffix == ".jsonl":
            for where, line in read_jsonl(path):
                yield where, line, ""
            return
        where = str(path)
        value = want(read_json(path), dict, "an object", where)
        results = want(value.get("results"), dict, "`results`, an object,", where)
        if results.get("version") != VERSION:
            if (found := results.get("version")) is None:
                raise wrong("results without a version", where, IS_LOG)
            hint = "write them again with today's promptfoo: `promptfoo export eval ID -o out.json`"
            raise wrong(f"results of version {found!r}, not {VERSION}", where, hint)
        wrote = _part(value, "metadata", where).get("promptfooVersion")
        if wrote is not None:
            self.wrote.add(want(wrote, str, "`promptfooVersion`, a text,", where))
        described = _part(value, "config", where).get("description")
        described = described if isinstance(described, str) else ""
        self.told[path] = _part(results, "stats", where).get("successes")
        rows = want(results.get("results"), list, "`results.results`, a list,", where)
        for i, given in enumerate(rows):
            place = f"{path}#results[{i}]"
            yield place, want(given, dict, "an object", place), described

    def _row(self, given: Mapping[str, Any], described: str, path: Path) -> Row:
        where = self.where
        test = _part(given, "testCase", where)
        told = _part(test, "vars", where)
        asserts = want(test.get("assert") or [], list, "`assert`, a list,", where)
        asked = {"vars": told, "assert": asserts, "threshold": test.get("threshold")}
        key = f"test-{digest_value(asked)[7:19]}"
        system, task = self._system(given, path), self.task or described
        seed = self.times.get((task, system, key), 0)
        self.times[task, system, key] = seed + 1
        sample = Sample(
            id=key,
            input=told,
            target=Answer(_wanted(asserts, told)),
            group=self._group(test, told),
        )
        cell = Cell(task=task, system=system, seed=seed, split="test")
        said, check = self._said(given, where)
        return cell, sample, Reply(key, said, _usage(given, where)), check

    def _system(self, given: Mapping[str, Any], path: Path) -> str:
        provider, label = _provider(given, self.where), _label(given, self.where)
        name = f"{provider} {label}" if self.several else provider
        # Two columns of one name are two systems, and not two seeds of one.
        same = len(self.columns[path, provider, label]) > 1
        return f"{name} {_column(given) + 1}" if same else name

    def _group(self, test: Mapping[str, Any], told: Mapping[str, Any]) -> str:
        if not self.group:
            return ""
        for place in (_part(test, "metadata", self.where), told):
            if (found := place.get(self.group)) is not None:
                return found if isinstance(found, str) else digest_value(found)
        what = f"this test has no {self.group!r} in its metadata or vars"
        raise wrong(what, self.where, "give every test one, or leave --set group away")

    def _said(self, given: Mapping[str, Any], where: str) -> tuple[Said, Check | None]:
        passed = given.get("success")
        if not isinstance(passed, bool):
            raise wrong("a result without `success`", where, IS_LOG)
        if given.get("failureReason") == ERROR:
            return Crash("promptfoo_error", str(given.get("error"))), None
        output = _part(given, "response", where).get("output")
        if output is None:
            return Failed("no_output"), None
        grading = _part(given, "gradingResult", where)
        parts = want(grading.get("componentResults") or [], list, "a list", where)
        if any(_part(_object(p), "metadata", where).get("graderError") is True for p in parts):
            return Crash("grader_error", str(grading.get("reason"))), None
        if not parts:
            return NOT_CHECKED, None
        return Answer(output), Check(passed=passed, scores=_scores(given, grading, where))


NOT_CHECKED = Crash("not_checked")


def _scores(
    given: Mapping[str, Any], grading: Mapping[str, Any], where: str
) -> Mapping[str, float]:
    """Return the score and each named metric; one of weight 0 is written as 0, whatever it found."""
    weights = _part(grading, "namedScoreWeights", where)
    named = _part(given, "namedScores", where)
    scores = {"score": number(given.get("score"), "score", where)}
    for name, value in named.items():
        if weights.get(name) != 0:
            scores[name] = number(value, name, where)
    return scores


def _provider(given: Mapping[str, Any], where: str) -> str:
    provider = given.get("provider")
    if isinstance(provider, dict):
        provider = provider.get("label") or provider.get("id")
    if not isinstance(provider, str) or not provider:
        raise wrong("a result without a provider", where, IS_LOG)
    return provider


def _column(given: Mapping[str, Any]) -> int:
    """Return which column of promptfoo's table a result stands in; -1 where it does not say."""
    column = given.get("promptIdx")
    return column if isinstance(column, int) else -1


def _label(given: Mapping[str, Any], where: str) -> str:
    """Return what the prompt is called: its label, without which promptfoo uses its template."""
    label = _part(given, "prompt", where).get("label")
    if not isinstance(label, str):
        raise wrong("a result without a prompt", where, IS_LOG)
    return label


def _wanted(asserts: Sequence[Any], told: Mapping[str, Any]) -> Any:
    """Return the right answer, where exactly one assertion says what the output equals."""
    equal = [_object(a).get("value") for a in asserts if _object(a).get("type") == "equals"]
    if len(equal) != 1:
        return None
    value = equal[0]
    if not isinstance(value, str):
        return value
    if whole := FIELD.fullmatch(value.strip()):
        return told.get(whole[1])
    return None if "{{" in value or "{%" in value or value.startswith("file://") else value


def _usage(given: Mapping[str, Any], where: str) -> Usage:
    response = _part(given, "response", where)
    tokens = _part(response, "tokenUsage", where)
    mine = response.get("cached") is not True
    read, written = (count(tokens.get(k), k, where) for k in ("prompt", "completion"))
    counted = bool(read or written)  # a provider that counts nothing is written as 0 of both
    waited = amount(given.get("latencyMs"), "latencyMs", where) if mine else None
    return Usage(
        latency_s=None if waited is None else waited / 1000,
        tokens_in=read if counted else None,
        tokens_out=written if counted else None,
        billed_usd=amount(response.get("cost"), "cost", where) if mine else None,
    )


def _part(given: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """Return an object that may be missing."""
    found: Mapping[str, Any] = want(given.get(name) or {}, dict, f"`{name}`, an object,", where)
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read(path: Path, *, task: str = "", group: str = "") -> PromptfooLog:
    """Open promptfoo's results: a ``.json``, a ``.jsonl``, or a folder of them.

    ``task`` names the tests, which are else called after the evaluation's description or the file;
    ``group`` is a key of a test's metadata or vars: tests that share its value are not independent.
    """
    paths = [path]
    if path.is_dir():
        paths = [*below(path, "*.json"), *below(path, "*.jsonl")]
    if not paths:
        raise wrong("there is no .json or .jsonl in it", str(path), IS_LOG)
    return PromptfooLog(paths=paths, task=task, group=group)
