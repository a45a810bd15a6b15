"""Every mistake in a plan is refused with its code, its line, and a suggestion."""

from __future__ import annotations

import re
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import PlanError, load_plan
from assay.core.errors import AssayError
from assay.engine.document import parse_document
from assay.engine.overrides import nearest
from runs import SMOKE, write_plan
from strategies import any_texts, json_values

GOOD = """\
name: good
says: A plan.
seeds: [0, 1]
prices: laptop
tasks:
  - use: toy.errands
systems:
  - {name: votes, use: toy.votes, options: {bag: 0.5}, abstain: {max_risk: 0.1}}
  - {name: last-word, use: toy.last_word, limit: 100}
fronts: [[accuracy, usd_per_1k]]
timing: {processes: 1, blocks: 2, questions: 1}
ship: {metric: accuracy, margin: 0.02}
limits: {reply_s: 10}
claims:
  - id: better
    says: It is better.
    system: votes
    against: last-word
    metric: accuracy
    at_least: 0.0
"""


def load(folder: Path, text: str, *overrides: str) -> Any:
    return load_plan(write_plan(folder, text), overrides)


def refused(folder: Path, text: str, *overrides: str) -> PlanError:
    with pytest.raises(PlanError) as caught:
        load(folder, text, *overrides)
    return caught.value


def error_of(path: Path, *overrides: str) -> PlanError | None:
    """Return the error of a plan, which may have none; any other exception is a bug."""
    try:
        load_plan(path, overrides)
    except PlanError as error:
        return error
    return None


def with_line(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_good_plan_is_read_as_it_stands(tmp_path: Path) -> None:
    plan = load(tmp_path, GOOD).plan
    assert plan.name == "good"
    assert plan.seeds == [0, 1]
    assert plan.systems[0].options == {"bag": 0.5}
    assert plan.claims[0].at_least == 0.0
    assert plan.limits.deaths == 5


MISTAKES = {
    # mistake: (old, new, code, words of the message, words of the hint)
    "a key of the plan": ("seeds:", "sedes:", "A101", "'sedes' in the plan", "'seeds'"),
    "a key that must be there": ("name: good", "nmae: good", "A101", "'nmae' in the plan", "'name'"),
    "a key of a task": ("use: toy.errands", "us: toy.errands", "A101", "'us' in tasks.0", "'use'"),
    "a key of a system": ("limit: 100", "limits: 100", "A101", "'limits' in systems.1", "'limit'"),
    "a key of a claim": ("against:", "agianst:", "A101", "'agianst' in claims.0", "'against'"),
    "a key of timing": ("blocks: 2", "block: 2", "A101", "'block' in timing", "'blocks'"),
    "a key of ship": ("margin:", "margins:", "A101", "'margins' in ship", "'margin'"),
    "a key of limits": ("reply_s:", "replys:", "A101", "'replys' in limits", "'reply_s'"),
    "a key of abstain": ("max_risk:", "maxrisk:", "A101", "'maxrisk'", "'max_risk'"),
    "a key with brackets": ("seeds:", "'se[ds':", "A101", "'se[ds' in the plan", "'seeds'"),
    "a text for a number": ("limit: 100", "limit: many", "A102", "systems.1.limit", ""),
    "a share for a count": ("limit: 100", "limit: 1.5", "A102", "systems.1.limit", ""),
    "a count of nothing": ("limit: 100", "limit: 0", "A102", "systems.1.limit", ""),
    "a number for a name": ("name: good", "name: 7", "A102", "name", ""),
    "a word that YAML takes for a truth": ("name: good", "name: on", "A102", "name", ""),
    "a name with a slash": ("name: good", "name: a/b", "A102", "letters, digits", ""),
    "a name that climbs": ("name: good", "name: ..", "A102", "letters, digits", ""),
    "a name of many letters": ("name: good", f"name: {'a' * 81}", "A102", "at most 80", ""),
    "a name in another alphabet": ("name: good", "name: été", "A102", "letters, digits", ""),
    "an empty name": ("name: good", 'name: ""', "A102", "letters, digits", ""),
    "a seed that is a truth": ("seeds: [0, 1]", "seeds: [true]", "A102", "seeds.0", ""),
    "a seed below zero": ("seeds: [0, 1]", "seeds: [-1]", "A102", "seeds.0", ""),
    "a seed of many bits": ("seeds: [0, 1]", f"seeds: [{2**32}]", "A102", "seeds.0", ""),
    "a seed of many digits": ("seeds: [0, 1]", f"seeds: [{'9' * 5000}]", "A102", "", ""),
    "no seeds": ("seeds: [0, 1]", "seeds: []", "A102", "seeds", ""),
    "a seed twice": ("seeds: [0, 1]", "seeds: [3, 3]", "A102", "two seeds are called 3", ""),
    "a system in other capitals": (
        "name: last-word",
        "name: Votes",
        "A102",
        "differ in capitals alone",
        "",
    ),
    "a system twice": ("name: last-word", "name: votes", "A102", "two systems", ""),
    "a mapping for a list": ("fronts: [[accuracy, usd_per_1k]]", "fronts: {a: b}", "A102", "fronts", ""),
    "a list for a mapping": ("timing: {", "timing: [{", "A100", "", ""),
    "a front of nothing": ("[[accuracy, usd_per_1k]]", "[[]]", "A102", "fronts.0", ""),
    "a risk of nothing": ("max_risk: 0.1", "max_risk: 0", "A102", "max_risk", ""),
    "a number that YAML takes for text": ("max_risk: 0.1", "max_risk: 1e-2", "A102", "max_risk", "write 0.01 or 1.0e-2"),
    "a large one": ("limit: 100", "limit: 1E3", "A102", "limit", "write 1000: YAML"),
    "a risk of everything": ("max_risk: 0.1", "max_risk: 1", "A102", "max_risk", ""),
    "a risk that is no number": ("max_risk: 0.1", "max_risk: .nan", "A102", "cannot be stored", ""),
    "a bound without end": ("at_least: 0.0", "at_least: .inf", "A102", "cannot be stored", ""),
    "an option that is no number": ("bag: 0.5", "bag: -.inf", "A102", "cannot be stored", ""),
    "half a surrogate pair": ("says: A plan.", r'says: "\uD800"', "A102", "cannot be stored", ""),
    "two bounds": ("at_least: 0.0", "at_least: 0.0\n    at_most: 1.0", "A102", "exactly one", ""),
    "a bound either way of nothing": ("at_least: 0.0", "within: 0", "A102", "within", ""),
    "a bound either way and another": ("at_least: 0.0", "at_least: 0.0\n    within: 0.1", "A102", "exactly one", ""),
    "a correction of no name": ("seeds: [0, 1]", "correction: sidak", "A102", "correction", ""),
    "no bound": ("    at_least: 0.0\n", "", "A102", "exactly one", ""),
    "over the moon": ("at_least: 0.0", "at_least: 0.0\n    over: [moons]", "A102", "over.0", ""),
    "a claim without an id": ("  - id: better\n    says", "  - says", "A100", "claims.0.id", ""),
    "no tasks": ("tasks:\n  - use: toy.errands\n", "", "A100", "tasks", ""),
    "an empty list of tasks": ("tasks:\n  - use: toy.errands", "tasks: []", "A102", "tasks", ""),
    "nothing where tasks stand": ("tasks:\n  - use: toy.errands", "tasks:", "A102", "tasks", ""),
    "a key twice": ("prices: laptop", "name: good", "A100", "'name' stands here twice", "one of them"),
    "a key twice, quoted once": ("prices: laptop", '"name": x', "A100", "'name' stands here twice", ""),
    "a list as a key": ("prices: laptop", "[a, b]: laptop", "A100", "must be a word", "word: value"),
    "an anchor": ("name: good", "name: &x good", "A105", "anchors", "templating"),
    "an alias": ("prices: laptop", "prices: *x", "A105", "aliases", "templating"),
    "a merge": ("prices: laptop", "<<: {prices: laptop}", "A101", "'<<'", ""),
    "a tag of Python": ("says: A plan.", 'says: !!python/object/apply:os.system ["id"]', "A105", "tags", ""),
    "a tag of YAML": ("says: A plan.", "says: !!binary aGk=", "A105", "tags", ""),
    "a tag of ours": ("says: A plan.", "says: !env HOME", "A105", "tags", ""),
    "the shortest tag": ("says: A plan.", "says: ! x", "A105", "tags", ""),
    "a tab for indentation": ("  - use: toy.errands", "\t- use: toy.errands", "A100", "not YAML", "indentation"),
    "a bracket that stays open": ("[0, 1]", "[0, 1", "A100", "not YAML", ""),
    "a quote that stays open": ("says: A plan.", "says: 'A plan.", "A100", "not YAML", ""),
    "two documents": ("says: A plan.", "---\nsays: A plan.", "A100", "not YAML", ""),
    "a directive": ("name: good", "%YAML 9.9\n---\nname: good", "A100", "not YAML", ""),
    "a control character": ("says: A plan.", "says: \x07", "A100", "not YAML", "printed"),
    "a null character": ("says: A plan.", "says: \x00", "A100", "not YAML", "printed"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_code_and_a_suggestion(tmp_path: Path, mistake: str) -> None:
    old, new, code, words, hint = MISTAKES[mistake]
    error = refused(tmp_path, with_line(old, new))
    assert re.fullmatch(code, error.code), error
    assert words in error.what
    assert re.search(hint, error.hint)
    assert error.hint, "an error says what to try"
    assert error.where.startswith(str(tmp_path / "plan.yaml"))


ON_A_LINE = [
    "a key of the plan",
    "a key of a system",
    "a key of a claim",
    "a key of timing",
    "a key of limits",
    "a key of abstain",
    "a text for a number",
    "a number for a name",
    "a seed below zero",
    "a seed of many digits",
    "a risk of nothing",
    "a bound without end",
    "half a surrogate pair",
    "an anchor",
    "an alias",
    "a tag of Python",
    "an empty list of tasks",
]


@pytest.mark.parametrize("mistake", ON_A_LINE)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, mistake: str) -> None:
    old, new, *_ = MISTAKES[mistake]
    text = with_line(old, new)
    assert refused(tmp_path, text).where == f"{tmp_path / 'plan.yaml'}:{line_of(text, new)}"


def test_a_key_that_stands_twice_is_named_where_it_stands_again(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: a\nseeds: [0]\nname: b\n").where.endswith("plan.yaml:3")
    inner = refused(tmp_path, "name: a\ntasks:\n  - use: x\n    limit: 1\n    limit: 2\n")
    assert inner.where.endswith("plan.yaml:5")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "A100", "the plan is empty"),
        ("\n\n# only a comment\n", "A100", "the plan is empty"),
        ("~", "A100", "the plan is empty"),
        ("---\n...\n", "A100", "the plan is empty"),
        ("- a\n- b\n", "A102", "a plan is a mapping"),
        ("just words", "A102", "a plan is a mapping"),
        ("7", "A102", "a plan is a mapping"),
        ("{}", "A100", "name"),
        ("[" * 50, "A105", "nested more than 20 deep"),
        ("a: " + "[" * 200_000, "A105", "nested more than 20 deep"),
        ("- " * 100_000, "A105", "nested more than 20 deep"),
        ("{a: " * 5000, "A105", "nested more than 20 deep"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, code: str, words: str) -> None:
    error = refused(tmp_path, text)
    assert error.code == code
    assert words in error.what


@pytest.mark.parametrize("number", ["010", "-017", "0_7", "12:30", "1:30:00", "190:20:30.15", "00"])
def test_a_number_that_yaml_counts_in_eights_or_sixties_is_refused_with_its_line(
    tmp_path: Path, number: str
) -> None:
    error = refused(tmp_path, f"name: a\nseeds: [{number}]\n")
    assert error.code == "A102"
    assert error.where.endswith("plan.yaml:2")
    assert f'"{number}"' in error.hint


def test_numbers_that_everybody_reads_alike_and_texts_of_digits_are_read(tmp_path: Path) -> None:
    text = '[0, 0.5, 1_000, 0x10, 0b101, -7, 00.5, 1.0e+3, "010", "12:30", 08:61, 2026-11-29]'
    value = parse_document(f"a: {text}", tmp_path / "plan.yaml").value["a"]
    assert value == [
        0, 0.5, 1000, 16, 5, -7, 0.5, 1000.0, "010", "12:30", "08:61", "2026-11-29"]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "byte 0 is not UTF-8"),
        (b"name: caf\xe9\n", "byte 9 is not UTF-8"),
        ("name: x".encode("utf-16"), "byte 0 is not UTF-8"),
        (b"name: \xed\xa0\x80\n", "byte 6 is not UTF-8"),
        (bytes(100), "not YAML"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(raw)
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    assert caught.value.code == "A100"
    assert words in caught.value.what


def test_a_mark_of_byte_order_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_plan(path).plan == load(tmp_path, GOOD).plan


def test_lines_are_counted_the_same_with_windows_line_ends(tmp_path: Path) -> None:
    text = with_line("limit: 100", "limit: many")
    path = tmp_path / "crlf.yaml"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    assert caught.value.where == f"{path}:{line_of(text, 'limit: many')}"


def test_a_plan_may_lie_under_any_path(tmp_path: Path) -> None:
    folder = tmp_path / "日本 🦀" / "a b'c"
    folder.mkdir(parents=True)
    assert load(folder, GOOD).plan.name == "good"
    assert str(folder) in refused(folder, "x: 1").where


def test_a_plan_may_say_anything_in_any_alphabet(tmp_path: Path) -> None:
    said = "Ist das groß? 日本語 🦀 \u202e"
    assert load(tmp_path, with_line("A plan.", f'"{said}"')).plan.says == said


def test_a_file_of_a_hundred_megabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with path.open("wb") as file:
        file.write(b"name: x\n#")
        file.truncate(100 * 2**20)
    start = time.process_time()
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    assert caught.value.code == "A105"
    assert "too large" in caught.value.what
    assert time.process_time() - start < 0.5


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(PlanError, match="A105"):
        load_plan("/dev/zero")


def test_a_bomb_of_aliases_is_refused_before_it_grows(tmp_path: Path) -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        rows.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    error = refused(tmp_path, "\n".join(rows))
    assert error.code == "A105"
    assert error.where.endswith("plan.yaml:1")


@pytest.mark.parametrize("path", ["nowhere.yaml", "folder", "\udcff.yaml"])
def test_a_plan_that_cannot_be_opened_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path / path)
    assert caught.value.code == "A100"
    assert "cannot be read" in caught.value.what
    assert "assay init" in caught.value.hint


@settings(max_examples=150)
@given(text=any_texts(80) | st.text("[]{}:,-&*!|>'\"%@`#?~ \n\tab0.", max_size=60))
def test_any_text_is_a_plan_or_an_error_of_the_plan(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    error = error_of(path)
    assert error is None or (error.hint and error.where)


@settings(max_examples=100)
@given(data=st.data(), value=json_values())
def test_any_value_anywhere_in_a_plan_is_read_or_an_error_of_the_plan(
    data: st.DataObject, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = yaml.safe_load(GOOD)
    here = raw
    for _ in range(data.draw(st.integers(0, 3))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        inner = [k for k in keys if isinstance(here[k], dict | list) and here[k]]
        if not inner:
            break
        here = here[data.draw(st.sampled_from(inner))]
    keys = list(here) if isinstance(here, dict) else list(range(len(here)))
    here[data.draw(st.sampled_from(keys))] = value
    path = tmp_path_factory.getbasetemp() / "mutant.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    error = error_of(path)
    assert error is None or error.code in ("A100", "A101", "A102", "A105")


SETS = {
    "seeds=[7]": lambda p: p.seeds == [7],
    "timing.blocks=9": lambda p: p.timing.blocks == 9,
    "limits.build_s=5": lambda p: p.limits.build_s == 5,
    "systems.votes.limit=5": lambda p: p.systems[0].limit == 5,
    "systems.votes.options.bag=1.0": lambda p: p.systems[0].options == {"bag": 1.0},
    "systems.last-word.abstain.max_risk=0.2": lambda p: p.systems[1].abstain.max_risk == 0.2,
    "systems.votes.abstain=null": lambda p: p.systems[0].abstain is None,
    "tasks.toy.errands.limit=20": lambda p: p.tasks[0].limit == 20,
    "systems.toy.votes.limit=6": lambda p: p.systems[0].limit == 6,
    "claims.better.at_least=-0.5": lambda p: p.claims[0].at_least == -0.5,
    "says=": lambda p: p.says == "",
    "says='a=b'": lambda p: p.says == "a=b",
    "name=other": lambda p: p.name == "other",
    "fronts=[]": lambda p: p.fronts == [],
}


@pytest.mark.parametrize("word", SETS)
def test_one_value_can_be_set_on_the_command_line(tmp_path: Path, word: str) -> None:
    loaded = load(tmp_path, GOOD, word)
    assert SETS[word](loaded.plan)
    assert loaded.overrides == (word,)
    assert loaded.text == dedent(GOOD), "the plan itself stays as given"


def test_later_words_win(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, "seeds=[1]", "seeds=[2]").plan.seeds == [2]


@pytest.mark.parametrize(
    ("word", "code", "words", "hint"),
    [
        ("seeds", "A106", "key=value", "seeds=[0]"),
        ("=3", "A106", "key=value", ""),
        ("", "A106", "key=value", ""),
        ("sedes=[0]", "A101", "unknown key 'sedes'", "'seeds'"),
        ("systems.vots.limit=3", "A106", "no 'vots' here", "'votes'"),
        ("systems.0.limit=3", "A106", "no '0' here", "votes"),
        ("seeds.0=3", "A106", "not inside a mapping|no '0' here", ""),
        ("seeds.a.b=3", "A106", "no 'a' here", ""),
        ("name.x=3", "A106", "not inside a mapping", ""),
        ("name.x.y=3", "A106", "not inside a mapping", ""),
        ("timing.blocks=many", "A102", "timing.blocks", ""),
        ("timing.blocks=", "A102", "timing.blocks", ""),
        ("seeds=[", "A100", "not YAML", ""),
        ("seeds=&a [1]", "A105", "anchors", ""),
        ("says=!!python/name:os.system", "A105", "tags", ""),
        ("claims.better.at_least=.nan", "A102", "cannot be stored", ""),
        (".=1", "A101", "unknown key", ""),
        ("timing..blocks=1", "A106|A102|A101", "", ""),
        ("tasks=null", "A102", "tasks", ""),
    ],
)
def test_a_wrong_word_on_the_command_line_is_refused(
    tmp_path: Path, word: str, code: str, words: str, hint: str
) -> None:
    error = refused(tmp_path, GOOD, word)
    assert re.fullmatch(code, error.code), error
    assert re.search(words, error.what)
    assert hint in error.hint


@settings(max_examples=100)
@given(
    key=st.lists(
        st.sampled_from(
            [
                "systems",
                "votes",
                "tasks",
                "toy",
                "seeds",
                "timing",
                "blocks",
                "claims",
                "a",
                "",
                "name",
            ]
        ),
        min_size=1,
        max_size=4,
    ),
    value=st.text("[]{}:0.1a~ '", max_size=6),
)
def test_any_word_on_the_command_line_is_set_or_refused(
    key: list[str], value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "good.yaml"
    path.write_text(GOOD)
    error = error_of(path, f"{'.'.join(key)}={value}")
    assert error is None or error.code in ("A100", "A101", "A102", "A105", "A106")


PUBLISHED = [
    path
    for path in sorted(SMOKE.parent.glob("*.yaml"))
    if path.name != "models.yaml"  # a tier file: `assay model pipeline` makes plans of it
]


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda p: p.name)
def test_every_published_plan_has_the_right_form(path: Path) -> None:
    assert load_plan(path).plan.says


@given(known=st.lists(st.text(max_size=8), max_size=6), word=st.text(max_size=8))
def test_the_nearest_name_is_one_of_the_known_ones(known: list[str], word: str) -> None:
    hint = nearest(word, known)
    match = re.fullmatch(r"did you mean (.*)\?", hint, re.DOTALL)
    assert match is None or any(repr(name) == match[1] for name in known)


def test_a_mistake_is_an_error_of_assay_and_exits_with_two(tmp_path: Path) -> None:
    error = refused(tmp_path, "x: 1")
    assert isinstance(error, AssayError)
    assert error.exit_code == 2
