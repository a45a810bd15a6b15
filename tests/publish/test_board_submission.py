"""A submission as it is read: every reason at once, each with its line and what to write."""

from __future__ import annotations

import copy
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay import PlanError
from assay.publish.board.keys import CATEGORIES, FORMATS, MODEL, PRIORITIES
from assay.publish.board.naming import system_name
from assay.publish.board.parameters import spell_parameters
from assay.publish.board.planning import plan_of
from assay.publish.board.submission import MOST_BYTES, Note, read_submission, read_whole

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WHOLE: dict[str, Any] = {
    "name": "Tiny-1M",
    "family": "Tiny",
    "hf_repo": "org/tiny-1m",
    "hf_revision": COMMIT,
    "parameters": "1M",
    "architecture": "llama",
    "license": "MIT",
    "quantizations": [{"name": "Q8_0", "format": "gguf", "file": "tiny-q8_0.gguf"}],
    "submitted_by": "some-body",
}
SHORT = """\
model:
  name: SmolLM2-135M-Instruct
  family: SmolLM2
  hf_repo: HuggingFaceTB/SmolLM2-135M-Instruct
  parameters: 135M
  architecture: llama
  quantizations:
    - {name: Q8_0, format: gguf, file: smollm2-135m-instruct-q8_0.gguf}
"""


def written(folder: Path, text: str | bytes, name: str = "m.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def notes_of(folder: Path, text: str | bytes) -> tuple[Note, ...]:
    return read_submission(written(folder, text))[1]


def dumped(model: dict[str, Any]) -> str:
    return yaml.safe_dump({"model": model}, sort_keys=False, allow_unicode=True)


DOCUMENTED = """\
model:
  name: "MyModel-1B"
  hf_repo: "username/mymodel-1b"
  parameters: "1.1B"
  quantizations:
    - name: "FP16"
      format: "safetensors"
  categories: ["reasoning", "coding"]
"""
"""The short example of the report that documents the form."""


def test_the_documented_example_does_for_a_run_of_ones_own_as_it_stands(tmp_path: Path):
    sent, notes = read_submission(written(tmp_path, DOCUMENTED, "mymodel-1b.yaml"))
    assert sent is not None
    assert {note.level for note in notes} == {"publish"}
    missing = {"family", "hf_revision", "architecture", "license", "submitted_by"}
    assert {note.key for note in notes} == {f"model.{name}" for name in missing}
    assert "name: mymodel-1b\n" in plan_of(sent, "open")


def test_a_whole_submission_leaves_nothing_to_say(tmp_path: Path):
    sent, notes = read_submission(written(tmp_path, dumped(WHOLE)))
    assert notes == ()
    assert sent is not None
    assert (sent.id, sent.parameters, sent.revision) == ("tiny-1m", 1_000_000, COMMIT)
    assert sent.quantizations[0].file == "tiny-q8_0.gguf"


def test_the_short_form_does_for_a_run_of_ones_own_and_says_what_publishing_needs(tmp_path: Path):
    sent, notes = read_submission(written(tmp_path, SHORT))
    assert sent is not None
    assert sent.license is sent.revision is sent.submitted_by is None
    assert {(note.level, note.key) for note in notes} == {
        ("publish", "model.hf_revision"),
        ("publish", "model.license"),
        ("publish", "model.submitted_by"),
    }
    for note in notes:  # what it suggests mends it
        assert note.suggests.startswith(f"  {note.key.removeprefix('model.')}: ")


@pytest.mark.parametrize("name", ["silent", "Random", "CONSTANT"])
def test_a_quantization_cannot_have_the_name_of_a_control(name: str, tmp_path: Path):
    sent, notes = read_submission(written(tmp_path, SHORT.replace("name: Q8_0", f"name: {name}")))
    assert sent is None
    (error,) = [note for note in notes if note.level == "error"]
    assert (error.line, error.key) == (8, "model.quantizations[0].name")
    assert "the name of a control" in error.says


def test_what_a_note_suggests_can_be_pasted(tmp_path: Path):
    missing = {name for name, key in MODEL.items() if key.need == "always"} - {"quantizations"}
    for name in missing:
        model = {key: value for key, value in WHOLE.items() if key != name}
        (note,) = notes_of(tmp_path, dumped(model))
        pasted = dumped(model) + note.suggests
        sent, after = read_submission(written(tmp_path, pasted))
        assert sent is not None, after
        assert not [each for each in after if each.level == "error"]


TEXTS = st.text(string.ascii_letters + string.digits + " .-_+()/", min_size=1, max_size=40).filter(
    lambda text: any(map(str.isalnum, text)) and text == text.strip()
)
NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
QUANTIZATIONS = st.lists(
    st.builds(
        lambda name, form: {"name": name, "format": form, "file": f"{name}.{form}"},
        NAMES,
        st.sampled_from(FORMATS),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: system_name(each["name"]),
)
MODELS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "family": TEXTS,
        "hf_repo": st.builds("{}/{}".format, NAMES, NAMES),
        "parameters": st.integers(10**6, 3 * 10**9).map(spell_parameters),
        "architecture": TEXTS,
        "quantizations": QUANTIZATIONS,
    },
    optional={
        "version": TEXTS,
        "hf_revision": st.text("0123456789abcdef", min_size=40, max_size=40),
        "context_length": st.integers(1, 10**8),
        "license": st.sampled_from(["MIT", "Apache-2.0", "Gemma"]),
        "categories": st.lists(st.sampled_from(CATEGORIES), unique=True),
        "submitted_by": NAMES,
        "submitted_date": st.dates().map(str),
        "testing": st.fixed_dictionaries({}, optional={"priority": st.sampled_from(PRIORITIES)}),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(MODELS)
def test_what_is_written_rightly_is_read_as_it_was_meant(tmp_path: Path, model):
    sent, notes = read_submission(written(tmp_path, dumped(model)))
    assert not [note for note in notes if note.level != "publish"]
    assert sent is not None
    assert sent.name == model["name"]
    assert [each.name for each in sent.quantizations] == [q["name"] for q in model["quantizations"]]
    assert sent.revision == model.get("hf_revision")
    assert sent.context_length == model.get("context_length")
    assert sent.categories == tuple(model.get("categories", ()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*MODEL, "file", "source", "format", "a\x1b[1m"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_nothing_that_yaml_holds_makes_the_reader_fall(tmp_path: Path, value):
    path = written(tmp_path, yaml.safe_dump({"model": value}))
    sent, notes = read_submission(path)
    assert sent is not None or any(note.level == "error" for note in notes)
    lines = path.read_bytes().count(b"\n") + 1
    assert all(1 <= note.line <= lines for note in notes)
    for note in notes:
        assert (note.says + note.key + note.suggests.replace("\n", "")).isprintable()


WRONG = [
    # (what is changed, the key, its level, what is said, what is suggested)
    ({"name": "<b>"}, "name", "error", "no name needs", "write letters"),
    ({"name": 4}, "name", "error", "not a number", 'write name: "4"'),
    ({"name": "\u0413emma"}, "name", "error", "CYRILLIC", ""),
    ({"name": "\u0413\u0435"}, "name", "warning", "CYRILLIC CAPITAL LETTER GHE", "calls it"),
    ({"family": "x" * 101}, "family", "error", "101 characters", ""),
    ({"hf_repo": "tiny"}, "hf_repo", "error", "org/name", "write hf_repo:"),
    ({"hf_repo": "org/../x"}, "hf_repo", "error", "org/name", ""),
    ({"hf_repo": "https://huggingface.co/org/tiny/tree/main"}, "hf_repo", "error", "", "org/tiny"),
    ({"hf_revision": "main"}, "hf_revision", "publish", "may move", "40 hex digits"),
    ({"hf_revision": "0123456"}, "hf_revision", "publish", "short commit", ""),
    ({"hf_revision": "a b"}, "hf_revision", "error", "no commit", ""),
    ({"hf_revision": 1234567}, "hf_revision", "error", "as a number", "in quotes"),
    ({"revision": "main"}, "revision", "error", "two commits", "keep one"),
    ({"parameters": "1.7 billion"}, "parameters", "error", "digits", "135M"),
    ({"parameters": 1_500_000_000}, "parameters", "error", "digits", "parameters: 1.5B"),
    ({"parameters": 10**400}, "parameters", "error", "digits", "parameters: 1000"),
    ({"parameters": "999K"}, "parameters", "error", "1M and 3B", "unit"),
    ({"parameters": "3.1B"}, "parameters", "error", "1M and 3B", "unit"),
    ({"context_length": "8k"}, "context_length", "error", "whole number", "8192"),
    ({"context_length": True}, "context_length", "error", "whole number", ""),
    ({"license": "Apach-2.0"}, "license", "warning", "no licence", "'Apache-2.0'"),
    ({"license": "apache 2.0"}, "license", "warning", "is written", "Apache-2.0"),
    ({"license": ["MIT"]}, "license", "error", "SPDX", ""),
    ({"quantizations": []}, "quantizations", "error", "a list", "format: gguf"),
    ({"quantizations": [{"name": f"q{i}", "format": "gguf", "file": "x"} for i in range(33)]}, "quantizations", "error", "32", ""),
    ({"quantizations": ["Q4"]}, "quantizations[0]", "error", "a mapping", "name: 'Q4'"),
    ({"categories": "chat"}, "categories", "error", "a list", "[chat]"),
    ({"categories": ["chatt"]}, "categories[0]", "warning", "left out", "'chat'"),
    ({"submitted_by": "@me"}, "submitted_by", "error", "GitHub", '"me"'),
    ({"submitted_by": "a--b"}, "submitted_by", "warning", "no name of an account", ""),
    ({"submitted_date": "2026-13-01"}, "submitted_date", "error", "a day", ""),
    ({"submitted_date": "2026-W01-1"}, "submitted_date", "error", "a day", "2025-12-29"),
    ({"submitted_date": 20261129}, "submitted_date", "error", "a day", "2026-11-29"),
    ({"contact": "me"}, "contact", "warning", "no address", ""),
    ({"testing": []}, "testing", "error", "wishes", ""),
    ({"testing": {"priority": "fsat"}}, "testing.priority", "error", "none of", "'fast'"),
    ({"testing": {"skip_safety": "no"}}, "testing.skip_safety", "error", "true or false", ""),
    ({"testing": {"edge_devices": "pi"}}, "testing.edge_devices", "error", "list of texts", ""),
    ({"famly": "x"}, "famly", "error", "unknown key", "'family'"),
    ({"xyzzy": 1}, "xyzzy", "error", "unknown key", "known: name"),
]  # fmt: skip
GIVEN = [
    ({"format": "ggfu"}, "format", "none of", "'gguf'"),
    ({"file": "../../etc/passwd"}, "file", "leaves its folder", "inside the repository"),
    ({"file": "/etc/passwd"}, "file", "leaves its folder", ""),
    ({"file": "a\\..\\b"}, "file", "leaves its folder", ""),
    ({"file": "C:/x.gguf"}, "file", "leaves its folder", ""),
    ({"file": "~/x.gguf"}, "file", "leaves its folder", ""),
    ({"file": "a//b"}, "file", "leaves its folder", ""),
    ({"file": "*.gguf"}, "file", "a pattern", ""),
    ({"file": "a\u202efugg.exe"}, "file", "nobody sees", ""),
    ({"file": None}, "file", "which file of the repository", "file: model-q8_0.gguf"),
    ({"source": "file:../x.gguf"}, "source", "not inside", "beside the submission"),
    ({"source": "file:/etc/passwd"}, "source", "not inside", ""),
    ({"source": "https://example.org/x.gguf"}, "source", "no source", "write hf:"),
    ({"source": "org/name"}, "source", "no source", "hf:org/name@COMMIT"),
    ({"source": "hf:org/name"}, "source", "no source", "hf:org/name@COMMIT"),
    ({"source": "pypi:name#x.gguf"}, "source", "no source", "name the version"),
    ({"source": "pypi:name==1.0#../x.gguf"}, "source", "no source", ""),
    ({"source": 3}, "source", "it is a source", ""),
    ({"name": "q8 0;id"}, "name", "no name needs", ""),
    ({"sorce": "x"}, "sorce", "unknown key", "'source'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "key", "level", "says", "suggests"), WRONG)
def test_each_fault_of_a_model_is_named_with_its_line(tmp_path, change, key, level, says, suggests):
    text = dumped({**copy.deepcopy(WHOLE), **change})
    found = [note for note in notes_of(tmp_path, text) if note.key == f"model.{key}"]
    assert len(found) == 1
    assert found[0].level == level
    assert says in found[0].says
    assert suggests in found[0].suggests
    line = text.splitlines()[found[0].line - 1].strip()
    word, _, place = key.rpartition(".")[2].partition("[")
    assert line.startswith("- " if place else word)


@pytest.mark.parametrize(("change", "key", "says", "suggests"), GIVEN)
def test_each_fault_of_a_quantization_is_named_with_its_line(tmp_path, change, key, says, suggests):
    model = copy.deepcopy(WHOLE)
    model["quantizations"][0] |= change
    found = [
        n for n in notes_of(tmp_path, dumped(model)) if n.key == f"model.quantizations[0].{key}"
    ]
    assert [note.level for note in found] == ["error"]
    assert says in found[0].says
    assert suggests in found[0].suggests


@pytest.mark.parametrize(("one", "other"), [("Q8_0", "q8_0"), ("a", "a"), ("Q4 K", "q4-k")])
def test_two_quantizations_that_would_be_one_system_are_refused(tmp_path: Path, one, other):
    model = copy.deepcopy(WHOLE)
    model["quantizations"] = [
        {"name": name, "format": "gguf", "file": "x.gguf"} for name in (one, other)
    ]
    (note,) = notes_of(tmp_path, dumped(model))
    assert (note.level, note.key) == ("error", "model.quantizations[1].name")


def test_a_source_that_may_move_keeps_a_model_from_the_board(tmp_path: Path):
    for revision, told in (("main", 1), ("0123456", 1), (COMMIT, 0)):
        model = copy.deepcopy(WHOLE)
        model["quantizations"][0]["source"] = f"hf:org/other@{revision}"
        notes = notes_of(tmp_path, dumped(model))
        assert [(n.level, n.key) for n in notes] == [
            ("publish", "model.quantizations[0].source")
        ] * told


def test_every_fault_is_told_at_once_errors_first(tmp_path: Path):
    text = dumped({**WHOLE, "name": 4, "parameters": "x", "license": "no", "hf_revision": "main"})
    notes = notes_of(tmp_path, text)
    assert [note.level for note in notes] == ["error", "error", "warning", "publish"]
    assert [note.line for note in notes[:2]] == sorted(note.line for note in notes[:2])


WHOLE_FILES = {
    "nothing": (b"", "the file is empty"),
    "a list": (b"- a\n", "a submission is a mapping"),
    "a bomb": (b"a: &a [x, x]\nb: &b [*a, *a]\n", "anchors and aliases"),
    "code": (b"model: !!python/object/apply:os.system [id]\n", "tags are not read"),
    "depth": (b"model: " + b"[" * 10_000, "nested more than"),
    "size": (b"model: {name: " + b"x" * MOST_BYTES + b"}", "more than 65,536 bytes"),
    "bytes": (b"model:\n  name: \xff\n", "not UTF-8"),
    "escapes": (b"model: {name: a\x1b[31m}\n", "not YAML"),
    "tabs": (b"model:\n\tname: x\n", "not YAML"),
    "twice": (b"model: {name: a, name: b}\n", "twice"),
    "two documents": (b"model: {}\n---\nmodel: {}\n", "not YAML"),
    "no model": (b"submission: {}\n", "no key model"),
    "a slip": (b"modle: {}\n", "no key model"),
    "keys at the top": (b"name: a\n", "do not stand below"),
    "a text": (b"model: tiny\n", "no mapping"),
    "infinity": (b"model: {context_length: .inf}\n", "cannot be stored"),
}


@pytest.mark.parametrize("kind", WHOLE_FILES)
def test_a_file_that_is_no_submission_is_one_error(tmp_path: Path, kind):
    data, says = WHOLE_FILES[kind]
    sent, notes = read_submission(written(tmp_path, data))
    assert sent is None
    assert [note.level for note in notes] == ["error"]
    assert says in notes[0].says


def test_a_file_that_is_not_there_is_a_mistake_on_the_command_line(tmp_path: Path):
    with pytest.raises(PlanError, match="no such file"):
        read_submission(tmp_path / "none.yaml")
    with pytest.raises(PlanError, match="no file that could be read"):
        read_submission(tmp_path)


def test_a_commit_is_not_asked_for_where_each_source_is_named_apart(tmp_path: Path):
    model = copy.deepcopy(WHOLE)
    del model["hf_revision"]
    model["quantizations"][0] = {"name": "Q4", "format": "gguf", "source": "pypi:x==1.0#m.gguf"}
    assert notes_of(tmp_path, dumped(model)) == ()


def test_the_submissions_of_this_repository_say_all_that_a_board_needs():
    folder = Path(__file__).parents[2] / "models" / "submissions"
    found = [read_whole(path) for path in sorted(folder.glob("*.yaml"))]
    assert len(found) >= 2
    assert not [note for read in found for note in read.notes]


def test_the_manual_lists_exactly_the_keys_of_a_submission():
    text = (Path(__file__).parents[2] / "docs" / "board.md").read_text()
    section = text.partition("### Keys")[2].partition("### ")[0]
    first, second = section.split("Of each quantization:")
    rows = [
        [cell.strip() for cell in row.split("|")[1:3]]
        for row in first.splitlines()
        if "| `" in row[:4]
    ]
    needs = {"always": "always", "publish": "board", "never": ""}
    assert {row[0].strip("`"): row[1] for row in rows} == {
        n: needs[k.need] for n, k in MODEL.items()
    }
    from assay.publish.board.keys import QUANTIZATION

    told = {row.split("|")[1].strip(" `") for row in second.splitlines() if row.startswith("| `")}
    assert told == set(QUANTIZATION)
