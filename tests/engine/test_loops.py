"""A run is made where a loop runs already, as in every notebook, and can be stopped there."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

from assay.engine.loops import run_to_end
from assay.store.seal import faults
from runs import execute_plan, write_plan

PLAN = """\
name: inside
tasks: [{use: toy.errands, limit: 20}]
systems: [{name: last-word, use: toy.last_word}]
timing: {processes: 1, blocks: 1, questions: 1}
"""

STOPPED = """
import asyncio
from assay.engine.loops import run_to_end

async def work():
    try:
        print("begun", flush=True)
        await asyncio.Event().wait()
    finally:
        print("ended in order", flush=True)

async def cell():
    run_to_end(work())

try:
    asyncio.run(cell())
except KeyboardInterrupt:
    print("stopped")
"""


def test_a_run_is_made_inside_of_a_loop_that_runs(tmp_path):
    async def cell():
        return execute_plan(write_plan(tmp_path, PLAN), tmp_path / "run")

    run = asyncio.run(cell())
    assert run.seal.is_file()
    assert faults(run) == []


def test_what_fails_inside_of_a_loop_is_raised_there():
    async def fails() -> None:
        raise ValueError("no")

    async def cell() -> str:
        try:
            run_to_end(fails())
        except ValueError as error:
            return str(error)
        return ""

    assert asyncio.run(cell()) == "no"


def test_the_stop_button_ends_the_work_in_order():
    child = subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert (child.returncode, out) == (0, "ended in order\nstopped\n")
