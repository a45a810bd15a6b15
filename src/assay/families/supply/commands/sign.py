"""``assay model sign`` and ``assay model verify``: a signature over a file and its passport."""

from __future__ import annotations

from pathlib import Path

from assay.pages import Page


def sign(file: Path, /, *, key: Path) -> Page:
    """Sign a model file together with its passport, offline, with a key of your own.

    Parameters
    ----------
    file
        A file that has a passport: see assay model validate.
    key
        A private elliptic curve key (PEM).
    """
    from ..agreeing.signing import sign as signed

    path = signed(file, key=key)
    return Page(lines=[f"Signed: {path}"], facts={"signature": str(path)})


def verify(file: Path, /, *, key: Path) -> Page:
    """Verify the signature of a model file and of its passport; exit 1 where either changed.

    Parameters
    ----------
    file
        The file; FILE.passport.json and FILE.sig stand beside it.
    key
        The public key (PEM) of whoever signed.
    """
    from assay import DataError

    from ..agreeing.signing import verify as check

    try:
        check(file, key=key)
    except DataError as error:
        facts = {"verified": False, "why": error.what}
        return Page(lines=[f"{error.code} {error.what}"], facts=facts, code=1)
    return Page(lines=[f"Verified: {file.name} and its passport"], facts={"verified": True})
