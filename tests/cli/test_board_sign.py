"""``assay board sign`` and ``assay verify --key``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from key_pairs import key_pair

from .conftest import Say

pytest.importorskip("model_signing")


def test_a_run_is_signed_and_verified_and_another_key_says_no(say: Say, first: Path, tmp_path):
    run = Path(shutil.copytree(first, tmp_path / "run"))
    private, public = key_pair(tmp_path)
    _, other = key_pair(tmp_path, "other")
    assert say("verify", run, "--key", public).code == 1
    signed = say("board", "sign", run, "--key", private)
    assert signed.code == 0, signed.err
    assert signed.out.startswith(f"Signed: {run}/SEAL.sig\n")
    good = say("verify", run, "--key", public)
    assert good.code == 0
    assert "It is signed by SHA256:" in good.out
    wrong = say("verify", run, "--key", other, "--json")
    assert wrong.code == 1
    assert wrong.json["faults"] == [
        {
            "path": "SEAL.sig",
            "what": "does not vouch for this run: another key made the signature",
        }
    ]
    said = say("verify", run, "--key", private)
    assert said.code == 2
    assert "openssl ec -in key.pem -pubout" in said.err
