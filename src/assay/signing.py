"""Signatures over files, made and verified offline with an elliptic curve key of one's own."""

from __future__ import annotations

from .publish.signing import PublicKey, claimed_key, fault_of, read_public_key, sign_files

__all__ = ["PublicKey", "claimed_key", "fault_of", "read_public_key", "sign_files"]
