"""``assay``: take a command line to a page and an exit status."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import AssayError
from .bent import refuse_bent
from .commands import COMMANDS, first_screen, help_page, make_app, plugin_commands, version_page
from .failures import (
    error_facts,
    error_lines,
    from_parser,
    from_system,
    interrupted,
    unexpected,
    unknown_command,
)
from .page import Page, to_page
from .terminal import speak_utf8, write_json, write_lines

COMPLETE = "__complete"
"""What a shell's completion script says to ask for words."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command line without the options that every command takes."""

    words: tuple[str, ...]
    json: bool = False
    debug: bool = False

    @classmethod
    def of(cls, words: Sequence[str]) -> Call:
        """Read a command line; behind ``--`` nothing is an option.

        >>> Call.of(["run", "p.yaml", "--json"])
        Call(words=('run', 'p.yaml'), json=True, debug=False)
        """
        end = words.index("--") if "--" in words else len(words)
        before, after = words[:end], words[end:]
        return cls(
            words=(*(w for w in before if w not in ("--json", "--debug")), *after),
            json="--json" in before,
            debug="--debug" in before or os.environ.get("ASSAY_DEBUG", "0") not in ("", "0"),
        )


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 1 a command that judges says no; 2 your mistake; 3 ours or the machine's.
    """
    speak_utf8()
    call = Call.of(sys.argv[1:] if words is None else words)
    try:
        try:
            page = _answer(call)
            _write(page, call)
        except OSError as error:
            raise from_system(error) from error
        except KeyboardInterrupt as error:
            raise interrupted(call.words) from error
        except AssayError:
            raise
        except Exception as error:  # the outermost line of the program
            raise unexpected(error) from error
    except AssayError as error:
        _complain(error, call)
        return error.exit_code
    return page.code


def _answer(call: Call) -> Page:
    if not call.words:
        return first_screen()
    name = call.words[0]
    if name in ("--help", "-h"):
        return help_page()
    if name == "--version":
        return version_page()
    if name in COMMANDS:
        return _call(call, {})
    plugins = plugin_commands()
    if name not in plugins and name != COMPLETE:
        raise unknown_command(name, [*COMMANDS, *plugins, "--help", "--version"])
    return _call(call, plugins)


def _call(call: Call, plugins: Mapping[str, str]) -> Page:
    from cyclopts import CycloptsError

    app = make_app(plugins)
    try:
        command, bound, _ = app.parse_args(call.words, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        raise from_parser(error, call.words) from None
    if call.words[0] != COMPLETE:
        refuse_bent(app, call.words)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed) if call.json else contextlib.nullcontext():
        result = command(*bound.args, **bound.kwargs)
    if (page := to_page(result)) is not None:
        return page
    # Help prints itself, and so may a plugin's command, which then returns a status.
    code = result if isinstance(result, int) else 0
    return Page(lines=(), facts={"text": printed.getvalue()}, code=code)


def _write(page: Page, call: Call) -> None:
    if call.json:
        write_json(dict(page.facts), sys.stdout)
    elif page.lines:
        write_lines(page.lines, sys.stdout)


def _complain(error: AssayError, call: Call) -> None:
    if call.debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    try:
        if call.json:
            write_json(error_facts(error), sys.stdout)
        else:
            write_lines(error_lines(error), sys.stderr)
    except OSError:
        return  # nobody is left to tell; the exit status still does
