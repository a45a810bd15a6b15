"""How a question becomes messages, and what a prompted system says of what it hears."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import (
    Answer,
    Artifact,
    AssayError,
    Bottom,
    Crash,
    Failed,
    Needs,
    PlanError,
    Question,
    Sample,
)
from assay.families.lm.prompted.recipe import Prompting
from assay.families.lm.prompted.script import NoPrompt, Prompt
from assay.families.lm.prompted.speaker import Draw, Message, Spoken
from assay.families.lm.prompted.system import Prompted, seed_of
from assay.recipes import Inner, draws

NAMES = st.text("abcdefgh_", min_size=1, max_size=5)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@dataclass
class Told:
    """A speaker that says what it is told to, and remembers what it was asked."""

    says: Mapping[str, Spoken] = field(default_factory=dict)
    draws: list[Draw] = field(default_factory=list)

    def say(self, messages, draw):
        self.draws.append(draw)
        return self.says.get(messages[-1].text, Spoken(text=messages[-1].text, finish="stop"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling(Prompting):
    """The least that a recipe of a prompted system can be."""

    needs: Needs = Needs()

    @property
    def _in_flight(self):
        return 1

    def _check(self):
        pass

    def _files(self) -> tuple[Artifact, ...]:
        return ()

    def _speaker(self):
        return Told()


DRAW = Draw(temperature=0.0, max_tokens=10, timeout_s=1.0, seed=0)


def ask(speaker, *inputs, parallel=1):
    system = Prompted(Prompt(), speaker, DRAW, parallel=parallel)
    return list(system.answer([Question(id=str(i), input=one) for i, one in enumerate(inputs)]))


@given(members=st.dictionaries(NAMES, TEXTS, min_size=1), system=TEXTS)
def test_a_template_puts_each_member_in_as_it_is(members, system):
    template = "<" + "|".join(f"{{{name}}}" for name in members) + ">{} {{a}}"
    *opening, user = Prompt(system=system, user=template).messages(members)
    assert user == Message("user", "<" + "|".join(members.values()) + ">{} {a}")
    assert opening == ([Message("system", system)] if system else [])


@given(text=TEXTS)
def test_a_question_that_is_a_text_is_the_user_message(text):
    assert Prompt().messages(text) == (Message("user", text),)
    assert Prompt(user="Q: {input}").messages(text) == (Message("user", f"Q: {text}"),)
    assert Prompt().messages({"prompt": text}) == (Message("user", text),)


def test_a_question_may_bring_its_own_system_message_and_the_plan_overrides_it():
    asked = {"prompt": "hi", "system": "theirs"}
    assert Prompt().messages(asked)[0] == Message("system", "theirs")
    assert Prompt(system="ours").messages(asked)[0] == Message("system", "ours")


def test_half_a_surrogate_pair_is_spelled_out():
    assert Prompt().messages("a\ud800") == (Message("user", "a\\ud800"),)


def test_a_member_that_is_no_text_is_put_in_as_json():
    [user] = Prompt(user="{cases} {n}").messages({"cases": ({"a": ["ß"]},), "n": None})
    assert user.text == '[{"a": ["ß"]}] null'


def test_earlier_turns_follow_the_first_user_message():
    turns = [{"answer": "a1", "feedback": "f1"}, {"answer": "a2", "feedback": "f2"}]
    said = Prompt(system="s", user="{x}").messages({"x": "go", "so_far": turns})
    assert [(m.role, m.text) for m in said] == [
        ("system", "s"),
        ("user", "go"),
        ("assistant", "a1"),
        ("user", "f1"),
        ("assistant", "a2"),
        ("user", "f2"),
    ]


@pytest.mark.parametrize(
    ("user", "asked"),
    [
        ("{code}", {"python_code": "x"}),
        ("{code}", "a text"),
        ("", {"python_code": "x"}),
        ("", {"prompt": 7}),
        ("", {"prompt": "x", "system": 7}),
        ("", 7),
        ("", None),
        ("", ["prompt"]),
        ("", {"prompt": "x", "so_far": "no list"}),
        ("", {"prompt": "x", "so_far": [{"answer": "x"}]}),
    ],
)
def test_a_question_without_words_fails_and_never_crashes(user, asked):
    with pytest.raises(NoPrompt):
        Prompt(user=user).messages(asked)
    system = Prompted(Prompt(user=user), Told(), DRAW)
    [reply] = system.answer([Question(id="q", input=asked, attempt=3)])
    assert (reply.said.why, reply.attempt) == ("no_prompt", 3)


def test_train_and_tune_samples_show_a_wrong_template_before_a_question_is_asked(tmp_path):
    good = Sample(id="t/1", input={"python_code": "x"}, target=Answer("y"))
    bad = Sample(id="t/2", input={"code": "x"}, target=Answer("y"))
    recipe = Telling(user="{python_code}")
    recipe.build([good], [good], seed=0, workdir=tmp_path)
    for train, tune in (([good, bad], []), ([good], [bad])):
        with pytest.raises(PlanError) as caught:
            recipe.build(train, tune, seed=0, workdir=tmp_path)
        assert (caught.value.code, caught.value.where) == ("A104", "options.user")
        assert "'t/2'" in caught.value.what
        assert "but code" in caught.value.what


@pytest.mark.parametrize(
    "code", ["{", "}", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "fn f() { 1 }"]
)
def test_braces_around_what_is_no_name_are_braces(code):
    [user] = Prompt(user=code + "{x}").messages({"x": "1"})
    assert user.text == code + "1"


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"max_tokens": 0},
        {"timeout_s": 0.0},
        {"timeout_s": -1.0},
        {"timeout_s": float("nan")},
        {"timeout_s": float("inf")},
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_runs(options):
    with pytest.raises(PlanError) as caught:
        Telling(**options)
    [name] = options
    assert (caught.value.code, caught.value.where) == ("A102", f"options.{name}")


def test_a_recipe_is_seeded_when_tokens_are_drawn():
    assert not Telling().seeded
    assert Telling(temperature=0.7).seeded


def test_what_was_said_is_the_answer_stripped_and_the_evidence_keeps_it_raw():
    spoken = Spoken(text="\n fn f() {}\n\n", finish="stop", shown={"served": "m-1"})
    [reply] = ask(Told({"hi": spoken}), "hi")
    assert reply.said == Answer("fn f() {}")
    assert reply.evidence == {
        "prompt": "[user]\nhi",
        "answer": "\n fn f() {}\n\n",
        "finish": "stop",
        "served": "m-1",
    }


@pytest.mark.parametrize(
    ("text", "cut"), [("a b", 1), ("a\n\nb", 0), ("", 1)], ids=["no stop", "a stop", "no text"]
)
def test_a_cut_answer_is_counted_unless_it_had_said_where_it_ends(text, cut):
    spoken = Spoken(text=text, finish="length", cut=1)
    asked = Question(id="q", input={"prompt": "hi", "until": ["\n\n"], "max_tokens": 5})
    draw = Draw(temperature=0.0, max_tokens=8, timeout_s=1.0, seed=0)
    [reply] = Prompted(Prompt(), Told({"hi": spoken}), draw).answer([asked])
    assert reply.usage.cut == cut
    assert isinstance(reply.said, Answer if text else Failed)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_no_text_is_a_failure_and_no_answer(text):
    [reply] = ask(Told({"hi": Spoken(text=text, finish="stop")}), "hi")
    assert reply.said == Failed("no_text", "it ended at once: stop")


@pytest.mark.parametrize("instead", [Failed("timeout"), Bottom("refusal"), Crash("llama_cpp")])
def test_what_is_said_instead_of_an_answer_stands_and_the_text_is_kept(instead):
    [reply] = ask(Told({"hi": Spoken(text="half", finish="", instead=instead)}), "hi")
    assert reply.said == instead
    assert reply.evidence["answer"] == "half"


@given(st.integers(0, 2**40), st.integers(0, 100), st.text(max_size=5))
def test_the_seed_of_a_draw_is_that_of_seed_id_and_attempt(seed, attempt, name):
    one = Question(id=name, input="a", attempt=attempt, seed=seed)
    assert 0 <= seed_of(one) < 2**31
    assert seed_of(one) == seed_of(Question(id=name, input="b", attempt=attempt, seed=seed))
    others = {
        seed_of(Question(id=name, input="a", attempt=attempt + 1, seed=seed)),
        seed_of(Question(id=name, input="a", attempt=attempt, seed=seed + 1)),
        seed_of(Question(id=f"{name}.", input="a", attempt=attempt, seed=seed)),
        seed_of(one),
    }
    assert len(others) == 4


@pytest.mark.parametrize("parallel", [1, 4])
def test_every_question_gets_its_own_reply_also_when_several_are_in_flight(parallel):
    asked = [f"text {i}" for i in range(50)]
    replies = ask(Told(), *asked, parallel=parallel)
    assert {reply.question: reply.said for reply in replies} == {
        str(i): Answer(text) for i, text in enumerate(asked)
    }


@pytest.mark.parametrize(("parallel", "most"), [(1, 8), (6, 12)])
def test_crashes_in_a_row_stop_the_run_and_a_reply_in_between_starts_anew(parallel, most):
    down = {"down": Spoken(instead=Crash("connection", "refused"))}
    row = ["down"] * (most - 1)
    replies = ask(Told(down), *row, parallel=parallel)
    assert {reply.said.error for reply in replies} == {"connection"}
    asked = [*(["down"] * 7), "up", *(["down"] * 7)]
    assert len(ask(Told(down), *asked)) == 15
    with pytest.raises(
        AssayError, match="in a row could not be asked: connection: refused"
    ) as caught:
        ask(Told(down), *row, "down", "down", parallel=parallel)
    assert (caught.value.code, caught.value.exit_code) == ("A500", 3)


def test_a_system_built_by_the_base_answers(tmp_path: Path):
    built = Telling(system="s").build([], [], seed=0, workdir=tmp_path)
    [reply] = built.system.answer([Question(id="q", input="hi")])
    assert reply.said == Answer("hi")
    assert reply.usage.latency_s == reply.usage.busy_s


@given(text=TEXTS, stop=st.lists(st.text("ab.", min_size=1, max_size=2), max_size=3))
def test_an_answer_ends_before_the_first_text_at_which_it_is_to_stop(text, stop):
    draw = replace(DRAW, stop=tuple(stop))
    [reply] = Prompted(Prompt(), Told(), draw).answer([Question(id="q", input=f"a.b {text}")])
    said = reply.said.value if isinstance(reply.said, Answer) else ""
    assert not any(mark in said for mark in stop)
    assert f"a.b {text}".strip().startswith(said)
    if not stop:
        assert said == f"a.b {text}".strip()


@pytest.mark.parametrize(
    ("use", "options"),
    [
        ("lm.gguf", {"model": "smollm2-135m-instruct"}),
        ("lm.transformers", {"model": "folder"}),
        ("lm.openai", {"base_url": "https://models.example.org/v1", "model": "m"}),
        ("lm.command", {"argv": ["cat"]}),
    ],
)
def test_whatever_is_prompted_is_asked_again_where_it_draws(use, options, tmp_path):
    for temperature in (0.0, 0.7):
        inner = Inner(use=use, options={**options, "temperature": temperature}, base=tmp_path)
        assert draws(inner.make()) is inner.make().seeded is (temperature > 0)


def test_an_empty_text_to_stop_at_is_refused():
    with pytest.raises(PlanError, match="stop"):
        Telling(stop=("",))
