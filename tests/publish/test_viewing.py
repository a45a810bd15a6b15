"""A folder of runs as pages: what each says of its run, and what the server turns away."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assay import Run
from assay.publish import html
from assay.publish.derive import data_files
from assay.publish.document import Document
from assay.publish.viewing import asgi
from assay.publish.viewing.asgi import NotThereError, Views
from assay.publish.viewing.guard import HEADERS, LONGEST
from assay.publish.viewing.shelf import Shelf, State

ADDRESS = "127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, smoke, harmed) -> Path:
    """A folder with a run in every state, a link, and a file that is nobody's business."""
    root = tmp_path_factory.mktemp("view")
    runs = root / "runs"
    # What `assay run` derives; a page without figures stands for the report, which takes longer to draw.
    made = data_files(Run.load(smoke.root).results)
    made["report.html"] = html.render(Document(title="smoke", says="", line="")).encode()
    for name in ("good", "edited", "open", "torn", "linked-report"):
        shutil.copytree(smoke.root, runs / name)
        (runs / name / "derived").mkdir()
        for file, data in made.items():
            (runs / name / "derived" / file).write_bytes(data)
    shutil.copytree(harmed.path, runs / "harm")
    journal = runs / "edited" / "records" / "toy.errands" / "votes" / "0-test.jsonl"
    journal.write_text(journal.read_text().replace('"outcome":"wrong"', '"outcome":"correct"'))
    (runs / "open" / "SEAL").unlink()
    (runs / "open" / "records" / "toy.errands" / "votes" / "0-test.cell.json").unlink()
    (runs / "torn" / "manifest.json").write_text("{")
    (root / "secret.html").write_text("secret")
    report = runs / "linked-report" / "derived" / "report.html"
    report.unlink()
    report.symlink_to(root / "secret.html")
    (runs / "link").symlink_to(root)
    (runs / "notes.txt").write_text("secret")
    shutil.copytree(smoke.root, root / "outside")
    return runs


@pytest.fixture(scope="module")
def views(folder) -> Views:
    return Views(Shelf(folder))


class Elements(HTMLParser):
    """Counts elements, and keeps attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


def text(page: str) -> str:
    return Elements(page).text


# --- what the pages say ----------------------------------------------------------------------------


def test_the_list_has_every_run_with_its_state_and_no_link(views):
    states = {row.name: row.state for row in views.shelf.listed()}
    assert states == {
        "good": State.ALIKE,
        "edited": states["edited"],
        "open": State.UNSEALED,
        "torn": State.BROKEN,
        "linked-report": State.ALIKE,
        "harm": states["harm"],
    }
    assert states["edited"] in (State.NEWER, State.CHANGED)


def test_the_list_says_decision_claims_systems_and_date(folder):
    page = text(Views(Shelf(folder)).runs())
    assert "Ship votes" in page
    assert "3 supported" in page
    assert re.search(r"good · \d{4}-\d\d-\d\d \d\d:\d\d UTC · 2 systems", page)
    assert page.count("sealed, not verified") >= 2
    assert "every file as it was" not in page


def test_a_run_that_was_opened_is_shown_as_checked_until_a_file_changes(folder, tmp_path):
    shutil.copytree(folder / "good", tmp_path / "one")
    views = Views(Shelf(tmp_path))
    page = text(views.run("one", check=False))
    assert "sealed, every file as it was every file hashed here at" in page
    assert "Ship votes" in page
    assert "Computed here from the sealed records." in page
    assert "sealed, every file as it was" in text(views.runs())
    path = tmp_path / "one" / "samples" / "toy.errands" / "test.jsonl"
    path.write_bytes(path.read_bytes().replace(b"the", b"teh", 1))
    assert "every file as it was" not in text(views.runs())
    page = text(views.run("one", check=False))
    assert "changed since it was sealed" in page
    assert "samples/toy.errands/test.jsonl was changed after sealing" in page
    assert "nothing here has computed it again" in page


def test_an_edited_verdict_is_named_and_no_sample_of_it_is_shown(views):
    page = text(views.run("edited", check=False))
    assert "records/toy.errands/votes/0-test.jsonl was changed after sealing" in page
    with pytest.raises(NotThereError):
        views.samples("edited", {})
    with pytest.raises(NotThereError):
        views.compare(["edited", "good"])


def test_a_run_without_a_seal_shows_how_far_it_is_and_decides_nothing(views):
    page = text(views.run("open", check=False))
    assert "not sealed it did not finish, or is still running: nothing is decided" in page
    assert "stopped : " in page
    assert "Ship votes" not in page


def test_a_run_that_cannot_be_read_says_why(views):
    assert "cannot be read" in text(views.run("torn", check=False))


def test_a_large_run_is_hashed_when_somebody_asks_for_it(folder, monkeypatch):
    monkeypatch.setattr(asgi, "SMALL", 0)
    views = Views(Shelf(folder))
    page = text(views.run("good", check=False))
    assert "a quick look found nothing; no file was hashed" in page
    assert "nothing here has computed it again" in page
    assert "check all" in page
    assert "every file hashed here" in text(views.run("good", check=True))


def test_every_link_of_a_page_leads_somewhere(views):
    page = Elements(views.run("good", check=False))
    links = [value for name, value in page.attributes if name == "href" and value]
    assert any("outcome=invented" in link for link in links)
    for link in {link for link in links if "/samples?" in link}:
        query = dict(pair.split("=") for pair in link.partition("?")[2].split("&"))
        assert "samples" in views.samples(
            "good", {k: v.replace("%2C", ",") for k, v in query.items()}
        )
    anchors = {value for name, value in page.attributes if name == "id"}
    assert all(link[1:] in anchors for link in links if link.startswith("#"))


# --- samples ---------------------------------------------------------------------------------------


def test_samples_are_filtered_and_paged(views):
    everything = text(views.samples("good", {}))
    assert "1 to 20 of 528 samples of toy.errands" in everything
    assert "page 1 of 27" in everything
    last = text(views.samples("good", {"page": "999999"}))
    assert "521 to 528 of 528 samples" in last
    wrong = text(views.samples("good", {"system": "votes", "outcome": "wrong"}))
    assert re.search(r"1 to \d+ of \d+ that fit, of 528 samples", wrong)
    nothing = text(views.samples("good", {"text": "no prompt says this"}))
    assert "None of 528 samples fits." in nothing


def test_a_page_keeps_its_filters(views):
    page = Elements(views.samples("good", {"system": "votes", "order": "id", "text": "the"}))
    later = [v for n, v in page.attributes if n == "href" and v and "page=2" in v]
    assert later == ["/run/good/samples?task=toy.errands&system=votes&text=the&order=id&page=2"]


@pytest.mark.parametrize(
    "query",
    [
        {"task": "nope"},
        {"system": "../x"},
        {"tag": "nope"},
        {"against": "nope"},
        {"outcome": "right"},
        {"outcome": "wrong,nope"},
        {"order": "nope"},
    ],
)
def test_what_a_run_does_not_have_is_said(views, query):
    with pytest.raises(NotThereError):
        views.samples("good", query)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²"])
def test_any_page_number_is_a_page(views, page):
    assert "of 528 samples" in text(views.samples("good", {"page": page}))


def test_one_sample_has_every_reply_under_every_seed(views, smoke):
    line = (smoke.samples("toy.errands", "test")).read_text().splitlines()[0]
    name = json.loads(line)["id"]
    page = text(views.sample("good", {"id": name}))
    assert page.count("votes seed") == 3
    assert all(f"votes seed {seed}" in page for seed in (0, 1, 2))


def test_two_runs_are_compared_the_later_against_the_earlier(views):
    page = text(views.compare(["linked-report", "good"]))
    assert "linked-report minus good, paired question by question" in page
    assert "no difference shown" in page


# --- what is turned away ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(folder) -> Iterator[int]:
    """The port of the command itself, in a process of its own."""
    command = [sys.executable, "-m", "assay", "view", str(folder), "--port", "0", "--no-browser"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    line = child.stderr.readline()
    found = re.match(r"http://127\.0\.0\.1:(\d+)/  the runs in ", line)
    assert found, line + child.stderr.read()
    yield int(found[1])
    child.terminate()
    said = child.communicate(timeout=30)[1]
    assert (child.returncode, said) == (0, "")


def ask(port: int, path: str, method: str = "GET", headers=(), body: bytes = b""):
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = dict(headers)
        given.setdefault("Host", f"{ADDRESS}:{port}")
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_pages_come_over_http_with_a_policy_that_lets_nothing_run(served):
    for path in ("/", "/run/good", "/run/good/samples", "/-/view.css", "/run/nope", "/nope"):
        answer, body = ask(served, path)
        assert answer.status == (404 if "nope" in path else 200), path
        assert body
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, path
        assert "server" not in answer.headers
    assert "script-src" not in HEADERS["Content-Security-Policy"]
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'")


def test_what_cannot_be_shown_says_what_to_try(served):
    answer, body = ask(served, "/compare?run=good&run=harm")
    said = text(body.decode())
    assert answer.status == 409
    assert "A203" in said
    assert "try" in said.split()
    assert "assay explain A203" in said


def test_head_says_what_get_says_without_the_page(served):
    answer, body = ask(served, "/", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "host",
    ["localhost:{port}", "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}",
     "[::1]:{port}", "0.0.0.0:{port}", ""],
)  # fmt: skip
def test_a_name_of_another_site_for_this_machine_is_turned_away(served, host):
    answer, body = ask(served, "/", headers={"Host": host.format(port=served)})
    said = f"This server answers at http://{ADDRESS}:{served}/ alone: open that address.\n"
    assert (answer.status, body.decode()) == (421, said)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    _, body = ask(served, "/", "HEAD", headers={"Host": host.format(port=served)})
    assert body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_but_reading_is_answered(served, method):
    answer, body = ask(served, "/", method)
    assert (answer.status, body) == (405, b"")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_load_a_page_but_may_link_to_it(served, site):
    for mode in ("no-cors", "cors", ""):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert ask(served, "/", headers=headers)[0].status == 403
    linked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert ask(served, "/", headers=linked)[0].status == 200


def test_bodies_and_long_requests_are_turned_away(served):
    assert ask(served, "/", headers={"Content-Length": "3"}, body=b"abc")[0].status == 413
    chunked = {"Transfer-Encoding": "chunked"}
    assert ask(served, "/", headers=chunked, body=b"0\r\n\r\n")[0].status == 413
    assert ask(served, f"/?{'a' * LONGEST}")[0].status == 414
    # More than the whole head may have: the server ends it, whatever it is.
    try:
        status = ask(served, "/", headers={"X": "a" * 200_000})[0].status
    except (ConnectionError, http.client.HTTPException):
        status = 400
    assert status in (400, 431)
    assert ask(served, "/")[0].status == 200


def test_a_request_that_never_ends_holds_up_nobody(served):
    slow = [socket.create_connection((ADDRESS, served)) for _ in range(20)]
    try:
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x")
        assert ask(served, "/")[0].status == 200
    finally:
        for one in slow:
            one.close()


@pytest.mark.parametrize(
    "path",
    ["/run/..", "/run/../../etc/passwd", "/run/%2e%2e/report", "/run/..%2foutside", "/run/%2e%2e%2foutside/report",
     "/run/link", "/run/link/report", "/run/notes.txt", "/run/good%00", "/run/good%2f..%2f..%2foutside", "/run//etc/report",
     "/run/good/../../outside/report", "/run/good/report/..%2f..%2fmanifest.json", "/run/C:%5C", "/run/%ff%fe", "/../secret.html",
     "//evil.example/", "/run/good/derived/report.html", "/run/linked-report/report"],
)  # fmt: skip
def test_no_address_leads_out_of_the_folder(served, path):
    answer, body = ask(served, path)
    assert answer.status in (404, 400), path
    assert b"secret" not in body
    assert b"root:" not in body


def test_a_report_that_a_run_brings_stands_on_an_origin_of_its_own(served):
    answer, body = ask(served, "/run/good/report")
    policy = answer.headers["content-security-policy"]
    assert answer.status == 200
    assert body.startswith(b"<!doctype html>")
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    script = re.search(r"script-src '(sha256-[^']+)'", policy)
    assert script
    assert script[1].encode() in body


def test_no_text_of_a_stranger_becomes_an_element(views):
    pages = {
        "list": views.runs(),
        "run": views.run("harm", check=True),
        "samples": views.samples("harm", {}),
        "search": views.samples("harm", {"text": '"><script>alert(1)</script>'}),
    }
    name = next(iter(views._pages("harm", {}).find().page(1))).sample.id
    pages["sample"] = views.sample("harm", {"id": name})
    for where, page in pages.items():
        found = Elements(page)
        assert "<script>window.harmed" in found.text or where == "search", where
        assert not {"script", "img", "iframe", "object", "base", "i18n"} & set(found.tags), where
        acting = [n for n, _ in found.attributes if n.startswith("on") or n in ("style", "srcdoc")]
        assert acting == [], where
        links = [v or "" for n, v in found.attributes if n in ("href", "action")]
        assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links), (
            where
        )
        assert "\x1b" not in page
        assert "\u202e" not in page


def test_looking_at_runs_writes_nothing(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "runs", symlinks=True))
    for name in ("good", "open"):
        shutil.rmtree(copy / name / "cache", ignore_errors=True)
    before = {p: (p.lstat().st_size, p.lstat().st_mtime_ns) for p in copy.rglob("*")}
    views = Views(Shelf(copy))
    views.runs()
    for name in ("good", "edited", "open", "torn"):
        views.run(name, check=True)
    views.samples("good", {"system": "votes"})
    views.compare(["good", "linked-report"])
    views.report("good")
    assert {p: (p.lstat().st_size, p.lstat().st_mtime_ns) for p in copy.rglob("*")} == before


def test_a_folder_of_many_runs_is_listed_in_a_moment(tmp_path, smoke):
    small = tmp_path / "runs"
    for i in range(200):
        (small / f"run-{i:03}").mkdir(parents=True)
        for name in ("manifest.json", "plan.yaml"):
            shutil.copy(smoke.root / name, small / f"run-{i:03}")
    began = time.monotonic()
    assert len(Shelf(small).listed()) == 200
    assert time.monotonic() - began < 20
