"""A submission, checked whole: its file, the board it goes to, and the files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .duplicates import duplicates
from .estimating import Guess, guess
from .folder import ENDINGS, submissions_of
from .looking import Look, Seen
from .notes import Level, Note, in_order, shown
from .sent import Submission
from .submission import Read, read_whole
from .suites import suite_of

SUITE = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found."""

    submission: Submission | None
    """None where errors leave too little of it."""

    notes: tuple[Note, ...]
    """Errors first, then warnings, then what publishing still needs; each by line."""

    seen: tuple[Seen, ...] = ()
    """The quantizations whose files were found."""

    guess: Guess | None = None
    skipped: tuple[str, ...] = ()
    """What was not checked, and why; a sentence each."""

    def of(self, level: Level) -> tuple[Note, ...]:
        """Return the notes of a level."""
        return tuple(note for note in self.notes if note.level == level)

    @property
    def is_valid(self) -> bool:
        """Whether a smoke run may begin."""
        return not self.of("error")

    @property
    def is_publishable(self) -> bool:
        """Whether a board may take it."""
        return self.is_valid and not self.of("publish")


def check(path: Path, *, board: Path | None = None, offline: bool = False) -> Checked:
    """Check a submission: everything that is wrong with it, at once.

    Without a ``board`` duplicates are not looked for; ``offline`` asks nobody, and looks only at files that
    are here.  No weights are fetched.  Raises ``PlanError`` A100 where there is no file, ``DataError`` A200
    where the board's registry cannot be read.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "m.yaml")
    >>> _ = file.write_text("model: {name: m, family: m, hf_repo: org/m, parameters: 4B, architecture: llama,"
    ...     " quantizations: [{name: F16, format: safetensors}]}")
    >>> [note.says for note in check(file, offline=True).of("error")]
    ["'4B' is not between 1M and 3B, which is what this board measures"]

    *Not to be trusted when* it was done ``offline``: ``skipped`` says what that leaves out.
    """
    read = read_whole(path)
    notes, skipped = _file(read, path, board), []
    if board is None:
        skipped.append("duplicates: name a board with --board")
    else:
        notes += duplicates(read, path, board)
    sent = read.submission
    if sent is None:
        return Checked(
            submission=None, notes=in_order([*read.notes, *notes]), skipped=tuple(skipped)
        )
    look = Look(read, path.parent)
    look.all(sent, offline=offline)
    notes += [*_told_once(read, look), *_runs(sent, read), *_local(sent, read)]
    seen = tuple(look.seen)
    return Checked(
        submission=sent,
        notes=in_order(notes),
        seen=seen,
        guess=guess(sent, suite_of(SUITE), seen),
        skipped=(*skipped, *look.skipped),
    )


def _told_once(read: Read, look: Look) -> Iterator[Note]:
    """Yield the notes of both; what a look says of a key that publishing needs is the better of two."""
    told = {note.key for note in look.notes if note.level == "publish"}
    yield from (note for note in read.notes if note.level != "publish" or note.key not in told)
    yield from look.notes


def _file(read: Read, path: Path, board: Path | None) -> list[Note]:
    """Return what is to be said of the file's own name."""
    notes = []
    if path.suffix not in ENDINGS:
        says = f"a board reads files that end in {' or '.join(ENDINGS)}"
        notes.append(
            Note(level="publish", line=1, key="", says=says, suggests="rename it to .yaml")
        )
    if board is None or read.submission is None:
        return notes
    inside = any(path.resolve() == each.resolve() for each in submissions_of(board))
    if inside and path.stem != read.submission.id:
        says = f"the file is called {shown(path.name)}, and the model {read.submission.id}"
        hint = f"rename it to {read.submission.id}{path.suffix}"
        notes.append(
            Note(level="publish", line=read.line("model.name"), key="", says=says, suggests=hint)
        )
    return notes


def _runs(sent: Submission, read: Read) -> list[Note]:
    """Say which quantizations no recipe here runs."""
    alone = all(each.format == "onnx" for each in sent.quantizations)
    return [
        Note(
            level="error" if alone else "warning",
            line=read.line(f"model.quantizations[{i}].format"),
            key=f"model.quantizations[{i}].format",
            says=f"{each.name} is not measured: no recipe here asks a model in ONNX",
            suggests="add one in gguf or safetensors",
        )
        for i, each in enumerate(sent.quantizations)
        if each.format == "onnx"
    ]


def _local(sent: Submission, read: Read) -> list[Note]:
    """Say which files nobody else can fetch."""
    return [
        Note(
            level="publish",
            line=read.line(f"model.quantizations[{i}].source"),
            key=f"model.quantizations[{i}].source",
            says=f"{each.name} is a file of yours, which nobody else can fetch",
            suggests=f"publish it in {sent.hf_repo}, and leave source: out",
        )
        for i, each in enumerate(sent.quantizations)
        if each.source is not None and each.source.startswith("file:")
    ]
