"""Signatures over files and passports, prompt sets, and what the commands print."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError, PlanError
from assay.families.supply.agreeing.passport import passport_path
from assay.families.supply.agreeing.prompts import read_prompts
from assay.families.supply.agreeing.signing import sign, signature_path, verify
from assay.families.supply.agreeing.speakers import chosen
from assay.families.supply.commands.sign import verify as verify_command
from assay.families.supply.commands.validate import validate
from assay.families.supply.converting.convert import convert
from assay.families.supply.running.folders import Apr
from key_pairs import key_pair
from tiny_llama import write_llama

PROMPTS = "name: few\nprompts:\n- {id: a, text: The other thing in the theatre}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a source, a converted file and its passport."""
    folder = tmp_path_factory.mktemp("passport")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(folder / "cache"))
        write_llama(folder / "source")
        convert(folder / "source", folder / "m.apr", to="apr", quantise="q8")
        (folder / "few.yaml").write_text(PROMPTS)
        validate(folder / "m.apr", against=folder / "source", prompts=folder / "few.yaml")
    return folder


@pytest.fixture
def files(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the converted file with its passport."""
    monkeypatch.setenv("ASSAY_CACHE", str(folder / "cache"))
    for name in ("m.apr", "m.apr.passport.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return tmp_path / "m.apr"


@pytest.mark.heavy
def test_a_signed_file_verifies_and_a_flipped_byte_of_either_does_not(files, tmp_path):
    private, public = key_pair(tmp_path)
    assert sign(files, key=private) == signature_path(files)
    verify(files, key=public)
    assert verify_command(files, key=public).code == 0
    for path in (files, passport_path(files)):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 2):
            data = bytearray(whole)
            data[place] ^= 1
            path.write_bytes(bytes(data))
            with pytest.raises(DataError, match="A207 HALT"):
                verify(files, key=public)
            assert verify_command(files, key=public).code == 1
        path.write_bytes(whole)
    verify(files, key=public)


@pytest.mark.heavy
def test_another_key_or_no_signature_verifies_nothing(files, tmp_path):
    private, public = key_pair(tmp_path)
    _, other = key_pair(tmp_path, "other")
    with pytest.raises(DataError, match="no signature"):
        verify(files, key=public)
    sign(files, key=private)
    with pytest.raises(DataError, match="A207 HALT signature"):
        verify(files, key=other)
    signature = signature_path(files)
    whole = json.loads(signature.read_bytes())
    for broken in (b"", b"{}", b"[]", json.dumps(whole | {"dsseEnvelope": {}}).encode()):
        signature.write_bytes(broken)
        with pytest.raises(DataError, match="A207 HALT signature"):
            verify(files, key=public)
    payload = whole["dsseEnvelope"]["payload"]
    whole["dsseEnvelope"]["payload"] = payload[:-8] + "AAAA" + payload[-4:]
    signature.write_text(json.dumps(whole))
    with pytest.raises(DataError, match="A207 HALT signature"):
        verify(files, key=public)


@pytest.mark.heavy
def test_the_signature_of_one_file_is_not_that_of_another(files, tmp_path):
    private, public = key_pair(tmp_path)
    sign(files, key=private)
    other = tmp_path / "other.apr"
    for suffix in ("", ".passport.json", ".sig"):
        Path(f"{other}{suffix}").write_bytes(Path(f"{files}{suffix}").read_bytes())
    with pytest.raises(DataError, match="A207 HALT signature"):
        verify(other, key=public)


@pytest.mark.heavy
def test_a_signature_is_one_of_model_signing_itself(files, tmp_path):
    """Its own command verifies it, where the folder has other files too."""
    private, public = key_pair(tmp_path)
    sign(files, key=private)
    asked = ["verify", "key", str(tmp_path), "--signature", str(signature_path(files))]
    asked += ["--public_key", str(public), "--ignore_unsigned_files"]
    done = subprocess.run(
        [sys.executable, "-m", "model_signing", *asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.heavy
def test_a_file_without_a_passport_and_a_key_that_is_none_are_told(files, tmp_path):
    private, public = key_pair(tmp_path)
    for key in (public, files, tmp_path / "none.pem"):
        with pytest.raises(PlanError, match="A106"):
            sign(files, key=key)
    for key in (private, files, tmp_path / "none.pub"):
        with pytest.raises(PlanError, match="A106"):
            verify(files, key=key)
    passport_path(files).unlink()
    with pytest.raises(PlanError, match="has no passport"):
        sign(files, key=private)


@pytest.mark.heavy
def test_whoever_loads_a_file_checks_its_passport(files):
    assert Apr().as_folder(files).is_dir()
    said = json.loads(passport_path(files).read_bytes())
    refused = said | {"verdict": "refused", "reasons": ["kl_mean 0.3 is above 0.01"]}
    passport_path(files).write_text(json.dumps(refused))
    with pytest.raises(DataError, match="A208 REFUSED: kl_mean"):
        Apr().as_folder(files)
    other = said | {"candidate": said["candidate"] | {"sha256": "0" * 64}}
    passport_path(files).write_text(json.dumps(other))
    with pytest.raises(DataError, match="A207 HALT"):
        Apr().as_folder(files)
    passport_path(files).unlink()
    assert Apr().as_folder(files).is_dir()


@pytest.mark.heavy
def test_every_number_is_printed_beside_its_limit(folder, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(folder / "cache"))
    page = validate(
        folder / "m.apr",
        against=folder / "source",
        limit=["kl_mean=0"],
        prompts=folder / "few.yaml",
    )
    assert page.code == 1
    rows = {line[0]: line for line in page.lines if isinstance(line, tuple)}
    assert rows["kl_mean !"][2] == "at most 0"
    assert rows["top1"][2] == "at least 0.9"
    assert {"kl_p99", "kl_max", "logit_cosine", "perplexity_difference"} <= rows.keys()
    assert any(str(line).startswith("A208 REFUSED: kl_mean") for line in page.lines)
    assert page.facts["verdict"] == "refused"
    again = validate(folder / "m.apr", against=folder / "source", prompts=folder / "few.yaml")
    assert again.code == 0
    assert page.facts["prompts"] == again.facts["prompts"]


def test_the_shipped_prompts_are_of_five_kinds_and_have_one_digest():
    shipped = read_prompts()
    kinds = {prompt.category for prompt in shipped.prompts}
    assert kinds == {"sanity", "knowledge", "code", "format", "multilingual"}
    assert len(shipped.prompts) >= 18
    assert shipped.sha256 == read_prompts().sha256
    assert shipped.sha256.startswith("b3c16da362b71f32")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name: x\n", "A100"),
        ("prompts: []\n", "A102"),
        ("prompts: [{id: a}]\n", "A100"),
        ("prompts: [{id: a, text: ''}]\n", "A102"),
        ("prompts: [{id: a, text: b, kind: c}]\n", "A101"),
        ("prompts: [{id: a, text: b}, {id: a, text: c}]\n", "A200"),
    ],
)
def test_a_wrong_set_of_prompts_is_told_with_its_line(text, code, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises((PlanError, DataError), match=code):
        read_prompts(path)


@given(st.integers(1, 500), st.integers(1, 600))
def test_chosen_places_are_in_order_none_twice_the_last_among_them(length, positions):
    found = chosen(length, positions)
    assert found == sorted(set(found))
    assert len(found) == min(length, positions)
    assert found[-1] == length - 1
    assert found[0] >= 0
