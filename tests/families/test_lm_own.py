"""Tasks of our own: what is right passes, what is nearly right fails, and nobody scores by luck."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, PlanError, Question, Reply, run
from assay.families.lm.own.call_reading import NoCalls, calls, parsed
from assay.families.lm.own.calls import function_calls
from assay.families.lm.own.functions import KINDS
from assay.families.lm.own.lengths import CHARACTERS_PER_TOKEN, ruler
from assay.families.lm.own.names import CODE, Names
from assay.families.lm.own.needle import needle
from assay.families.lm.own.rag import rag
from assay.families.lm.own.schemas import breaches
from assay.families.lm.own.turns import turns
from assay.families.lm.prompted.script import Prompt
from assay.families.lm.prompted.speaker import Draw, Spoken
from assay.families.lm.prompted.stated import stated
from assay.families.lm.prompted.system import Prompted
from assay.testing import check_task

SPLITS = ("train", "tune", "calibration", "test")
TASKS = {
    "calls": function_calls,
    "needle": lambda **given: needle(lengths=(256, 512), depths=(0, 50, 100), **given),
    "rag": rag,
    "turns": turns,
}
each_task = pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)


def passed(task, sample, value) -> bool:
    [check] = task.verifier.check([(sample, Reply(sample.id, Answer(value)))])
    return bool(check.passed)


def scores(task, sample, value) -> dict[str, float]:
    [check] = task.verifier.check([(sample, Reply(sample.id, Answer(value)))])
    return dict(check.scores)


def answerable(task):
    return [s for s in task.samples("test") if isinstance(s.target, Answer)]


def kind(sample) -> str:
    return re.split(r"[/-]", sample.id)[-1]


# --- every task -----------------------------------------------------------------------------


@each_task
def test_the_task_keeps_its_contract(make):
    check_task(make(worlds=20))


@each_task
def test_a_world_depends_on_the_seed_and_its_number_only(make):
    few, many, other = make(worlds=4), make(worlds=20), make(worlds=20, seed=8)
    assert list(few.samples("test")) == list(many.samples("test"))[: len(few.samples("test"))]
    assert many.samples("test")[0].input != other.samples("test")[0].input


@each_task
def test_every_split_has_questions_with_and_without_an_answer(make):
    task = make(worlds=20)
    for split in SPLITS:
        kinds = {type(sample.target) for sample in task.samples(split)}
        assert kinds == {Answer, Bottom}


@each_task
def test_a_group_is_a_world(make):
    for split in SPLITS:
        for sample in make(worlds=20).samples(split):
            assert sample.id.startswith(f"{sample.group}/")


@each_task
def test_who_repeats_what_was_asked_is_never_right(make):
    task = make(worlds=20)
    for sample in answerable(task):
        turns_said = [message.text for message in Prompt().messages(sample.input)]
        last = turns_said[-1].splitlines()
        for echo in ("\n\n".join(turns_said), *turns_said, *last, json.dumps(sample.input)):
            assert not passed(task, sample, echo), (sample.id, echo[:200])


@each_task
def test_the_answers_of_other_worlds_are_right_nowhere_but_by_rare_chance(make):
    """What the controls say: answers of train."""
    task = make(worlds=20)
    learnt = [s.target.value for s in task.samples("train") if isinstance(s.target, Answer)]
    asked = answerable(task)
    right = sum(passed(task, sample, value) for sample in asked for value in learnt)
    assert right <= 0.03 * len(asked) * len(learnt)


@each_task
def test_stating_the_refusal_is_a_decline_and_hedging_is_not(make):
    for sample in make(worlds=4).samples("test"):
        for words, reason in sample.input["declines"].items():
            said = stated(sample.input, Answer(f" {words.lower()}. " if words != "[]" else words))
            assert isinstance(said, Bottom)
            assert said.reason == reason
            assert isinstance(stated(sample.input, Answer(f"{words}, or Paris")), Answer)


@each_task
def test_the_prompt_says_every_word_that_declines(make):
    for sample in make(worlds=4).samples("test"):
        for words in sample.input["declines"]:
            assert words == "[]" or words in sample.input["prompt"]


@each_task
def test_fewer_worlds_than_splits_are_an_error(make):
    with pytest.raises(PlanError, match="worlds is 3") as caught:
        make(worlds=3)
    assert caught.value.code == "A102"


class Says:
    """A speaker that says the same to everything."""

    def __init__(self, text):
        self.text = text

    def say(self, messages, draw):
        return Spoken(text=self.text, finish="stop")


@each_task
def test_a_prompted_system_that_states_the_refusal_declines(make):
    sample = next(s for s in make(worlds=4).samples("test") if isinstance(s.target, Bottom))
    words = next(iter(sample.input["declines"]))
    draw = Draw(temperature=0, max_tokens=9, timeout_s=1, seed=0)
    for text, expected in ((f"{words}\n", Bottom), (f"It is {words}", Answer)):
        [reply] = Prompted(Prompt(), Says(text), draw).answer([sample.question()])
        assert isinstance(reply.said, expected)


@given(st.text())
def test_a_question_that_gives_no_words_for_it_is_never_declined_by_words(text):
    for asked in (text, {"prompt": text}, {"prompt": text, "declines": "no"}, None):
        assert stated(asked, Answer(text)) == Answer(text)


def test_no_name_comes_twice_and_codes_look_like_codes():
    names = Names(Random(3))
    drawn = [names.place() for _ in range(2000)] + [names.code() for _ in range(2000)]
    assert len(set(drawn)) == 4000
    assert all(re.fullmatch(CODE, code) for code in drawn[2000:])
    assert not any(re.search(CODE, place) for place in drawn[:2000])


# --- lm.calls -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def called():
    return function_calls()


def test_calls_are_read_bare_fenced_marked_and_one_by_one(called):
    for sample in answerable(called):
        gold = sample.target.value
        each = [json.dumps(call, indent=1) for call in gold]
        for text in (
            json.dumps(gold),
            f"Here you are:\n```json\n{json.dumps(gold)}\n```\nDone.",
            "\n".join(f"<tool_call>\n{call}\n</tool_call>" for call in each),
            "\n".join(each),
            json.dumps(gold[::-1]),
            json.dumps([{**c, "arguments": json.dumps(c["arguments"])} for c in gold]),
            json.dumps([{"type": "function", "function": call} for call in gold]),
        ):
            assert passed(called, sample, text), text


def mutants(gold, functions):
    """Yield what is wrong with its name: each differs from the right calls in one place."""
    first, *rest = gold
    arguments = first["arguments"]
    schema = next(f["parameters"] for f in functions if f["name"] == first["name"])

    def other(**changes):
        return [{"name": first["name"], "arguments": {**arguments, **changes}}, *rest]

    yield "no call", []
    yield "another function", [{**first, "name": first["name"] + "s"}, *rest]
    yield "twice", [*gold, first]
    yield "names of arguments only", [{"name": first["name"], "arguments": {}}, *rest]
    yield "an argument too many", other(confirm=True)
    for name, value in arguments.items():
        less = {key: one for key, one in arguments.items() if key != name}
        yield f"without {name}", [{"name": first["name"], "arguments": less}, *rest]
        match value:
            case bool():
                yield f"{name} turned round", other(**{name: not value})
                yield f"{name} as a text", other(**{name: str(value).lower()})
            case int() | float():
                yield f"{name} one more", other(**{name: value + 1})
                yield f"{name} as a text", other(**{name: str(value)})
            case str():
                yield f"{name} shorter", other(**{name: value[:-1]})
                yield f"{name} in capitals", other(**{name: value.swapcase()})
                for word in schema["properties"][name].get("enum", ()):
                    if word != value:
                        yield f"{name} {word}", other(**{name: word})
            case list():
                yield f"{name} shorter", other(**{name: value[:-1]})
                yield f"{name} as a text", other(**{name: ", ".join(value)})
    if rest:
        yield "one call only", [first]


def test_every_mutant_of_the_right_calls_fails(called):
    tried = Counter()
    for sample in answerable(called):
        for what, wrong in mutants(sample.target.value, sample.input["functions"]):
            if what.endswith("in capitals") and wrong == sample.target.value:
                continue  # a time has no letters
            assert not passed(called, sample, json.dumps(wrong)), (sample.id, what)
            tried[what.split()[0]] += 1
    assert sum(tried.values()) > 500


def test_the_gold_calls_keep_their_schemas_and_their_values_stand_in_the_request(called):
    for sample in answerable(called):
        request = sample.input["prompt"].rpartition("Request:")[2].lower()
        schemas = {f["name"]: f["parameters"] for f in sample.input["functions"]}
        for call in sample.target.value:
            assert not list(breaches(call["arguments"], schemas[call["name"]]))
            for value in call["arguments"].values():
                for part in value if isinstance(value, list) else [value]:
                    assert isinstance(part, bool) or str(part).lower() in request


def test_no_function_is_offered_that_does_what_has_no_call(called):
    for sample in called.samples("test"):
        if kind(sample) != "none":
            continue
        request = sample.input["prompt"].rpartition("Request: ")[2].lower()
        asked = next(k for k in KINDS if request.startswith(k.request.partition("{")[0]))
        assert not {f["name"] for f in sample.input["functions"]} & set(asked.names)


def test_scores_say_how_far_an_answer_came(called):
    sample = next(s for s in answerable(called) if kind(s) == "single")
    [gold] = sample.target.value
    renamed = [{**gold, "name": "call"}]
    emptied = [{"name": gold["name"], "arguments": {}}]
    assert scores(called, sample, "I would call it.") == {
        "valid_json": 0, "valid_calls": 0, "right_names": 0, "right_arguments": 0,
    }  # fmt: skip
    assert scores(called, sample, '{"a": 1}')["valid_json"] == 1
    assert scores(called, sample, json.dumps(renamed)) == {
        "valid_json": 1, "valid_calls": 0, "right_names": 0, "right_arguments": 1,
    }  # fmt: skip
    assert scores(called, sample, json.dumps(emptied)) == {
        "valid_json": 1, "valid_calls": 0, "right_names": 1, "right_arguments": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("stop()", "not JSON"),
        ("[]", "nothing in it"),
        ("", "nothing in it"),
        ('Sure! [{"name": "stop", "arguments": {}}]', "not JSON"),
        ('{"name": "stop", "arguments": {"n": NaN}}', "NaN is no JSON"),
        ('{"name": "go", "name": "stop", "arguments": {}}', "comes twice"),
        ('{"name": "stop"}', "no {name, arguments}"),
        ('{"name": "stop", "arguments": "[]"}', "no object"),
        ("[" * 40 + "]" * 40, "nested"),
        ("[" * 20_000, "nested|not JSON"),
        ("9" * 5_000, "too many digits"),
        ("x" * 60_000, "too long"),
    ],
)
def test_what_is_no_json_of_calls_says_why(text, why):
    with pytest.raises(NoCalls, match=why):
        calls(parsed(text))


FEW_CALLS = function_calls(worlds=4)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@settings(max_examples=200)
@given(st.text() | VALUE.map(json.dumps) | VALUE | st.text(alphabet='[]{}",:0eE-.\\u<>`'))
def test_whatever_is_said_is_checked_and_is_wrong(value):
    sample = next(s for s in answerable(FEW_CALLS) if kind(s) == "parallel")
    assert not passed(FEW_CALLS, sample, value)


def test_a_number_is_a_number_however_it_is_written(called):
    sample = next(
        s for s in answerable(called) for c in s.target.value if "guests" in c["arguments"]
    )
    whole = json.dumps(sample.target.value)
    decimal = re.sub(r'("guests": \d+)', r"\1.0", whole)
    assert whole != decimal
    assert passed(called, sample, decimal)


# --- lm.needle ------------------------------------------------------------------------------


def haystack(sample) -> str:
    return sample.input["prompt"].partition("Text:\n")[2].rpartition("\n\nQuestion:")[0]


def test_the_code_stands_once_in_the_text_at_its_depth_among_others():
    task = needle(lengths=(1024,), depths=(0, 25, 50, 75, 100), worlds=20)
    for sample in task.samples("test"):
        text, codes = haystack(sample), re.findall(CODE, haystack(sample))
        assert len(codes) == len(set(codes)) == 5
        if isinstance(sample.target, Bottom):
            place = re.search(r"access code of (\w+)\?", sample.input["prompt"])[1]
            assert place not in text
        else:
            code, depth = sample.target.value, int(kind(sample))
            assert text.count(code) == 1
            assert abs(text.index(code) / len(text) - depth / 100) < 0.1


def test_a_text_has_the_estimated_length_but_for_a_sentence():
    for sample in needle(lengths=(300, 3000), depths=(50,), worlds=4).samples("test"):
        wanted = int(sample.id.split("/")[2])
        assert wanted - 60 < len(haystack(sample)) / CHARACTERS_PER_TOKEN <= wanted


def test_only_the_code_alone_in_a_short_answer_is_found():
    task = needle(lengths=(256,), depths=(50,), worlds=4)
    sample = answerable(task)[0]
    code = sample.target.value
    others = [one for one in re.findall(CODE, haystack(sample)) if one != code]
    for right in (code, f"It is {code}.", f"The access code is **{code}**"):
        assert passed(task, sample, right)
    assert scores(task, sample, f" {code}\n")["exact_match"] == 1
    assert scores(task, sample, f"It is {code}.")["exact_match"] == 0
    wrong = [
        others[0],
        f"{code} or {others[0]}",
        code[:-1],
        code.lower(),
        code + "A",
        code.replace("-", ""),
        code[:4],
        f"x{code}",
        f"{code}{'!' * 200}",
        "The access code of the place",
    ]
    for value in wrong:
        assert not passed(task, sample, value), value


def test_lengths_and_depths_that_make_no_sense_are_errors():
    for given_ in ({"lengths": (10,)}, {"depths": (101,)}, {"lengths": ()}, {"depths": (5, 5)}):
        with pytest.raises(PlanError) as caught:
            needle(**given_)
        assert caught.value.code == "A102"


def test_a_tokenizer_counts_the_tokens_and_the_task_says_which(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(tmp_path / "tokenizer.json"))
    task = needle(lengths=(400,), depths=(50,), tokenizer=tmp_path / "tokenizer.json", worlds=4)
    for sample in task.samples("test"):
        n = len(made.encode(haystack(sample)).ids)
        assert 400 - 40 < n <= 400
    [caveat] = task.caveats()
    assert re.search(r"tokens of tokenizer.json \(sha256:[0-9a-f]{12}\)", caveat)
    assert "estimates" in needle().caveats()[0]


@pytest.mark.parametrize("content", [None, b"\xff", b"{", b"[]", b'{"model": 1}'])
def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path, content):
    pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        ruler(path)
    assert caught.value.code == "A200"


# --- lm.rag ---------------------------------------------------------------------------------


def told_in(sample) -> str:
    return sample.input["prompt"].rpartition("\n\nQuestion:")[0]


def question_of(sample) -> str:
    return sample.input["prompt"].rpartition("\n\nQuestion: ")[2].splitlines()[0]


def test_an_answer_stands_in_the_passages_and_never_in_the_question():
    for sample in answerable(rag()):
        value = sample.target.value
        answer = value if isinstance(value, str) else value[0]
        assert answer in told_in(sample)
        assert answer not in question_of(sample)


def test_what_is_not_told_has_no_sentence_and_what_is_contradicted_has_two():
    tells = {
        "town": r"was born in|birthplace of",
        "trade": r"worked as|By trade",
        "died": r"died on|The death of",
        "teacher": r"learnt from|The teacher of",
    }
    counted = Counter()
    for sample in rag().samples("test"):
        [about] = [tag[6:] for tag in sample.tags if tag.startswith("about_")]
        if not isinstance(sample.target, Bottom):
            continue
        who = re.search(r"[A-Z]\w+ [A-Z]\w+", question_of(sample).partition(" ")[2])[0]
        sentences = re.split(r"(?<=\.)\s", told_in(sample))
        found = {s for s in sentences if who in s and re.search(tells[about], s)}
        named = sum(who in sentence for sentence in sentences)
        match kind(sample):
            case "untold":
                assert not found
                assert named == 3
            case "unknown":
                assert named == 0
            case "contradicted":
                assert len(found) == 2
        counted[kind(sample)] += 1
    assert len(counted) == 3


def test_the_right_answer_passes_in_other_spellings_and_others_fail():
    task = rag()
    for sample in answerable(task):
        value = sample.target.value
        ways = [value] if isinstance(value, str) else list(value)
        for way in ways:
            assert passed(task, sample, f" {way.upper()}.")
        others = {
            s.target.value if isinstance(s.target.value, str) else s.target.value[0]
            for s in answerable(task)
            if s.group == sample.group
        } - set(ways)
        for wrong in (*others, ways[0][:-1], f"not {ways[0]}", f"{ways[0]} or so", told_in(sample)):
            assert not passed(task, sample, wrong), (sample.id, wrong)


# --- lm.turns -------------------------------------------------------------------------------


def test_a_conversation_has_the_turns_that_were_asked_for():
    for n in (5, 12):
        for sample in turns(turns=n, worlds=4).samples("test"):
            assert len(sample.input["so_far"]) == n
    with pytest.raises(PlanError, match="turns is 4"):
        turns(turns=4)


def words_told(sample) -> list[str]:
    """Return every word that was told of the thing that is asked for, oldest first."""
    said = [message.text for message in Prompt().messages(sample.input)]
    thing = re.search(r"code word for the (\w+)\?", said[-1])[1]
    about = [text.splitlines()[-1] for text in said if f"the {thing}" in text][:-1]
    found = (re.search(r"\b(?:is|now|is now) (\w+)\.$", text) for text in about)
    return [match[1] for match in found if match]


def test_the_last_word_told_is_right_and_the_old_one_and_other_things_words_are_not():
    task = turns()
    for sample in task.samples("test"):
        told = words_told(sample)
        match kind(sample), sample.target:
            case "recall", Answer(value):
                assert told == [value]
            case "updated", Answer(value):
                assert told[-1] == value
                assert len(told) == 2
                assert not passed(task, sample, told[0])
            case "standing", Answer(value):
                assert re.sub(r"\W", "", value).lower() in (told[0], told[0][::-1])
                assert value != told[0]
                assert not passed(task, sample, told[0])
                assert scores(task, sample, told[0])["recalled"] == 1
            case "untold", Bottom():
                assert told == []
            case "taken_back", Bottom():
                assert len(told) == 1
            case other:
                pytest.fail(str(other))


def test_a_word_passes_with_quotation_marks_and_fails_with_anything_more():
    task = turns()
    for sample in answerable(task):
        value = sample.target.value
        for right in (value, f' "{value}". ', f"**{value}**"):
            assert passed(task, sample, right)
        for wrong in (f"It is {value}", value[:-1] + "q", f"{value} {value}", value[1:], ""):
            assert not passed(task, sample, wrong), wrong
        assert passed(task, sample, value.upper())
        for n, said in (
            (1.0, f"It is {value}."),
            (0.0, f"{value} it is"),
            (0.0, "x " * 99 + value),
        ):
            assert scores(task, sample, said)["recalled"] == n
        assert passed(task, sample, value.lower()) == (not value.isupper())


HEARD = ["Noted.", "All right.", "I will remember that.", "Thank you, I have it.", "Understood."]


def test_what_was_answered_before_is_right():
    for sample in turns().samples("test"):
        said = [message.text for message in Prompt().messages(sample.input)]
        for asked, answered in zip(said[::2], said[1::2], strict=False):
            added = re.search(r"(\d+) plus (\d+)\?$", asked)
            assert answered in ([str(int(added[1]) + int(added[2]))] if added else HEARD)


def test_a_question_shows_nothing_of_the_target():
    for make in TASKS.values():
        for sample in make(worlds=4).samples("test"):
            assert isinstance(sample.question(), Question)
            assert not {"target", "group", "tags"} & set(sample.input)


@pytest.mark.slow
def test_no_control_and_no_echo_solves_anything_in_a_run(tmp_path):
    (tmp_path / "plan.yaml").write_text(
        """
name: own
says: Who calls what nobody can know?
tasks: [{use: lm.calls, options: {worlds: 8}}]
systems:
  - {name: echo, use: lm.command, options: {argv: [cat]}}
  - {name: shy, use: lm.command, options: {argv: [echo, "No call."]}}
"""
    )
    found = run(tmp_path / "plan.yaml", out=tmp_path / "run")

    def value(metric: str, system: str) -> float | None:
        return found.estimate(metric, system).value

    for system in ("echo", "shy", "silent", "constant", "random"):
        assert value("solved", system) == 0.0
    # Who knows the words that decline has every decline, and nothing else.
    assert [value("invention_rate", name) for name in ("echo", "shy")] == [1.0, 0.0]
    assert [value("accuracy", name) for name in ("echo", "shy")] == [0.0, 0.25]
    assert [value("valid_json", name) for name in ("echo", "constant")] == [0.0, 1.0]
    assert found.verify() == []
