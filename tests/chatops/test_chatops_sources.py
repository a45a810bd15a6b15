"""What a submission makes, where its source is asked: a small Hub stands in for the large one."""

from __future__ import annotations

import hashlib

import pytest

from assay.core.errors import AssayError
from assay.engine.plan import load_plan
from assay.publish.board.chatops.making import make
from families.hub_server import hub_server
from model_bytes import TEXT, described, gguf_bytes, pair, text

from .conftest import PATH, SENT
from .github import payload

pytest.importorskip("huggingface_hub")
pytest.importorskip("gguf")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    named = [described("token_embd.weight", reversed((1000, 1024)), 8, 0)]
    pairs = [pair("general.architecture", TEXT, text("llama"))]
    weights = gguf_bytes(named, pairs, bytes(1000 * 1024 // 32 * 34))
    monkeypatch.chdir(tmp_path)  # what is fetched is noted in the current folder
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.commit = server.repos["org/toy-model"].commit({"toy.gguf": weights})
        server.weights = weights
        yield server


def sent(hub, **changes):
    text = SENT.replace(b"0123456789" * 4, hub.commit.encode()).replace(b"10M", b"1M")
    for old, new in changes.items():
        text = text.replace(old.encode(), new)
    return text


def written(folder, data):
    path = folder / "toy-model.yaml"
    path.write_bytes(data)
    return path


def test_the_plan_and_the_digests_are_the_same_wherever_they_are_made(hub, tmp_path):
    file = written(tmp_path, sent(hub))
    one, other = make(file, "open"), make(file, "open")
    assert one.plan == other.plan
    assert one.systems == ("q8_0",)
    assert one.source.digests == {"sha256:" + hashlib.sha256(hub.weights).hexdigest()}


def test_the_files_lie_where_the_plan_has_them(hub, tmp_path):
    made = make(written(tmp_path, sent(hub)), "open")
    plan = tmp_path / "made" / "plan.yaml"
    plan.parent.mkdir()
    plan.write_bytes(made.plan)
    made.bring(plan)
    (system,) = load_plan(plan).plan.systems
    assert (plan.parent / system.options["model"]).read_bytes() == hub.weights


@pytest.mark.parametrize("what", ["toy.gguf", "org/toy-model"])
def test_a_source_that_does_not_show_the_files_makes_no_plan(hub, tmp_path, what):
    data = sent(hub).replace(f"file: {what}".encode(), b"file: other.gguf")
    file = written(tmp_path, data.replace(f"hf_repo: {what}".encode(), b"hf_repo: org/nothing"))
    with pytest.raises(AssayError):
        make(file, "open")


def test_the_submission_is_checked_in_public_whether_it_passes_or_not(world, hub):
    def validated(data, **more):
        head = world.github.repo.add(world.main, {PATH: data, **more})
        event = payload("pull_request.opened")
        event["pull_request"] = world.github.send_pull(head)
        return world.do("validate", world.write(event))

    world.github.writes = False  # a fork's token can only read
    done = validated(sent(hub))
    assert done.go, done
    summary = world.tmp / "summary"
    assert PATH in summary.read_text().replace("\\", "")
    done = validated(sent(hub, toy=b"'@org <img src=x>'"))
    assert not done.go
    assert "<img" not in summary.read_text()
    assert "@org" not in summary.read_text()
    assert validated(sent(hub), **{"x.py": b""}).reason == "several-files"
    assert "exactly one file" in summary.read_text()
