"""What the code offers stands in the documentation, and nothing else does."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from assay.cli.baselines import app as baselines
from assay.cli.boards import app as boards
from assay.cli.commands import COMMANDS, make_app
from assay.cli.perf import app as perf
from assay.core import errors
from assay.engine.keys import Plan
from assay.engine.plugins import GROUPS, known, load
from assay.store.manifest import CellFacts, Manifest, Provenance, Seal, SystemFacts, TaskFacts
from assay.testing import FAULTS

NOT_OPTIONS = ("seeded", "needs")
"""What a recipe offers the engine, and a plan cannot set."""


def plain(title: str) -> str:
    return title.replace("`", "")


def test_every_error_code_has_its_heading_and_every_heading_its_code(read):
    titles = [
        t for t in map(plain, read("docs/errors.md").headings) if t[:1] == "A" and t[1:2].isdigit()
    ]
    assert titles == list(errors.CODES)


def test_every_error_heading_is_followed_by_the_line_of_its_code(read):
    text = read("docs/errors.md").text
    for code, line in errors.CODES.items():
        assert f"## {code}\n\n**{line}.**" in text


def test_every_error_shows_a_message_as_printed(read):
    bodies = read("docs/errors.md").text.split("\n## A")[1:]
    for body in bodies:
        code = f"A{body[:3]}"
        assert f"```text\n{code} " in body or f'"code": "{code}"' in body, code
        assert "What to do" in body, code


def test_every_entry_point_group_has_its_heading(read):
    titles = [plain(t) for t in read("docs/plugins.md").headings if t.startswith("`assay.")]
    assert titles == list(GROUPS)


# --- the plan -------------------------------------------------------------------------------


def keys_of(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, Any, bool]]:
    """Yield every key of a plan: its path, default, and whether it is required."""
    for name, field in model.model_fields.items():
        inner = [
            t for t in _types(field.annotation) if inspect.isclass(t) and issubclass(t, BaseModel)
        ]
        listed = "[]" if any(typing.get_origin(t) is list for t in _types(field.annotation)) else ""
        default = field.default
        if isinstance(default, BaseModel):
            default = {}
        yield f"{before}{name}", default, field.is_required()
        for one in inner:
            yield from keys_of(one, f"{before}{name}{listed}.")


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, list):
        for one in typing.get_args(annotation):
            yield from _types(one)


KEYS = list(keys_of(Plan))


def plan_rows(read) -> dict[str, list[str]]:
    rows = [r for r in read("docs/plan.md").rows if len(r) == 4 and r[0].startswith("`")]
    return {plain(row[0]): row for row in rows}


def test_the_plan_page_lists_exactly_the_keys_of_a_plan(read):
    assert sorted(plan_rows(read)) == sorted(path for path, _, _ in KEYS)


@pytest.mark.parametrize(("path", "default", "required"), KEYS, ids=[k[0] for k in KEYS])
def test_the_plan_page_gives_each_key_its_default(path, default, required, read):
    said = plain(plan_rows(read)[path][2])
    if required:
        assert said == "required"
    elif path == "tasks[].name":  # its default is another key
        assert said == "the value of use"
    else:
        assert yaml.safe_load(said) == default


# --- tasks, recipes, commands ---------------------------------------------------------------


def offered() -> Iterator[tuple[str, str]]:
    for group in ("assay.tasks", "assay.recipes"):
        for name, point in sorted(known(group).items()):
            if point.dist is not None and point.dist.name == "assay-eval":
                yield group, name


def section_of(read, name: str, group: str = "assay.recipes") -> str:
    """Return what stands under the heading of a task or recipe, on any page of families."""
    for path in sorted(Path(__file__).parents[2].glob("docs/families/*.md")):
        text = read(f"docs/families/{path.name}").text
        tasks, _, recipes = text.partition("\n## Recipes\n")
        text = tasks if group == "assay.tasks" else recipes  # the two may share a name
        if f"\n### `{name}`\n" in text:
            section = text.partition(f"\n### `{name}`\n")[2]
            return section.partition("\n### ")[0].partition("\n## ")[0]
    pytest.fail(f"no page of docs/families has the heading ### `{name}`")


@pytest.mark.parametrize(("group", "name"), list(offered()))
def test_every_task_and_recipe_is_described_with_each_option_and_its_default(group, name, read):
    section = section_of(read, name, group)
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    said = {plain(row[0].strip()): plain(row[2].strip()) for row in rows if len(row) == 4}
    factory = load(group, name)
    for option, parameter in inspect.signature(factory).parameters.items():
        if option in NOT_OPTIONS:
            continue
        assert option in said, f"{name} has the option {option!r}"
        shown = said.pop(option)
        if parameter.default is inspect.Parameter.empty:
            assert shown == "required"
        else:
            wanted = parameter.default
            wanted = list(wanted) if isinstance(wanted, tuple) else wanted  # a plan has lists only
            assert yaml.safe_load(shown) == wanted, f"{name}.{option}"
    assert not said, f"{name} has no option {', '.join(said)}"


def test_every_fault_is_described(read):
    section = section_of(read, "testing.faulty")
    for fault in FAULTS:
        assert f"| `{fault}` |" in section, fault


FAMILIES = {
    point.name: point.load()
    for point in metadata.entry_points(group="assay.commands")
    if point.dist is not None and point.dist.name == "assay-eval"
}
GROUPED = {"baseline": baselines, "board": boards, "perf": perf}
"""Commands of assay's own that have commands below them."""


def commands_of(apps: dict[str, Any]) -> list[str]:
    below = ((group, name) for group, app in apps.items() for name in app)
    return sorted(f"{group} {name}" for group, name in below if not name.startswith("-"))


FAMILY_COMMANDS = commands_of(FAMILIES)
OWN_COMMANDS = [
    each
    for name in COMMANDS
    for each in (commands_of({name: GROUPED[name]}) if name in GROUPED else [name])
]


@pytest.mark.parametrize("name", [*OWN_COMMANDS, *FAMILY_COMMANDS])
def test_every_command_has_its_heading_with_each_option(name, read):
    text = read("docs/commands.md").text
    assert f"\n## `{name}`\n" in text
    section = text.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    family, _, command_name = name.partition(" ")
    apps = {**FAMILIES, **GROUPED}
    command = apps[family][command_name] if command_name else make_app({})[name]
    for argument in command.assemble_argument_collection(parse_docstring=False):
        for option in argument.names:
            if option == "*":
                continue  # a dataclass, whose fields are options of their own
            shown = option if option.startswith("--") else option.upper()
            assert f"`{shown}" in section, f"assay {name} {shown}"


def test_no_command_is_described_that_does_not_exist(read):
    titles = [plain(t) for t in read("docs/commands.md").headings if t.startswith("`")]
    assert titles == [*OWN_COMMANDS, *FAMILY_COMMANDS]


@pytest.mark.parametrize(
    "document", [Manifest, TaskFacts, SystemFacts, CellFacts, Provenance, Seal]
)
def test_the_format_names_every_key_of_a_document(document, read):
    text = read("docs/run-directory.md").text
    for key in document.model_fields:
        assert f"`{key}`" in text, f"{document.__name__}.{key}"


def test_the_format_names_every_key_of_a_line(read):
    from assay.store import line, timed

    text = read("docs/run-directory.md").text
    for struct in (line.Decided, line.Spent, line.Proposal, timed.TimedLine):
        for key in struct.__struct_fields__:
            assert f"`{key}`" in text, f"{struct.__name__}.{key}"
