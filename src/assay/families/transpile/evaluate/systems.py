"""Models and rivals named on the command line, as systems of a plan."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay import PlanError, PluginError
from assay.pages import wrong_option

from ..taskfile import Baseline, TaskFile
from .files import is_pattern, matching, pieces

SUFFIXES = (".apr", ".gguf", ".safetensors")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")
LONGEST_HEADER = 100_000_000
"""Bytes of the header of safetensors, as the format has it."""

CLAUDE = ("claude", "--print")
GEMINI = ("gemini",)
OLLAMA = ("ollama", "run")
PROVIDERS = {
    "anthropic": (*CLAUDE, "--model"),
    "claude": (*CLAUDE, "--model"),
    "gemini": (*GEMINI, "--model"),
    "google": (*GEMINI, "--model"),
    "ollama": OLLAMA,
}
"""How a program is told which model to ask; the name of the model comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A system of the plan, but for how it is asked."""

    name: str
    use: str
    options: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    """The file or folder of its weights, which becomes its option ``model``."""

    rival: bool = False
    """Whether it was named as a baseline."""


def read_models(words: str | None) -> list[Contestant]:
    """Return a contestant for each model that patterns and names stand for.

    Raises ``PlanError`` A106 for a pattern that nothing matches or a file that is no model's;
    ``PluginError`` A403 for a file that is not what its name says, A401 for one that nothing here
    can run.
    """
    found: dict[str, Contestant] = {}
    for word in pieces(words or ""):
        for made in _models(word):
            if made not in found.values():  # a folder has a file for each part of its weights
                found[_free(made.name, found)] = made
    return [replace(made, name=name) for name, made in found.items()]


def _models(word: str) -> Iterable[Contestant]:
    plain = "/" not in word and Path(word).suffix not in SUFFIXES
    if plain and not is_pattern(word) and not Path(word).exists():
        return [Contestant(name=_safe(word), use="lm.gguf", options={"model": word})]
    return [_model(path) for path in matching("--models", word)]


def _model(path: Path) -> Contestant:
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise wrong_option(
            "--models",
            f"{path} may hold a program: pickles run what they hold when they are opened",
            "convert it to safetensors or GGUF",
        )
    if path.is_dir():
        return _folder(path, path.name)
    match suffix:
        case ".apr":
            raise PluginError(
                "no installed family can run an .apr file",
                where=str(path),
                hint="convert it to GGUF or safetensors, or leave .apr out of --models",
                code="A401",
            )
        case ".gguf":
            _require_gguf(path)
            return Contestant(name=_safe(path.stem), use="lm.gguf", path=path)
        case ".safetensors":
            _require_safetensors(path)
            plain = path.stem.startswith("model") and path.absolute().parent.name
            return _folder(path.parent, plain or path.stem)
        case _:
            raise wrong_option(
                "--models", f"{path} is no model file", f"give {', '.join(SUFFIXES)}"
            )


def _folder(folder: Path, name: str) -> Contestant:
    weights = sorted(folder.glob("*.safetensors"))
    lacks = [n for n in ("config.json", "tokenizer.json") if not (folder / n).is_file()]
    if not weights or lacks:
        missing = " and ".join(lacks or ["*.safetensors"])
        raise PluginError(
            f"this is no whole model: {missing} is missing beside the weights"
            if weights
            else "the folder holds no model: it has no *.safetensors",
            where=str(folder),
            hint="give a folder as transformers saves one: weights, config.json, tokenizer.json",
            code="A403",
        )
    for each in weights:
        _require_safetensors(each)
    return Contestant(name=_safe(name), use="lm.transformers", path=folder)


def _require_gguf(path: Path) -> None:
    if (begins := _first(path, 4)) != b"GGUF":
        raise _other(path, f"is no GGUF: it begins with {begins!r}")


def _require_safetensors(path: Path) -> None:
    """Refuse a file whose header is none; the weights are not looked at."""
    size = int.from_bytes(_first(path, 8), "little")
    held = path.stat().st_size
    if not 2 <= size <= min(LONGEST_HEADER, held - 8):
        raise _other(path, "is no safetensors: its first 8 bytes are not the length of a header")
    try:
        header = json.loads(_first(path, 8 + size)[8:])
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise _other(path, "is no safetensors: its header is no JSON object")


def _first(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise wrong_option(
            "--models", f"{path} cannot be read: {error.strerror or error}", "check the file"
        ) from None


def _other(path: Path, what: str) -> PluginError:
    return PluginError(
        f"the file is not what its name says: it {what}",
        where=str(path),
        hint="fetch it again, or name it for what it is",
        code="A403",
    )


def read_baselines(words: str | None, tasks: Sequence[TaskFile]) -> list[Contestant]:
    """Return a contestant for each rival: a program that gets the prompt and prints the answer.

    ``claude``, ``gemini``, ``ollama:MODEL``, ``NAME=PROGRAM ARGUMENTS``, or the id of a baseline of a
    task file.  Raises ``PlanError`` A103 for an unknown one, A104 for a provider that has no program;
    ``PluginError`` A401 where the program is not installed.
    """
    listed = {each.id: (each, task) for task in tasks for each in task.file.baselines}
    found: dict[str, Contestant] = {}
    for word in pieces(words or ""):
        name, argv = _argv(word, listed)
        if shutil.which(argv[0]) is None:
            raise PluginError(
                f"the program {argv[0]!r} is not installed",
                where=f"--baselines {word}",
                hint="install it, or leave this baseline out",
                code="A401",
            )
        made = Contestant(name=name, use="lm.command", options={"argv": list(argv)}, rival=True)
        found[_free(name, found)] = made
    return [replace(made, name=name) for name, made in found.items()]


def _argv(
    word: str, listed: Mapping[str, tuple[Baseline, TaskFile]]
) -> tuple[str, tuple[str, ...]]:
    name, sign, command = word.partition("=")
    if sign:
        try:
            argv = tuple(shlex.split(command))
        except ValueError as error:
            raise wrong_option("--baselines", f"{word}: {error}", "close the quote") from None
        if not argv or not name.strip():
            raise wrong_option("--baselines", f"{word!r} names no program", "write NAME=PROGRAM")
        return _safe(name.strip()), argv
    if word in listed:
        return _safe(word), _provided(*listed[word])
    if word == "claude":
        return word, CLAUDE
    if word == "gemini":
        return word, GEMINI
    tool, colon, model = word.partition(":")
    if tool == "ollama" and colon and model:
        return _safe(word.replace(":", "-")), (*OLLAMA, model)
    known = ["claude", "gemini", "ollama:MODEL", *listed]
    raise PlanError(
        f"no baseline is called {word!r}",
        where="--baselines",
        hint=f"known: {', '.join(known)}; any other program as NAME=PROGRAM ARGUMENTS",
        code="A103",
    )


def _provided(baseline: Baseline, task: TaskFile) -> tuple[str, ...]:
    place = task.read.where("baselines", task.file.baselines.index(baseline))
    program = PROVIDERS.get(baseline.provider.lower())
    if program is None:
        raise PlanError(
            f"no program is known that asks {baseline.provider or 'nobody'!r}",
            where=place,
            hint=f"known: {', '.join(PROVIDERS)}; or say --baselines {baseline.id}=PROGRAM",
            code="A104",
        )
    if not baseline.model:
        raise PlanError(
            f"the baseline {baseline.id!r} names no model",
            where=place,
            hint="add `model: ...`",
            code="A104",
        )
    return (*program, baseline.model)


def _safe(text: str) -> str:
    """Return a text as a name of a plan: letters, digits, dots, dashes, underscores, plus."""
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", text).lstrip("._+-")[:60]
    return plain or "model"


def _free(name: str, taken: Iterable[str]) -> str:
    """Return the name, with a number behind it where it is taken."""
    used = set(taken)
    if name not in used:
        return name
    return next(f"{name}-{n}" for n in range(2, len(used) + 3) if f"{name}-{n}" not in used)
