"""Every Eval Ever 0.3: an aggregate per model, and beside it a line per reply.

The schema is the project's own (MIT), vendored under ``eee_schema/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.claim import Published
from ...core.record import Cell
from ...core.reply import Answer, Bottom, Crash, Failed, Reply, Said, Usage
from ...core.sample import Sample, Target
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from .deciding import Means
from .eee_aggregate import Aggregate, agree, check_line, key_of, open_aggregate
from .reading import LARGEST, amount, below, count, inner, number, parse, read_jsonl, want, wrong

MARK = "assay."
"""Before what assay adds to ``metadata``, which the schema has no place for."""


LONGEST = 15
"""Digits of a seed."""
PERCENT = 100
"""The best score of a result that is written in them."""


@dataclass(slots=True, kw_only=True)
class EeeLog:
    """Every aggregate below a path."""

    aggregates: Sequence[Aggregate]
    where: str = ""
    notes: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    means: Means = field(default_factory=Means)

    @property
    def tool(self) -> str:
        """Who asked, as the aggregates say."""
        used = {(a.value["eval_library"]["name"], a.value["eval_library"]["version"])
                for a in self.aggregates}  # fmt: skip
        return ", ".join(f"{name} {version}" for name, version in sorted(used))

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return tuple(p for a in self.aggregates for p in (a.path, a.instances) if p is not None)

    @property
    def lower(self) -> frozenset[tuple[str, str]]:
        """The tasks and metrics of which less is better."""
        return frozenset(
            (a.task(key_of(one)), _metric(one))
            for a in self.aggregates
            for one in a.value["evaluation_results"]
            if one["metric_config"].get("lower_is_better") is True
        )

    def rows(self) -> Iterator[Row]:
        """Yield every instance of every aggregate."""
        for one in self.aggregates:
            if one.instances is None:
                continue
            metrics = {key_of(r): _metric(r) for r in one.value["evaluation_results"]}
            errors = others = 0
            for where, line in read_jsonl(one.instances):
                self.where = where
                check_line(line, one, where)
                row = _row(one, line, metrics.get(one.key(line), "score"), where)
                cell, sample, reply, check = row
                self.means.judge(cell.task, cell.system, sample, reply, check)
                yield row
                errors += line.get("error") is not None and not _marks(line)
                others += line["model_id"] != one.value["model_info"]["id"]
            if errors:
                self.notes.append(
                    f"{one.system}: {errors:,} lines have an error: they count as not observed"
                )
            if others:
                self.notes.append(
                    f"{one.system}: {others:,} lines name another model, and count as this one's"
                )
            self._check(one)

    def _check(self, one: Aggregate) -> None:
        """Say where an aggregate is not what its instances come to."""
        told = inner(one.value, "detailed_evaluation_results", dict, str(one.path))
        rows = told.get("total_rows")
        if isinstance(rows, int) and rows != one.lines:
            what = f"{one.lines:,} lines stand beside it, and it says {str(rows)[:20]}"
            self.notes.append(f"{one.path.name}: {what}")
        for result in one.value["evaluation_results"]:
            key, score = key_of(result), result["score_details"].get("score")
            if one.binary.get(key):
                if result["metric_config"].get("max_score") == PERCENT and _is_number(score):
                    score = score / PERCENT
                said = self.means.differs(one.task(key), one.system, "accuracy", score)
                self.notes.extend(said)

    def numbers(self) -> Iterator[Number]:
        """Yield every result without instances."""
        for one in self.aggregates:
            for result in one.value["evaluation_results"]:
                name = str(result["evaluation_name"])
                if key_of(result) in one.binary:
                    continue
                value = number(result["score_details"].get("score"), "score", str(one.path))
                cell = Cell(task=name, system=one.system, seed=0, split="test")
                said = Published(value=value, source=f"{_source(one.value)}, {one.path.name}")
                yield cell, _metric(result), said


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _metric(result: Mapping[str, Any]) -> str:
    config = result["metric_config"]
    return str(config.get("metric_id") or config.get("metric_name") or "score")


def _source(value: Mapping[str, Any]) -> str:
    about = value["source_metadata"]
    name = about.get("source_name") or about["source_organization_name"]
    return f"{name} ({about['evaluator_relationship'].replace('_', ' ')})"


def _marks(line: Mapping[str, Any], where: str = "") -> dict[str, str]:
    """Return what assay itself wrote beside an instance."""
    given = inner(line, "metadata", dict, where)
    return {k.removeprefix(MARK): str(v) for k, v in given.items() if k.startswith(MARK)}


def _row(one: Aggregate, line: Mapping[str, Any], metric: str, where: str) -> Row:
    marks = _marks(line, where)
    given = want(line["input"], dict, "`input`, an object,", where)
    judged = want(line["evaluation"], dict, "`evaluation`, an object,", where)
    cell = Cell(
        task=one.task(one.key(line)),
        system=one.system,
        seed=int(seed)
        if (seed := marks.get("seed", "")).isdecimal() and len(seed) <= LONGEST
        else 0,
        split="test",
    )
    sample = Sample(
        id=str(line["sample_id"]),
        input=_plain(given.get("raw"), "input", marks, where),
        target=_target(one, line, marks, where),
        group=marks.get("group", ""),
    )
    said, check = _said(one, line, judged, metric, where)
    return cell, sample, Reply(sample.id, said, _usage(line, marks, where)), check


def _plain(text: Any, part: str, marks: Mapping[str, str], where: str) -> Any:
    """Return what was no text before assay wrote it as one."""
    if part not in marks.get("json", "").split(","):
        return text
    written = want(text, str, f"`{part}`, a text,", where) if text is not None else ""
    return parse(written.encode("utf-8", "surrogatepass"), where) if written else None


def _target(
    one: Aggregate, line: Mapping[str, Any], marks: Mapping[str, str], where: str
) -> Target:
    reference = inner(line["input"], "reference", list, where)
    if "no_answer" in marks:
        return Bottom(marks["no_answer"])
    if not reference:
        return Answer(None) if one.binary[one.key(line)] else None
    if len(reference) > 1:
        return Answer(list(reference))
    return Answer(_plain(reference[0], "target", marks, where))


def _said(
    one: Aggregate,
    line: Mapping[str, Any],
    judged: Mapping[str, Any],
    metric: str,
    where: str,
) -> tuple[Said, Check | None]:
    marks = _marks(line)
    reason = marks.get("reason", "")
    match marks.get("outcome", ""):
        case "withheld" | "declined":
            return Bottom(reason), None
        case "failed":
            return Failed(reason), None
        case "crashed":
            return Crash(reason), None
    if line.get("error") is not None and not marks:
        return Crash("error", str(line["error"])), None
    raw = inner(inner(line, "output", dict, where), "raw", list, where) or [None]
    answer = Answer(_plain(raw[0], "value", marks, where), _marked(marks, "confidence", where))
    right = want(judged.get("is_correct"), bool, "`is_correct`, true or false,", where)
    score = number(judged.get("score"), "score", where)
    if one.binary[one.key(line)]:
        return answer, Check(passed=right)
    return answer, Check(passed=None, scores={metric: score})


def _marked(marks: Mapping[str, str], name: str, where: str) -> float | None:
    """Return a number that assay wrote beside an instance."""
    if name not in marks:
        return None
    try:
        return number(float(marks[name]), name, where)
    except ValueError:
        raise wrong(f"{name} is {marks[name][:40]!r}", where, "write a number") from None


def _usage(line: Mapping[str, Any], marks: Mapping[str, str], where: str) -> Usage:
    tokens, spent = inner(line, "token_usage", dict, where), inner(line, "performance", dict, where)
    latency = amount(spent.get("latency_ms"), "latency_ms", where)
    first = amount(spent.get("time_to_first_token_ms"), "time_to_first_token_ms", where)
    return Usage(
        latency_s=None if latency is None else latency / 1000,
        first_token_s=None if first is None else first / 1000,
        tokens_in=count(tokens.get("input_tokens"), "input_tokens", where),
        tokens_cached=count(
            tokens.get("input_tokens_cache_read"), "input_tokens_cache_read", where
        ),
        tokens_out=count(tokens.get("output_tokens"), "output_tokens", where),
        billed_usd=amount(_marked(marks, "billed_usd", where), "billed_usd", where),
    )


def read(path: Path) -> EeeLog:
    """Open aggregates of Every Eval Ever: a ``.json``, or a folder with any number of them.

    The instances of an aggregate stand beside it, under the name that it gives.  Raises
    ``DataError`` A200 when a file is not of schema 0.3, or its checksum does not fit.
    """
    files = [path] if path.is_file() else below(path, "*.json")
    if not files:
        raise wrong("there is no .json in or below this folder", str(path), "name an aggregate")
    aggregates = [open_aggregate(file, is_named=path.is_file()) for file in files]
    agree(aggregates)
    return EeeLog(aggregates=aggregates)
