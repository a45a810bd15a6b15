"""What a log calls things, as names of files."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from ...core.errors import DataError
from ...engine.reported import KNOWN
from ...store.rundir import NAME


def file_name(text: str) -> str:
    """Return a name that may be a file's, as much like the text as possible.

    >>> file_name("meta-llama/Llama-3.1 8B"), file_name("gpt2")
    ('meta-llama-Llama-3.1-8B', 'gpt2')
    """
    if NAME.fullmatch(text):
        return text
    made = re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")
    tail = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    if not made:
        return tail
    return made if len(made) <= 80 else f"{made[:71]}-{tail}"


def score_name(text: str) -> str:
    """Return what a score of a log is called: what bears the name of a metric of ours is not that.

    >>> score_name("accuracy"), score_name("f1")
    ('reported_accuracy', 'f1')
    """
    return f"reported_{text}" if text in KNOWN else text


@dataclass(slots=True)
class Names:
    """What the log calls things, and what their files are called."""

    what: str
    known: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    def of(self, text: str, where: str) -> str:
        """Return the file name of a name; two names never share one, on any disk."""
        made = self.known.get(text)
        if made is None:
            made = file_name(text)
            # macOS and Windows take `A` and `a` for one folder, and a run may be copied there.
            if (other := self.taken.setdefault(made.casefold(), text)) != text:
                same = file_name(other) == made
                raise DataError(
                    f"the {self.what}s {other!r} and {text!r} would both be called {made!r}"
                    if same
                    else f"the {self.what}s {other!r} and {text!r} differ in capitals alone, and would "
                    "be one folder on macOS and Windows",
                    where=where,
                    hint="rename one of them in the log",
                )
            self.known[text] = made
        return made
