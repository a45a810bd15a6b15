"""Key pairs for the tests of signatures."""

from __future__ import annotations

from pathlib import Path

import pytest


def key_pair(folder: Path, name: str = "key", *, curve: str = "SECP256R1") -> tuple[Path, Path]:
    """Write a private and a public key, ``NAME.pem`` and ``NAME.pub``."""
    ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    from cryptography.hazmat.primitives import serialization as form

    key = ec.generate_private_key(getattr(ec, curve)())
    pem = form.Encoding.PEM
    private = key.private_bytes(pem, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(pem, form.PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pem").write_bytes(private)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / f"{name}.pem", folder / f"{name}.pub"
