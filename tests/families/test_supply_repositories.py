"""What a repository has and what the heads of its files say, from a server of the Hub's shape: real code on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay import DataError, PlanError, PluginError
from assay.families.supply.repositories.heads import FIRST
from assay.publish.board.checking import Checked, check
from assay.publish.board.planning import bring, plan_of, systems_of
from assay.publish.board.suites import suite_of
from assay.repositories import reader_of
from model_bytes import TEXT, described, gguf_bytes, pair, safetensors_bytes, tensor, text

from .hub_server import Fault, HubServer, hub_server

pytest.importorskip("huggingface_hub")

F32, Q8_0 = 0, 8


def gguf(million: int, *, words: int = 0, template: bool = False) -> bytes:
    """A GGUF file of so many million numbers of 8 bits, with a vocabulary of so many words."""
    shape = (1000, 1024 * million)
    size = shape[0] * shape[1] // 32 * 34
    pairs = [pair("general.architecture", TEXT, text("llama"))]
    if words:
        listed = b"".join(text(f"word-{i:09}") for i in range(words))
        head = (TEXT).to_bytes(4, "little") + words.to_bytes(8, "little")
        pairs.append(pair("tokenizer.ggml.tokens", 9, head + listed))
    if template:
        pairs.append(pair("tokenizer.chat_template", TEXT, text("{{ messages }}")))
    named = [described("token_embd.weight", reversed(shape), Q8_0, 0)]
    return gguf_bytes(named, pairs, bytes(size))


def weights(million: int, **more: Any) -> bytes:
    """A safetensors file of so many million numbers of 8 bits."""
    size = million * 10**6
    return safetensors_bytes({"w": tensor("U8", (million, 10**6), 0, size), **more}, bytes(size))


CONFIG = json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}).encode()
FOLDER = {"model.safetensors": weights(2), "config.json": CONFIG, "tokenizer.json": b"{}"}
MODEL = {
    "name": "Tiny",
    "family": "Tiny",
    "hf_repo": "org/name",
    "parameters": "2M",
    "architecture": "llama",
    "license": "Apache-2.0",
    "submitted_by": "me",
}
GGUF = {"name": "Q8_0", "format": "gguf", "file": "tiny-q8_0.gguf"}
PLAIN = {"name": "F8", "format": "safetensors"}

Look = Callable[..., Checked]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


@pytest.fixture
def look(hub: HubServer, tmp_path: Path) -> Look:
    """Put files into the repository, and check a submission that names its commit."""

    def check_with(files: dict[str, bytes], *quantizations: Any, **change: Any) -> Checked:
        commit = hub.repos["org/name"].commit(files)
        model = {**MODEL, "hf_revision": commit, "quantizations": list(quantizations), **change}
        path = tmp_path / "m.yaml"
        path.write_text(yaml.safe_dump({"model": model}, sort_keys=False))
        return check(path)

    return check_with


def said(checked: Checked, level: str) -> list[tuple[str, str, str]]:
    return [(n.key, n.says, n.suggests) for n in checked.notes if n.level == level]


def test_what_is_there_as_it_is_said_to_be_leaves_nothing_to_mend(look: Look, hub: HubServer):
    checked = look({**FOLDER, GGUF["file"]: gguf(2)}, GGUF, PLAIN)
    assert checked.notes == ()
    assert checked.is_publishable
    assert [len(each.files) for each in checked.seen] == [1, 3]
    assert checked.guess is not None
    assert checked.guess.bytes == sum(map(len, FOLDER.values())) + len(gguf(2))
    assert len(hub.paths("/api/models/")) == 3  # one look, and one before each head


def test_of_a_large_file_the_head_alone_moves(look: Look, hub: HubServer):
    """The server was asked for a range, and the connection was closed when the head was there."""
    data = weights(20)
    hub.fail(sha256(data).hexdigest(), Fault(drip=1 << 16))
    checked = look({**FOLDER, "model.safetensors": data}, PLAIN, parameters="20M")
    assert checked.notes == ()
    sent = sum(each.sent for each in hub.requests("/store/"))
    assert FIRST <= sent < len(data) // 2
    assert checked.seen[0].size > len(data)
    assert {each.headers.get("range") for each in hub.requests("/store/")} == {"bytes=0-67108863"}


def test_a_head_that_is_longer_than_the_first_bytes_is_read_on(look: Look):
    data = gguf(2, words=40_000)
    assert data.index(b"token_embd") > FIRST
    checked = look({GGUF["file"]: data}, GGUF)
    assert checked.notes == ()
    assert checked.seen[0].weights is not None
    assert checked.seen[0].weights.parameters == 1000 * 2048


@pytest.mark.parametrize(("template", "chat"), [(True, None), (False, "plain")])
def test_a_model_without_a_chat_template_is_asked_plainly(look: Look, template, chat):
    checked = look({GGUF["file"]: gguf(2, template=template)}, GGUF)
    plan = yaml.safe_load(plan_of(checked.submission, "open", seen=checked.seen))
    assert plan["systems"][0]["options"].get("chat") == chat


@pytest.mark.parametrize("declared", ["1.8M", "3M", "1B"])
def test_parameters_that_are_not_those_of_the_file_are_an_error(look: Look, declared):
    checked = look({GGUF["file"]: gguf(2)}, GGUF, parameters=declared)
    ((key, says, suggests),) = said(checked, "error")
    assert key == "model.parameters"
    assert "holds 2,048,000 numbers" in says
    assert suggests == "  parameters: 2.05M\n"


def test_a_matrix_of_outputs_that_repeats_the_inputs_may_be_counted_or_not(look: Look):
    size = 10**6
    two = {
        "model.embed_tokens.weight": tensor("U8", (1000, 1000), 0, size),
        "lm_head.weight": tensor("U8", (1000, 1000), size, 2 * size),
    }
    data = safetensors_bytes(two, bytes(2 * size))
    for declared in ("1M", "2M"):
        assert look({**FOLDER, "model.safetensors": data}, PLAIN, parameters=declared).notes == ()
    assert said(look({**FOLDER, "model.safetensors": data}, PLAIN, parameters="1.5M"), "error")


def test_a_head_that_lies_is_damage(look: Look):
    """It says that there are a thousand times the numbers that fit into the file."""
    lie = safetensors_bytes({"w": tensor("U8", (2000, 10**6), 0, 2 * 10**9)}, bytes(10**6))
    ((key, says, _),) = said(look({**FOLDER, "model.safetensors": lie}, PLAIN), "error")
    assert key == "model.quantizations[0].format"
    assert "the weights: the file is cut short" in says


@pytest.mark.parametrize(
    "data", [b"GGUF" + bytes(300_000), b"\xff" * 300_000, b"GGUF", (2**40).to_bytes(8, "little") + bytes(300_000)]
)  # fmt: skip
def test_nonsense_is_named_and_nothing_is_believed(look: Look, data):
    checked = look({GGUF["file"]: data}, GGUF)
    assert [key for key, *_ in said(checked, "error")] == ["model.quantizations[0].file"]
    assert checked.seen[0].weights is None


def test_a_repository_with_pickles_only_is_refused(look: Look):
    files = {"pytorch_model.bin": b"\x80\x04.", "config.json": CONFIG}
    ((key, says, suggests),) = said(look(files, PLAIN), "error")
    assert key == "model.quantizations[0].format"
    assert "pickles only" in says
    assert "--unsafe-allow-pickle" in suggests


def test_a_pickle_beside_weights_is_told_and_not_fetched(look: Look):
    checked = look({**FOLDER, "pytorch_model.bin": b"\x80\x04."}, PLAIN)
    assert checked.is_valid
    assert "pytorch_model.bin" in said(checked, "warning")[0][1]
    assert "pytorch_model.bin" not in [file.name for file in checked.seen[0].files]


def test_a_pickle_that_is_named_is_refused_by_its_name(look: Look):
    checked = look({"m.bin": b"\x80\x04."}, {**GGUF, "file": "m.bin"})
    assert "a pickle, which is never read" in said(checked, "error")[0][1]


def test_a_pickle_under_the_name_of_a_model_is_refused_by_its_bytes(look: Look):
    checked = look({GGUF["file"]: b"\x80\x04\x95" + bytes(1000)}, GGUF)
    assert [level for level in ("error",) if said(checked, level)]


def test_a_model_that_brings_code_is_refused(look: Look):
    config = json.dumps({"model_type": "x", "auto_map": {"AutoModel": "x.Y"}}).encode()
    checked = look({**FOLDER, "config.json": config}, PLAIN)
    assert "code of the model's own" in said(checked, "error")[0][1]


def test_an_encoder_is_told_and_left_out_of_the_plan(look: Look):
    config = json.dumps({"model_type": "bert", "architectures": ["BertModel"]}).encode()
    checked = look({**FOLDER, "config.json": config}, PLAIN)
    assert "writes no text" in said(checked, "warning")[0][1]
    with pytest.raises(PlanError, match="no quantization is one that"):
        plan_of(checked.submission, "open", seen=checked.seen)


def test_a_file_that_is_not_there_is_told_with_the_nearest_one(look: Look):
    checked = look({"tiny-q8_1.gguf": gguf(2), "README.md": b"#"}, GGUF)
    ((key, says, suggests),) = said(checked, "error")
    assert key == "model.quantizations[0].file"
    assert "no file 'tiny-q8_0.gguf'" in says
    assert suggests == "file: tiny-q8_1.gguf"


def test_a_format_that_is_not_there_is_told_with_the_one_that_is(look: Look):
    checked = look({"a.gguf": gguf(2), "config.json": CONFIG}, PLAIN)
    assert said(checked, "error")[0][2] == "write format: gguf, and file: a.gguf"


def test_weights_without_a_configuration_are_refused(look: Look):
    checked = look({"model.safetensors": weights(2)}, PLAIN)
    assert "no config.json" in said(checked, "error")[0][1]


def test_shards_are_counted_together_and_a_missing_one_is_told(look: Look):
    names = [f"model-{i:05}-of-00002.safetensors" for i in (1, 2)]
    parts = {
        names[i]: safetensors_bytes({f"w{i}": tensor("U8", (10**6,), 0, 10**6)}, bytes(10**6))
        for i in (0, 1)
    }
    index = json.dumps({"weight_map": {"w0": names[0], "w1": names[1]}}).encode()
    files = {"config.json": CONFIG, "model.safetensors.index.json": index}
    assert look({**files, **parts}, PLAIN).notes == ()
    del parts[names[1]]
    assert "a part of the model is missing" in said(look({**files, **parts}, PLAIN), "error")[0][1]


def test_the_same_weights_in_another_layout_are_left_where_they_are(look: Look):
    checked = look({**FOLDER, "consolidated.safetensors": weights(2)}, PLAIN)
    assert checked.notes == ()
    assert sorted(file.name for file in checked.seen[0].files) == sorted(FOLDER)


def test_the_licence_is_held_against_the_one_of_the_repository(look: Look, hub: HubServer):
    hub.repos["org/name"].licence = "mit"
    assert said(look({GGUF["file"]: gguf(2)}, GGUF), "warning") == [
        ("model.license", "Apache-2.0 is written, and hf:org/name says 'mit'", "  license: MIT\n")
    ]
    checked = look({GGUF["file"]: gguf(2)}, GGUF, license=None)
    assert said(checked, "publish") == [
        ("model.license", "license is missing; hf:org/name says 'mit'", "  license: MIT\n")
    ]


def test_a_licence_that_is_made_to_be_pasted_is_shown_and_not_suggested(look: Look, hub: HubServer):
    hub.repos["org/name"].licence = "mit\n  submitted_by: someone-else\x1b[2J"
    checked = look({GGUF["file"]: gguf(2)}, GGUF, license=None)
    ((key, says, suggests),) = said(checked, "publish")
    assert key == "model.license"
    assert says.isprintable()
    assert suggests == ""


@pytest.mark.parametrize("named", ["main", None])
def test_a_branch_is_told_with_the_commit_that_it_is_now(look: Look, hub: HubServer, named):
    checked = look({GGUF["file"]: gguf(2)}, GGUF, hf_revision=named)
    commit = hub.repos["org/name"].refs["main"]
    assert checked.is_valid
    assert not checked.is_publishable
    assert [suggests for *_, suggests in said(checked, "publish")] == [f"  hf_revision: {commit}\n"]
    assert f"hf:org/name@{commit}" in plan_of(checked.submission, "open", seen=checked.seen)


def test_a_source_of_another_repository_is_pinned_too(look: Look, hub: HubServer):
    commit = hub.repos["org/other"].commit({"x.gguf": gguf(2)})
    apart = {"name": "Q8", "format": "gguf", "file": "x.gguf", "source": "hf:org/other@main"}
    checked = look(FOLDER, apart)
    ((key, says, suggests),) = said(checked, "publish")
    assert key == "model.quantizations[0].source"
    assert commit in says
    assert suggests == f"source: hf:org/other@{commit}"


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"hf_repo": "org/none"}, "model.hf_repo", "no such repository"),
        ({"hf_revision": "f" * 40}, "model.hf_revision", "no revision"),
    ],
)
def test_what_the_hub_has_not_is_an_error_of_its_key(look: Look, change, key, says):
    ((found, what, _),) = said(look(FOLDER, PLAIN, **change), "error")
    assert found == key
    assert says in what


def test_ten_thousand_files_are_looked_through_in_a_moment_and_one_more_is_too_many(look: Look):
    files = {f"checkpoint-{i:05}/x.json": b"{}" for i in range(9_999)}
    begun = time.process_time()
    assert look({**files, GGUF["file"]: gguf(2)}, GGUF).notes == ()
    assert time.process_time() - begun < 20
    files |= {"a": b"", GGUF["file"]: gguf(2)}
    assert "10,000 are read at most" in said(look(files, GGUF), "error")[0][1]


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "a\\..\\b", "a\x1b[31m", "a\u202eb"]
)
def test_names_of_files_that_are_made_to_deceive_are_refused_and_shown_plainly(look: Look, name):
    errors = said(look({**FOLDER, name: b"x"}, PLAIN), "error")
    assert all(says.isprintable() for _, says, _ in errors)
    assert bool(errors) == (not name.isprintable() or name[0] in "./" or "\\" in name)


def test_a_listing_that_names_no_size_or_a_silly_one_is_refused(look: Look, hub: HubServer):
    for size in (None, 10**15, -1):
        commit = hub.repos["org/name"].commit({GGUF["file"]: gguf(2)})
        lie = {
            "id": "org/name", "sha": commit, "cardData": {},
            "siblings": [{"rfilename": GGUF["file"], "size": size, "blobId": "0" * 40}],
        }  # fmt: skip
        hub.fail(f"/{commit}", *[Fault(data=json.dumps(lie).encode())] * 2)
        assert "its size is" in said(look({GGUF["file"]: gguf(2)}, GGUF), "error")[0][1]
        hub.faults.clear()


def test_a_server_that_stays_busy_is_an_error_and_no_pass(hub: HubServer):
    from assay.families.supply.fetching.patience import Patience
    from assay.families.supply.repositories import readers

    quick = Patience(timeout_s=5.0, tries=2, first_s=0.0)
    reader = readers.Hub(patience=quick)
    hub.repos["org/name"].commit({GGUF["file"]: gguf(2)})
    hub.fail("", *[Fault(status=503)] * 4)
    with pytest.raises(PluginError, match="503"):
        reader.look("hf:org/name@main")


def test_files_are_brought_to_where_the_plan_has_them(look: Look, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    below = {f"half/{name}": data for name, data in FOLDER.items()}
    half = {**PLAIN, "name": "half", "file": "half"}
    checked = look(
        {**FOLDER, **below, "half/x/y.json": b"{}", GGUF["file"]: gguf(2)}, GGUF, PLAIN, half
    )
    assert checked.notes == ()
    systems = systems_of(checked.submission, suite_of("open"), checked.seen)
    bring(systems, tmp_path / "try" / "plan.yaml", beside=tmp_path)
    folder = tmp_path / "try" / "fetched" / "tiny"
    assert (folder / "q8_0" / GGUF["file"]).read_bytes() == gguf(2)
    for system in systems[1:]:
        held = tmp_path / "try" / system.options["model"]
        assert sorted(path.name for path in held.iterdir()) == sorted(FOLDER)


def test_a_file_of_this_machine_is_looked_at_where_it_lies(tmp_path: Path):
    (tmp_path / "x.gguf").write_bytes(gguf(2))
    source = f"file:{tmp_path}/x.gguf"
    found = reader_of(source).look(source)
    assert [file.name for file in found.files] == ["x.gguf"]
    assert reader_of(source).weigh(source, ["x.gguf"]).parameters == 1000 * 2048
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(DataError):
        reader_of(source).weigh(source, ["x.gguf"])


def test_a_scheme_that_nothing_reads_is_told():
    with pytest.raises(
        PluginError, match="nothing is installed that reads sources of the kind ftp:"
    ):
        reader_of("ftp:x")
