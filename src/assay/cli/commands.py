"""Every command by name, and the pages that name them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import __version__
from .page import Line, Page, columns, faint, strong

if TYPE_CHECKING:
    from cyclopts import App

PURPOSE = "Find out, with evidence that anyone can audit, which model is good enough for a job."
EVERYWHERE = (
    ("--json", "print one JSON document and nothing else"),
    ("--debug", "show where in the code an error came from"),
    ("--help", "say what a command does"),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: where its function is, and what it is for."""

    home: str
    says: str
    group: str


COMMANDS: Mapping[str, Command] = {
    "init": Command(
        "starting:init", "write a plan, from your own labelled prompts or to fill in", "Begin"
    ),
    "plan": Command(
        "running:plan", "say what a plan asks, how long it takes, what it can show", "Begin"
    ),
    "run": Command(
        "running:run", "ask every system, seal the answers, report; goes on if stopped", "Begin"
    ),
    "watch": Command(
        "watching:watch", "show how far a run is, with estimates that hold at every look", "Begin"
    ),
    "doctor": Command(
        "looking:doctor", "check this machine: packages, model files, space", "Begin"
    ),
    "report": Command(
        "reading:report", "write the report of a run, or of a folder of runs", "Read"
    ),
    "front": Command(
        "fronts:front", "show which systems nothing beats, also at other prices", "Read"
    ),
    "cascade": Command(
        "cascading:cascade", "show what asking systems in turn is worth; write a policy", "Read"
    ),
    "noise": Command(
        "noise:noise", "show what a run's records can show: false alarms, losses, flips", "Read"
    ),
    "compare": Command(
        "reading:compare", "show what changed between runs, sample by sample", "Read"
    ),
    "query": Command("querying:query", "ask a run's records in SQL", "Read"),
    "samples": Command(
        "samples:samples", "show samples with every reply, filtered, a page at a time", "Read"
    ),
    "claims": Command(
        "exploring:claims",
        "weigh claims that were not in the plan, apart from those that were",
        "Read",
    ),
    "import": Command(
        "importing:take",
        "make a run of another tool's log: csv, lm-eval, inspect, promptfoo, helm, eee",
        "Read",
    ),
    "export": Command("importing:export", "write a run for other tools (Every Eval Ever)", "Read"),
    "ls": Command(
        "looking:ls", "list runs, or what is installed: tasks, recipes, prices, metrics", "Read"
    ),
    "view": Command(
        "viewing:view", "show a folder of runs as pages, to this machine alone", "Read"
    ),
    "explain": Command("explaining:explain", "explain an error code or a word", "Read"),
    "verify": Command(
        "judging:verify", "check that a run is as it was sealed; exit 1 if not", "Judge"
    ),
    "rescore": Command(
        "rescoring:rescore",
        "verify a run's answers again, asking no system; exit 1 if it matters",
        "Judge",
    ),
    "gate": Command(
        "gating:gate", "exit 1 unless claims hold and no headline metric got worse", "Judge"
    ),
    "baseline": Command(
        "baselines:app", "say which run later ones must not be worse than", "Judge"
    ),
    "perf": Command(
        "perf:app", "time assay on this machine, and compare two measurements of it", "Judge"
    ),
    "board": Command(
        "boards:app", "a leaderboard: check what people send, build the page from runs", "Publish"
    ),
    "--install-completion": Command("completion:install", "complete words in your shell", ""),
}


def plugin_commands() -> Mapping[str, str]:
    """Return the commands of installed plugins: name to where it is."""
    from importlib import metadata

    return {point.name: point.value for point in metadata.entry_points(group="assay.commands")}


def make_app(plugins: Mapping[str, str]) -> App:
    """Return the application; a command's module is imported when the command is called."""
    from cyclopts import App, Parameter

    rest = "Every command also takes --json (one JSON document on stdout) and --debug."
    app = App(
        name="assay",
        help=PURPOSE,
        version=__version__,
        help_epilogue=rest,
        default_parameter=Parameter(negative="", show_default=False),
        result_action="return_value",
    )
    for name, command in COMMANDS.items():
        app.command(f"{__package__}.{command.home}", name=name)
    for name, home in plugins.items():
        if name not in COMMANDS:
            app.command(home, name=name)
    return app


def first_screen() -> Page:
    """Return what ``assay`` alone says."""
    begin = (
        ("assay doctor", "see what this machine has, and what is missing"),
        ("assay init --from prompts.csv", "write a plan from your prompts (columns prompt,label)"),
        ("assay plan PLAN.yaml", "what it asks, how long it takes, what it can show"),
        ("assay run PLAN.yaml", "ask, judge, seal; ends with what to ship, and why"),
        ("assay explain A103", "what an error code or a word means"),
    )
    lines: list[Line] = [
        (strong(f"assay {__version__}"), "  ", PURPOSE),
        "",
        "Begin with",
        *columns(begin),
        "",
        "All commands: assay --help.  The manual: docs/index.md beside the source.",
    ]
    return Page(lines=lines, facts=_facts({}))


def help_page() -> Page:
    """Return every command with its line."""
    plugins = plugin_commands()
    lines: list[Line] = ["Usage: assay COMMAND ...", "", PURPOSE]
    groups = dict.fromkeys(c.group for c in COMMANDS.values() if c.group)
    longest = max(len(name) for name in (*COMMANDS, *plugins) if not name.startswith("-"))
    for group in groups:
        rows = [(f"{n:{longest}}", c.says) for n, c in COMMANDS.items() if c.group == group]
        lines += ["", strong(group), *columns(rows)]
    if others := [name for name in plugins if name not in COMMANDS]:
        rows = [(f"{name:{longest}}", f"see assay {name} --help") for name in sorted(others)]
        lines += ["", strong("From plugins"), *columns(rows)]
    lines += ["", strong("With every command"), *columns(EVERYWHERE)]
    lines += [
        "",
        faint("Exit status: 0 done, 1 a command that judges says no, 2 your mistake, 3 ours."),
        faint(
            "assay --version, assay --install-completion.  Docs: docs/index.md, assay explain WORD."
        ),
    ]
    return Page(lines=lines, facts=_facts(plugins))


def version_page() -> Page:
    """Return the version."""
    return Page(lines=[__version__], facts={"version": __version__})


def _facts(plugins: Mapping[str, str]) -> dict[str, object]:
    commands = {name: command.says for name, command in COMMANDS.items()}
    return {
        "version": __version__,
        "says": PURPOSE,
        "commands": commands | {name: "" for name in plugins if name not in commands},
    }
