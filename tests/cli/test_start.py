"""What the first second with assay looks like."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

import assay

from .conftest import ASSAY, Say, spawn

HEAVY = ("numpy", "scipy", "pydantic", "pydantic_core", "vl_convert", "yaml", "msgspec", "jinja2")
LEAST_S = 0.15


def cpu_s(*command: object) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "command",
    [(ASSAY, "--help"), (ASSAY,), (ASSAY, "--version"), (sys.executable, "-c", "import assay")],
    ids=["help", "alone", "version", "import"],
)
def test_start_up_takes_less_than_150_ms_of_cpu(command):
    assert min(cpu_s(*command) for _ in range(3)) < LEAST_S


@pytest.mark.parametrize(
    "words", [["--help"], [], ["--version"], ["run", "--help"], ["ls", "--help"]]
)
def test_help_imports_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ASSAY, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    roots = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not roots & set(HEAVY)


def test_alone_it_says_what_it_is_for_and_how_to_begin(say: Say):
    said = say()
    assert said.code == 0
    assert said.out.startswith(f"assay {assay.__version__}")
    assert sum(line.startswith("  assay ") for line in said.out.splitlines()) == 5
    assert "docs/index.md" in said.out


def test_the_version_is_the_version(say: Say):
    assert say("--version").out == f"{assay.__version__}\n"
    assert say("--version", "--json").json == {"version": assay.__version__}


def test_help_names_every_command_and_every_command_has_help(say: Say):
    from assay.cli.commands import COMMANDS

    shown = say("--help").out
    for name in COMMANDS:
        assert name in shown
        said = say(name, "--help")
        assert said.code == 0
        assert "Usage: assay" in said.out


def test_every_command_has_a_file_in_the_command_line(say: Say):
    from importlib import import_module

    from assay.cli.commands import COMMANDS

    for command in COMMANDS.values():
        module, _, function = command.home.partition(":")
        assert callable(getattr(import_module(f"assay.cli.{module}"), function))


def test_help_uses_plain_words():
    banned = (" cell", " bottom", "two-way")
    for words in ([], ["--help"], ["run", "--help"], ["plan", "--help"], ["verify", "--help"]):
        shown = spawn(*words).out.lower()
        assert not [word for word in banned if word in shown]


PLUGIN = """
from cyclopts import App
app = App(name="hello")
@app.default
def hello(*, who: str = "you") -> int:
    "Greet."
    print("hello", who)
    return 1
"""


def test_a_plugin_s_command_is_mounted_under_its_name(tmp_path: Path):
    (tmp_path / "hello_plugin.py").write_text(PLUGIN)
    facts = tmp_path / "hello-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: hello\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[assay.commands]\nhello = hello_plugin:app\n")
    env = {"PYTHONPATH": str(tmp_path)}
    assert "hello" in spawn("--help", **env).out
    said = spawn("hello", "--who", "ada", **env)
    assert (said.code, said.out) == (1, "hello ada\n")
    assert spawn("hello", "--json", **env).json == {"text": "hello you\n"}
    assert "did you mean '--who'" in spawn("hello", "--wo", "x", **env).err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed_for_each_shell(say: Say, tmp_path: Path, shell):
    script = tmp_path / "script"
    said = say("--install-completion", "--shell", shell, "--output", script)
    assert said.code == 0, said.err
    text = script.read_text()
    assert "verify" in text
    assert "--workers" in text
