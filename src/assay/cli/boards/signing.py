"""``assay board sign``."""

from __future__ import annotations

from pathlib import Path

from ..page import Line, Page, faint


def sign(run: Path, /, *, key: Path) -> Page:
    """Sign a sealed run, offline, with a key of your own; `assay verify RUN --key` verifies it.

    Args:
        run: A run's folder.
        key: A private elliptic curve key (PEM), not encrypted.
    """
    from ...publish.board.signing import sign_run
    from ...publish.signing import claimed_key

    path = sign_run(run, key)
    named = claimed_key(path)
    lines: list[Line] = [
        f"Signed: {path}",
        ("  key ", faint(str(named))),
        "A board shows it as signed when the public key stands in its models/keys.",
    ]
    return Page(lines=lines, facts={"run": str(run), "signature": str(path), "key": named})
