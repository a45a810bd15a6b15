"""Signatures over sealed runs: what a key vouches for, and what it does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from assay.core.errors import PlanError, SealError
from assay.publish.board.signing import (
    KEYS,
    Standing,
    carried_signature,
    look_at_signature,
    sign_run,
    signature_faults,
    signature_of,
)
from assay.publish.run import Run
from assay.publish.signing import MAX_BYTES, claimed_key, read_public_key
from assay.publish.verify import verify
from assay.store.rundir import RunDir
from key_pairs import key_pair

pytest.importorskip("model_signing")


@pytest.fixture
def run(bare: Run, tmp_path: Path) -> RunDir:
    """Return a sealed run of its own."""
    shutil.copytree(bare.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Return a private and a public key."""
    return key_pair(tmp_path)


def trust(board: Path, *keys: Path) -> None:
    """Let a board know public keys."""
    (board / KEYS).mkdir(parents=True, exist_ok=True)
    for key in keys:
        shutil.copy(key, board / KEYS)


def test_a_signature_stands_beside_a_run_that_verifies_as_before(run, pair):
    before = [(fault.path, fault.what) for fault in verify(run.root)]
    assert sign_run(run.root, pair[0]) == run.root / "SEAL.sig"
    assert [(fault.path, fault.what) for fault in verify(run.root)] == before
    assert signature_faults(run.root, pair[1]) == []


def test_a_board_shows_a_badge_for_a_key_that_it_trusts_and_for_no_other(run, pair, tmp_path):
    sign_run(run.root, pair[0])
    seal = run.seal.read_bytes()
    unknown = look_at_signature(seal, run.signature, board=tmp_path)
    assert unknown.standing is Standing.UNKNOWN
    assert signature_of(seal, run.signature, board=tmp_path) is None
    trust(tmp_path, key_pair(tmp_path, "other", curve="SECP384R1")[1], pair[1])
    found = look_at_signature(seal, run.signature, board=tmp_path)
    assert (found.standing, found.key, found.why) == (Standing.SIGNED, "key.pub", "")
    assert signature_of(seal, run.signature, board=tmp_path) == {
        "fingerprint": f"SHA256:{sha256(pair[1].read_bytes()).hexdigest()}",
        "algorithm": "ecdsa-p256",
    }
    run.signature.unlink()
    assert look_at_signature(seal, run.signature, board=tmp_path).standing is Standing.NONE


@pytest.mark.parametrize("curve", ["SECP384R1", "SECP521R1"])
def test_every_curve_of_model_signing_is_named(run, tmp_path, curve):
    private, public = key_pair(tmp_path, curve, curve=curve)
    sign_run(run.root, private)
    assert signature_faults(run.root, public) == []
    assert read_public_key(public).algorithm == f"ecdsa-p{curve[4:7]}"


def test_another_key_a_changed_byte_and_another_run_are_not_vouched_for(run, pair, tmp_path):
    sign_run(run.root, pair[0])
    trust(tmp_path, pair[1])
    [fault] = signature_faults(run.root, key_pair(tmp_path, "other")[1])
    assert (fault.path, "another key" in fault.what) == ("SEAL.sig", True)
    seal = bytearray(run.seal.read_bytes())
    for place in (0, len(seal) // 2, len(seal) - 1):
        seal[place] ^= 1
        found = look_at_signature(bytes(seal), run.signature, board=tmp_path)
        assert (found.standing, found.algorithm) == (Standing.BROKEN, "ecdsa-p256")
        assert "mismatch" in found.why
        seal[place] ^= 1
    assert signature_of(bytes(seal), run.signature, board=tmp_path)


def test_a_signature_moved_to_another_run_vouches_for_nothing(run, harmed, pair, tmp_path):
    sign_run(run.root, pair[0])
    shutil.copytree(harmed.path, tmp_path / "another")
    shutil.copy(run.signature, tmp_path / "another")
    [fault] = signature_faults(tmp_path / "another", pair[1])
    assert "mismatch" in fault.what
    trust(tmp_path, pair[1])
    seal = RunDir(tmp_path / "another").seal.read_bytes()
    assert signature_of(seal, run.signature, board=tmp_path) is None


def test_a_damaged_signature_is_no_signature(run, pair, tmp_path):
    sign_run(run.root, pair[0])
    trust(tmp_path, pair[1])
    seal, whole = run.seal.read_bytes(), run.signature.read_bytes()
    told = json.loads(whole)
    unhinted = told | {"verificationMaterial": {"publicKey": {"hint": ""}}}
    forged = told | {"dsseEnvelope": told["dsseEnvelope"] | {"signatures": []}}
    broken = (
        b"",
        b"[]",
        b"[" * 60_000,
        b"\xff" + whole,
        whole[: len(whole) // 2],
        whole + b" " * MAX_BYTES,
        json.dumps(unhinted).encode(),
        json.dumps(forged).encode(),
        whole.replace(b'"sig"', b'"gis"'),
    )
    for data in broken:
        run.signature.write_bytes(data)
        assert look_at_signature(seal, run.signature, board=tmp_path).standing is Standing.BROKEN
        assert signature_faults(run.root, pair[1])
    run.signature.write_bytes(whole)
    assert carried_signature(run.root) == whole
    run.signature.write_bytes(whole[:-9])
    with pytest.raises(SealError, match="damaged"):
        carried_signature(run.root)


def test_a_signature_that_names_another_key_than_made_it_is_broken(run, pair, tmp_path):
    """Anybody can write the name of a trusted key into a bundle of their own."""
    private, _ = key_pair(tmp_path, "forger")
    sign_run(run.root, private)
    trust(tmp_path, pair[1])
    told = json.loads(run.signature.read_bytes())
    told["verificationMaterial"]["publicKey"]["hint"] = sha256(pair[1].read_bytes()).hexdigest()
    run.signature.write_text(json.dumps(told))
    assert claimed_key(run.signature) == read_public_key(pair[1]).fingerprint
    found = look_at_signature(run.seal.read_bytes(), run.signature, board=tmp_path)
    assert (found.standing, found.why) == (
        Standing.BROKEN,
        "the key that the signature names did not make it",
    )


def test_a_changed_run_is_not_signed_and_a_key_that_is_none_is_told(run, pair, tmp_path):
    for key in (pair[1], tmp_path / "none.pem", run.seal):
        with pytest.raises(PlanError, match="A106"):
            sign_run(run.root, key)
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    mine = form.load_pem_private_key(pair[0].read_bytes(), None)
    for key, lock, said in (
        (mine, form.BestAvailableEncryption(b"x"), "is encrypted"),
        (Ed25519PrivateKey.generate(), form.NoEncryption(), "of another kind"),
    ):
        path = tmp_path / "other.pem"
        path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock))
        with pytest.raises(PlanError, match=said):
            sign_run(run.root, path)
    trust(tmp_path, pair[1])
    shutil.copy(pair[0], tmp_path / KEYS / "private.pub")
    sign_run(run.root, pair[0])
    with pytest.raises(PlanError, match=r"private\.pub is not a public elliptic curve key"):
        look_at_signature(run.seal.read_bytes(), run.signature, board=tmp_path)
    run.plan.write_bytes(run.plan.read_bytes() + b"# more\n")
    with pytest.raises(SealError, match="A300"):
        sign_run(run.root, pair[0])


def test_the_signature_of_a_run_is_one_of_model_signing_itself(run, pair, tmp_path):
    """Its own command verifies it: nobody has to trust assay for that."""
    sign_run(run.root, pair[0])
    asked = ["verify", "key", str(run.root), "--signature", str(run.signature)]
    asked += ["--public_key", str(pair[1]), "--ignore_unsigned_files"]
    done = subprocess.run(
        [sys.executable, "-m", "model_signing", *asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
