"""Programs that speak: prompt in, answer out, held in time and output."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assay import Answer, Crash, Failed, PlanError, PluginError, Question, Reply
from assay.engine.plugins import make_recipe
from assay.families.lm.prompted.command import Command

ECHO = "import sys; print('said', sys.stdin.read())"


def ask(code: str, text: str = "hi", **options: Any) -> Reply:
    recipe = Command(argv=(sys.executable, "-c", code), **options)
    system = recipe.build([], [], seed=0, workdir=Path()).system
    [reply] = system.answer([Question(id="q", input=text, attempt=2, seed=5)])
    return reply


def test_the_prompt_goes_in_and_the_answer_comes_out() -> None:
    reply = ask(ECHO, "é 🦀", system="Be brief.")
    assert reply.said == Answer("said Be brief.\n\né 🦀")
    assert (reply.attempt, reply.usage.calls) == (2, 1)
    assert reply.usage.cut is None  # a program does not say why it ended: 0 would be made up
    assert reply.evidence["prompt"] == "Be brief.\n\né 🦀"
    assert reply.evidence["finish"] == "stop"


def test_settings_are_handed_over() -> None:
    code = "import os; print([os.environ['ASSAY_' + n] for n in ('TEMPERATURE', 'MAX_TOKENS')])"
    assert ask(code, temperature=0.5, max_tokens=7).said == Answer("['0.5', '7']")
    seeds = {str(ask("import os; print(os.environ['ASSAY_SEED'])", t).said) for t in ("a", "a")}
    assert len(seeds) == 1


def test_a_program_that_does_not_end_is_ended_with_its_children() -> None:
    code = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)\n"
        "time.sleep(60)"
    )
    start = time.monotonic()
    reply = ask(code, timeout_s=1.0)
    assert time.monotonic() - start < 20
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "timeout"
    with suppress(ProcessLookupError):  # it is gone
        child = os.pidfd_open(int(reply.evidence["answer"]))
        assert select.select([child], [], [], 20)[0], "the child lives on"
        os.close(child)


def test_a_program_ends_when_the_process_that_asks_is_killed(tmp_path: Path) -> None:
    # The engine kills a worker's group, and the program is in a group of its own.
    told = tmp_path / "pid"
    program = (
        f"import os, time; open({str(told)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    )
    asking = f"""
import sys
from pathlib import Path
from assay import Question
from assay.families.lm.prompted.command import Command
recipe = Command(argv=(sys.executable, "-c", {program!r}), timeout_s=50.0)
system = recipe.build([], [], seed=0, workdir=Path()).system
list(system.answer([Question(id="q", input="hi")]))
"""
    asker = subprocess.Popen([sys.executable, "-c", asking], start_new_session=True)
    try:
        assert within(20, lambda: told.exists() and told.read_text().endswith("\n"))
    finally:
        os.killpg(asker.pid, signal.SIGKILL)
        asker.wait()
    there = Path("/proc") / told.read_text().strip() / "stat"
    assert within(10, lambda: not there.exists() or there.read_text().split()[2] == "Z")


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def test_output_without_end_is_bounded() -> None:
    reply = ask("while True: print('x' * 100000)")
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "too_long"


def test_an_exit_status_is_a_failure_that_says_why() -> None:
    reply = ask("import sys; print('half'); print('no key 🦀', file=sys.stderr); sys.exit(3)")
    assert isinstance(reply.said, Failed)
    assert (reply.said.why, reply.said.detail) == ("exit_3", "no key 🦀")
    assert reply.evidence["stderr"] == "no key 🦀"


def test_much_on_standard_error_does_not_block() -> None:
    reply = ask("import sys; print('e' * 10**6, file=sys.stderr); print('done')")
    assert reply.said == Answer("done")
    assert len(reply.evidence["stderr"]) <= 20_000


def test_a_program_that_says_nothing_or_does_not_read_is_what_it_is() -> None:
    assert isinstance(ask("pass", "x" * 10**6).said, Failed)
    assert ask("print('deaf')", "x" * 10**6).said == Answer("deaf")


def test_a_program_that_vanishes_is_a_crash_of_ours(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\necho hi\n")
    script.chmod(0o755)
    system = Command(argv=(str(script),)).build([], [], seed=0, workdir=tmp_path).system
    script.unlink()
    [reply] = system.answer([Question(id="q", input="x")])
    assert isinstance(reply.said, Crash)


def test_a_missing_program_is_named_before_anything_runs() -> None:
    with pytest.raises(PluginError, match="no-such-program") as caught:
        Command(argv=("no-such-program", "-p")).loads()
    assert caught.value.code == "A401"


@pytest.mark.parametrize(
    "options", [{"argv": []}, {"argv": [""]}, {"argv": "cat"}, {"argv": ["cat"], "timeout_s": 0}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(PlanError) as caught:
        make_recipe("lm.command", options, where="systems[0]", base=Path())
    assert caught.value.code == "A102"


def test_the_program_is_named_by_the_digest_of_its_file() -> None:
    [one] = Command(argv=(sys.executable, "-c", "1")).loads()
    assert one.kind == "program"
    assert one.digest.startswith("sha256:")
