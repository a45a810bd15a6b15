"""Calls a Python function with many arguments and says what each call returned: this runs in the sandbox.

The line of ``SOURCE``, ``NAME``, ``GIVEN`` and ``EACH_S`` is replaced by theirs.
"""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import sys
from typing import Any

SOURCE, NAME, GIVEN, EACH_S = "", "", [""], 1.0


LOAD_S = 5.0
"""Seconds for the program to be loaded."""


class TooSlow(BaseException):
    """A call took too long: no ``except Exception`` of the program is to catch it."""


def late(*_: object) -> None:
    """Interrupt a call."""
    raise TooSlow


def plain(value: Any) -> Any:
    """Return a value as JSON has it; raises ``TypeError`` for what it has not."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        return [plain(each) for each in value]
    if kind in (set, frozenset):
        return sorted((plain(each) for each in value), key=json.dumps)
    if isinstance(value, dict):
        if not all(type(key) in (int, str) for key in value):
            raise TypeError("a table whose keys are no texts and no integers")
        return {str(key): plain(each) for key, each in value.items()}
    raise TypeError(f"a value of type {kind.__name__}")


def call(function: Any, given: str) -> dict[str, Any]:
    """Call a function once, and say what came of it."""
    arguments = ast.literal_eval(given)
    signal.setitimer(signal.ITIMER_REAL, EACH_S)
    try:
        returned = function(*arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TooSlow:
        return {"how": "slow"}
    except BaseException as error:  # noqa: BLE001  (whatever it raises, it refuses)
        return {"how": "raised", "what": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        return {"how": "returned", "what": plain(returned)}
    except (TypeError, RecursionError) as error:
        return {"how": "no JSON", "what": str(error)}


def main() -> None:
    """Load the program and make the calls."""
    out = os.dup(1)
    # What the program prints, and what it starts, is not what it returns.
    sys.stdout = io.StringIO()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGALRM, late)
    names: dict[str, Any] = {"__name__": "original"}
    signal.setitimer(signal.ITIMER_REAL, LOAD_S)
    exec(compile(SOURCE, "original.py", "exec", dont_inherit=True), names)  # noqa: S102  (it is in the sandbox)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for given in GIVEN:
        os.write(out, json.dumps(call(names[NAME], given)).encode() + b"\n")


if __name__ == "__main__":
    main()
