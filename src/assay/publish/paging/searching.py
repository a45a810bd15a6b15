"""Which samples have a text in them: their lines are read one after the other, and few are decoded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.reply import Answer, Bottom
from ...core.sample import Sample
from ...store.samples import sample_of


def matching(
    path: Path, starts: NDArray[np.int64], among: NDArray[np.bool_], text: str
) -> NDArray[np.bool_]:
    """Return which samples of a file have a text, upper or lower case; others are not looked at."""
    found = np.zeros(len(starts), dtype=np.bool_)
    wanted = text.lower()
    rows = np.flatnonzero(among)
    # A text that JSON writes as it is stands in the line itself, upper or lower case.
    plain = wanted.encode() if wanted.isascii() and json.dumps(wanted)[1:-1] == wanted else b""
    with path.open("rb") as file:
        # In the order of the file: a disk reads forwards.
        for row in rows[np.argsort(starts[rows], kind="stable")].tolist():
            file.seek(starts[row])
            raw = file.readline()
            if plain in raw.lower() and wanted in said(sample_of(raw)):
                found[row] = True
    return found


def said(sample: Sample) -> str:
    """Return the words of a sample, in lower case."""
    match sample.target:
        case Answer(value):
            target = _text(value)
        case Bottom(reason):
            target = reason
        case None:
            target = ""
    return "\n".join((sample.id, _text(sample.input), target)).lower()


def _text(value: object) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    )
