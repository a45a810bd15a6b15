"""A submission is read from its file, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import PlanError
from ...engine.document import Document, parse_document
from .notes import Note, in_order
from .reading import Reading
from .sent import Quantization, Submission, Wishes
from .told import Told

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A submission as it was read, with where each of its keys stands."""

    submission: Submission | None
    """None where an error leaves too little of it."""

    notes: tuple[Note, ...]
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, key: str) -> int:
        """Return the line of a key, or of the nearest one that contains it."""
        while key not in self.lines and key:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.lines.get(key, 1)


def read_submission(path: Path) -> tuple[Submission | None, tuple[Note, ...]]:
    """Read a submission: everything that is wrong with it at once; None where that is too much.

    The file is data: YAML of at most 64 KiB, without anchors, aliases, tags and keys that come twice.
    Raises ``PlanError`` A100 where there is no such file.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "m.yaml")
    >>> _ = file.write_text("model: {name: m, family: m, hf_repo: org/m, parameters: 1M, architecture: llama,"
    ...     " quantizations: [{name: F16, format: safetensors}]}")
    >>> submission, notes = read_submission(file)
    >>> submission.id, submission.parameters, [note.key for note in notes if note.level == "publish"]
    ('m', 1000000, ['model.hf_revision', 'model.license', 'model.submitted_by'])
    """
    read = read_whole(path)
    return read.submission, read.notes


def read_whole(path: Path) -> Read:
    """Read a submission with the lines of its keys.  Raises ``PlanError`` A100 where there is no file."""
    document = _document(path)
    if isinstance(document, Note):
        return Read(submission=None, notes=(document,))
    lines = {_key(place): line for place, line in document.lines.items()}
    if not isinstance(document.value, dict):
        says = "a submission is a mapping" if document.value is not None else "the file is empty"
        note = Note(level="error", line=1, key="", says=says, suggests="begin with `model:`")
        return Read(submission=None, notes=(note,), lines=lines)
    told = Told(lines=lines)
    submission = Reading(told).submission(document.value)
    return Read(submission=submission, notes=in_order(told.notes), lines=lines)


def _document(path: Path) -> Document | Note:
    """Return the file's values, or the error that keeps them from being read."""
    if not path.is_file():
        raise PlanError(
            "there is no such file" if not path.exists() else "it is no file that could be read",
            where=str(path),
            hint="name a submission, as models/submissions/my-model.yaml",
            code="A100",
        )
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        says = f"the file has more than {MOST_BYTES:,} bytes"
        return Note(level="error", line=1, key="", says=says, suggests="leave out what is no key")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        says = f"byte {error.start} is not UTF-8"
        return Note(level="error", line=line, key="", says=says, suggests="save it as UTF-8")
    try:
        return parse_document(text, path)
    except PlanError as error:
        line_text = error.where.rpartition(":")[2]
        line = int(line_text) if line_text.isdecimal() else 1
        suggests = "write the value out" if error.code == "A105" else error.hint
        return Note(level="error", line=line, key="", says=error.what, suggests=suggests)
    except RecursionError:
        says = "it is nested too deep"
        return Note(level="error", line=1, key="", says=says, suggests="write a flatter file")


def _key(place: tuple[str | int, ...]) -> str:
    """Return a place as notes write it.

    >>> _key(("model", "quantizations", 0, "file"))
    'model.quantizations[0].file'
    """
    key = ""
    for part in place:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return key


__all__ = [
    "MOST_BYTES",
    "Note",
    "Quantization",
    "Read",
    "Submission",
    "Wishes",
    "read_submission",
    "read_whole",
]
