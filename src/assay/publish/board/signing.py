"""A signature over the seal of a run: who vouches for it.

The seal has the digest of every file, so a signature over it covers them all.  *Covered*: a byte that
changed, a signature of another run, a key that the board does not know.  *Not covered*: whether the
signer ran anything; whose key stands in ``models/keys``.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...core.errors import SealError
from ...store.rundir import RunDir
from ...store.seal import Fault, read_seal, require_intact
from ..signing import PublicKey, claimed_key, fault_of, read_public_key, sign_files

KEYS = Path("models") / "keys"
"""Where a board keeps the public keys that it trusts, below its folder: ``*.pub``."""


class Standing(StrEnum):
    """What a signature is worth.  Only ``SIGNED`` is shown as a badge."""

    SIGNED = "signed"
    UNKNOWN = "signed by an unknown key"
    BROKEN = "the signature does not verify"
    NONE = "not signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is known of a run's signature."""

    standing: Standing
    fingerprint: str | None = None
    """The key that the signature names; verified where it is signed, a mere word elsewhere."""

    algorithm: str | None = None
    key: str | None = None
    """The file of the trusted key, as ``lab.pub``."""

    why: str = ""


def sign_run(run: Path | str, key: Path) -> Path:
    """Sign a sealed run with a private key, and return where the signature stands: ``SEAL.sig``.

    Every sealed file is hashed first: a changed run is not signed.  An older signature is replaced.
    Raises ``SealError`` A300, A301, A303 as ``require_intact``, ``PlanError`` A106 for a key that is
    none, ``PluginError`` A401 without model-signing.
    """
    there = RunDir(Path(run))
    require_intact(there)
    sign_files((there.seal,), there.signature, key=key)
    return there.signature


def signature_faults(run: Path | str, key: Path) -> list[Fault]:
    """Return what is wrong with the signature of a run, as ``verify`` lists faults; empty if nothing.

    Raises ``PlanError`` A106 for a key that is none.
    """
    there = RunDir(Path(run))
    read_seal(there)
    found = fault_of(there.signature, (there.seal,), key=key)
    name = there.signature.name
    return [] if found is None else [Fault(name, f"does not vouch for this run: {found}")]


def trusted_keys(board: Path) -> dict[str, tuple[Path, PublicKey]]:
    """Return the public keys that a board trusts: fingerprint to file and key, sorted by file.

    Raises ``PlanError`` A106 for a file there that is no public key.
    """
    files = sorted(path for path in (board / KEYS).glob("*.pub") if path.is_file())
    return {key.fingerprint: (file, key) for file in files for key in [read_public_key(file)]}


def look_at_signature(seal: bytes, signature: Path, *, board: Path) -> Signed:
    """Return what a signature over a seal is worth to a board.

    ``seal`` is what the run's ``SEAL`` holds.  A file that is absent is *not signed*.  Raises as
    ``trusted_keys``.

    *Not to be trusted when* somebody who should not can write to ``models/keys``.
    """
    if not signature.is_file():
        return Signed(standing=Standing.NONE)
    named = claimed_key(signature)
    if named is None:
        return Signed(standing=Standing.BROKEN, why="the signature is damaged")
    trusted = trusted_keys(board).get(named)
    if trusted is None:
        return Signed(standing=Standing.UNKNOWN, fingerprint=named)
    file, key = trusted
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "SEAL"
        copy.write_bytes(seal)
        found = fault_of(signature, (copy,), key=file)
    standing = Standing.SIGNED if found is None else Standing.BROKEN
    return Signed(
        standing=standing,
        fingerprint=key.fingerprint,
        algorithm=key.algorithm,
        key=file.name,
        why=found or "",
    )


def signature_of(seal: bytes, signature: Path, *, board: Path) -> dict[str, str] | None:
    """Return ``fingerprint`` and ``algorithm`` of a signature that a board trusts; None for any other.

    Raises as ``trusted_keys``.
    """
    found = look_at_signature(seal, signature, board=board)
    if found.standing is not Standing.SIGNED or not found.fingerprint or not found.algorithm:
        return None
    return {"fingerprint": found.fingerprint, "algorithm": found.algorithm}


def carried_signature(run: Path | str) -> bytes | None:
    """Return the signature that stands beside a run, for the board to keep; None where there is none.

    Raises ``SealError`` A300 for one that is no signature at all.
    """
    path = RunDir(Path(run)).signature
    if not path.is_file():
        return None
    if claimed_key(path) is None:
        raise SealError(
            "the signature beside the run is damaged",
            where=str(path),
            hint="sign again: `assay board sign RUN --key key.pem`; or delete it",
        )
    return path.read_bytes()
