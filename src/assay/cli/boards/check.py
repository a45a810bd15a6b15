"""``assay board check``: everything that keeps a submission from the board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..page import Line, Page, Span, Style, faint, strong

if TYPE_CHECKING:
    from ...publish.board.checking import Checked
    from ...publish.board.notes import Level, Note

Flag = Annotated[bool, Parameter(negative="")]

_TITLES: dict[Level, tuple[str, Style]] = {
    "error": ("Errors", Style.BAD),
    "warning": ("Warnings", Style.UNSURE),
    "publish": ("Publishing still needs", Style.STRONG),
}


def check(file: Path, /, *, offline: Flag = False, board: Path | None = None) -> Page:
    """Say everything that keeps a submission from the board, each with its line and what to write.

    Exit status 1 where it has errors; 0 with warnings, and with what only publishing needs.

    Args:
        file: The submission, as models/submissions/my-model.yaml.
        offline: Ask nobody: check what can be checked here, and say what was not.
        board: The folder that has models/, to look for duplicates.  Without it the current folder, if it has one.
    """
    from ...publish.board.checking import check as look
    from ...publish.board.folder import board_folder

    here = board_folder(board) if board is not None or Path("models").is_dir() else None
    checked = look(file, board=here, offline=offline)
    return Page(lines=list(_lines(checked, file)), facts=_facts(checked), code=_code(checked))


def _code(checked: Checked) -> int:
    return 0 if checked.is_valid else 1


def _lines(checked: Checked, file: Path) -> Iterator[Line]:
    sent = checked.submission
    if sent is not None:
        from ...publish.board.parameters import spell_parameters

        count, many = len(sent.quantizations), "" if len(sent.quantizations) == 1 else "s"
        size = spell_parameters(sent.parameters)
        yield (strong(sent.name), f"  {sent.id}, {size}, {count} quantization{many}")
    for level, (title, style) in _TITLES.items():
        if notes := checked.of(level):
            yield from ("", Span(title, style))
            for note in notes:
                yield from _note(note, file)
    if checked.guess is not None and checked.guess.says:
        yield from ("", f"An estimate, and no measurement: {checked.guess.says}")
    if checked.skipped:
        yield from ("", "Not checked")
        yield from (f"  {each}" for each in checked.skipped)
    yield from ("", _verdict(checked, file))


def _note(note: Note, file: Path) -> Iterator[Line]:
    key = f"{note.key}: " if note.key else ""
    yield (faint(f"  {file.name}:{note.line}  "), f"{key}{note.says}")
    if note.suggests.endswith("\n"):
        yield from (f"      | {line}" for line in note.suggests.splitlines())
    elif note.suggests:
        yield f"      {note.suggests}"


def _verdict(checked: Checked, file: Path) -> Line:
    errors, missing = len(checked.of("error")), len(checked.of("publish"))
    if errors:
        return Span(f"No: {errors} error{'' if errors == 1 else 's'} to mend", Style.BAD)
    if missing:
        thing = "one thing is" if missing == 1 else f"{missing} things are"
        return f"Good enough to try here (assay board plan {file}); {thing} missing to publish it"
    far = ", as far as was checked" if checked.skipped else ""
    return Span(f"Nothing keeps it from the board{far}", Style.GOOD)


def _facts(checked: Checked) -> dict[str, object]:
    sent, guess = checked.submission, checked.guess
    return {
        "valid": checked.is_valid,
        "publishable": checked.is_publishable,
        "notes": [note.facts for note in checked.notes],
        "model": None
        if sent is None
        else {
            "id": sent.id,
            "name": sent.name,
            "family": sent.family,
            "parameters": sent.parameters,
            "hf_repo": sent.hf_repo,
            "revision": sent.revision,
            "license": sent.license,
            "quantizations": [each.name for each in sent.quantizations],
            "categories": list(sent.categories),
        },
        "files": [
            {
                "quantization": each.quantization.name,
                "source": each.place.source,
                "files": [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in each.files],
                "parameters": each.weights.parameters if each.weights else None,
            }
            for each in checked.seen
        ],
        "estimate": None
        if guess is None
        else {"bytes": guess.bytes, "minutes": guess.minutes, "usd": guess.usd},
        "skipped": list(checked.skipped),
    }
