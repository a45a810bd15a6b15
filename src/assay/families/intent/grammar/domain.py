"""Domains by name or by folder.

A domain is a folder with a ``domain.yaml`` and data.  It holds no code, so that a new one needs no
Python.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import resources
from pathlib import Path

from assay import PlanError

from .domain_file import read_domain
from .parts import Domain

__all__ = ["Domain", "load_domain", "shipped"]


def shipped() -> list[str]:
    """Return the names of the domains that come with assay.

    >>> shipped()
    ['defi', 'home']
    """
    folder = resources.files("assay.families.intent") / "domains"
    return sorted(each.name for each in folder.iterdir() if (each / "domain.yaml").is_file())


def load_domain(domain: str | Path) -> Domain:
    """Return a domain: one that is shipped, by its name, or the one in a folder.

    The folder has a ``domain.yaml`` and the files that it names (docs/families/intent.md).

    Raises ``PlanError`` A103 for a name that is neither, ``DataError`` A200 with the line for a
    file that is wrong.

    >>> load_domain("defi").actions["swap_asset"].roles["to_asset"].kinds
    ('asset',)

    *Not to be trusted when* the words of a domain were written by looking at its test prompts.
    """
    if isinstance(domain, str) and domain in shipped():
        return _shipped(domain)
    folder = Path(domain)
    if not (folder / "domain.yaml").is_file():
        near = difflib.get_close_matches(str(domain), shipped(), n=1)
        hint = f"did you mean {near[0]!r}? or " if near else ""
        raise PlanError(
            f"there is no domain {str(domain)!r}",
            where=str(folder / "domain.yaml"),
            hint=f"{hint}name one of {', '.join(shipped())}, or a folder with a domain.yaml",
            code="A103",
        )
    return read_domain(folder)


@cache
def _shipped(name: str) -> Domain:
    return read_domain(resources.files("assay.families.intent") / "domains" / name)
