"""A run holds no secret: keys are planted wherever assay could pick one up, and a scanner looks for them."""

from __future__ import annotations

import base64
import json
import lzma
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.cli.main import main
from assay.publish.board.archive import packed
from assay.store.evidence import read_evidence
from assay.store.journal import read_lines
from assay.store.rundir import RunDir, cell_of
from assay.store.seal import journals
from faulty_endpoint import completion, refusal, send_json, serving

PLANTED = {
    "OPENAI_API_KEY": "sk-planted-openai-3f9a77c1",
    "ENDPOINT_KEY": "sk-planted-endpoint-8b21d0e4",
    "HF_TOKEN": "hf_PlantedToken5521aa",
    "GITHUB_TOKEN": "ghp_PlantedToken90c4be",
    "AWS_SECRET_ACCESS_KEY": "planted/aws+6c0f2e19",
}
"""Where people keep keys, and values that stand nowhere else."""

CANARY = "the bird that sings in evidence"
PLAN = """\
name: planted
says: Does a run keep a key?
seeds: [0]
tasks: [{{use: toy.errands, limit: 24}}]
systems:
  - {{name: votes, use: toy.votes}}
  - name: whole
    use: lm.openai
    options: {{base_url: "{url}", model: m, key: ENDPOINT_KEY, retries: 0, parallel: 1}}
  - name: streamed
    use: lm.openai
    options: {{base_url: "{url}", model: m, key: ENDPOINT_KEY, transfer: streamed, retries: 0, parallel: 1}}
timing: {{processes: 1, blocks: 1, questions: 1}}
"""


class _SaysItsKey(BaseHTTPRequestHandler):
    """An endpoint that says back who asked: in answers, in refusals, and in reasons."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer in one of four ways, by the length of the question."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = f"{CANARY} {self.headers['authorization']}"
        match len(body["messages"][-1]["content"]) % 4:
            case 0:
                send_json(self, 400, refusal(f"maximum context length is 10, {key}"))
            case 1:
                send_json(self, 400, refusal(key, code="content_filter"))
            case 2 if body.get("stream"):
                self._stream(key)
            case 2:
                send_json(self, 200, completion(None, refusal=key))
            case _ if body.get("stream"):
                self._stream(key)
            case _:
                send_json(self, 200, completion(key, reasoning_content=key) | {"model": key})

    def _stream(self, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        pieces = [text[i : i + 5] for i in range(0, len(text), 5)]  # the key in several
        events = [{"delta": {"content": piece}} for piece in pieces]
        events.append({"delta": {}, "finish_reason": "stop"})
        for event in events:
            said = {"model": "m", "choices": [{"index": 0, **event}]}
            self.wfile.write(f"data: {json.dumps(said)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")


def everything(run: RunDir) -> Iterator[tuple[str, bytes]]:
    """Yield all that a run shows: its files, its evidence unpacked, and what a board would publish."""
    for path in sorted(run.root.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(run.root)), path.read_bytes()
    for path in journals(run):
        for line in read_lines(path):
            if line.usage.at is not None:
                pack = run.evidence(cell_of(run.root, path))
                yield f"{path.parent.name} evidence", read_evidence(pack, line.usage.at)
    yield "archive", lzma.decompress(packed(run))


def found(where: Iterator[tuple[str, bytes]], secret: str) -> list[str]:
    """Return what holds a secret, in any spelling that a program would make of it."""
    spellings = {
        secret.encode(),
        secret.encode("utf-16-le"),
        json.dumps(secret).strip('"').encode(),
        base64.b64encode(secret.encode()).rstrip(b"="),
        secret.encode().hex().encode(),
    }
    return [name for name, data in where if any(spelling in data for spelling in spellings)]


@pytest.mark.slow
def test_no_planted_key_is_in_a_run_its_report_its_evidence_or_its_archive(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("openai")
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _SaysItsKey)) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        Path("plan.yaml").write_text(PLAN.format(url=url), "utf-8")
        assert main(["run", "plan.yaml", "--out", "run"]) == 0, capfd.readouterr().err
    assert main(["report", "run"]) == 0
    run, said = RunDir(tmp_path / "run"), capfd.readouterr()
    whole = [*everything(run), ("the terminal", (said.out + said.err).encode())]
    for secret in PLANTED.values():
        assert found(iter(whole), secret) == []
    assert any(name.endswith(".html") for name, _ in whole)
    # It looks where such a key would be: what stood beside it came as far.
    for beside in (CANARY, "Bearer [the key]"):
        assert {"whole evidence", "streamed evidence"} <= set(found(iter(whole), beside))


@pytest.mark.parametrize("secret", PLANTED.values())
def test_the_scanner_finds_a_key_however_it_is_spelled(secret: str) -> None:
    for data in (
        f"x{secret}x".encode(),
        secret.encode("utf-16"),
        base64.b64encode(secret.encode()),
        json.dumps({"key": secret}).encode(),
    ):
        assert found(iter([("file", data)]), secret) == ["file"]
    assert found(iter([("packed", zlib.compress(secret.encode() * 9))]), secret) == []
