"""The page is shown to this machine, and nothing else is."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core.errors import PlanError, RunError
from assay.publish.board.serving import HEADERS, POLICY, make_server


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("served")
    site = root / "site"
    (site / "js").mkdir(parents=True)
    (root / "secret.json").write_text("secret")
    (site / "index.html").write_text("<title>board</title>")
    (site / "board.json").write_text("{}")
    (site / "js" / "app.js").write_text("1")
    (site / ".hidden.json").write_text("secret")
    (site / "notes.txt").write_text("secret")
    (site / "link.json").symlink_to(root / "secret.json")
    (site / "out").symlink_to(root)
    server = make_server(site, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(port: int, path: str, method: str = "GET", host: str | None = None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", f"127.0.0.1:{port}" if host is None else host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/index.html?model=x#y", "text/html"),
        ("/board.json", "application/json"),
        ("/js/app.js", "text/javascript"),
    ],
)
def test_files_of_the_page_come_with_strict_headers(served, path, kind):
    answer, body = ask(served, path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert int(answer.headers["Content-Length"]) == len(body) > 0
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "script-src 'self'" in POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["Server"] == "assay"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.json",
        "/%2e%2e/secret.json",
        "/js/../../secret.json",
        "/..%2fsecret.json",
        "//etc/passwd",
        "/link.json",
        "/out/secret.json",
        "/.hidden.json",
        "/notes.txt",
        "/js",
        "/js/",
        "/board.json/",
        "/board.json%00.html",
        "/absent.json",
        "http://evil.example/board.json",
        "/" + "a" * 600,
    ],
)
def test_everything_else_is_not_found(served, path):
    answer, body = ask(served, path)
    assert (answer.status, body) == (404, b"")
    assert answer.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_it_only_reads(served, method):
    assert ask(served, "/board.json", method)[0].status == 501


def test_head_says_what_get_sends(served):
    answer, body = ask(served, "/board.json", "HEAD")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "2", b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_page_that_calls_this_machine_by_a_name_of_its_own_gets_nothing(served, host):
    answer, body = ask(served, "/board.json", host=host)
    assert (answer.status, body) == (403, b"")


def test_it_listens_to_this_machine_alone_and_says_where_a_port_is_taken(served, tmp_path: Path):
    (tmp_path / "index.html").write_text("x")
    server = make_server(tmp_path, 0)
    assert server.server_address[0] == "127.0.0.1"
    server.server_close()
    with pytest.raises(RunError, match="A500"):
        make_server(tmp_path, served)
    with pytest.raises(PlanError, match="no page here"):
        make_server(tmp_path / "absent", 0)
