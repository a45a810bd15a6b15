"""Turn whatever was raised into an error that says what, where, and what to try."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.errors import AssayError, PlanError, RunError
from .page import Line, Span, Style, faint

if TYPE_CHECKING:
    from cyclopts import CycloptsError


def usage(what: str, hint: str) -> PlanError:
    """Return the error of a wrong command line."""
    return PlanError(what, hint=hint, code="A106")


def unknown_command(word: str, known: Sequence[str]) -> PlanError:
    """Return the error of a command that does not exist, with the nearest one that does."""
    shown = [name for name in known if not name.startswith("-")]
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    kind = "option" if word.startswith("-") else "command"
    others = "`assay --help` lists them" if kind == "option" else f"use one of: {', '.join(shown)}"
    hint = f"did you mean {close[0]!r}?" if close else others
    if os.path.exists(word) and not close:  # noqa: PTH110  (a word, perhaps no path at all)
        hint = f"say what to do with it, for example `assay run {shlex.quote(word)}`"
    return usage(f"there is no {kind} {word!r}", hint)


def from_parser(error: CycloptsError, words: Sequence[str]) -> PlanError:
    """Return what the parser of command lines found, as an error of ours."""
    from cyclopts import (
        CoercionError,
        MissingArgumentError,
        RepeatArgumentError,
        UnknownOptionError,
        UnusedCliTokensError,
        ValidationError,
    )

    command = " ".join(error.command_chain or ()) or words[0]
    hint = f"`assay {command} --help` lists what it takes"
    argument = error.argument
    match error:
        case UnknownOptionError():
            word = error.token.keyword or error.token.value
            known = [name for a in error.argument_collection for name in a.names]
            known += ["--json", "--debug", "--help"]
            close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
            if close:
                hint = f"did you mean {close[0]!r}?  {hint}"
            return usage(f"assay {command} has no option {word!r}", hint)
        case UnusedCliTokensError():
            extra = " ".join(map(repr, error.unused_tokens or []))
            return usage(f"assay {command} does not know what to do with {extra}", hint)
        case RepeatArgumentError():
            return usage(f"{error.token.keyword} is given twice", "keep one of them")
        case MissingArgumentError() if argument is not None:
            name = argument.name
            what = f"needs {name}" if not name.startswith("-") else f"needs a value after {name}"
            return usage(f"assay {command} {what}", hint)
        case CoercionError() | ValidationError():
            return usage(f"assay {command}: {_lower(str(error))}", hint)
        case _:
            return usage(f"assay {command}: {error}", hint)


def interrupted(words: Sequence[str]) -> RunError:
    """Return the error of a person who pressed Ctrl-C."""
    again = shlex.join(["assay", *words])
    if words and words[0] == "run":
        what, hint = "interrupted; every reply so far is kept", f"resume with: {again}"
    else:
        what, hint = "interrupted", f"begin again with: {again}"
    return RunError(what, hint=hint, code="A502")


def from_system(error: OSError) -> RunError:
    """Return what the operating system refused, as an error of ours."""
    return RunError(
        f"the machine said no: {error.strerror or error}",
        where=os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "",
        hint="free some space, mend the permission or name another folder; then try again",
    )


def unexpected(error: Exception) -> RunError:
    """Return an error of ours for what should never have happened."""
    if isinstance(error, MemoryError):
        return RunError(
            "there is not enough memory",
            hint="use fewer --workers, or a --limit",
        )
    said = str(error).partition("\n")[0]
    return RunError(
        f"this should not have happened: {type(error).__name__}: {said}",
        hint="say the same with --debug (or ASSAY_DEBUG=1) to see where, and report it",
        code="A000",
    )


def error_lines(error: AssayError) -> list[Line]:
    """Return an error for people."""
    lines: list[Line] = [(Span(error.code, Style.BAD), " ", error.what)]
    if error.where:
        lines.append(f"  at: {error.where}")
    if error.hint:
        lines.append(f"  try: {error.hint}")
    lines.append(faint(f"  more: assay explain {error.code}"))
    return lines


def error_facts(error: AssayError) -> dict[str, Any]:
    """Return an error for programs."""
    return {
        "error": {
            "code": error.code,
            "what": error.what,
            "where": error.where,
            "hint": error.hint,
        }
    }


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
