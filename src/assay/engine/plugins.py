"""Find what a plan names: every task and recipe, ours and a third party's, through one door.

A plugin is an installed distribution with entry points in the groups below.  What an entry point
of ``assay.tasks`` or ``assay.recipes`` names is called with the plan's ``options`` as keywords;
its signature says which options there are and of which type.
"""

from __future__ import annotations

import fnmatch
import inspect
import os
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from ..analysis.metrics import is_column
from ..core.errors import PlanError, PluginError
from ..core.system import Recipe
from ..core.task import Task
from .spelling import nearest

GROUPS = {
    "assay.tasks": "a callable that returns a Task; its keywords are the plan's options",
    "assay.recipes": "a callable that returns a Recipe; its keywords are the plan's options",
    "assay.prices": "a price table: a callable that returns the text of its YAML",
    "assay.commands": "a cyclopts App, mounted under its name",
    "assay.sections": "a callable (Run) -> report section, appended to every report",
    "assay.board": "a callable (Run) -> columns of the board that no single task has",
    "assay.imports": "a callable (path) -> records of another tool's log",
    "assay.benchmarks": "a callable that returns a Suite: benchmarks that `assay perf run` times",
    "assay.formats": "a callable that returns a Format: it tells a model file, and makes a folder of it",
    "assay.repositories": "a callable that returns a RepositoryReader: what a place of model files has",
}
"""Every extension point.  ``docs/plugins.md`` has a heading for each."""

DATA = "ASSAY_DATA"
"""Where public data lies on this machine; a path of a plan may begin with ``$ASSAY_DATA``."""


@cache
def known(group: str) -> Mapping[str, metadata.EntryPoint]:
    """Return the entry points of a group, by name."""
    return {point.name: point for point in metadata.entry_points(group=group)}


def distribution(group: str, name: str) -> str:
    """Return the distribution that an entry point comes from; empty where nobody says."""
    point = known(group).get(name)
    return point.dist.name if point is not None and point.dist is not None else ""


def load(group: str, name: str, *, where: str = "") -> Any:
    """Return what an entry point names.

    Raises ``PlanError`` A103 for an unknown name, with the nearest known one; ``PluginError`` A400
    when its module cannot be imported.
    """
    point = known(group).get(name)
    if point is None:
        what = group.removeprefix("assay.").removesuffix("s")
        raise PlanError(
            f"no {what} is called {name!r}",
            where=where,
            hint=f"{nearest(name, list(known(group)))}  (`assay ls {group[6:]}` lists them)",
            code="A103",
        )
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"the plugin {name!r} ({point.value}) cannot be imported: {error}",
            where=where,
            hint="install what it needs, or reinstall its package",
        ) from error


def make_task(name: str, options: Mapping[str, Any], *, where: str, base: Path) -> Task:
    """Return the task of an entry point, made with these options."""
    made = _make("assay.tasks", name, options, where=where, base=base)
    if not isinstance(made, Task):
        raise PluginError(f"{name!r} returned {type(made).__name__}, not a Task", where=where)
    for metric in made.metrics:
        if unknown := [column for column in metric.columns if not is_column(column)]:
            raise PluginError(
                f"the metric {metric.name!r} of {name} reads {unknown[0]!r}, which is no column",
                where=where,
                hint="see docs/plugins.md for the columns; a verifier's score is `check:NAME`",
            )
    return made


def make_recipe(name: str, options: Mapping[str, Any], *, where: str, base: Path) -> Recipe:
    """Return the recipe of an entry point, made with these options."""
    made = _make("assay.recipes", name, options, where=where, base=base)
    if not isinstance(made, Recipe):
        raise PluginError(
            f"{name!r} returned {type(made).__name__}, which has no build, seeded and needs",
            where=where,
            hint="see docs/plugins.md for what a recipe offers",
        )
    return made


def load_tasks(pattern: str = "*") -> dict[str, Task]:
    """Return every installed task whose name matches a glob, made with its default options.

    >>> sorted(load_tasks("toy.*"))
    ['toy.errands']
    """
    names = fnmatch.filter(sorted(known("assay.tasks")), pattern)
    found = {}
    for name in names:
        factory = load("assay.tasks", name)
        if not _required(factory):
            found[name] = make_task(name, {}, where=name, base=Path.cwd())
    return found


def _make(group: str, name: str, options: Mapping[str, Any], *, where: str, base: Path) -> Any:
    factory = load(group, name, where=where)
    checked = check_options(factory, name, options, where=where, base=base)
    return factory(**checked)


def check_options(
    factory: Callable[..., Any],
    name: str,
    options: Mapping[str, Any],
    *,
    where: str,
    base: Path,
) -> dict[str, Any]:
    """Return options of the right types; a relative path is taken from the plan's folder.

    So is a text for an option that takes a name or a path (``Path | str``), if it is a path.

    Raises ``PlanError`` A101 for an unknown option, A102 for a wrong type, A100 for a missing one.
    """
    parameters = _parameters(factory)
    for key in options:
        if key not in parameters:
            raise PlanError(
                f"{name} has no option {key!r}",
                where=where,
                hint=nearest(key, list(parameters)),
                code="A101",
            )
    for key in _required(factory):
        if key not in options:
            raise PlanError(
                f"{name} needs the option {key!r}",
                where=where,
                hint=f"add `options: {{{key}: ...}}`",
            )
    return {
        key: _check(value, parameters[key], name=f"{name}.{key}", where=where, base=base)
        for key, value in options.items()
    }


def _check(value: Any, kind: Any, *, name: str, where: str, base: Path) -> Any:
    if kind is Inner or (kind == Inner | None and value is not None):
        return Inner.of(value, name=name, where=where, base=base)
    if kind == tuple[Inner, ...] and isinstance(value, list | tuple):
        named = ((f"{name}[{i}]", one) for i, one in enumerate(value))
        return tuple(Inner.of(one, name=at, where=where, base=base) for at, one in named)
    from .given import Mistaken
    from .given import checked as check

    try:
        checked = check(value, kind)
    except Mistaken as error:
        raise PlanError(
            f"{name}: {error.what} (given: {value!r})",
            where=where,
            hint=f"it is of type {getattr(kind, '__name__', kind)}",
            code="A102",
        ) from None
    if isinstance(checked, str) and Path in typing.get_args(kind) and names_file(checked):
        checked = Path(checked)
    return _placed(checked, name, where, base) if isinstance(checked, Path) else checked


def _placed(path: Path, name: str, where: str, base: Path) -> Path:
    if path.parts[:1] != (f"${DATA}",):
        return base / path
    # Public data lies elsewhere on each machine, and a plan should not have to say where.
    if not (folder := os.environ.get(DATA)):
        raise PlanError(
            f"{name} lies in ${DATA}, which is not set",
            where=where,
            hint=f"set {DATA} to the folder that holds {Path(*path.parts[1:])}",
            code="A103",
        )
    return Path(folder, *path.parts[1:]).absolute()


def names_file(text: str) -> bool:
    """Whether a text that may be a name or a path is a path.

    It is one when it holds a slash or ends like a file.  The disk is not asked: what a plan means
    must not depend on what happens to lie beside it.

    >>> [names_file(text) for text in ("minilm", "./minilm", "llama-3.2-1b", "llama.gguf")]
    [False, True, False, True]
    """
    return "/" in text or os.sep in text or Path(text).suffix[1:].isalpha()


def _parameters(factory: Callable[..., Any]) -> dict[str, Any]:
    # The fields of a dataclass may come from another module, whose names its __init__ does not know.
    ours_to_read = is_dataclass(factory) or not inspect.isclass(factory)
    hints = typing.get_type_hints(factory if ours_to_read else factory.__init__)
    ours = ("seeded", "needs", "self", "return")
    return {
        name: hints.get(name, Any)
        for name in inspect.signature(factory).parameters
        if name not in ours
    }


def _required(factory: Callable[..., Any]) -> list[str]:
    parameters = cast("Mapping[str, inspect.Parameter]", inspect.signature(factory).parameters)
    return [n for n, p in parameters.items() if p.default is inspect.Parameter.empty]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A recipe and its options, as a plan gives them: ``{use: lm.gguf, options: {...}}``.

    >>> Inner(use="toy.last_word").make().seeded
    False
    """

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)
    base: Path = field(default_factory=Path)
    """Where relative paths of its options start: the plan's folder."""

    @classmethod
    def of(cls, value: object, *, name: str, where: str, base: Path) -> Inner:
        """Return what a plan's option says.

        Raises ``PlanError`` A102 for what is no ``{use, options}``, and what ``make`` raises: a name or an
        option that does not exist is found before anything runs.
        """
        if isinstance(value, cls):
            return value
        from .given import Mistaken, recipe

        try:
            given = recipe(value)
        except Mistaken as error:
            raise PlanError(
                f"{name}{f'.{error.key}' if error.key else ''}: {error.what} (given: {value!r})",
                where=where,
                hint="write it as a system: {use: NAME, options: {...}}",
                code="A102",
            ) from None
        made = cls(use=given.use, options=given.options, base=base)
        made.make(where=where)
        return made

    def make(self, *, where: str = "") -> Recipe:
        """Return the recipe.

        Raises ``PlanError`` A103 for a name that does not exist, A100, A101, A102 for its options;
        ``PluginError`` A400 for a plugin that is broken.
        """
        return make_recipe(self.use, self.options, where=where or self.use, base=self.base)
