"""The service over HTTP, on a real socket of this machine."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import PluginError
from assay.families.intent.grammar.domain import load_domain
from assay.families.intent.grammar.verbs import by_keywords
from assay.families.intent.rails.canonical import canonical
from assay.families.intent.serving.body import key_twice
from assay.families.intent.serving.handling import Handler
from assay.families.intent.serving.service import MOST_BODY, MOST_PROMPTS, Identity, make_app

uvicorn = pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

DEFI = load_domain("defi")
KEYWORDS = by_keywords(DEFI)
IDENTITY = Identity(mapper="sha256:none", encoder="keywords", domain="defi")


class Pairs(list):
    """The members of a JSON object, in the order in which they are written."""


def written(value):
    if isinstance(value, Pairs):
        return "{" + ",".join(f'"{key}":{written(inner)}' for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value)


def twice(value):
    if isinstance(value, Pairs):
        names = [key for key, _ in value]
        return len(set(names)) < len(names) or any(twice(inner) for _, inner in value)
    return isinstance(value, list) and any(map(twice, value))


class Gate:
    """A mapper that waits until somebody opens it."""

    def __init__(self):
        self.open, self.entered = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self, texts):
        self.entered.set()
        assert self.open.wait(10)
        if any("fall over" in text for text in texts):
            raise PluginError("the mapper fell over", hint="ask something else", code="A402")
        return [KEYWORDS(text) for text in texts]


@pytest.fixture(scope="module")
def served():
    import socket

    gate = Gate()
    app = make_app(Handler(decide=gate, domain=DEFI), IDENTITY, waiting=4)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)  # whoever connects before the server runs waits for it
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    yield bound.getsockname()[1], gate
    server.should_exit = True
    thread.join(10)


def call(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, data, {"content-type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_a_request_is_answered_like_the_command_answers_it(served):
    port, _ = served
    case = canonical()[0]
    asked = {"prompt": "deposit 5 ETH into Aave", "context": case.context, "policy": case.policy}
    status, _, body = call(port, "POST", "/ask", asked)
    found = json.loads(body)
    assert (status, found["fate"]) == (200, "executed")
    assert found["milliseconds"] > 0


def test_the_prompts_of_a_batch_are_handled_each_for_itself_in_order(served):
    port, _ = served
    prompts = ["stake 1 ETH on Lido", "no", "swap 2 ETH for USDC"]
    status, _, body = call(port, "POST", "/batch", {"prompts": prompts})
    found = json.loads(body)["handled"]
    assert status == 200
    assert [one["prompt"] for one in found] == prompts
    assert [one["fate"] for one in found] == ["proposed", "declined", "proposed"]


def test_health_and_openapi_say_what_is_there(served):
    port, _ = served
    health = json.loads(call(port, "GET", "/health")[2])
    assert (health["status"], health["encoder"], health["waiting"]) == ("ok", "keywords", 0)
    paths = json.loads(call(port, "GET", "/openapi.json")[2])["paths"]
    assert set(paths) == {"/health", "/ask", "/batch"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 422),
        ({"promt": "x"}, 422),
        ({"prompt": 5}, 422),
        ({"prompt": "x", "context": {"now": 1}}, 422),
        ({"prompt": "x", "policy": {"schema": 1}}, 422),
        ({"prompt": "x" * 20_000}, 422),
        (b'{"prompt": "x", "prompt": "y"}', 422),
        (b'{"prompt": "x", "context": {"now": 1, "now": 2}}', 422),
        (b"x" * (MOST_BODY + 1), 413),
    ],
)
def test_wrong_requests_get_a_code_what_and_where(served, body, status):
    port, _ = served
    found, _, text = call(port, "POST", "/ask", body)
    assert found == status
    error = json.loads(text)["error"]
    assert error["code"].startswith("A2")
    assert all(error.values())


@pytest.mark.parametrize(
    ("body", "what", "where"),
    [
        (b"", "the body is empty", "the body"),
        (b"[]", "the body is no JSON object", "the body"),
        (b"{", "not JSON: expecting property name", "character 1 of the body"),
        (b"{}", "the key is missing", "prompt"),
        (b'{"prompt": "no", "promt": 1}', "there is no such key", "promt"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_plain_words(served, body, what, where):
    error = json.loads(call(served[0], "POST", "/ask", body)[2])["error"]
    assert error["what"].startswith(what)
    assert error["where"] == where
    assert error["hint"]


def test_a_body_of_another_type_is_told_which_header_to_send(served):
    answer = call(served[0], "POST", "/ask", b'{"prompt": "x"}', {"content-type": "text/plain"})
    assert "content-type: application/json" in json.loads(answer[2])["error"]["hint"]


@pytest.mark.parametrize("path", ["/ask", "/batch"])
def test_a_key_that_stands_twice_is_told_by_its_name(served, path):
    body = b'{"prompt": "no", "policy": {"venues": [], "venues": ["Aave"]}}'
    error = json.loads(call(served[0], "POST", path, body)[2])["error"]
    assert (error["what"], error["where"]) == ("the key 'venues' stands twice", "the body")


keys = st.text("ab", min_size=1, max_size=2)
values = st.recursive(
    st.integers(0, 9), lambda inner: st.lists(inner) | st.lists(st.tuples(keys, inner)).map(Pairs)
)


@given(values)
def test_a_key_is_twice_where_an_object_has_fewer_keys_than_were_written(value):
    assert (key_twice(written(value).encode()) is not None) == twice(value)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/ask", None, 405),
        ("POST", "/ask", b'{"context":' + b"[" * 50_000, 400),
        ("POST", "/ask", b'{"context": ' + b"9" * 6_000 + b"}", 400),
    ],
)
def test_what_the_framework_refuses_is_said_like_everything_else(
    served, method, path, body, status
):
    found, _, text = call(served[0], method, path, body)
    assert found == status
    assert json.loads(text)["error"]["where"] == f"{method} {path}"


def seconds_of(connection):
    start = time.perf_counter()
    body = b'{"prompt": "stake 1 ETH on Lido"}'
    connection.request("POST", "/ask", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return time.perf_counter() - start


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_service_answers_from_its_first_line_on_and_a_signal_ends_it_well(end):
    code = (
        "from assay.families.intent.grammar import domain, verbs;"
        "from assay.families.intent.serving import handling, service, socket;"
        "defi = domain.load_domain('defi'); keys = verbs.by_keywords(defi);"
        "handler = handling.Handler(decide=lambda texts: [keys(t) for t in texts], domain=defi);"
        "who = service.Identity(mapper='none', encoder='keywords', domain='defi');"
        "socket.listen(service.make_app(handler, who), host='', port=0,"
        " say=lambda line: print(line, flush=True)); print('ended')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        try:
            port = int(child.stdout.readline().partition(" (")[0].rpartition(":")[2])
            kept = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            took = [seconds_of(kept) for _ in range(20)]
            kept.close()
            assert min(took[10:]) < 0.03  # Nagle's algorithm would hold each back for 40 ms
            child.send_signal(end)
            assert child.stdout.read() == "ended\n"
            assert child.wait(20) == 0
        finally:
            child.kill()


def test_a_prompt_that_the_mapper_falls_over_is_its_own_error_and_the_next_is_answered(served):
    port, gate = served
    gate.open.clear()
    gate.entered.clear()
    try:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(call, port, "POST", "/ask", {"prompt": "stake 1 eth"})
            assert gate.entered.wait(10)  # the next two wait, and are asked together
            bad = pool.submit(call, port, "POST", "/ask", {"prompt": "fall over"})
            good = pool.submit(call, port, "POST", "/ask", {"prompt": "swap 1 eth to usdc"})
            while json.loads(call(port, "GET", "/health")[2])["waiting"] < 3:
                pass
            gate.open.set()
            assert [one.result()[0] for one in (first, bad, good)] == [200, 422, 200]
    finally:
        gate.open.set()
    status, _, body = call(port, "POST", "/ask", {"prompt": "fall over"})
    assert (status, json.loads(body)["error"]["code"]) == (422, "A402")
    assert call(port, "POST", "/ask", {"prompt": "swap 1 eth to usdc"})[0] == 200


@pytest.mark.parametrize("path", ["/ask", "/batch"])
def test_half_a_surrogate_pair_is_refused_before_anybody_is_asked(served, path):
    port, _ = served
    body = {"prompt": "swap \ud800"} if path == "/ask" else {"prompts": ["swap \ud800"]}
    status, _, answer = call(port, "POST", path, body)
    assert (status, json.loads(answer)["error"]["code"]) == (422, "A200")


def test_more_prompts_than_a_batch_holds_are_refused(served):
    port, _ = served
    assert call(port, "POST", "/batch", {"prompts": ["x"] * (MOST_PROMPTS + 1)})[0] == 422
    assert call(port, "POST", "/batch", {"prompts": []})[0] == 422


def test_when_too_many_wait_the_next_is_told_to_come_back_and_nobody_is_lost(served):
    port, gate = served
    gate.open.clear()
    gate.entered.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(call, port, "POST", "/batch", {"prompts": ["stake 1 ETH on Lido"] * 4})
        assert gate.entered.wait(10)
        status, headers, body = call(port, "POST", "/ask", {"prompt": "swap 2 ETH for USDC"})
        assert status == 503
        assert headers["retry-after"] == "1"
        assert json.loads(body)["error"]["code"] == "A502"
        gate.open.set()
        status, _, body = first.result(20)
    assert status == 200
    assert len(json.loads(body)["handled"]) == 4
    assert call(port, "POST", "/ask", {"prompt": "swap 2 ETH for USDC"})[0] == 200


def test_many_at_once_get_each_their_own_answer(served):
    port, _ = served

    def ask(n):
        status, _, body = call(port, "POST", "/ask", {"prompt": f"stake {n} ETH on Lido"})
        return status, json.loads(body)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(1, 25)))
    for n, (status, one) in enumerate(found, 1):
        assert status == 200
        assert one["steps"][0]["slots"]["amount"]["value"] == str(n)
