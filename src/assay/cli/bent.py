"""Words of a command line that the parser would take for something else than what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .failures import usage

if TYPE_CHECKING:
    from cyclopts import App


def refuse_bent(app: App, words: Sequence[str]) -> None:
    """Raise ``PlanError`` A106 for a whole number with a fraction, and for a path that is empty.

    The parser rounds the one, and takes the other for the folder in which one stands: a variable
    that a script forgot to set would then write there.
    """
    if not any("." in word or not word or word.endswith("=") for word in words):
        return
    chain, apps, left = app.parse_commands(words)
    arguments = apps[-1].assemble_argument_collection(parse_docstring=False)
    typed = {name: argument.hint for argument in arguments for name in argument.names}
    command = " ".join(("assay", *chain))
    for name, value in _given(left, typed):
        if not value and _holds(typed[name], Path):
            raise usage(
                f"{command}: {name} is empty",
                "name a file or a folder; `.` is the folder where you are",
            )
        if _holds(typed[name], int) and not _holds(typed[name], float) and _has_fraction(value):
            raise usage(
                f"{command}: {name} takes a whole number, not {value!r}", "write it without a point"
            )


def _given(words: Sequence[str], typed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each value with the name of the option, or of the argument, that takes it."""
    places = [name for name in typed if not name.startswith(("-", "*"))]
    at, only_values, rest = 0, False, iter(words)
    for word in rest:
        name, is_pair, value = word.partition("=")
        if only_values or not word.startswith("-") or word == "-":
            if places:
                yield places[min(at, len(places) - 1)], word  # the last may take several
                at += 1
        elif word == "--":
            only_values = True
        elif is_pair and name in typed:
            yield name, value
        elif name in typed and typed[name] is not bool and (after := next(rest, None)) is not None:
            yield name, after


def _holds(hint: Any, kind: type) -> bool:
    return hint is kind or any(_holds(part, kind) for part in get_args(hint))


def _has_fraction(value: str) -> bool:
    try:
        return not float(value).is_integer()
    except ValueError:
        return False  # the parser has said so
