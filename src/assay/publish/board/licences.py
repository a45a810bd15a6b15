"""Licences that a board knows by name: SPDX identifiers, and the model licences that have none."""

from __future__ import annotations

from difflib import get_close_matches

SPDX = (
    "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause",
    "BSD-3-Clause", "BSD-3-Clause-Clear", "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0",
    "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2",
    "GFDL-1.3-only", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ISC",
    "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0",
    "MS-PL", "NCSA", "ODC-By-1.0", "ODbL-1.0", "OSL-3.0", "PDDL-1.0", "PostgreSQL", "Unlicense", "WTFPL",
    "Zlib",
)  # fmt: skip
"""Identifiers of spdx.org/licenses that models and data come under."""

NAMED = (
    "BSD", "OpenRAIL", "BigScience-OpenRAIL-M", "CreativeML-OpenRAIL-M", "Gemma", "Llama 2", "Llama 3",
    "Llama 3.1", "Llama 3.2", "Llama 3.3", "Qwen Research", "Falcon-LLM", "DeepSeek",
)  # fmt: skip
"""Licences of models that are in no list, by the name that people use."""

_OTHER_WORDS = {
    "apache": "Apache-2.0", "apache2": "Apache-2.0", "apache20": "Apache-2.0", "apachelicense20": "Apache-2.0",
    "gpl3": "GPL-3.0-only", "gpl30": "GPL-3.0-only", "agpl30": "AGPL-3.0-only", "lgpl30": "LGPL-3.0-only",
    "cc0": "CC0-1.0", "ccby": "CC-BY-4.0", "ccbysa": "CC-BY-SA-4.0", "licenserefgemma": "Gemma",
    "openraill": "OpenRAIL", "openrailm": "BigScience-OpenRAIL-M",
}  # fmt: skip


def canonical(text: str) -> str | None:
    """Return a licence as the board spells it; None for one that it does not know.

    Case, spaces and marks do not matter.  A reference of your own (``LicenseRef-...``) stands as it is.

    >>> canonical("apache 2.0"), canonical("llama3.2"), canonical("LicenseRef-Mine"), canonical("free")
    ('Apache-2.0', 'Llama 3.2', 'LicenseRef-Mine', None)
    """
    bare = _bare(text)
    if bare in _OTHER_WORDS:
        return _OTHER_WORDS[bare]
    found = next((each for each in (*SPDX, *NAMED) if _bare(each) == bare), None)
    if found is None and text.startswith("LicenseRef-") and text[11:].isascii() and text[11:]:
        return text
    return found


def suggested(text: str) -> str:
    """Return a sentence with the nearest licence, or with what to write for one of one's own.

    >>> suggested("Apach-2.0")
    "did you mean 'Apache-2.0'?"
    """
    names = {each.casefold(): each for each in (*SPDX, *NAMED)}
    if close := get_close_matches(text.casefold(), names, n=1, cutoff=0.6):
        return f"did you mean {names[close[0]]!r}?"
    return "write an SPDX identifier, or LicenseRef- and a name of your own"


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
