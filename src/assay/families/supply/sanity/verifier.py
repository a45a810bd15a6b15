"""What tells a right answer of ``supply.sanity``: each check can fail, and no answer passes them all.

*Covered*: an answer that lists every possibility; one that is right and goes on; code that does not end,
prints a lot or ends early, which is run in the sandbox.  *Not covered*: code that is written to deceive the
assertions it is run with.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay import Answer, AssayError, Check, Crash, Reply, Sample
from assay.sandbox import Ended, Limits, run_python

LIMITS = Limits(wall_s=5.0, cpu_s=5.0, memory_mb=512, output_kb=64)
LONGEST = 20_000
"""Characters of an answer that are looked at."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w])")
_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9_+-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_EDGES = " \t\r\n.!\"'`*"


@dataclass(frozen=True, slots=True)
class Sane:
    """Right when the check of the sample finds the answer right.

    ``exact``: the answer is an accepted text, case and the marks around it aside.  ``number``: the only
    number in it, or the last one behind ``=``, is the right one.  ``names``: an accepted name occurs as whole words, and no rival.
    ``pattern``: the whole answer has the form.  ``json``: the whole answer, or its one fenced block, is the value.
    ``program``: the Python in it passes the tests in the sandbox.  Evidence: what was read, and why it is wrong.

    A ``Crash`` where no sandbox works: that says nothing of the answer.
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Check each answer; programs run together, each in a process of its own."""
        asked = [_asked(sample, reply) for sample, reply in batch]
        programs = [each for each in asked if isinstance(each, _Program)]
        ran = iter(_run(programs))
        for each in asked:
            yield _judged(each, next(ran)) if isinstance(each, _Program) else each


@dataclass(frozen=True, slots=True)
class _Program:
    code: str
    source: str
    mark: str


def text_of(reply: Reply) -> str | None:
    """Return the text that a reply says; of a right answer, which is a mapping, its ``right``."""
    said = reply.said
    value = said.value if isinstance(said, Answer) else None
    if isinstance(value, Mapping):
        value = value.get("right")
    return value[:LONGEST] if isinstance(value, str) else None


def _asked(sample: Sample, reply: Reply) -> Check | Crash | _Program:
    target = sample.target
    if not isinstance(target, Answer) or not isinstance(target.value, Mapping):
        return Crash("no_target", f"sample {sample.id!r} has no check")
    truth: Mapping[str, Any] = target.value
    text = text_of(reply)
    if text is None:
        return Check(passed=False, evidence={"why": "the answer is no text"})
    match truth["check"]:
        case "program":
            return _program(text, truth["tests"])
        case "exact":
            said = _plain(text)
            passed = said in {_plain(each) for each in truth["accepted"] or [truth["right"]]}
            return _found(passed, said)
        case "number":
            return _number(text, truth["right"])
        case "names":
            return _names(text, truth["accepted"], truth["rivals"])
        case "pattern":
            return _found(re.fullmatch(truth["pattern"], text.strip()) is not None, text.strip())
        case "json":
            return _json(text, truth["json"])
        case other:
            return Crash("no_check", f"sample {sample.id!r} has the check {other!r}")


def _found(passed: bool, read: str, why: str = "") -> Check:  # noqa: FBT001  (the verdict itself)
    evidence = {"read": read[:500]} | ({} if passed else {"why": why or "it is another"})
    return Check(passed=passed, evidence=evidence)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(_EDGES).casefold()


def _number(text: str, right: str) -> Check:
    numbers = [float(each.replace(",", "")) for each in _NUMBER.findall(text)]
    if "=" in text:
        numbers = numbers[-1:]
    read = ", ".join(f"{each:g}" for each in numbers)
    if len(set(numbers)) != 1:
        return _found(passed=False, read=read, why="it has no number, or several")
    return _found(numbers[0] == float(right), read)


def _names(text: str, accepted: Sequence[str], rivals: Sequence[str]) -> Check:
    said = unicodedata.normalize("NFKC", text).casefold()

    def occurring(names: Sequence[str]) -> list[str]:
        return [n for n in names if re.search(rf"(?<!\w){re.escape(n.casefold())}(?!\w)", said)]

    right, others = occurring(accepted), occurring(rivals)
    why = f"it names {', '.join(others)}" if others else "no accepted name occurs"
    return _found(bool(right) and not others, ", ".join([*right, *others]), why)


def _json(text: str, wanted: Any) -> Check:
    fenced = _FENCE.findall(text)
    bare = fenced[0][1] if len(fenced) == 1 else text
    try:
        said = json.loads(bare)
    except (ValueError, RecursionError) as error:
        return _found(passed=False, read=text, why=f"it is no JSON: {error}")
    same = json.dumps(said, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    return _found(same, bare.strip(), "it is another value")


def _program(text: str, tests: str) -> _Program:
    fenced = _FENCE.findall(text)
    python = [code for name, code in fenced if name.lower() in ("python", "py", "python3", "")]
    bare = text.partition("```")[0]  # an answer that begins inside of a fence may end it
    code = max(python, key=len) if python else ("" if fenced else bare)
    # Printed behind the tests: a program that ends before them, or prints what it likes, lacks it.
    mark = secrets.token_hex(16)
    return _Program(code, f"{code}\n\n{tests}\nprint({mark!r})\n", mark)


def _run(programs: Sequence[_Program]) -> Sequence[Ended | Crash]:
    if not programs:
        return []
    try:
        return run_python([program.source for program in programs], limits=LIMITS)
    except AssayError as error:
        return [Crash("no_sandbox", str(error))] * len(programs)


def _judged(program: _Program, ended: Ended | Crash) -> Check | Crash:
    if isinstance(ended, Crash):
        return ended
    lines = ended.stdout.decode(errors="replace").splitlines()
    passed = ended.well and bool(lines) and lines[-1] == program.mark
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    why = said[-1] if said else str(ended.how)
    return _found(passed, program.code, why[:300])
