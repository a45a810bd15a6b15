"""A signature over a model file and its passport, made and verified offline with a key of one's own.

*Covered*: a byte of the file or of the passport that changed, another key.  *Not covered*: whose key
it is; a private key that is not kept private.
"""

from __future__ import annotations

from pathlib import Path

from assay import DataError, PlanError
from assay.signing import fault_of, sign_files

from ..passport import check_passport, passport_path


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
    if not file.is_file() or check_passport(file) is None:
        raise PlanError(
            f"{file.name} has no passport",
            where=str(file),
            hint="run `assay model validate` on it first",
            code="A106",
        )
    target = signature_path(file)
    sign_files((file, passport_path(file)), target, key=key)
    return target


def verify(file: Path, *, key: Path) -> None:
    """Verify the signature of a file and its passport with a public key (PEM).

    Raises ``DataError`` A207 when a byte of either changed, the signature is missing, or another key made
    it; ``PlanError`` A106 for a key that is none.
    """
    found = fault_of(signature_path(file), (file, passport_path(file)), key=key)
    if found is not None:
        raise DataError(
            f"HALT signature: {found}",
            where=str(file),
            hint="fetch the file, its passport and its signature again",
            code="A207",
        )
    check_passport(file)
