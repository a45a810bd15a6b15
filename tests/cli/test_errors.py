"""Wrong input of every kind: what, where, what to try, and the right exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from assay.cli.commands import COMMANDS
from assay.cli.failures import error_facts, from_system, unexpected
from assay.cli.main import Call, main

from .conftest import ASSAY, PLAN, Say, spawn

WRONG_COMMANDS = {
    "runn": "did you mean 'run'?",
    "--hlp": "did you mean '--help'?",
    "xyzzy": "use one of: init",
    "--json-lines-please": "`assay --help`",
    "run": "`assay run --help`",
    "run a b": "`assay run --help`",
    "run a --wrkers 2": "did you mean '--workers'?",
    "run a --workers two": "`assay run --help`",
    "run a --workers 0": "`assay run --help`",
    "run a --limit": "`assay run --help`",
    "run a --limit 3 --limit 4": "keep one of them",
    "run a --engine rya": "did you mean 'ray'?",
    "run a --engine ray:auto": "did you mean 'ray'?",
    "run a --engine ray://": "write ray://auto or ray://HOST:PORT",
    "run a --engine spark://auto": "write ray://auto or ray://HOST:PORT",
    "run a --engine ray --per-task 0": "`assay run --help`",
    "run a --per-task 10": "add --engine ray",
    "ls plugins": "`assay ls --help`",
    "init --jb x": "did you mean '--job'?",
    "init --job x": "as --job",
    "view nowhere": "name the folder that holds runs",
    "view . --port 70000": "give 0 to 65535",
    "view . --prt 1": "did you mean '--port'?",
    "watch": "`assay watch --help`",
    "watch a --evry 2": "did you mean '--every'?",
    "watch a --every 0": "give 0.2 to 3600 seconds",
    "gate a --margin -1": "`assay gate --help`",
    "gate a --family speed": "`assay gate --help`",
    "gate a --family performance": "name a file of `assay perf run`",
    "gate a --family performance --baseline b --margin -1": "`assay gate --help`",
    "baseline set a --family speed": "`assay baseline set --help`",
    "perf compare a": "`assay perf compare --help`",
    "perf compare a b --clock sun": "`assay perf compare --help`",
    "perf report": "`assay perf report --help`",
    "perf run --suite stats --sizes many": "give numbers from 100",
    "perf run --suite stats --sizes 1": "give numbers from 100",
    "perf run --suite stats --processes 2": "give 3 to 1000",
    "perf run --suite stats --page .": "name a file, as RESULTS.md",
    "perf run --suite stats --quik": "did you mean '--quick'?",
    "gate a --junit .": "name a file, as gate.xml",
    "baseline set": "`assay baseline set --help`",
    "baseline set a --ot b": "did you mean '--out'?",
    "verify a --rerun 0": "`assay verify --help`",
    "board add": "`assay board add --help`",
    "board add a --action publsh": "`assay board add --help`",
    "board build a": "`assay board build --help`",
    "board serve --port -1": "`assay board serve --help`",
    "board serve --port 70000": "give 0 to 65535",
    "board verify --bord a": "did you mean '--board'?",
    "board withdraw a": "`assay board withdraw --help`",
    "board event": "`assay board event --help`",
    "board event --payload a --stage gte": "`assay board event --help`",
    "board event --payload a --stage gate --board nowhere": "name the folder that has models/ with",
    "board export a": "`assay board export --help`",
    "board export a --to eval-results --out b": "name one with --benchmark",
    "board check": "`assay board check --help`",
    "board check a --offlin": "did you mean '--offline'?",
    "board check a --board nowhere": "name the folder that has models/ with --board",
    "board plan": "`assay board plan --help`",
    "board plan a --suite opne": "did you mean 'open'?",
    "board plan a --fetch": "name it with --out",
    "board reported a.csv --name a": "`assay board reported --help`",
    "board sign": "`assay board sign --help`",
    "rescore a --ou b": "did you mean '--out'?",
    "compare a": "name the new run",
    "explain holmes": "did you mean 'holm' or 'hypervolume'",
    "report a --output a.pdf": "end the file's name",
    "report a.jsonl --baseline b": "leave it out",
    "report a.jsonl --output b.jsonl": "name an .html",
    "report a --among b": "leave it out",
    "science bundle": "`assay science bundle --help`",
    "lm edge": "name one, as smollm2-135m-instruct",
    "lm edge a --repeats 0": "give 1 or more",
    "lm edge a --profile t4": "make one with --save-profile on such a machine",
    "lm quantisation": "`assay lm quantisation --help`",
    "lm score": "name the folder of a sealed run",
    "lm score a --weights code=3": "write a category and a number, as reasoning=30",
    "lm score a --weights coding": "write a category and a number, as reasoning=30",
    "lm score a --weights math=-1": "give 0 or more",
    "lm tasks --data absent": "name a folder of JSON Lines",
    "science bundle a --samples 0": "give 1 or more",
    "init a/b": "use letters",
    "cascade": "`assay cascade --help`",
    "noise": "`assay noise --help`",
    "claims": "`assay claims --help`",
    "query runs/none": "`assay query --help`",
    "samples": "`assay samples --help`",
    "samples a --size 5000": "write them to a file",
    "samples a --against b": "name the first with --system",
    "samples a --outcome rong": "`assay samples --help`",
    "import csv": "`assay import --help`",
    "intent audit": "`assay intent audit --help`",
    "intent train --data a --out b --head x": "`assay intent train --help`",
    "export csv a --out b": "write eee",
    "science run": "`assay science run --help`",
    "science run doze": "`assay science run --help`",
    "science run dose --mode quick": "`assay science run --help`",
    "science run dose --seeds 0": "give 1 to 1000",
    "science run dose --start-seed -1": "give 0 or more",
    "science run dose --start-seed 4294967295": "at most 4,294,967,294",
    "science run dose --seeds 2.5 --out a": "write it without a point",
    "science run dose --seeds 1 --start-seed=.5": "write it without a point",
    "science run dose --out=": "`.` is the folder where you are",
    "intent train --data a --out b --epochs 1.5": "write it without a point",
    "noise a.yaml --trials 3.5": "write it without a point",
    "science run rf --mode frozen-dirhead": "run `assay science run dose --mode frozen-dirhead`",
    "science run dose --skip-complete": "name its folder with --out",
    "science run dose --out a --skip-complete --force-rerun": "give one of the two",
    "science parity": "`assay science parity --help`",
    "model fetch": "write hf:org/name@main",
    "model fetch org/name": "write hf:org/name@main",
    "model fetch hf:org/name": "write hf:org/name@main",
    "model fetch file:a --timeout 0": "give 1 to 86400",
    "model evict": "`assay model evict --help`",
    "model pin": "`assay model pin --help`",
    "model gc --limit much": "write it as 20 GB",
    "model ls --size": "`assay model ls --help`",
    "model inspect": "`assay model inspect --help`",
    "model inspect a --context 0": "give 1 or more",
    "model convert": "`assay model convert --help`",
    "model convert a --to apx --out b": "write apr",
    "model convert a --to apr --quantise q9 --out b": "one of f32",
    "model sign": "`assay model sign --help`",
    "model sign a --key b": "run `assay model validate` on it first",
    "model verify": "`assay model verify --help`",
    "model validate": "`assay model validate --help`",
    "model validate a --against b --positions 0": "give 1 or more",
    "model validate a --against b --limit kl=1": "choose from kl_mean",
    "model pipeline": "`assay model pipeline --help`",
    "model pipeline a.yaml --limit 0": "give 1 or more",
    "model pipeline a.yaml --cache-limit much": "write it as 20 GB",
}


@pytest.mark.parametrize("words", WRONG_COMMANDS)
def test_a_wrong_command_line_exits_with_2_and_says_what_to_try(say: Say, words):
    said = say(*words.split())
    assert said.code == 2
    assert said.err.startswith("A106 ")
    assert WRONG_COMMANDS[words] in said.err
    assert "more: assay explain A106" in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["report", ""], "RUN"),
        (["run", "plan.yaml", "--out", ""], "--out"),
        (["compare", "a", ""], "RUNS"),
        (["report", "--output", "b.json", "--", ""], "RUN"),
    ],
)
def test_an_empty_path_is_not_the_folder_where_one_stands(say: Say, words: list[str], name: str):
    said = say(*words)
    assert said.code == 2
    assert f"{name} is empty" in said.err


def test_whole_numbers_may_be_written_with_a_point(say: Say):
    assert "A303" in say("science", "bundle", "none", "--samples", "30.0").err


@pytest.mark.parametrize("words", WRONG_COMMANDS)
def test_errors_are_json_too_and_nothing_else_is_said(say: Say, words):
    said = say(*words.split(), "--json")
    assert said.code == 2
    assert not said.err
    assert set(said.json) == {"error"}
    assert set(said.json["error"]) == {"code", "what", "where", "hint"}
    assert said.json["error"]["code"] == "A106"


def plans(folder: Path) -> dict[str, tuple[bytes, str]]:
    return {
        "empty": (b"", "A100"),
        "binary": (bytes(range(128, 256)) * 20, "A100"),
        "large": (b"#" * 300_000, "A105"),
        "a bomb": (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "A105"),
        "deep": (b"a: " + b"[" * 10_000, "A105"),
        "code": (b"a: !!python/object/apply:os.system [id]\n", "A105"),
        "tabs": (b"name: x\n\ttasks: 1\n", "A100"),
        "a list": (b"- a\n", "A102"),
        "escapes": (b"name: x\x1b[31m\n", "A100"),
        "an unknown key": (PLAN.replace("claims:", "clams:").encode(), "A101"),
        "an unknown task": (PLAN.replace("toy.errands", "toy.erands").encode(), "A103"),
        "an unknown recipe": (PLAN.replace("toy.votes", "toy.vots").encode(), "A103"),
        "an unknown metric": (PLAN.replace("metric: accuracy", "metric: x").encode(), "A103"),
        "an unknown option": (PLAN.replace("limit: 120", "options: {x: 1}").encode(), "A101"),
        "seeds that are no list": (PLAN.replace("[0, 1]", "3").encode(), "A102"),
    }


@pytest.mark.parametrize("kind", plans(Path()))
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_wrong_plan_is_named_with_its_line_before_anything_runs(
    say: Say, plan: Path, command, kind
):
    data, code = plans(plan.parent)[kind]
    plan.write_bytes(data)
    said = say(command, plan.name)
    assert said.code == 2
    assert said.err.startswith(f"{code} ")
    assert "  at: small.yaml" in said.err
    assert "  try: " in said.err
    assert "Traceback" not in said.err
    assert "\x1b" not in said.err
    assert sorted(p.name for p in plan.parent.iterdir()) == ["small.yaml"]


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_plan_that_is_not_there_is_said_to_be_missing(say: Say, plan: Path, name):
    said = say("run", name)
    assert (said.code, said.err[:4]) == (2, "A100")


@pytest.mark.parametrize(
    "command", ["verify", "rescore", "report", "front", "gate", "cascade", "noise", "claims"]
)
def test_a_folder_that_is_no_run_is_refused(say: Say, tmp_path: Path, command):
    said = say(*command.split(), tmp_path)
    assert (said.code, said.err[:4]) == (2, "A303")
    assert str(tmp_path) in said.err


def test_names_with_escapes_are_shown_and_not_obeyed(say: Say, plan: Path):
    said = say("run", "\x1b[31m\u202eplan.yaml")
    assert said.code == 2
    assert r"at: \x1b[31m\u202eplan.yaml" in said.err


def test_a_file_name_that_is_not_unicode_can_be_shown(tmp_path: Path):
    done = subprocess.run(
        [ASSAY, "plan", b"\xff.yaml"], capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert b"\\udcff.yaml" in done.stderr


def test_the_output_folder_may_not_be_a_file(say: Say, plan: Path):
    said = say("run", plan, "--out", plan)
    assert (said.code, said.err[:4]) == (2, "A106")


def test_what_the_machine_refuses_is_exit_3(say: Say, plan: Path):
    said = say("run", plan, "--out", "/proc/no/such/place")
    assert (said.code, said.err[:4]) == (3, "A500")
    assert "/proc/no" in said.err


def test_a_reader_that_goes_away_is_worth_no_word():
    done = subprocess.run(
        f"'{ASSAY}' explain | head -1", shell=True, capture_output=True, check=True
    )
    assert done.stdout == b"Codes\n"
    assert not done.stderr


def test_a_full_disk_behind_stdout_is_said():
    done = subprocess.run(
        f"'{ASSAY}' ls prices > /dev/full", shell=True, capture_output=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith(b"A500 ")
    assert b"Traceback" not in done.stderr


BROKEN = """
import sys
from assay.cli import commands, main
def fail(): raise {error}
commands.first_screen = main.first_screen = fail
sys.exit(main.main(sys.argv[1:]))
"""


def broken(error: str, *words: str, **env: str):
    import sys

    return subprocess.run(
        [sys.executable, "-c", BROKEN.format(error=error), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )


def test_what_should_not_happen_is_exit_3_and_says_how_to_see_where():
    done = broken("RuntimeError('one\\ntwo')")
    assert done.returncode == 3
    assert done.stderr.startswith("A000 this should not have happened: RuntimeError: one\n")
    assert "--debug" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("words", "env"), [(["--debug"], {}), ([], {"ASSAY_DEBUG": "1"})])
def test_debug_shows_where_it_happened(words, env):
    done = broken("RuntimeError('x')", *words, **env)
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert "RuntimeError: x" in done.stderr


def test_too_little_memory_is_the_machine_s_fault():
    assert broken("MemoryError()").stderr.startswith("A500 ")
    assert unexpected(MemoryError()).exit_code == 3


def test_an_error_of_the_system_names_its_file():
    error = from_system(PermissionError(13, "Permission denied", "/root/x"))
    assert (error.code, error.where) == ("A500", "/root/x")
    assert error_facts(error)["error"]["where"] == "/root/x"


def test_options_of_every_command_stand_anywhere_but_behind_two_dashes():
    assert Call.of(["--json", "ls"]) == Call.of(["ls", "--json"])
    assert Call.of(["explain", "--", "--json"]).words == ("explain", "--", "--json")


def test_main_without_words_reads_the_command_line(monkeypatch, capfd):
    monkeypatch.setattr("sys.argv", ["assay", "--version"])
    assert main() == 0


SLOW = PLAN.replace("toy.last_word", "testing.faulty, options: {fault: hangs, every: 3}")
SLOW += "limits: {reply_s: 0.5, deaths: 0}\n"


def test_ctrl_c_is_exit_3_keeps_the_answers_and_says_how_to_go_on(tmp_path: Path):
    (tmp_path / "a plan.yaml").write_text(SLOW)
    command = [ASSAY, "run", "a plan.yaml", "--out", "run"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / "run/records/toy.errands/votes/0-test.cell.json"
    end = time.monotonic() + 30
    while not journal.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 3, err
    assert "A502 interrupted; every reply so far is kept" in err
    assert "resume with: assay run 'a plan.yaml' --out run" in err
    assert "Traceback" not in err
    assert not out

    again = spawn("run", "a plan.yaml", "--out", "run", cwd=tmp_path)
    assert again.code == 0, again.err
    assert again.err.startswith("run is unfinished and is resumed")
    assert "Resumed: this run took 2 attempts." in again.out


def test_every_command_is_tested_with_wrong_input():
    named = {words.split()[0] for words in WRONG_COMMANDS}
    assert {n for n in COMMANDS if not n.startswith("-")} - named == {"plan", "front", "doctor"}
