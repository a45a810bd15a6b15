"""Python programs that share an interpreter: each ends as if it were alone, whatever the others do."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import AssayError
from assay.engine.sandbox.bubblewrap import bubblewrap
from assay.sandbox import Ended, How, Job, Limits, Unsafe, run_python

HELD = bubblewrap()
pytestmark = pytest.mark.skipif(isinstance(HELD, str), reason=f"no sandbox: {HELD}")
TIGHT = Limits(wall_s=2, cpu_s=5, memory_mb=512, processes=32, output_kb=8, disk_mb=16)
SOUND = "print(6 * 7)"

HARM = {
    "ends its parent": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "stops its parent": "import os, signal; os.kill(os.getppid(), signal.SIGSTOP)",
    "never ends": "while True: pass",
    "closes its pipes and waits": "import os, time; os.close(1); os.close(2); time.sleep(60)",
    "says too much": "while True: print('x' * 10_000)",
    "leaves a child behind": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nprint(6 * 7)"
    ),
    "bombs": "import os\nwhile True: os.fork()",
    "takes all memory": "x = b'x' * (1 << 34)",
    "leaves": "import os; os._exit(7)",
    "reads its parent": "import os; open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "speaks as its parent": "import os; os.write(os.open(f'/proc/{os.getppid()}/fd/1', 1), b'{}')",
    "is no Python": "def (",
    "is a null": "\0",
    "closes everything": "import os; os.closerange(0, 100); 1 / 0",
    "ignores being asked": "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile 1: 0",
}


def ran(*sources: str, limits: Limits = TIGHT, hash_seed: int = 0, workers: int = 1) -> list[Ended]:
    return run_python(sources, limits=limits, hash_seed=hash_seed, workers=workers)


@pytest.mark.parametrize("source", HARM.values(), ids=HARM)
def test_what_one_program_does_no_other_one_feels(source: str) -> None:
    before, harm, after = ran(SOUND, source, SOUND)
    assert [before.stdout, after.stdout] == [b"42\n", b"42\n"]
    assert before.well
    assert after.well
    assert harm.well == (source == HARM["leaves a child behind"])


def test_how_a_program_ended_is_told_apart() -> None:
    names = ["ends its parent", "never ends", "says too much", "takes all memory", "leaves"]
    found = dict(zip(names, ran(*(HARM[name] for name in names)), strict=True))
    assert {name: (ended.how, ended.status) for name, ended in found.items()} == {
        "ends its parent": (How.SIGNALLED, 137),
        "never ends": (How.WALL, 137),
        "says too much": (How.OUTPUT, 137),
        "takes all memory": (How.EXITED, 1),
        "leaves": (How.EXITED, 7),
    }
    assert b"MemoryError" in found["takes all memory"].stderr
    assert len(found["says too much"].stdout) <= TIGHT.output_kb * 1024


def test_a_program_that_takes_too_much_processor_time_is_told_so() -> None:
    [ended] = ran("while True: pass", limits=Limits(wall_s=20, cpu_s=1))
    assert ended.how is How.CPU


def test_programs_share_no_state_and_no_folder() -> None:
    writes = "import json, os; json.x = 1; open('left', 'w').write('x'); print(os.listdir())"
    first, second = ran(writes, "import json, os; print(hasattr(json, 'x'), os.listdir())")
    assert (first.stdout, second.stdout) == (b"['left']\n", b"False []\n")


def test_a_traceback_shows_the_program_alone() -> None:
    [ended] = ran("def f():\n    return 1 / 0\nf()")
    assert b"ZeroDivisionError" in ended.stderr
    assert b"zygote" not in ended.stderr


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.text(max_size=20)), min_size=1, max_size=5))
def test_a_program_ends_as_python_itself_ends_it(said: list[tuple[int, str]]) -> None:
    sources = [
        f"import sys, atexit\natexit.register(print, 'over')\nsys.stderr.write({words!r})\n"
        f"print({words!r})\nsys.exit({status})"
        for status, words in said
        if words.isascii() and words.isprintable()
    ]
    for source, ended in zip(sources, ran(*sources), strict=True):
        alone = subprocess.run(
            [sys.executable, "-I", "-c", source], capture_output=True, check=False
        )
        assert (ended.status, ended.stdout, ended.stderr) == (
            alone.returncode,
            alone.stdout,
            alone.stderr,
        )


def test_threads_are_waited_for_and_words_at_the_end_are_said() -> None:
    source = """\
        import sys, threading, time
        threading.Thread(target=lambda: (time.sleep(0.05), print("later"))).start()
        sys.exit("why")
    """
    [ended] = ran(textwrap.dedent(source))
    assert (ended.status, ended.stdout, ended.stderr) == (1, b"later\n", b"why\n")


def test_the_order_of_a_set_is_that_of_its_seed() -> None:
    source = "print(list({'a', 'b', 'c', 'd', 'e', 'f'}))"
    seen = {seed: ran(source, hash_seed=seed)[0].stdout for seed in range(6)}
    assert len(set(seen.values())) > 1
    assert seen == {seed: ran(source, hash_seed=seed)[0].stdout for seed in range(6)}


def test_what_is_installed_is_not_there() -> None:
    [ended] = ran("import numpy")
    assert b"ModuleNotFoundError" in ended.stderr


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_answers_come_in_the_order_of_the_programs(workers: int) -> None:
    sources = [f"print({number})" for number in range(150)]
    assert [int(e.stdout) for e in ran(*sources, workers=workers)] == list(range(150))


def test_nothing_to_run_is_nothing() -> None:
    assert ran() == []


def test_without_a_sandbox_they_run_as_you_and_harm_only_themselves() -> None:
    leaves = HARM["leaves a child behind"].replace("60", "1")
    found = run_python([SOUND, leaves, SOUND], limits=TIGHT, sandbox=Unsafe())
    assert [ended.stdout for ended in found] == [b"42\n"] * 3


def test_an_interpreter_that_does_not_start_says_nothing_of_the_programs() -> None:
    class Blind:
        name = "blind"

        def run(self, job: Job) -> Ended:
            return Ended(how=How.EXITED, status=127, stdout=b"", stderr=b"no such file", wall_s=0)

    with pytest.raises(AssayError, match="no such file") as caught:
        run_python([SOUND], sandbox=Blind())
    assert caught.value.code == "A500"
