"""Texts with fields in braces, ``Translate {python_code}``, filled in strictly and nothing cleverer.

A field is a name in braces.  Any other brace stands for itself, since prompts hold JSON and Rust; a name
in double braces, ``{{name}}``, is that name in single ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .core.errors import PlanError
from .engine.plan import nearest

_NAMED = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}")


def fields(template: str) -> tuple[str, ...]:
    """Return the fields of a template, each once, in order.

    >>> fields('Is {input} good?  {"answer": "{input}"} {{literal}}')
    ('input',)
    """
    return tuple(dict.fromkeys(found[2] for found in _NAMED.finditer(template) if found[2]))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with each field replaced; what is put in is not read again.

    Raises ``PlanError`` A103 for a field that has no value, with the nearest that has.

    >>> fill("{a} and {{a}} and {", {"a": "{b}"})
    '{b} and {a} and {'
    """
    check(template, list(values))
    return _NAMED.sub(lambda found: values[found[2]] if found[2] else f"{{{found[1]}}}", template)


def check(template: str, known: list[str], *, where: str = "") -> None:
    """Raise ``PlanError`` A103 for a field of a template that nothing is known of."""
    for name in fields(template):
        if name not in known:
            raise PlanError(
                f"the template has a field {{{name}}} that no question has",
                where=where,
                hint=f"{nearest(name, known)}; write {{{{{name}}}}} for the word in braces itself",
                code="A103",
            )
