"""Records in a CSV: one line per system, sample and seed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from pathlib import Path

from ...core.record import Cell
from ...core.reply import Answer, Bottom, Failed, Reply, Said, Usage
from ...core.sample import Sample
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from ...engine.overrides import nearest
from .reading import LARGEST, MAX_LINE, MEGA, reading, wrong

COLUMNS = {
    "system": "who was asked",
    "sample": "the question's id",
    "correct": "1 or true, 0 or false; withheld; failed",
    "score": "instead of correct, or beside it: a number from 0 to 1",
    "task": "the question set",
    "group": "samples that share one are not independent",
    "seed": "a whole number",
    "cost": "dollars that were billed for the reply",
    "seconds": "from question to reply",
    "tokens_in": "tokens that were read",
    "tokens_out": "tokens that were written",
    "tokens": "the same as tokens_out",
}
ANSWERED = Answer(None)
"""It answered; the file does not say what."""

RIGHT, NOT_RIGHT = (ANSWERED, Check(passed=True)), (ANSWERED, Check(passed=False))
WORDS: Mapping[str, tuple[Said, Check | None]] = {
    "1": RIGHT,
    "1.0": RIGHT,
    "true": RIGHT,
    "0": NOT_RIGHT,
    "0.0": NOT_RIGHT,
    "false": NOT_RIGHT,
    "withheld": (Bottom("withheld"), None),
    "failed": (Failed("failed"), None),
}
MAX_CELL = 10 * MEGA
MAX_SEED = 20
"""Digits."""
SEPARATORS = {";": "';'", "\t": "tab", "|": "'|'"}
"""What spreadsheets write where a comma is expected, and how it is said on the command line."""


@dataclass(slots=True)
class _Rows:
    """The lines of a file, for as long as no row takes too many of them: a row is in memory whole."""

    text: TextIOWrapper
    since: int = 0
    """Characters of the row that is read."""

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> str:
        line = self.text.readline(MAX_LINE + 1)
        self.since += len(line)
        if self.since > MAX_LINE:
            raise csv.Error(f"a row is longer than {MAX_LINE // MEGA} MB")
        if not line:
            raise StopIteration
        return line


@dataclass(slots=True, kw_only=True)
class CsvLog:
    """A CSV file with a head line."""

    path: Path
    task: str
    delimiter: str
    tool: str = "csv"
    where: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    lower: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    cells: dict[tuple[str, str, str], Cell] = field(default_factory=dict)
    """Task, system and seed as they are written: a million lines have few."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def numbers(self) -> Iterator[Number]:
        """Yield nothing: every line is a record."""
        yield from ()

    def rows(self) -> Iterator[Row]:
        """Yield every line.  Raises ``DataError`` A200 with the line."""
        csv.field_size_limit(MAX_CELL)
        with reading(self.path), self.path.open("rb") as raw:
            text = TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="")
            rows = _Rows(text)
            lines = csv.reader(rows, delimiter=self.delimiter, strict=True)
            number = 1
            try:
                head = self._head(next(lines, []))
                number = lines.line_num + 1
                for cells in lines:
                    rows.since = 0
                    if cells:
                        self.where = f"{self.path}:{number}"
                        yield self._row(head, cells)
                    number = lines.line_num + 1
            except csv.Error as error:
                what, hint = f"this is not CSV: {error}", "look at the quotes near this line"
                raise wrong(what, f"{self.path}:{number}", hint) from None
            except UnicodeDecodeError:
                hint = "save the file as UTF-8 (UTF-16 and Latin-1 are not read)"
                raise wrong("this is not UTF-8", f"{self.path}:{number}", hint) from None

    def _head(self, cells: list[str]) -> dict[str, int]:
        where = f"{self.path}:1"
        head = {cell.strip().lower(): i for i, cell in enumerate(cells)}
        if not cells:
            hint = f"the first line names the columns: {','.join(list(COLUMNS)[:3])}"
            raise wrong("the file is empty", where, hint)
        if len(head) != len(cells):
            names = [cell.strip().lower() for cell in cells]
            twice = next(n for i, n in enumerate(names) if n in names[:i])
            raise wrong(f"two columns are called {twice!r}", where, "keep one of them")
        for sign, said in SEPARATORS.items():
            if len(cells) == 1 and sign in cells[0]:
                what = f"there is one column, {cells[0][:40]!r}"
                raise wrong(what, where, f"its separator is another one: --set delimiter={said}")
        for name in head:
            if name not in COLUMNS:
                raise wrong(f"unknown column {name!r}", where, nearest(name, list(COLUMNS)))
        for name in ("system", "sample"):
            if name not in head:
                hint = f"it has {', '.join(head)}; another separator is --set delimiter=';'"
                raise wrong(f"the column {name!r} is missing", where, hint)
        if "correct" not in head and "score" not in head:
            raise wrong("the column 'correct' is missing", where, "add it, or a column 'score'")
        if "tokens" in head and "tokens_out" in head:
            raise wrong("'tokens' and 'tokens_out' say the same", where, "keep one of them")
        return head

    def _row(self, head: Mapping[str, int], cells: list[str]) -> Row:
        if len(cells) != len(head):
            what = f"{len(cells)} cells where the head has {len(head)}"
            raise wrong(what, self.where, "put texts with a separator into quotes")
        given = {name: cells[i].strip() for name, i in head.items()}
        for name in ("system", "sample", "correct", "task"):
            if name in given and not given[name]:
                raise wrong(f"the column {name!r} is empty", self.where, "fill it in")
        score = self._score(given["score"]) if given.get("score") else None
        said, check = self._said(given.get("correct"), score)
        named = given.get("task", self.task), given["system"], given.get("seed", "")
        cell = self.cells.get(named)
        if cell is None:
            task, system, seed = named
            cell = Cell(task=task, system=system, seed=self._seed(seed), split="test")
            self.cells[named] = cell
        # There is a right answer, though the file does not say which; of a score there is none.
        target = ANSWERED if "correct" in head else None
        sample = Sample(id=given["sample"], input=None, target=target, group=given.get("group", ""))
        usage = Usage(
            billed_usd=self._amount(given, "cost"),
            latency_s=self._amount(given, "seconds"),
            tokens_in=self._count(given, "tokens_in"),
            tokens_out=self._count(given, "tokens_out" if "tokens_out" in given else "tokens"),
        )
        return cell, sample, Reply(sample.id, said, usage), check

    def _said(self, word: str | None, score: float | None) -> tuple[Said, Check | None]:
        scores = {} if score is None else {"score": score}
        if word is None:
            if score is None:
                raise wrong("the column 'score' is empty", self.where, "fill it in")
            return ANSWERED, Check(passed=None, scores=scores)
        found = WORDS.get(word.lower())
        if found is None:
            hint = "write 1, 0, true, false, withheld or failed; a share goes into a column 'score'"
            raise wrong(f"correct is {word!r}", self.where, hint)
        said, check = found
        return said, replace(check, scores=scores) if check and scores else check

    def _score(self, text: str) -> float:
        found = self._number("score", text)
        if not 0 <= found <= 1:
            raise wrong(f"score is {text}, not from 0 to 1", self.where, "divide by its maximum")
        return found

    def _seed(self, text: str) -> int:
        if not text:
            return 0
        known = text.isascii() and text.isdigit() and len(text) <= MAX_SEED
        if not known or int(text) >= 2**32:
            raise wrong(f"seed is {text[:40]!r}", self.where, "write a whole number from 0 upwards")
        return int(text)

    def _amount(self, given: Mapping[str, str], name: str) -> float | None:
        text = given.get(name, "")
        if not text:
            return None
        found = self._number(name, text)
        if found < 0:
            raise wrong(f"{name} is {text}: it cannot be negative", self.where, "mend the line")
        return found

    def _count(self, given: Mapping[str, str], name: str) -> int | None:
        found = self._amount(given, name)
        if found is not None and (found != int(found) or found >= 2**53):
            raise wrong(f"{name} is {given[name]}, which is no count", self.where, "mend the line")
        return None if found is None else int(found)

    def _number(self, name: str, text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not abs(found) < LARGEST or "_" in text:
            hint = "write a number with a point; leave the cell empty where nothing was measured"
            raise wrong(f"{name} is {text!r}, which is no finite number", self.where, hint)
        return found


def read(path: Path, *, task: str = "", delimiter: str = ",") -> CsvLog:
    """Open a CSV: columns system, sample, correct and optionally score, task, group, seed, cost ...

    Raises ``DataError`` A200 with the line, also while rows are read.
    """
    if path.is_dir():
        raise wrong("this is a folder, not a CSV file", str(path), "name one file")
    names = {"tab": "\t", "\\t": "\t"}
    delimiter = names.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise wrong(f"{delimiter!r} is no separator", str(path), "for example --set delimiter=tab")
    return CsvLog(path=path, task=task or path.stem, delimiter=delimiter)
