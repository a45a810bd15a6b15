"""Which tasks lm-evaluation-harness has, found in a second: its own index reads 14,000 files whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay import PlanError, PluginError

from ..extras import harness, require_harness

_NAMED = re.compile(
    r"""^["']?(task|group|tag)["']?[ \t]*:[ \t]*["']?([\w.+-]+)["']?[ \t]*$""", re.MULTILINE
)
_TAGS = re.compile(
    r"""^["']?tag["']?[ \t]*:[ \t]*\n((?:[ \t]*-[ \t]*["']?[\w.+-]+["']?[ \t]*\n)+)""", re.MULTILINE
)
_INCLUDED = re.compile(
    r"""^["']?include["']?[ \t]*:[ \t]*["']?([^"'\n]+?)["']?[ \t]*$""", re.MULTILINE
)
_EACH = re.compile(r"""-[ \t]*["']?([\w.+-]+)""")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One task of the harness, as its files define it."""

    name: str
    config: Mapping[str, Any]
    """The keys of its YAML file, those that it includes among them; functions are functions."""


def leaves(name: str) -> tuple[Leaf, ...]:
    """Return the tasks that a name stands for: one, or all of a group or a tag, in the order of the harness.

    Nothing is downloaded.  Raises ``PlanError`` A103 for a name that the harness does not have, and
    ``PluginError`` A401 where it is not installed.
    """
    found = {leaf.name: leaf for leaf in _walk(name, {}, seen=())}
    return tuple(found.values())


def _walk(name: str, overrides: Mapping[str, Any], *, seen: tuple[str, ...]) -> Iterator[Leaf]:
    listed = _listed()
    if name not in listed.files and name not in listed.tags:
        close = get_close_matches(name, [*listed.files, *listed.tags], n=3, cutoff=0.6)
        raise PlanError(
            f"lm-evaluation-harness {version()} has no task {name!r}",
            where="options.task",
            hint=f"did you mean {', '.join(close)}?"
            if close
            else "run assay lm tasks for all names",
            code="A103",
        )
    if name in seen:
        return
    if name not in listed.files:
        for each in listed.tags[name]:
            yield from _walk(each, overrides, seen=(*seen, name))
        return
    config = _config(listed.files[name]) | dict(overrides)
    if "group" not in config:
        yield Leaf(name, config)
        return
    for each in config["task"]:
        match each:
            case str():
                yield from _walk(each, overrides, seen=(*seen, name))
            case {"task": str(inner)}:
                yield from _walk(inner, {**overrides, **each}, seen=(*seen, name))
            case {"group": str(), "task": list(members)}:
                for member in members:
                    inner = member if isinstance(member, str) else member["task"]
                    yield from _walk(inner, overrides, seen=(*seen, name))
            case _:
                raise PlanError(
                    f"the group {name!r} of lm-evaluation-harness is written in a way that assay does not read",
                    where="options.task",
                    hint="name its tasks one by one",
                    code="A104",
                )


def names() -> tuple[str, ...]:
    """Return every name of a task, a group or a tag.

    >>> "arc_easy" in names()  # doctest: +SKIP
    True
    """
    listed = _listed()
    return tuple(sorted({*listed.files, *listed.tags}))


def version() -> str:
    """Return the version of lm-evaluation-harness that is installed."""
    require_harness("lm_eval")
    found: str = harness("importlib.metadata").version("lm_eval")
    return found


@dataclass(frozen=True, slots=True)
class _Listed:
    files: Mapping[str, Path]
    """Tasks and groups."""

    tags: Mapping[str, tuple[str, ...]]


@cache
def _listed() -> _Listed:
    """Look through the files for names only: parsing all of them takes half a minute."""
    require_harness("lm_eval")
    spec = find_spec("lm_eval")
    assert spec is not None
    assert spec.origin is not None
    files: dict[str, Path] = {}
    tags: dict[str, list[str]] = {}
    for path in sorted((Path(spec.origin).parent / "tasks").rglob("*.yaml")):
        text = path.read_text("utf-8", "replace")
        named = dict(reversed(_NAMED.findall(text)))
        own = named.get("group") or named.get("task")
        if own is None:
            continue
        files.setdefault(own, path)
        for tag in _tags(path, text):
            tags.setdefault(tag, []).append(own)
    return _Listed(files, {tag: tuple(sorted(set(names))) for tag, names in tags.items()})


def _tags(path: Path, text: str, *, depth: int = 0) -> list[str]:
    """Return the tags of a file; those of the file that it includes where it has none."""
    found = [name for kind, name in _NAMED.findall(text) if kind == "tag"]
    found += [tag for block in _TAGS.findall(text) for tag in _EACH.findall(block)]
    included = _INCLUDED.search(text)
    if found or included is None or depth > 4:
        return found
    above = path.parent / included[1]
    return (
        _tags(above, above.read_text("utf-8", "replace"), depth=depth + 1)
        if above.is_file()
        else []
    )


def _config(path: Path) -> dict[str, Any]:
    loader = harness("lm_eval.tasks._yaml_loader").load_yaml
    evaluate = harness("evaluate")
    fetches = evaluate.load
    evaluate.load = _Unfetched  # tasks of code fetch their executor while they are imported
    try:
        loaded: dict[str, Any] = loader(path, resolve_func=True)
    except ImportError as error:
        raise PluginError(
            f"a task of lm-evaluation-harness needs more packages: {str(error)[:200]}",
            where=path.stem,
            hint="install what it names, or take another task",
            code="A401",
        ) from error
    finally:
        evaluate.load = fetches
    return {key: value for key, value in loaded.items() if key not in ("tag", "task_list")}


class _Unfetched:
    """Stands where a task of code keeps its executor.  Our sandbox runs the code; this runs nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Fetch nothing."""

    def compute(self, **_: Any) -> tuple[dict[str, float], dict[str, Any]]:
        """Return no result: what asks for one here only tries whether code may be run."""
        return {}, {}
