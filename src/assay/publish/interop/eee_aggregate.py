"""One aggregate of Every Eval Ever, held to its schema.

The schema is the project's own (MIT), vendored under ``eee_schema/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from ...store.canon import digest_file
from .reading import beside, inner, read_json, read_jsonl, want, wrong

Key: TypeAlias = tuple[str, str]
"""Evaluation and result: an id of a result is that of one evaluation's."""


def key_of(thing: Mapping[str, Any]) -> Key:
    """Return which result an instance belongs to, or which one a result is."""
    name = str(thing["evaluation_name"])
    return name, str(thing.get("evaluation_result_id") or name)


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Return a vendored schema: ``eval`` or ``instance_level_eval``."""
    file = resources.files(__package__) / "eee_schema" / f"{name}.schema.json"
    found: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@dataclass(slots=True, kw_only=True)
class Aggregate:
    """One aggregate file, and its instances where it has them."""

    path: Path
    value: Mapping[str, Any]
    instances: Path | None
    binary: Mapping[Key, bool] = field(default_factory=dict)
    """Result to whether every score of it is 0 or 1, as ``is_correct`` says."""

    several: frozenset[str] = frozenset()
    """Evaluations that have instances of more than one result."""

    lines: int = 0
    """How many instances there are."""

    @property
    def system(self) -> str:
        """The model's id; the system's own name where assay wrote the file."""
        about = self.value["model_info"]
        is_ours = self.value["eval_library"]["name"] == "assay"
        return str(about.get("name") if is_ours else about["id"])

    def key(self, line: Mapping[str, Any]) -> Key:
        """Return the result of an instance; one that names none is of its evaluation's only one."""
        found = key_of(line)
        if line.get("evaluation_result_id"):
            return found
        known = [k for r in self.value["evaluation_results"] if (k := key_of(r))[0] == found[0]]
        return known[0] if len(known) == 1 else found

    def task(self, key: Key) -> str:
        """Return the task of a result: its evaluation, and the result where there are several."""
        return ":".join(key) if key[0] in self.several else key[0]


def check_line(line: Mapping[str, Any], one: Aggregate, where: str) -> None:
    """Raise ``DataError`` A200 unless a line has the schema's keys and is of this aggregate."""
    rules = schema("instance_level_eval")
    _check_keys(line, rules, where)
    if line["evaluation_id"] != one.value["evaluation_id"]:
        hint = "each aggregate has a file of instances of its own"
        raise wrong(f"this line is of {line['evaluation_id']!r}, another evaluation", where, hint)


def _check_keys(value: Mapping[str, Any], rules: Mapping[str, Any], where: str) -> None:
    """Hold an object to the keys of its schema."""
    for key in rules["required"]:
        if key not in value:
            raise wrong(f"the key {key!r} is missing", where, "the schema of 0.3 requires it")
    for key in value:
        if key not in rules["properties"]:
            raise wrong(f"unknown key {key!r}", where, "the schema of 0.3 does not know it")


def open_aggregate(path: Path, *, is_named: bool = True) -> Aggregate:
    """Read an aggregate, and look once through its instances.  Raises ``DataError`` A200.

    Where it stands in a folder, and is not what somebody named, its instances are no link out of it.
    """
    where = str(path)
    value = want(read_json(path), dict, "an object", where)
    version = value.get("schema_version")
    if not isinstance(version, str) or not version.startswith("0.3."):
        hint = "assay reads schema 0.3; the project's own tools bring older files to it"
        raise wrong(f"schema version {version!r}", where, hint)
    rules = schema("eval")
    _check_keys(value, rules, where)
    for key in ("source_metadata", "eval_library"):
        about = inner(value, key, dict, where)
        for name in rules["properties"][key]["required"]:
            if not isinstance(about.get(name), str):
                raise wrong(f"{key} has no text {name!r}", where, "the schema of 0.3 requires it")
    if "id" not in want(value["model_info"], dict, "`model_info`, an object,", where):
        raise wrong("model_info has no 'id'", where, "the schema of 0.3 requires it")
    results = want(value["evaluation_results"], list, "`evaluation_results`, a list,", where)
    for i, one in enumerate(results):
        place = f"{where}#evaluation_results[{i}]"
        for name in rules["properties"]["evaluation_results"]["items"]["required"]:
            if name not in want(one, dict, "an object", place):
                raise wrong(f"the key {name!r} is missing", place, "the schema of 0.3 requires it")
        for name in ("metric_config", "score_details"):
            want(one.get(name), dict, f"`{name}`, an object,", place)
    made = Aggregate(path=path, value=value, instances=_instances(path, value, is_named=is_named))
    return _looked_through(made)


def _instances(path: Path, value: Mapping[str, Any], *, is_named: bool) -> Path | None:
    about = value.get("detailed_evaluation_results")
    if about is None:
        return None
    # The path is that of a data store; the file stands beside the aggregate, whatever it says.
    name = str(want(about, dict, "an object", str(path)).get("file_path", "")).rpartition("/")[2]
    file = path.parent / name if is_named else beside(path.parent, name)
    if not name or file is None or not _is_file(file):
        hint = "copy it too; or delete detailed_evaluation_results to take the aggregates only"
        raise wrong(f"its instances {name!r} do not stand beside it", str(path), hint)
    told = about.get("checksum")
    is_ours = about.get("hash_algorithm", "sha256") == "sha256"
    if told and is_ours and digest_file(file) != f"sha256:{str(told).lower()}":
        hint = "one of the two was changed; copy both again from their source"
        raise wrong("the checksum of its aggregate does not fit", str(file), hint)
    return file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name of more letters than any disk takes
        return False


def _looked_through(one: Aggregate) -> Aggregate:
    """Read the instances once, to learn which results are right-or-wrong."""
    if one.instances is None:
        return one
    binary: dict[Key, bool] = {}
    results: dict[str, set[Key]] = {}
    for where, line in read_jsonl(one.instances):
        check_line(line, one, where)
        judged = want(line["evaluation"], dict, "`evaluation`, an object,", where)
        result, score = one.key(line), judged.get("score")
        is_binary = score in (0, 1) and (score == 1) == (judged.get("is_correct") is True)
        binary[result] = binary.get(result, True) and is_binary
        results.setdefault(result[0], set()).add(result)
        one.lines += 1
    one.binary = binary
    one.several = frozenset(name for name, found in results.items() if len(found) > 1)
    return one


def agree(aggregates: Sequence[Aggregate]) -> None:
    """Where one system's replies to a task are scored, the others' are: they stand in one table."""
    scored = {
        a.task(key) for a in aggregates for key, is_binary in a.binary.items() if not is_binary
    }
    for one in aggregates:
        one.binary = {
            key: is_binary and one.task(key) not in scored for key, is_binary in one.binary.items()
        }
