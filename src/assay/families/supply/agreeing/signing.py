"""A signature over a model file and its passport, made and verified offline with a key of one's own.

The signature is one of model-signing (sigstore bundle, elliptic curve key): its own command verifies it,
too.  *Covered*: a byte of the file or of the passport that changed, another key.  *Not covered*: whose key
it is; a private key that is not kept private.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assay import DataError, PlanError
from assay.extras import Extra

from ..passport import check_passport, passport_path

_SIGN = Extra("sign")


def signature_path(file: Path) -> Path:
    """Return where the signature of a file stands.

    >>> signature_path(Path("m.apr")).name
    'm.apr.sig'
    """
    return file.with_name(f"{file.name}.sig")


def sign(file: Path, *, key: Path) -> Path:
    """Sign a file with its passport, and return where the signature stands.

    ``key`` is a private key (PEM, NIST P-256, P-384 or P-521).  Raises ``PlanError`` A106 for a file
    without a passport or a key that is none, ``DataError`` A207 and A208 as ``check_passport``,
    ``PluginError`` A401 without model-signing.
    """
    signing = _SIGN.load("model_signing.signing")
    if not file.is_file() or check_passport(file) is None:
        raise PlanError(
            f"{file.name} has no passport",
            where=str(file),
            hint="run `assay model validate` on it first",
            code="A106",
        )
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=str(key))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _no_key(key, "a private key", error) from error
    target = signature_path(file)
    part = target.with_name(f"{target.name}.part")
    config.set_hashing_config(_only(_signed(file))).sign(str(file.parent), str(part))
    part.replace(target)
    return target


def verify(file: Path, *, key: Path) -> None:
    """Verify the signature of a file and its passport with a public key (PEM).

    Raises ``DataError`` A207 when a byte of either changed, the signature is missing, or another key made
    it; ``PlanError`` A106 for a key that is none.
    """
    verifying = _SIGN.load("model_signing.verifying")
    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=str(key))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _no_key(key, "a public key", error) from error
    signature = signature_path(file)
    if not signature.is_file():
        raise _halt(file, "it has no signature beside it")
    config.set_hashing_config(_only(_signed(file)))
    invalid = _SIGN.load("cryptography.exceptions").InvalidSignature
    try:
        config.verify(str(file.parent), str(signature))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, invalid) as error:
        raise _halt(file, str(error).strip() or "another key made the signature") from error
    check_passport(file)


def _signed(file: Path) -> tuple[Path, ...]:
    return file, passport_path(file)


def _only(files: Iterable[Path]) -> Any:
    """Return a hashing configuration that reads these files of a folder and no other."""
    config: Any = _SIGN.load("model_signing.hashing").Config()
    wanted = tuple(files)

    class Pair:
        """What signing and verifying call: one method."""

        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:
            return config.hash(model_path, files_to_hash=wanted)

        def add_ignored_paths(self, *, model_path: Any, paths: Any) -> None:
            """Ignore nothing: both files are read whatever a signature says."""

    return Pair()


def _no_key(key: Path, what: str, error: Exception) -> PlanError:
    return PlanError(
        f"{key.name} is not {what}: {error}",
        where="--key",
        hint="make a pair: openssl ecparam -name prime256v1 -genkey -noout -out key.pem, and "
        "openssl ec -in key.pem -pubout -out key.pub",
        code="A106",
    )


def _halt(file: Path, what: str) -> DataError:
    return DataError(
        f"HALT signature: {what}",
        where=str(file),
        hint="fetch the file, its passport and its signature again",
        code="A207",
    )
