"""Files of labelled prompts, audited and divided: what the commands call."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import AssayError, DataError, PlanError, Sample

from ..audits.audit import Audit, Looks, audit, compared
from ..audits.facts import audit_facts
from ..audits.report import markdown
from ..encoders.files import locate_encoder
from ..table import Columns, Row, read_rows, read_table
from ..tasks.csv import ALIKE, SHARES, make

MOST_FILLERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which file is audited, and how."""

    path: Path
    columns: Columns
    looks: Looks
    fillers: Path | None = None
    """A text file with one word or phrase on each line: masked like numbers."""

    encoder: Path | str | None = None
    """Also look for prompts that an encoder finds alike, and let it vote and be left out."""


def audit_file(asked: Asked, *, say: Callable[[str], None] = lambda _: None) -> Audit:
    """Audit a file of labelled prompts, contradictions and duplicates included.

    Raises ``DataError`` A200 with the line for a row that cannot be read, ``PluginError`` A401 or
    A403 for an encoder that is not there.
    """
    fillers = () if asked.fillers is None else _words(asked.fillers)
    if asked.encoder is not None:
        locate_encoder(asked.encoder)  # what is wrong with it is told before an hour of reading
    rows = list(read_rows(asked.path, asked.columns))
    if not rows:
        raise DataError(
            "the file has no rows", where=str(asked.path), hint="give prompts with their labels"
        )
    looks = replace(asked.looks, fillers=fillers)
    if asked.encoder is not None:
        some = compared(rows, seed=looks.seed)
        say(f"embedding {len(some):,} prompts with {asked.encoder}")
        looks = replace(looks, vectors=_embedded(some, asked.encoder))
    return audit(rows, looks)


def _words(path: Path) -> tuple[str, ...]:
    try:
        found = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else "not UTF-8") or str(error)
        raise DataError(
            f"the fillers cannot be read: {why}",
            where=str(path),
            hint="give a text file with one word or phrase on each line",
        ) from None
    if len(found) > MOST_FILLERS:
        raise DataError(
            f"{len(found):,} fillers are more than {MOST_FILLERS:,}",
            where=str(path),
            hint="list what was filled into templates, not every word",
        )
    return tuple(word for word in found if word)


def _embedded(rows: Sequence[Row], encoder: Path | str) -> NDArray[np.float32]:
    from ..encoders.encoder import matrix
    from ..encoders.opening import open_encoder

    found = matrix(open_encoder(encoder), [row.prompt for row in rows])
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (found / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled


def write_audit(found: Audit, name: str, out: Path) -> tuple[Path, ...]:
    """Write ``audit.json`` and ``report.md`` into a folder; return their paths."""
    texts = {
        "audit.json": json.dumps(audit_facts(found), indent=1, ensure_ascii=True) + "\n",
        "report.md": markdown(found, name),
    }
    return _write(out, texts, replace_them=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """A split by groups, written."""

    files: tuple[Path, ...]
    samples: Mapping[str, int]
    groups: Mapping[str, int]
    labels: Mapping[str, int]
    duplicates: int


def divide_file(path: Path, columns: Columns, *, seed: int, out: Path) -> Divided:
    """Write a split of a file's groups into ``out``: ``split.csv`` and ``split.json``.

    Groups are given by a column, or are clusters of near-duplicates; they are assigned at random
    within each label, 40 % train, 10 % tune, 25 % calibration, 25 % test.  A column with a split is
    not read: this makes another one.  Equal files and seeds give equal bytes.

    Raises ``DataError`` A200 / A201 like ``intent.csv``, ``PlanError`` A106 when a file exists.
    """
    table = read_table(path, replace(columns, split=None))
    made = make(table, seed=seed)
    rows = {row.line: row for row in table.rows}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("prompt", "label", "group", "split"))
    for split, samples in made.splits.items():
        for sample in samples:
            row = rows[int(sample.id.removeprefix("line/"))]
            writer.writerow((row.prompt, row.label or "none", sample.group, split))
    divided = {split: _counted(samples) for split, samples in made.splits.items()}
    facts = {
        "format": "assay.intent.split/1",
        "source": hashlib.sha256(path.read_bytes()).hexdigest(),
        "seed": seed,
        "alike": None if columns.group else ALIKE,
        "shares": SHARES,
        "duplicates_left_out": table.duplicates,
        "parts": divided,
    }
    texts = {"split.csv": text.getvalue(), "split.json": json.dumps(facts, indent=1) + "\n"}
    return Divided(
        files=_write(out, texts, replace_them=False),
        samples={split: part["samples"] for split, part in divided.items()},
        groups={split: part["groups"] for split, part in divided.items()},
        labels={split: part["labels"] for split, part in divided.items()},
        duplicates=table.duplicates,
    )


def _counted(samples: Sequence[Sample]) -> dict[str, int]:
    labels = Counter(str(sample.target) for sample in samples)
    return {
        "samples": len(samples),
        "groups": len({sample.group for sample in samples}),
        "labels": len(labels),
    }


def _write(out: Path, texts: Mapping[str, str], *, replace_them: bool) -> tuple[Path, ...]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (out / name).open(
                "w" if replace_them else "x", encoding="utf-8", newline=""
            ) as file:
                file.write(text)
    except FileExistsError as error:
        raise PlanError(
            "the file exists already; it is left as it is",
            where=str(error.filename),
            hint="give another folder with --out",
            code="A106",
        ) from None
    except OSError as error:
        raise AssayError(
            f"the files cannot be written: {error.strerror or error}",
            where=str(out),
            hint="name a folder of yours with --out",
            code="A500",
        ) from None
    return tuple(out / name for name in texts)
