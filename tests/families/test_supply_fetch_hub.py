"""Files of the Hub, from a server of its shape: what is fetched, what is refused, and what is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from assay.families.supply.keeping.cache import ModelCache

from .fetching import Bench
from .hub_server import Fault, HubServer, hub_server

pytest.importorskip("huggingface_hub")

HEAD = json.dumps({"w": {"dtype": "U8", "shape": [40_000], "data_offsets": [0, 40_000]}}).encode()
WEIGHTS = len(HEAD).to_bytes(8, "little") + HEAD + bytes(range(256)) * 156 + bytes(64)
CONFIG = b'{"model_type": "llama"}'
FILES = {"model.safetensors": WEIGHTS, "config.json": CONFIG, "README.md": b"# A model\n"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_server() as server:
        server.commit = server.repos["org/name"].commit(FILES)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_commit_is_fetched_whole_and_locked(hub: HubServer, bench: Bench):
    source = f"hf:org/name@{hub.commit}"
    fetched = bench.fetch(source)
    assert {each.name: each.path.read_bytes() for each in fetched.files} == FILES
    assert (fetched.commit, fetched.licence) == (hub.commit, "apache-2.0")
    assert set(fetched.came) == set(fetched.added) == set(FILES)
    assert bench.came == {name: len(data) for name, data in FILES.items()}
    entry = json.loads(bench.lock.read_text())["sources"][source]
    assert entry["resolved"] == source
    assert entry["files"]["config.json"] == {
        "sha256": sha256(CONFIG).hexdigest(),
        "size": len(CONFIG),
    }


def test_files_come_side_by_side(hub: HubServer, bench: Bench):
    """Each is held after its first byte until the other has begun, too."""
    held = {name: Fault(hold_at=1) for name in ("config.json", "README.md")}
    for name, fault in held.items():
        hub.fail(f"/{name}", fault)
    begun: list[bool] = []

    def let_go() -> None:
        begun.extend(fault.reached.wait(10) for fault in held.values())
        for fault in held.values():
            fault.gate.set()

    watching = Thread(target=let_go)
    watching.start()
    fetched = bench.fetch(f"hf:org/name@{hub.commit}")
    watching.join()
    assert begun == [True, True]
    assert {each.name for each in fetched.files} == set(FILES)


def test_the_lock_is_the_same_byte_for_byte_wherever_it_is_made(
    hub: HubServer, bench: Bench, tmp_path: Path
):
    source = f"hf:org/name@{hub.commit}"
    bench.fetch(source)
    other = Bench(tmp_path / "other")
    other.fetch(source, "model.safetensors")
    other.fetch(source)
    text = json.loads(other.lock.read_text())
    assert text["sources"][source].pop("asked") == ["*", "model.safetensors"]
    assert (
        text["sources"][source]["files"]
        == json.loads(bench.lock.read_text())["sources"][source]["files"]
    )
    again = Bench(tmp_path / "again")
    again.fetch(source)
    assert again.lock.read_bytes() == bench.lock.read_bytes()


def test_what_is_locked_and_there_is_fetched_without_a_request(hub: HubServer, bench: Bench):
    bench.fetch("hf:org/name@main")
    asked = len(hub.asked)
    for offline in (False, True):
        fetched = bench.fetch("hf:org/name@main", offline=offline)
        assert (fetched.came, fetched.added) == ((), ())
        assert {each.name: each.path.read_bytes() for each in fetched.files} == FILES
    assert len(hub.asked) == asked


def test_a_branch_stays_at_the_commit_that_is_locked(hub: HubServer, bench: Bench):
    first = bench.fetch("hf:org/name@main", "config.json")
    assert first.resolved == f"hf:org/name@{hub.commit}"
    moved = hub.repos["org/name"].commit({**FILES, "config.json": b"{}"})
    assert moved != hub.commit
    second = bench.fetch("hf:org/name@main", "*")
    assert second.commit == hub.commit
    assert bench.fetch(f"hf:org/name@{moved}").commit == moved


def test_nothing_is_fetched_twice_without_a_lock_either(hub: HubServer, bench: Bench):
    bench.fetch("hf:org/name@main", locked=False)
    before = len(hub.paths("/resolve/"))
    again = bench.fetch("hf:org/name@main", locked=False)
    assert again.came == ()
    assert len(hub.paths("/resolve/")) == before


def test_files_are_chosen_by_pattern_and_pickles_are_left_out_by_name(hub: HubServer, bench: Bench):
    commit = hub.repos["org/name"].commit({**FILES, "pytorch_model.bin": b"\x80\x04."})
    source = f"hf:org/name@{commit}"
    assert [each.name for each in bench.fetch(source, "*.json").files] == ["config.json"]
    fetched = bench.fetch(source)
    assert {each.name for each in fetched.files} == set(FILES)
    assert "left out: pytorch_model.bin (a pickle by its name)" in fetched.notes[0]
    refused = bench.fails(source, "*.bin")
    assert refused.code == "A206"
    assert not bench.cache.get(sha256(b"\x80\x04.").hexdigest())


@pytest.mark.parametrize(
    ("source", "files", "code", "words"),
    [
        ("hf:org/nothing@main", (), "A405", "no such repository"),
        ("hf:org/name@dev", (), "A405", "no revision 'dev'"),
        (f"hf:org/name@{'0' * 40}", (), "A405", "no revision '000"),
        ("hf:org/name@main", ("model.safetensor",), "A405", "did you mean 'model.safetensors'?"),
        ("hf:org/name@main", ("*.gguf",), "A405", "there are README.md, config.json"),
        ("hf:org/name", (), "A106", "write hf:org/name@main"),
        ("org/name", (), "A106", "write hf:org/name@main"),
    ],
)
def test_a_wrong_name_is_told_apart(hub: HubServer, bench: Bench, source, files, code, words):
    failed = bench.fails(source, *files)
    assert failed.code == code
    assert words in str(failed)
    assert not bench.lock.exists()


def test_a_private_repository_wants_a_token_and_the_token_goes_no_further(
    hub: HubServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    hub.token = "hf_secret"
    failed = bench.fails("hf:org/name@main")
    assert failed.code == "A405"
    assert "HF_TOKEN" in failed.hint
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    bench.fetch("hf:org/name@main")
    went = {each.path: "authorization" in each.headers for each in hub.asked}
    assert went.pop(next(path for path in went if path.startswith("/store/"))) is False
    assert all(went.values())
    kept = [path for path in bench.cache.folder.rglob("*") if path.is_file()]
    assert not any(b"hf_secret" in path.read_bytes() for path in (*kept, bench.lock))


def test_a_gated_repository_says_so(hub: HubServer, bench: Bench):
    hub.token, hub.repos["org/name"].gated = "hf_secret", True
    failed = bench.fails("hf:org/name@main")
    assert (failed.code, failed.what) == ("A405", "the repository is gated")
    assert "accept its terms" in failed.hint


def test_a_hub_that_sends_on_does_not_send_the_token_on(
    hub: HubServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    for path in ("/revision/main", "/config.json"):
        hub.fail(path, Fault(location=f"{hub.store}/files/elsewhere"))
        assert "hf_secret" not in str(bench.fails("hf:org/name@main", "config.json"))
    sent_on = hub.requests("/files/elsewhere")
    assert len(sent_on) == 2
    assert not any("authorization" in each.headers for each in sent_on)


@pytest.mark.parametrize("status", [401, 403])
def test_a_file_that_may_not_be_read_says_what_to_set(hub: HubServer, bench: Bench, status: int):
    said = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to org/name is restricted."}
    hub.fail("/config.json", Fault(status=status, headers=said))
    failed = bench.fails("hf:org/name@main", "config.json")
    assert failed.code == "A405"
    assert failed.what == f"the server says {status}: Access to org/name is restricted."
    assert "HF_TOKEN" in failed.hint


def test_the_library_of_the_hub_is_told_when_it_is_offline(
    hub: HubServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in bench.fails("hf:org/name@main").what
    assert hub.asked == []


@pytest.mark.parametrize("path", ["/revision/main", "/config.json", "store"])
def test_a_busy_hub_is_asked_again_when_it_says(hub: HubServer, bench: Bench, path):
    if path == "store":
        path = f"/store/{sha256(WEIGHTS).hexdigest()}"
    hub.fail(path, Fault(status=429, headers={"Retry-After": "7"}), Fault(status=503))
    bench.fetch("hf:org/name@main")
    assert bench.waited == [7.0, 2.0]


@pytest.mark.parametrize("path", ["/revision/main", "/config.json"])
def test_a_hub_that_stays_broken_is_given_up(hub: HubServer, bench: Bench, path):
    hub.fail(path, *[Fault(status=500)] * 3)
    failed = bench.fails("hf:org/name@main", "config.json")
    assert failed.code == "A405"
    assert "says 500" in failed.what
    assert failed.what.endswith("3 times")
    assert bench.waited == [1.0, 2.0]


def test_a_hub_that_asks_for_an_hour_is_not_waited_for(hub: HubServer, bench: Bench):
    hub.fail("/revision/main", Fault(status=429, headers={"Retry-After": "3600"}))
    assert "asks to wait 3,600 s" in bench.fails("hf:org/name@main").what
    assert bench.waited == []


def test_a_hub_that_cannot_be_reached_is_said_to_be(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with hub_server() as server:
        gone = server.url
    monkeypatch.setenv("HF_ENDPOINT", gone)
    failed = bench.fails("hf:org/name@main")
    assert failed.code == "A405"
    assert "HF_ENDPOINT" in failed.hint


def test_a_token_is_not_sent_in_the_open(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.org")
    assert bench.fails("hf:org/name@main").code == "A106"


@pytest.mark.parametrize("said", [b"<html>", b"[]", b"{}", b'{"sha": 1, "siblings": 2}'])
def test_an_endpoint_that_is_no_hub_is_said_to_be_none(hub: HubServer, bench: Bench, said):
    hub.fail("/revision/main", Fault(data=said))
    assert bench.fails("hf:org/name@main").code == "A405"


def test_a_name_that_would_write_elsewhere_is_refused(hub: HubServer, bench: Bench):
    hub.repos["org/name"].commit({"../../.bashrc": b"x"})
    assert bench.fails("hf:org/name@main").code == "A200"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_corrupt_byte_halts_and_is_kept_as_evidence(hub: HubServer, bench: Bench, name):
    stored = f"/store/{sha256(WEIGHTS).hexdigest()}" if name == "model.safetensors" else f"/{name}"
    hub.fail(stored, Fault(flip=7))
    failed = bench.fails("hf:org/name@main", name)
    assert failed.code == "A207"
    assert failed.what.startswith("HALT checksum")
    wrong = bytearray(FILES[name])
    wrong[7] ^= 1
    assert bench.evidence() == [bytes(wrong)]
    assert bench.cache.ls() == ()
    assert not bench.lock.exists()
    assert bench.fetch("hf:org/name@main", name).came == (name,)  # the next try is whole and right


def test_bytes_that_are_not_the_locked_ones_halt(hub: HubServer, bench: Bench):
    bench.fetch("hf:org/name@main", "config.json")
    text = bench.lock.read_text()
    bench.lock.write_text(text.replace(sha256(CONFIG).hexdigest(), "0" * 64))
    failed = bench.fails("hf:org/name@main", "config.json")
    assert failed.code == "A207"
    assert "the lock names" in failed.what
    assert bench.evidence() == [CONFIG]


def test_a_hub_that_names_other_weights_than_the_lock_halts_before_they_come(
    hub: HubServer, bench: Bench
):
    bench.fetch("hf:org/name@main")
    text = bench.lock.read_text()
    bench.lock.write_text(text.replace(sha256(WEIGHTS).hexdigest(), "0" * 64))
    asked = len(hub.paths("/store/"))
    assert bench.fails("hf:org/name@main").code == "A207"
    assert len(hub.paths("/store/")) == asked


@pytest.mark.parametrize("change", [b"", b"more"])
def test_a_file_that_is_shorter_or_longer_than_it_is_named_halts(
    hub: HubServer, bench: Bench, change
):
    wrong = CONFIG[:-1] if not change else CONFIG + change * 100
    hub.fail("/config.json", Fault(data=wrong))
    failed = bench.fails("hf:org/name@main", "config.json")
    assert failed.code == "A207"
    [evidence] = bench.evidence()
    assert len(evidence) <= len(CONFIG) + 1  # no more is taken than proves it
    assert wrong.startswith(evidence)


def test_a_cached_file_that_rotted_halts_and_is_fetched_again(hub: HubServer, bench: Bench):
    [kept] = bench.fetch("hf:org/name@main", "config.json").files
    kept.path.chmod(0o644)
    kept.path.write_bytes(CONFIG[:-1] + b"]")
    failed = bench.fails("hf:org/name@main", "config.json")
    assert failed.code == "A207"
    assert bench.evidence() == [CONFIG[:-1] + b"]"]
    assert bench.fetch("hf:org/name@main", "config.json").files[0].path.read_bytes() == CONFIG


def test_offline_says_what_is_not_there(hub: HubServer, bench: Bench):
    assert bench.fails("hf:org/name@main", offline=True).code == "A405"
    bench.fetch("hf:org/name@main", "config.json")
    failed = bench.fails("hf:org/name@main", "*.safetensors", offline=True)
    assert "--offline" in failed.what
    bench.cache.evict(sha256(CONFIG).hexdigest())
    assert bench.fails("hf:org/name@main", "config.json", offline=True).code == "A405"


def test_a_locked_file_that_was_evicted_is_fetched_again(hub: HubServer, bench: Bench):
    bench.fetch("hf:org/name@main")
    bench.cache.evict(sha256(WEIGHTS).hexdigest())
    again = bench.fetch("hf:org/name@main")
    assert (again.came, again.added) == (("model.safetensors",), ())


def test_a_file_that_is_too_large_is_refused_before_a_byte_is_written(hub: HubServer, bench: Bench):
    bench.cache = ModelCache(bench.cache.folder, limit=20_000)
    failed = bench.fails("hf:org/name@main")
    assert failed.code == "A504"
    assert not hub.paths("/resolve/")


def test_one_file_that_cannot_be_had_stops_the_others_and_they_go_on_later(
    hub: HubServer, bench: Bench
):
    stored = f"/store/{sha256(WEIGHTS).hexdigest()}"
    hold = Fault(hold_at=20_000)
    hub.fail(stored, hold)

    hub.fail("/config.json", Fault(status=404))
    failed = bench.fails("hf:org/name@main", "config.json", "model.safetensors")
    assert failed.code == "A405"
    hold.gate.set()
    fetched = bench.fetch("hf:org/name@main")
    assert {each.name: each.path.read_bytes() for each in fetched.files} == FILES


@pytest.mark.heavy
def test_a_pickle_is_converted_where_that_is_asked_for_and_its_own_bytes_are_locked(
    hub: HubServer, bench: Bench, tmp_path: Path
):
    torch = pytest.importorskip("torch")
    weights = {"w": torch.arange(4000, dtype=torch.float32), "step": 3}
    torch.save(weights, tmp_path / "pytorch_model.bin")
    pickled = (tmp_path / "pytorch_model.bin").read_bytes()
    hub.repos["org/name"].commit({**FILES, "pytorch_model.bin": pickled})
    source, name = "hf:org/name@main", "pytorch_model.bin"
    assert bench.fails(source, name).code == "A206"
    fetched = bench.fetch(source, name, pickles="convert")
    assert len(hub.paths("/store/")) == 1  # what had been refused had not to come again
    [kept] = fetched.files
    assert kept.name == "pytorch_model.safetensors"
    read = pytest.importorskip("safetensors.torch").load_file(kept.path)
    assert torch.equal(read["w"], weights["w"])
    assert set(read) == {"w"}
    assert "is a pickle" in fetched.notes[0]
    locked = json.loads(bench.lock.read_text())["sources"][source]["files"]
    assert locked == {name: {"sha256": sha256(pickled).hexdigest(), "size": len(pickled)}}
    again = bench.fetch(source, name, pickles="convert", offline=True)
    assert (again.files[0].sha256, again.came) == (kept.sha256, ())
    assert bench.fails(source, name).code == "A206"  # nobody asked for it this time
    assert not bench.cache.get(sha256(pickled).hexdigest())
