"""Signatures over files, made and verified offline with an elliptic curve key of one's own.

A signature is one of model-signing (a sigstore bundle): its own command verifies it, too.  *Covered*: a
byte of a file that changed, a file of another name, another key.  *Not covered*: whose key it is; a
private key that is not kept private; when something was signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.errors import PlanError, PluginError

MAX_BYTES = 1 << 16
"""No signature of a few files is larger."""

CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}
MAKE_A_PAIR = (
    "make a pair: openssl ecparam -name prime256v1 -genkey -noout -out key.pem, and "
    "openssl ec -in key.pem -pubout -out key.pub"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key that somebody trusts."""

    fingerprint: str
    """``SHA256:`` and the digest that ``sha256sum key.pub`` prints for a file that openssl wrote."""

    algorithm: str
    """As ``ecdsa-p256``."""


def read_public_key(path: Path) -> PublicKey:
    """Return the fingerprint and the algorithm of a public key (PEM, NIST P-256, P-384 or P-521).

    Raises ``PlanError`` A106 for a file that is no such key, ``PluginError`` A401 without model-signing.
    """
    form = _load("cryptography.hazmat.primitives.serialization")
    try:
        with path.open("rb") as file:
            key = form.load_pem_public_key(file.read(MAX_BYTES))
        algorithm = CURVES[key.curve.name]
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise _no_key(path, "a public elliptic curve key", error) from error
    pem = key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    fingerprint = f"SHA256:{hashlib.sha256(pem).hexdigest()}"
    return PublicKey(fingerprint=fingerprint, algorithm=algorithm)


def sign_files(files: Sequence[Path], to: Path, *, key: Path) -> None:
    """Sign files that stand in one folder, and write the signature.

    ``key`` is a private key (PEM, NIST P-256, P-384 or P-521, not encrypted).  The folder may hold other
    files: they are not signed.  Raises ``PlanError`` A106 for a key that is none, ``PluginError`` A401
    without model-signing.
    """
    signing = _load("model_signing.signing")
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=str(key))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _no_key(key, "a private key", error) from error
    part = to.with_name(f"{to.name}.part")
    config.set_hashing_config(_only(files)).sign(str(files[0].parent), str(part))
    part.replace(to)


def fault_of(signature: Path, files: Sequence[Path], *, key: Path) -> str | None:
    """Return what is wrong with a signature over these files; None where the public key verifies it.

    Raises ``PlanError`` A106 for a key that is none, ``PluginError`` A401 without model-signing.

    *Not to be trusted when* nobody knows whose key it is.
    """
    verifying = _load("model_signing.verifying")
    wanted = read_public_key(key)
    if not signature.is_file():
        return "there is no signature"
    named = claimed_key(signature)
    if named is None:
        return "the signature is damaged"
    if named != wanted.fingerprint:
        return "another key made the signature"
    config = verifying.Config().use_elliptic_key_verifier(public_key=str(key))
    config.set_hashing_config(_only(files))
    invalid = _load("cryptography.exceptions").InvalidSignature
    try:
        config.verify(str(files[0].parent), str(signature))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        return str(error).strip() or "the signature is damaged"
    except invalid:
        return "the key that the signature names did not make it"
    return None


def claimed_key(signature: Path) -> str | None:
    """Return the fingerprint of the key that a signature names; None for a file that is no signature.

    Nothing is verified: anybody can write any name.
    """
    try:
        with signature.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        named = json.loads(raw)["verificationMaterial"]["publicKey"]["hint"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    is_digest = (
        isinstance(named, str) and len(named) == 64 and set(named) <= set("0123456789abcdef")
    )
    return f"SHA256:{named}" if is_digest and len(raw) <= MAX_BYTES else None


def _only(files: Sequence[Path]) -> Any:
    """Return a hashing configuration that reads these files of a folder and no other."""
    config: Any = _load("model_signing.hashing").Config()
    wanted = tuple(files)

    class Chosen:
        """What signing and verifying call."""

        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:
            return config.hash(model_path, files_to_hash=wanted)

        def add_ignored_paths(self, *, model_path: Any, paths: Any) -> None:
            """Ignore nothing: every file is read whatever a signature says."""

    return Chosen()


def _load(module: str) -> Any:
    if find_spec("model_signing") is None:
        hint = "pip install 'assay-eval[sign]'"
        raise PluginError("model_signing is not installed", hint=hint, code="A401")
    return import_module(module)


def _no_key(key: Path, what: str, error: Exception) -> PlanError:
    """Return the error of a key that cannot be used, in words of who made it."""
    hint = MAKE_A_PAIR
    match error:
        case OSError():
            said, hint = f"{key.name} cannot be read: {error.strerror}", "check the path"
        case TypeError():
            said = f"{key.name} is encrypted, and no password is asked for"
            hint = f"openssl ec -in {key.name} -out plain.pem, and take care of that file"
        case AttributeError() | KeyError():
            said = f"{key.name} is a key of another kind than P-256, P-384 and P-521"
        case _:
            said = f"{key.name} is not {what}: {str(error).partition(chr(10))[0]}"
    return PlanError(said, where="--key", hint=hint, code="A106")
